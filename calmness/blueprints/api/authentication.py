"""Bearer tokens: who the caller of the API is. The token names a session (``sid``); the row decides, as for pages."""

from typing import Any

import jwt as pyjwt
from flask import Response, current_app, g, request
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import get_jwt, verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException

from calmness import clock
from calmness.access import NotAuthenticated, SessionUser, TokenUser, identify_by
from calmness.blueprints.api import bp, scopes
from calmness.database import writing
from calmness.error_handlers import problem
from calmness.errors import Forbidden
from calmness.extensions import db, jwt
from calmness.services.account import api_tokens, jwt_tokens
from calmness.services.account import sessions as session_rules
from calmness.sessions import note_origin

PERSONAL = "ct_pat_"
"""How personal tokens begin; the others are JWT."""


class InsufficientScope(Forbidden):
    """The token is good, but was not given this right."""

    slug = "insufficient-scope"
    message = _l("Ce jeton n’a pas été créé pour cet usage\u202f: créez-en un avec le droit qui manque.")


REQUIRED_CLAIMS = ("exp", "iat", "iss", "ren", "sid", "sub")


def load_bearer() -> None:
    """Set the current person from the access token. Raises ``NotAuthenticated``; never falls back to a cookie."""
    g._login_user = None
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        # Names of schemes have no case (RFC 9110, section 11.1); the extension compares letter by letter.
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token.strip()}"
        if token.strip().startswith(PERSONAL):
            g._login_user = _owner_of(token.strip())
            return
    try:
        verify_jwt_in_request()
    except (JWTExtendedException, pyjwt.PyJWTError) as error:
        raise NotAuthenticated from error
    claims = get_jwt()
    # A token of ours always has these; one without an end would live for ever.
    if any(name not in claims for name in REQUIRED_CLAIMS):
        raise NotAuthenticated
    found = session_rules.find_by_id(claims["sid"], clock.now())
    if found is None or str(found[0].id) != claims["sub"] or claims["ren"] != jwt_tokens.renewal_of(found[1]):
        raise NotAuthenticated
    note_origin(found[1].id)
    g._login_user = SessionUser(*found)


identify_by("api", load_bearer)


def _owner_of(text: str) -> TokenUser:
    """Owner of a personal token, whose scopes hold the route. Raises ``NotAuthenticated``, ``InsufficientScope``."""
    now = clock.now()
    token = api_tokens.find(text, now)
    if token is None:
        raise NotAuthenticated
    rule = request.url_rule
    view = current_app.view_functions[request.endpoint or ""]
    wanted = scopes.scope_of(rule, view, request.method) if rule else None
    if wanted is None or not scopes.allows(token.scopes, wanted):
        raise InsufficientScope
    note_origin(None)
    if token.last_used_at is None or now - token.last_used_at > api_tokens.SEEN_EVERY:
        g.api_token_used = token.id
    return TokenUser(token.user)


@bp.after_request
def note_use(response: Response) -> Response:
    """Write when a personal token was last used: afterwards, since the request may only read."""
    token_id = g.pop("api_token_used", None)
    if token_id is not None:
        with writing(), db.engine.begin() as connection:
            api_tokens.note_use(connection, token_id, clock.now())
    return response


@jwt.encode_key_loader
def _signing_key(_identity: Any) -> str:
    return str(current_app.config["JWT_KEYS"][0].secret)


@jwt.additional_headers_loader
def _headers(_identity: Any) -> dict[str, str]:
    return {"kid": current_app.config["JWT_KEYS"][0].kid}


@jwt.decode_key_loader
def _verifying_key(headers: dict[str, Any], _payload: dict[str, Any]) -> str:
    # The header is not verified yet: an unknown id must be a refused token, not a KeyError.
    for key in current_app.config["JWT_KEYS"]:
        if key.kid == headers.get("kid"):
            return str(key.secret)
    raise pyjwt.InvalidTokenError("unknown key")


def _refused(*_details: Any) -> Response:
    return problem(401, NotAuthenticated.slug, str(NotAuthenticated.message))


jwt.unauthorized_loader(_refused)
jwt.invalid_token_loader(_refused)
jwt.expired_token_loader(_refused)
jwt.revoked_token_loader(_refused)
