"""Tokens of the API: short access tokens, refresh tokens that rotate in families.

A refresh token works once. Used again within ten seconds (two tabs), its owner gets another access token but no second
branch; used later, it was stolen or copied: the whole family ends and its owner is told.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import create_access_token, create_refresh_token
from sqlalchemy import select, update

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import AuthSession, RefreshToken
from calmness.services import audit
from calmness.services.account import security_notices, sessions
from calmness.services.account.security_notices import SecurityEvent

GRACE = timedelta(seconds=10)
RENEWED = "renewed"
"""In the place of a successor: a proof of identity ended the token."""


class SessionRevoked(DomainError):
    """The family ended: a used token came back, or the session is over. Commit before answering."""

    status = 401
    slug = "session-revoked"
    message = _l("Cette session est terminée. Reconnectez-vous.")


class TokenRenewed(DomainError):
    """The token ended a moment ago, with a proof of identity: the browser has its next one. Its cookie stays."""

    status = 401
    slug = "token-renewed"
    message = _l("Ce jeton vient d’être remplacé. Réessayez.")


@dataclass(frozen=True)
class Rotation:
    """What a refresh gives. ``refresh`` is None for the second of two tabs: the winner's cookie serves both."""

    access: str
    refresh: str | None
    auth_session: AuthSession


def issue_access(auth_session: AuthSession) -> str:
    """Access token of a session. The role is not inside: it is read from the database at each call."""
    claims = {"sid": auth_session.id, "ren": renewal_of(auth_session)}
    return str(create_access_token(identity=str(auth_session.user_id), additional_claims=claims))


def renewal_of(auth_session: AuthSession) -> int:
    """Names the last proof of identity of a session (0 before any). A token that names an earlier one is over.

    Compared for being equal, never for being older: of two servers one may have a clock that is behind.
    """
    return int(auth_session.renewed_at.timestamp() * 1_000_000) if auth_session.renewed_at else 0


def issue_refresh(auth_session: AuthSession, parent: str | None = None) -> str:
    """First or next refresh token of a session's family."""
    jti = str(uuid.uuid4())
    _store(auth_session, jti, parent)
    return _encode(auth_session, jti)


def renew_refresh(auth_session: AuthSession) -> str:
    """Refresh token for a device that has just proved who sits there; the ones before it end, unlike in a rotation."""
    db.session.execute(
        update(RefreshToken)
        .where(RefreshToken.session_id == auth_session.id, RefreshToken.used_at.is_(None))
        .values(used_at=clock.now(), replaced_by=RENEWED),
        execution_options={"synchronize_session": False},
    )
    return issue_refresh(auth_session)


def rotate(jti: str, session_id: str) -> Rotation:
    """Use a refresh token: one conditional update decides who of several is first.

    Raises ``SessionRevoked``, ``TokenRenewed``.
    """
    now = clock.now()
    found = sessions.find_by_id(session_id, now)
    if found is None:
        raise SessionRevoked
    user, auth_session = found
    successor = str(uuid.uuid4())
    won = db.session.execute(
        update(RefreshToken)
        .where(
            RefreshToken.jti == jti,
            RefreshToken.session_id == session_id,
            RefreshToken.used_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .values(used_at=now, replaced_by=successor),
        execution_options={"synchronize_session": False},
    ).rowcount  # type: ignore[attr-defined]
    if won:
        _store(auth_session, successor, jti)
        sessions.note_last_seen(db.session.connection(), session_id, user.id, now)
        return Rotation(issue_access(auth_session), _encode(auth_session, successor), auth_session)
    used = db.session.execute(
        select(RefreshToken.used_at, RefreshToken.replaced_by).where(
            RefreshToken.jti == jti, RefreshToken.session_id == session_id
        )
    ).one_or_none()
    if used is None or used.used_at is None:
        # Too old, or not ours: that is no replay, and nobody else's session may end for it.
        raise SessionRevoked
    if now - used.used_at < GRACE:
        if used.replaced_by == RENEWED:
            # Another tab, or a thief: neither gets anything for the old token, and the tab has the new cookie.
            raise TokenRenewed
        return Rotation(issue_access(auth_session), None, auth_session)
    sessions.revoke(session_id, "refresh_reuse")
    audit.record(SecurityEvent.REFRESH_REUSE.value, "auth_session", session_id, actor=user)
    security_notices.notify_of(user, SecurityEvent.REFRESH_REUSE)
    raise SessionRevoked


def _store(auth_session: AuthSession, jti: str, parent: str | None) -> None:
    # Slides with use; the session's own row holds the absolute end, and is asked at each refresh.
    now = clock.now()
    lifetime: timedelta = current_app.config["JWT_REFRESH_TOKEN_EXPIRES"]
    db.session.add(
        RefreshToken(
            jti=jti,
            session_id=auth_session.id,
            parent_jti=parent,
            issued_at=now,
            expires_at=now + lifetime,
        )
    )
    db.session.flush()


def _encode(auth_session: AuthSession, jti: str) -> str:
    return str(
        create_refresh_token(identity=str(auth_session.user_id), additional_claims={"sid": auth_session.id, "jti": jti})
    )
