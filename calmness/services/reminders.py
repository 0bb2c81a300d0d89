"""Reminders of sessions: planned as rows in the transaction of their cause, one a person, session, channel and offset.

The key holds the session's ``seq``: a session that moves leaves its old reminders behind. The composer looks again
just before a message leaves (still programmed, still enrolled, not too late).
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.dialect import insert_once
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionNotification,
    EnrollmentStatus,
    NoticeKind,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import delivery, enrollments, notifications, preferences

DEFAULT_OFFSETS = (1440, 60, 10)
PLAN_AHEAD = timedelta(days=8)
"""Rows are planned a week ahead: a year of sessions would be a million of them."""


def lateness_limit(offset_minutes: int) -> timedelta:
    """How long before the start a late reminder still makes sense; negative: after it."""
    if offset_minutes >= 1440:
        return timedelta(hours=2)
    if offset_minutes >= 60:
        return timedelta(minutes=15)
    return timedelta(minutes=-5)


def plan_for_enrollment(enrollment: UserFormationEnrollment, at: datetime | None = None) -> int:
    """Plan the reminders of a new student for the sessions of the coming days. Gives how many rows were added."""
    now = at or clock.now()
    upcoming = _upcoming(now, formation_id=enrollment.formation_id)
    return sum(_plan(session, [enrollment.user_id], now) for session in upcoming)


def plan_for_session(session: AdminFormationSession, at: datetime | None = None) -> int:
    """Plan the reminders of a session for everybody who follows its formation."""
    now = at or clock.now()
    if not now < session.start_at < now + PLAN_AHEAD or session.status is not SessionStatus.SCHEDULED:
        return 0
    return _plan(session, enrollments.active_user_ids(session.formation_id), now)


def plan_all(at: datetime | None = None) -> int:
    """Plan what is missing; run by the clock, harmless to repeat."""
    now = at or clock.now()
    return sum(_plan(session, enrollments.active_user_ids(session.formation_id), now) for session in _upcoming(now))


def forget(session: AdminFormationSession) -> int:
    """Kill the reminders of a session that have not left."""
    return delivery.cancel(key_prefix=f"reminder:{session.id}:")


def announce_change(session: AdminFormationSession, kind: NoticeKind, title: str, body: str) -> None:
    """Tell everybody enrolled that a session moved or is cancelled, once a change."""
    for user_id in enrollments.active_user_ids(session.formation_id):
        notifications.notify(
            user_id,
            preferences.NoticeKind.SESSION,
            f"session:{session.id}:{kind.value}:{session.seq}",
            title=title,
            body=body,
            url=f"/espace/seances/{session.id}",
        )


def still_wanted(session: AdminFormationSession, user_id: int, seq: int) -> bool:
    """Whether a reminder still has its reason: programmed, unchanged, person still enrolled."""
    if session.status is not SessionStatus.SCHEDULED or session.seq != seq:
        return False
    status = db.session.scalar(
        select(UserFormationEnrollment.status).where(
            UserFormationEnrollment.user_id == user_id,
            UserFormationEnrollment.formation_id == session.formation_id,
            UserFormationEnrollment.status == EnrollmentStatus.ACTIVE,
        )
    )
    return status is not None


def of_session(session_id: int) -> list[AdminSessionNotification]:
    """Reminders programmed for a session, in order of time."""
    return list(
        db.session.scalars(
            select(AdminSessionNotification)
            .where(AdminSessionNotification.session_id == session_id)
            .order_by(AdminSessionNotification.due_at)
        )
    )


def _upcoming(now: datetime, formation_id: int | None = None) -> list[AdminFormationSession]:
    query = select(AdminFormationSession).where(
        AdminFormationSession.status == SessionStatus.SCHEDULED,
        AdminFormationSession.start_at > now,
        AdminFormationSession.start_at < now + PLAN_AHEAD,
    )
    if formation_id is not None:
        query = query.where(AdminFormationSession.formation_id == formation_id)
    return list(db.session.scalars(query))


def _plan(session: AdminFormationSession, user_ids: list[int], now: datetime) -> int:
    if not user_ids:
        return 0
    users = list(db.session.scalars(select(User).where(User.id.in_(user_ids), User.disabled_at.is_(None))))
    ways = {user.id: preferences.channels_for(user, preferences.NoticeKind.SESSION) for user in users}
    planned = 0
    for offset in DEFAULT_OFFSETS:
        due_at = session.start_at - timedelta(minutes=offset)
        # Only what lies ahead: nobody gets the day-before reminder for having bought an hour before.
        if due_at <= now:
            continue
        notice = _notice(session, offset, due_at, now)
        for user_id, channels in ways.items():
            for channel, address in channels:
                planned += delivery.deliver(
                    "training.reminder",
                    f"reminder:{session.id}:{user_id}:{channel.value}:{offset}:{session.seq}",
                    channel=channel,
                    user_id=user_id,
                    address=address,
                    params={"session_id": session.id, "seq": session.seq},
                    due_at=due_at,
                    expires_at=notice.expires_at,
                    session_notification_id=notice.id,
                )
    return planned


def _notice(session: AdminFormationSession, offset: int, due_at: datetime, now: datetime) -> AdminSessionNotification:
    row = {
        "session_id": session.id,
        "kind": NoticeKind.REMINDER,
        "offset_minutes": offset,
        "seq": session.seq,
        "due_at": due_at,
        "expires_at": session.start_at - lateness_limit(offset),
        "created_at": now,
    }
    insert_once(db.session(), AdminSessionNotification, [row])
    return db.session.scalars(
        select(AdminSessionNotification).filter_by(
            session_id=session.id, kind=NoticeKind.REMINDER, offset_minutes=offset, seq=session.seq
        )
    ).one()
