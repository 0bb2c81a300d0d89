"""Personal tokens of the API: ``ct_pat_<8 id>_<32 secret>``, shown once, kept as SHA-256, limited by scopes.

A token never gives more than its owner has: the role is read from the database at each call.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, func, select, update

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.api import ApiToken
from calmness.services import audit
from calmness.services.account import security_notices
from calmness.services.account.security_notices import SecurityEvent
from calmness.services.account.sessions import hash_secret
from calmness.services.trading.trading_accounts import ALPHABET

LIFETIMES_DAYS = (7, 30, 90, 365)
MOST = 20
SEEN_EVERY = timedelta(minutes=5)
_TOKEN = re.compile(r"ct_pat_([0-9a-zA-Z]{8})_([0-9a-zA-Z]{32})")
_NOBODY = hash_secret("nobody")


class TokenNameMissing(DomainError):
    """A person must know later which program it was."""

    slug = "token-name-missing"
    field = "name"
    message = _l("Donnez un nom au jeton, par exemple «\u00a0Tableur\u00a0».")


class NoScope(DomainError):
    """A token that may do nothing is none."""

    slug = "no-scope"
    field = "scopes"
    message = _l("Choisissez au moins un droit.")


class TooManyTokens(DomainError):
    """Nobody uses that many; they are forgotten ones."""

    slug = "too-many-tokens"
    field = "name"
    message = _l("Vous avez déjà 20 jetons\u202f: révoquez ceux qui ne servent plus.")


def create(user: User, name: str, scopes: Sequence[str], days: int) -> tuple[ApiToken, str]:
    """A new token with its text, shown this once. Raises ``TokenNameMissing``, ``NoScope``, ``TooManyTokens``."""
    if not name.strip():
        raise TokenNameMissing
    if not scopes:
        raise NoScope
    if len(living_of(user.id)) >= MOST:
        raise TooManyTokens
    now = clock.now()
    public_id, secret = ("".join(secrets.choice(ALPHABET) for _ in range(length)) for length in (8, 32))
    token = ApiToken(
        user_id=user.id,
        name=name.strip()[:80],
        public_id=public_id,
        secret_hash=hash_secret(secret),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    db.session.add(token)
    db.session.flush()
    audit.record(SecurityEvent.TOKEN_CREATED.value, "api_token", token.id, actor=user, changes=token.scopes)
    security_notices.notify_of(user, SecurityEvent.TOKEN_CREATED, name=token.name)
    return token, f"ct_pat_{public_id}_{secret}"


def find(text: str, at: datetime) -> ApiToken | None:
    """The living token of a text whose owner may come in; None otherwise, in the same time."""
    match = _TOKEN.fullmatch(text)
    public_id, secret = match.groups() if match else ("", "")
    token = db.session.scalar(
        select(ApiToken)
        .join(User, User.id == ApiToken.user_id)
        .where(
            ApiToken.public_id == public_id,
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > at,
            User.disabled_at.is_(None),
            User.deleted_at.is_(None),
        )
    )
    right = hmac.compare_digest(token.secret_hash if token else _NOBODY, hash_secret(secret))
    return token if token is not None and right else None


def note_use(connection: Connection, token_id: int, at: datetime) -> None:
    """Remember the last use, in a transaction of its own: the request may only read."""
    connection.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=at))


def living_of(user_id: int) -> list[ApiToken]:
    """A person's own tokens that still work, newest first."""
    return list(
        db.session.scalars(
            select(ApiToken)
            .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), ApiToken.expires_at > clock.now())
            .order_by(ApiToken.id.desc())
        )
    )


def revoke_own(user: User, token_id: int) -> None:
    """End one of a person's own tokens at once. Raises ``NotFound``."""
    owned = db.session.scalar(
        select(func.count()).select_from(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id)
    )
    if not owned:
        raise NotFound
    _revoke(ApiToken.id == token_id)
    audit.record("api_token.revoked", "api_token", token_id, actor=user)


def revoke_all(user_id: int) -> None:
    """End all tokens of a person: a new password ends everything that the old one may have opened."""
    _revoke(ApiToken.user_id == user_id)


def _revoke(condition: object) -> None:
    db.session.execute(
        update(ApiToken)
        .where(condition, ApiToken.revoked_at.is_(None))  # type: ignore[arg-type]
        .values(revoked_at=clock.now())
    )
