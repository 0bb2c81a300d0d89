"""Notices to a person: a row of the own list, the exact badge, and messages on the channels that the person chose."""

from collections.abc import Callable
from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select, update

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import Role, User, UserNotification
from calmness.models.dialect import insert_once
from calmness.services import delivery, live
from calmness.services.account import preferences, quiet_hours
from calmness.services.account.preferences import NoticeKind

GENERIC_MESSAGE = "notification"


def notify(
    user_id: int,
    kind: NoticeKind,
    key: str,
    *,
    title: str,
    body: str = "",
    url: str = "",
    message_kind: str | None = GENERIC_MESSAGE,
    params: dict[str, object] | None = None,
    session_notification_id: int | None = None,
) -> bool:
    """Tell a person of an event, once: False when ``key`` was told before, or when its feature is switched off.

    ``message_kind`` names the composer of what leaves the house; None keeps the notice on the site.
    """
    if not preferences.wants(user_id, kind):
        return False
    row: dict[str, Any] = {
        "user_id": user_id,
        "key": key,
        "kind": kind.value,
        "title": title[:200],
        "body": body,
        "url": url,
        "created_at": clock.now(),
    }
    if insert_once(db.session(), UserNotification, [row]) == 0:
        return False
    if message_kind:
        user = db.session.get_one(User, user_id)
        for channel, address in preferences.channels_for(user, kind):
            delivery.deliver(
                message_kind,
                f"{key}:{user_id}:{channel.value}",
                channel=channel,
                user_id=user_id,
                address=address,
                params={"title": title, "body": body, "url": url} | (params or {}),
                session_notification_id=session_notification_id,
                due_at=quiet_hours.until(user, kind, channel, row["created_at"]),
            )
    live.emit_after_commit("notification:new", {"title": title, "body": body, "url": url}, room=f"user:{user_id}")
    _emit_unread(user_id)
    return True


def tell_admins(kind: NoticeKind, key: str, words: Callable[[], tuple[str, str]], *, url: str) -> int:
    """Tell each living admin once, in the own language: ``words`` gives title and body. Gives how many were told."""
    admins = db.session.scalars(
        select(User).where(User.role == Role.ADMIN, User.disabled_at.is_(None), User.deleted_at.is_(None))
    ).all()
    told = 0
    for admin in admins:
        with force_locale(admin.locale):
            title, body = words()
            told += notify(admin.id, kind, key, title=title, body=body, url=url)
    return told


def unread_count(user_id: int) -> int:
    """Exact number of unread notices."""
    return (
        db.session.scalar(
            select(func.count()).where(UserNotification.user_id == user_id, UserNotification.read_at.is_(None))
        )
        or 0
    )


def mark_read(user_id: int, notification_id: int) -> UserNotification:
    """Mark one's own notice as read. Raises ``NotFound``."""
    notice = db.session.scalar(
        select(UserNotification).where(UserNotification.user_id == user_id, UserNotification.id == notification_id)
    )
    if notice is None:
        raise NotFound
    if notice.read_at is None:
        notice.read_at = clock.now()
        db.session.flush()
        _emit_unread(user_id)
    return notice


def mark_all_read(user_id: int) -> None:
    """Mark all of one's own notices as read."""
    db.session.execute(
        update(UserNotification)
        .where(UserNotification.user_id == user_id, UserNotification.read_at.is_(None))
        .values(read_at=clock.now())
    )
    _emit_unread(user_id)


def _emit_unread(user_id: int) -> None:
    # The absolute number, never "+1": a page that missed an event is right again with the next.
    live.emit_number_after_commit("unread", lambda: unread_count(user_id), room=f"user:{user_id}")


def before(user_id: int, notification_id: int | None, *, limit: int) -> list[UserNotification]:
    """One's own notices that came before one of them, newest first; from the newest on without one."""
    query = select(UserNotification).where(UserNotification.user_id == user_id)
    if notification_id is not None:
        query = query.where(UserNotification.id < notification_id)
    return list(db.session.scalars(query.order_by(UserNotification.id.desc()).limit(limit)))


def listing(user_id: int, *, limit: int, offset: int = 0) -> tuple[list[UserNotification], int]:
    """One's own notices, newest first, with their total."""
    mine = UserNotification.user_id == user_id
    total = db.session.scalar(select(func.count()).select_from(UserNotification).where(mine)) or 0
    rows = db.session.scalars(
        select(UserNotification)
        .where(mine)
        .order_by(UserNotification.created_at.desc(), UserNotification.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return list(rows), total
