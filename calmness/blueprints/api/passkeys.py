"""The caller's own passkeys: see, add, remove."""

import json
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue
from flask_login import current_user

from calmness import clock
from calmness.access import current_account, requires, requires_fresh, without_second_factor
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.passkey_login import ChallengeOut, SignedIn, answer, challenge_of
from calmness.blueprints.api.security import RecoveryCodesOut
from calmness.blueprints.api.serialisers import instant
from calmness.blueprints.auth.passkeys import required_site
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services.account import passkeys


class PasskeyIn(SignedIn):
    """A new key and its name."""

    name = String(load_default="", validate=Length(max=80))


class PasskeyOut(Schema):
    """A key. ``backed_up``: its maker keeps it for several devices."""

    id = Integer(required=True)
    name = String(required=True)
    backed_up = Boolean(required=True)
    created_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)


class PasskeysOut(Schema):
    """Own keys, newest first; there are ten at most."""

    items = List(Nested(PasskeyOut), required=True)


@bp.get("/me/passkeys")
@bp.output(PasskeysOut)
@requires(Permission.OWN_SPACE)
@without_second_factor
def api_passkeys() -> ResponseReturnValue:
    """Own keys."""
    return {
        "items": [
            {
                "id": key.id,
                "name": key.name,
                "backed_up": key.backed_up,
                "created_at": instant(key.created_at),
                "last_used_at": instant(key.last_used_at),
            }
            for key in passkeys.of(current_account().id)
        ]
    }


@bp.post("/me/passkeys/challenge")
@bp.output(ChallengeOut)
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def api_passkey_creation_challenge() -> ResponseReturnValue:
    """What the browser needs to make a key."""
    challenge = passkeys.new_challenge()
    return answer(challenge, passkeys.creation_options(current_account(), required_site(), challenge))


@bp.post("/me/passkeys")
@bp.input(PasskeyIn, arg_name="given")
@bp.output(RecoveryCodesOut, status_code=201)
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def api_add_passkey(given: dict[str, Any]) -> ResponseReturnValue:
    """Keep a new key. Recovery codes come with the first factor, shown this once; else the list is empty."""
    credential = json.dumps(given["credential"])
    codes = passkeys.add(current_account(), credential, challenge_of(given), required_site(), given["name"])
    current_user.auth_session.mfa_at = clock.now()
    db.session.commit()
    return {"recovery_codes": codes}, 201


@bp.delete("/me/passkeys/<int:passkey_id>")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
@requires_fresh
def api_end_passkey(passkey_id: int) -> ResponseReturnValue:
    """Forget a key."""
    passkeys.remove_own(current_account(), passkey_id)
    db.session.commit()
    return "", 204
