"""The caller's own personal tokens: make, see, revoke. Made in a session only: a token makes no token."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.api import bp, scopes
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.models.api import ApiToken
from calmness.permissions import Permission
from calmness.services.account import api_tokens


class PersonalTokenIn(ClosedSchema):
    """A new token: what it is for, what it may, how long it lives."""

    name = String(required=True, validate=Length(min=1, max=80))
    scopes = List(String(validate=OneOf(scopes.ALL)), required=True, validate=Length(min=1, max=len(scopes.ALL)))
    days = Integer(load_default=90, validate=OneOf(api_tokens.LIFETIMES_DAYS))


class PersonalTokenOut(Schema):
    """A token that works; its text is not kept."""

    id = Integer(required=True)
    name = String(required=True)
    scopes = List(String(), required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)


class NewTokenOut(PersonalTokenOut):
    """A new token with its text, shown this once."""

    token = String(required=True)


class PersonalTokensOut(Schema):
    """Own tokens, newest first; there are twenty at most."""

    items = List(Nested(PersonalTokenOut), required=True)


@bp.get("/me/tokens")
@bp.output(PersonalTokensOut)
@requires(Permission.OWN_SPACE)
def api_personal_tokens() -> ResponseReturnValue:
    """Tokens that still work."""
    return {"items": [_token(row) for row in api_tokens.living_of(current_account().id)]}


@bp.post("/me/tokens")
@once
@bp.input(PersonalTokenIn, arg_name="given")
@bp.output(NewTokenOut, status_code=201)
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def api_create_personal_token(given: dict[str, Any]) -> ResponseReturnValue:
    """Make a token; a token never gives more than its owner has."""
    token, text = api_tokens.create(current_account(), given["name"], given["scopes"], given["days"])
    return _token(token) | {"token": text}, 201


@bp.delete("/me/tokens/<int:token_id>")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_end_personal_token(token_id: int) -> ResponseReturnValue:
    """Revoke a token at once."""
    api_tokens.revoke_own(current_account(), token_id)
    db.session.commit()
    return "", 204


def _token(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scopes": row.scopes,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "last_used_at": instant(row.last_used_at),
    }
