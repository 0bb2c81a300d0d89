"""Reminders of sessions: planned as rows in the transaction of their cause, one a person, session, channel and offset.

The key holds the session's ``seq``: a session that moves leaves its old reminders behind. The composer looks again
just before a message leaves (still programmed, still enrolled, not too late).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.dialect import insert_once
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionNotification,
    EnrollmentStatus,
    FormationSchedule,
    NoticeKind,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.presentation import moment_in
from calmness.services import delivery, notifications
from calmness.services.account import preferences
from calmness.services.training import enrollments

DEFAULT_OFFSETS = (1440, 60, 10)
PLAN_AHEAD = timedelta(days=8)
"""Rows are planned a week ahead: a year of sessions would be a million of them."""


def expires_at(start_at: datetime, offset_minutes: int, offsets: Sequence[int]) -> datetime:
    """Until when a late reminder still makes sense: two hours before the start for those of a day before, a quarter
    of an hour for those of an hour, five minutes after it for the last ones; and never once the next one is due.
    """
    if offset_minutes >= 1440:
        last = start_at - timedelta(hours=2)
    elif offset_minutes >= 60:
        last = start_at - timedelta(minutes=15)
    else:
        last = start_at + timedelta(minutes=5)
    following = max((other for other in offsets if other < offset_minutes), default=None)
    return last if following is None else min(last, start_at - timedelta(minutes=following))


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


def forget(session: AdminFormationSession, *, moved: bool = False) -> int:
    """Kill the reminders of a session that have not left."""
    state = DeliveryState.SUPERSEDED if moved else DeliveryState.CANCELLED
    return delivery.cancel(key_prefix=f"reminder:{session.id}:", state=state)


def announce_change(session: AdminFormationSession, kind: NoticeKind, *, reason: str = "", was: datetime) -> None:
    """Tell everybody enrolled that a session moved or is cancelled, once a change, in the reader's own hours."""
    now = clock.now()
    notice = _notice(session, kind, 0, now, session.end_at, now)
    for user in db.session.scalars(
        select(User).where(User.id.in_(enrollments.active_user_ids(session.formation_id)), User.disabled_at.is_(None))
    ):
        before, after = moment_in(was, user.time_zone), moment_in(session.start_at, user.time_zone)
        with force_locale(user.locale):
            if kind is NoticeKind.MOVED:
                title = _("Séance déplacée\u00a0: %(title)s", title=session.title)
                body = _("Prévue le %(before)s, elle aura lieu le %(after)s.", before=before, after=after)
            else:
                title = _("Séance annulée\u00a0: %(title)s", title=session.title)
                body = _("Elle n’aura pas lieu le %(before)s. %(reason)s", before=before, reason=reason)
            notifications.notify(
                user.id,
                preferences.NoticeKind.SESSION,
                f"session:{session.id}:{kind.value}:{session.seq}",
                title=title,
                body=body.strip(),
                url=f"/espace/seances/{session.id}",
                session_notification_id=notice.id,
            )


def announce_series(schedule: FormationSchedule, sessions: list[AdminFormationSession], reason: str = "") -> None:
    """Tell everybody enrolled, in one notice, that a series was programmed or, with a reason, that it stops."""
    formation = schedule.formation
    event = "stopped" if reason else "programmed"
    for user in db.session.scalars(
        select(User).where(User.id.in_(enrollments.active_user_ids(formation.id)), User.disabled_at.is_(None))
    ):
        with force_locale(user.locale):
            count = len(sessions)
            if reason:
                title = _("Séances annulées\u00a0: %(title)s", title=formation.title)
                body = ngettext(
                    "%(num)s séance à venir n’aura pas lieu. %(reason)s",
                    "%(num)s séances à venir n’auront pas lieu. %(reason)s",
                    count,
                    reason=reason,
                )
            else:
                title = _("Nouvelles dates\u00a0: %(title)s", title=formation.title)
                body = ngettext(
                    "%(num)s séance au calendrier, le %(first)s.",
                    "%(num)s séances au calendrier, la première le %(first)s.",
                    count,
                    first=moment_in(sessions[0].start_at, user.time_zone),
                )
            notifications.notify(
                user.id,
                preferences.NoticeKind.SESSION,
                f"schedule:{schedule.id}:{event}",
                title=title,
                body=body,
                url=f"/espace/formations/{formation.slug}",
            )


def announce_completion(enrollment: UserFormationEnrollment) -> None:
    """Tell a student that the formation is over."""
    with force_locale(enrollment.user.locale):
        notifications.notify(
            enrollment.user_id,
            preferences.NoticeKind.SESSION,
            f"enrollment:{enrollment.id}:completed",
            title=_("Formation terminée\u00a0: %(title)s", title=enrollment.formation.title),
            body=_("Toutes ses séances ont eu lieu. Elles restent dans votre espace avec vos présences."),
            url=f"/espace/formations/{enrollment.formation.slug}",
        )


def still_wanted(session: AdminFormationSession, user: User, channel: Channel, seq: int) -> bool:
    """Whether a reminder still has its reason: programmed, unchanged, still enrolled, channel still chosen."""
    if session.status is not SessionStatus.SCHEDULED or session.seq != seq or user.disabled_at is not None:
        return False
    enrolled = db.session.scalar(
        select(UserFormationEnrollment.id).where(
            UserFormationEnrollment.user_id == user.id,
            UserFormationEnrollment.formation_id == session.formation_id,
            UserFormationEnrollment.status == EnrollmentStatus.ACTIVE,
        )
    )
    ways = preferences.channels_for(user, preferences.NoticeKind.SESSION)
    return enrolled is not None and any(way == channel for way, _address in ways)


def of_session(session_id: int) -> list[AdminSessionNotification]:
    """Reminders and notices of a session, in order of time."""
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
    offsets = _offsets(session)
    planned = 0
    for offset in offsets:
        due_at = session.start_at - timedelta(minutes=offset)
        # Only what lies ahead: nobody gets the day-before reminder for having bought an hour before.
        if due_at <= now:
            continue
        until = expires_at(session.start_at, offset, offsets)
        notice = _notice(session, NoticeKind.REMINDER, offset, due_at, until, now)
        known = set(db.session.scalars(select(Delivery.key).where(Delivery.session_notification_id == notice.id)))
        for user_id, channels in ways.items():
            for channel, _address in channels:
                key = f"reminder:{session.id}:{user_id}:{channel.value}:{offset}:{session.seq}"
                # The address is looked up when it leaves: a person may change it meanwhile.
                planned += key not in known and delivery.deliver(
                    "training.reminder",
                    key,
                    channel=channel,
                    user_id=user_id,
                    params={"session_id": session.id, "seq": session.seq},
                    due_at=due_at,
                    expires_at=until,
                    session_notification_id=notice.id,
                )
    return planned


def _offsets(session: AdminFormationSession) -> Sequence[int]:
    schedule = db.session.get(FormationSchedule, session.schedule_id) if session.schedule_id else None
    return sorted(schedule.reminder_offsets, reverse=True) if schedule else DEFAULT_OFFSETS


def _notice(
    session: AdminFormationSession,
    kind: NoticeKind,
    offset: int,
    due_at: datetime,
    until: datetime,
    now: datetime,
) -> AdminSessionNotification:
    key = {"session_id": session.id, "kind": kind, "offset_minutes": offset, "seq": session.seq}
    insert_once(
        db.session(), AdminSessionNotification, [key | {"due_at": due_at, "expires_at": until, "created_at": now}]
    )
    return db.session.scalars(select(AdminSessionNotification).filter_by(**key)).one()
