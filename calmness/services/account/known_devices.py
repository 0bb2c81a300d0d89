"""Whether a login comes from where its person is used to come from; if not, the person is told."""

from sqlalchemy import ColumnElement, select

from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.services.account import security_notices
from calmness.services.account.security_notices import SecurityEvent
from calmness.services.account.sessions import hash_secret

STOLEN = "refresh_reuse"


def mark_of(user: User) -> str:
    """What a browser keeps of a login: nobody makes it up, and a new password makes it void."""
    return hash_secret(f"{user.id}:{user.password_hash}")[:16]


def tell_if_new(user: User, opened: AuthSession, *, recognised: bool = False) -> None:
    """Tell the person of a login from an unknown device. ``recognised``: the browser showed the mark.

    Without a mark, a device of the same name in the same network is known. The very first login tells nobody.
    """
    if recognised:
        return
    earlier = (AuthSession.user_id == user.id) & (AuthSession.id != opened.id)
    same = (AuthSession.device_label == opened.device_label) & (AuthSession.ip_truncated == opened.ip_truncated)
    good = AuthSession.revoke_reason.is_(None) | (AuthSession.revoke_reason != STOLEN)
    if _exists(earlier & same & good) or not _exists(earlier):
        return
    security_notices.tell(user, SecurityEvent.NEW_DEVICE)


def _exists(condition: ColumnElement[bool]) -> bool:
    return db.session.scalar(select(AuthSession.id).where(condition).limit(1)) is not None
