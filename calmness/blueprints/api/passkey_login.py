"""Passkeys for programs: a challenge, what a key signed, and for it the same tokens as for a password.

A page keeps its challenge in the cookie; a program gets it signed, as a ``ticket``, and sends it back. Keys sign for
the address of this site: the person uses them on a page of ours, or the program drives the key itself (FIDO2 by USB).
"""

import json
from datetime import datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import Dict, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue
from flask_login import current_user
from itsdangerous import BadSignature
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from calmness import clock
from calmness.access import current_account, public, requires, without_second_factor
from calmness.blueprints.api import bp
from calmness.blueprints.api.auth import StatusOut, TokenOut, open_session
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.auth.passkeys import PATIENCE, required_site
from calmness.extensions import db, limiter
from calmness.models.account import User
from calmness.permissions import Permission
from calmness.services.account import passkeys, step_up
from calmness.signing import signer

SALT = "passkey-ticket"


class ChallengeOut(Schema):
    """What the browser gives to `navigator.credentials`, and the ticket to send back within five minutes."""

    ticket = String(required=True)
    public_key = Dict(required=True)


class SignedIn(ClosedSchema):
    """The ticket, and the credential as `PublicKeyCredential.toJSON()` writes it."""

    ticket = String(required=True, validate=Length(min=1, max=400))
    credential = Dict(required=True)


class PasskeyLoginIn(SignedIn):
    """As for a password: ``refresh`` says where the refresh token goes."""

    refresh = String(load_default="cookie", validate=OneOf(["cookie", "body"]))


class PasskeyConfirmationIn(ClosedSchema):
    """What one of the caller's own keys signed."""

    passkey = Nested(SignedIn, required=True)


@bp.post("/auth/passkey/challenge")
@bp.output(ChallengeOut)
@limiter.limit("120 per hour")
@public
def api_passkey_challenge() -> ResponseReturnValue:
    """What a key must sign: any key of this site, which verifies its person."""
    challenge = passkeys.new_challenge()
    return answer(challenge, passkeys.request_options(required_site(), challenge))


@bp.post("/auth/passkey")
@bp.input(PasskeyLoginIn, arg_name="given")
@bp.output(TokenOut)
@limiter.limit("60 per hour")
@public
def api_passkey_login(given: dict[str, Any]) -> ResponseReturnValue:
    """Open a session for the person whose key signed; it counts as password and second factor together."""
    return open_session(_signer_of(given), second_factor=True, in_body=given["refresh"] == "body")


@bp.post("/auth/confirmation/passkey")
@bp.input(PasskeyConfirmationIn, arg_name="given")
@bp.output(StatusOut)
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
def api_confirm_by_passkey(given: dict[str, Any]) -> ResponseReturnValue:
    """Prove again who you are by a key; sensitive acts of this session pass for ten minutes."""
    device = current_user.auth_session
    step_up.note_passkey(_signer_of(given["passkey"], user=current_account()), device)
    db.session.commit()
    return {"status": "confirmed"}


def answer(challenge: passkeys.Challenge, options: str) -> dict[str, Any]:
    """Options with the ticket that brings their challenge back."""
    ticket = signer(SALT).dumps([bytes_to_base64url(challenge.value), challenge.made_at.isoformat()])
    return {"ticket": str(ticket), "public_key": json.loads(options)}


def challenge_of(given: dict[str, Any]) -> passkeys.Challenge:
    """The challenge of a ticket of ours. Raises ``PasskeyRefused`` for another, or after five minutes."""
    try:
        value, at = signer(SALT).loads(given["ticket"])
    except BadSignature as error:
        raise passkeys.PasskeyRefused from error
    made_at = datetime.fromisoformat(at)
    if made_at + PATIENCE < clock.now():
        raise passkeys.PasskeyRefused
    return passkeys.Challenge(base64url_to_bytes(value), made_at)


def _signer_of(given: dict[str, Any], user: User | None = None) -> User:
    return passkeys.check(json.dumps(given["credential"]), challenge_of(given), required_site(), user=user)
