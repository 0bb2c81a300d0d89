"""Links that work once, for one purpose, for a while. Only the hash of the token is stored."""

import secrets
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import OneTimeToken, TokenPurpose
from calmness.services.sessions import hash_secret

LIFETIMES = {
    TokenPurpose.VERIFY_EMAIL: timedelta(hours=24),
    TokenPurpose.RESET_PASSWORD: timedelta(minutes=30),
    TokenPurpose.CHANGE_EMAIL: timedelta(hours=2),
    TokenPurpose.RELEASE_EMAIL: timedelta(hours=2),
    TokenPurpose.LINK_TELEGRAM: timedelta(minutes=10),
    TokenPurpose.LOST_FACTOR: timedelta(minutes=30),
    TokenPurpose.KEEP_FACTOR: timedelta(days=7),
}


class TokenRefused(DomainError):
    """Unknown, used, or too old: told in the same words."""

    status = 410
    slug = "token-refused"
    message = _l("Ce lien a déjà servi ou n’est plus valable. Demandez-en un nouveau.")


def issue(user_id: int, purpose: TokenPurpose, target: str | None = None) -> str:
    """A new token; earlier ones of the same purpose end, but for links that only confirm an address.

    Who asked twice opens either mail, and confirming twice is harmless.
    """
    now = clock.now()
    if purpose is not TokenPurpose.VERIFY_EMAIL:
        end_all(user_id, purpose)
    token = secrets.token_urlsafe(32)
    db.session.add(
        OneTimeToken(
            token_hash=hash_secret(token),
            user_id=user_id,
            purpose=purpose,
            target=target,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    db.session.flush()
    return token


def end_all(user_id: int, *purposes: TokenPurpose) -> None:
    """No link of these purposes that was sent to the person works any longer."""
    db.session.execute(
        update(OneTimeToken)
        .where(OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes), OneTimeToken.used_at.is_(None))
        .values(used_at=clock.now())
    )


def owner_of(token: str, purpose: TokenPurpose) -> int | None:
    """Whose token it is, if it would be taken; consumes nothing (mail scanners open links)."""
    return db.session.scalar(
        select(OneTimeToken.user_id).where(
            OneTimeToken.token_hash == hash_secret(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > clock.now(),
        )
    )


def past_owner_of(token: str, purpose: TokenPurpose) -> int | None:
    """Whose token it is or was, used and expired ones too."""
    return db.session.scalar(
        select(OneTimeToken.user_id).where(
            OneTimeToken.token_hash == hash_secret(token), OneTimeToken.purpose == purpose
        )
    )


def consume(token: str, purpose: TokenPurpose) -> tuple[int, str | None]:
    """Use a token up: (person, target). One conditional update, so two clicks use it once. Raises ``TokenRefused``."""
    now = clock.now()
    row = db.session.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == hash_secret(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken.user_id, OneTimeToken.target)
    ).one_or_none()
    if row is None:
        raise TokenRefused
    return row[0], row[1]
