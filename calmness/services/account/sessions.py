"""Devices of a person: one row stands behind the cookie of the pages and behind the tokens of the API."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import AuthSession, SessionKind, User
from calmness.permissions import STAFF_ROLES
from calmness.services import audit, live
from calmness.services.account import security_notices
from calmness.services.account.security_notices import SecurityEvent
from calmness.services.privacy import grace
from calmness.socket_manager import SESSION_RENEWED, SESSION_REVOKED

PERSISTENT_LIFETIME = timedelta(days=30)
ABSOLUTE_LIFETIME = timedelta(days=90)
IDLE_LIFETIME = timedelta(hours=12)


def hash_secret(secret: str) -> str:
    """SHA-256 in hexadecimal: enough for secrets that are random and long."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_session(
    user: User,
    *,
    kind: SessionKind,
    persistent: bool,
    ip_truncated: str | None,
    device_label: str,
    second_factor: bool = False,
) -> tuple[AuthSession, str]:
    """New device of a person, with the secret for its cookie (128 bits and more, shown nowhere else).

    ``second_factor``: the person proved more than the password.
    """
    now = clock.now()
    secret = secrets.token_urlsafe(32)
    keep = persistent and user.role not in STAFF_ROLES
    opened = AuthSession(
        id=secrets.token_hex(16),
        secret_hash=hash_secret(secret),
        user_id=user.id,
        kind=kind,
        persistent=keep,
        created_at=now,
        last_seen_at=now,
        fresh_at=now,
        mfa_at=now if second_factor else None,
        expires_at=now + (ABSOLUTE_LIFETIME if keep else IDLE_LIFETIME),
        ip_truncated=ip_truncated,
        device_label=device_label[:120],
    )
    db.session.add(opened)
    # Also of a short visit, which writes no later use: an account that was opened is not an unused one.
    user.last_seen_at = now
    db.session.flush()
    grace.end(user, now)
    return opened, secret


def renew(auth_session: AuthSession) -> str:
    """Another secret for the same device, at a proof of identity (ASVS 5, 7.2.4): copies of the old one open nothing.

    Gives the secret for the cookie. Open sockets end; the device's own come back with the new cookie.
    """
    secret = secrets.token_urlsafe(32)
    auth_session.secret_hash = hash_secret(secret)
    auth_session.renewed_at = clock.now()
    db.session.flush()
    _tell_sockets(auth_session.id, SESSION_RENEWED)
    return secret


def is_of_a_device(connection: Connection, secret: str) -> bool:
    """Whether a secret is a device's today, be it open or ended; one that was renewed is none's."""
    known = select(AuthSession.id).where(AuthSession.secret_hash == hash_secret(secret))
    return connection.scalar(known) is not None


def find(secret: str, at: datetime) -> tuple[User, AuthSession] | None:
    """Person and device of a cookie's secret, unless revoked, expired, idle for too long, disabled or deleted."""
    return _living(AuthSession.secret_hash == hash_secret(secret), at)


def find_by_id(session_id: str, at: datetime) -> tuple[User, AuthSession] | None:
    """Person and device of a session's public id, under the same conditions; tokens of the API name it."""
    return _living(AuthSession.id == session_id, at)


def note_last_seen(connection: Connection, session_id: str, user_id: int, at: datetime) -> None:
    """Write the last use of a device and of its person. A device in use stays for another idle period."""
    connection.execute(update(AuthSession).where(AuthSession.id == session_id).values(last_seen_at=at))
    connection.execute(
        update(AuthSession)
        .where(
            AuthSession.id == session_id,
            AuthSession.persistent.is_(False),
            AuthSession.expires_at < at + IDLE_LIFETIME,
            AuthSession.created_at > at - ABSOLUTE_LIFETIME,
        )
        .values(expires_at=at + IDLE_LIFETIME)
    )
    connection.execute(update(User).where(User.id == user_id).values(last_seen_at=at))


def revoke(session_id: str, reason: str) -> None:
    """End a device at once, on pages, API and sockets."""
    _revoke(AuthSession.id == session_id, reason)


def revoke_all(user_id: int, reason: str, *, keep: str | None = None) -> None:
    """End all devices of a person, but ``keep``."""
    _revoke((AuthSession.user_id == user_id) & (AuthSession.id != (keep or "")), reason)


def _living(condition: object, at: datetime) -> tuple[User, AuthSession] | None:
    row = db.session.execute(
        select(User, AuthSession)
        .join(AuthSession, AuthSession.user_id == User.id)
        .where(
            condition,  # type: ignore[arg-type]
            AuthSession.revoked_at.is_(None),
            AuthSession.expires_at > at,
            User.disabled_at.is_(None),
            User.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    user, auth_session = row
    if auth_session.persistent and auth_session.last_seen_at + PERSISTENT_LIFETIME < at:
        return None
    return user, auth_session


def _revoke(condition: object, reason: str) -> None:
    ended = db.session.scalars(
        update(AuthSession)
        .where(condition, AuthSession.revoked_at.is_(None))  # type: ignore[arg-type]
        .values(revoked_at=clock.now(), revoke_reason=reason)
        .returning(AuthSession.id)
    ).all()
    for session_id in ended:
        _tell_sockets(session_id, SESSION_REVOKED)


def _tell_sockets(session_id: str, event: str) -> None:
    for namespace in (live.LIVE, live.SUPPORT):
        live.emit_after_commit(event, {}, room=f"session:{session_id}", namespace=namespace)


def living_of(user_id: int) -> list[AuthSession]:
    """Devices of a person that are still open, last used first."""
    return list(
        db.session.scalars(
            select(AuthSession)
            .where(
                AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > clock.now()
            )
            .order_by(AuthSession.last_seen_at.desc())
        )
    )


def revoke_own(user: User, session_id: str) -> None:
    """End one of a person's own devices. Raises ``NotFound``."""
    owned = db.session.scalar(
        select(AuthSession.id).where(AuthSession.id == session_id, AuthSession.user_id == user.id)
    )
    if owned is None:
        raise NotFound
    revoke(session_id, "revoked_by_owner")
    audit.record("session.ended", "auth_session", session_id, actor=user)


def revoke_all_of(user: User, *, by: User) -> None:
    """End all devices of a person, by a member of the team; the person is told."""
    revoke_all(user.id, "revoked_by_staff")
    security_notices.tell(user, SecurityEvent.SESSIONS_ENDED, by=by, own=False)


def revoke_others(user: User, *, keep: str) -> None:
    """End all of a person's devices but the one in hand."""
    revoke_all(user.id, "revoked_by_owner", keep=keep)
    audit.record("session.others_ended", "user", user.id, actor=user)
