"""Recurring programming: rules in wall time, made into dated sessions ninety days ahead."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.meetings import ForeignMeetingLink, provider_of
from calmness.models.account import User
from calmness.models.dialect import insert_once
from calmness.models.training import (
    AdminFormationSession,
    Formation,
    FormationSchedule,
    FormationSession,
    HolidayPolicy,
    MeetingProvider,
    NoticeKind,
    ScheduleStatus,
    SessionStatus,
)
from calmness.presentation import date_time
from calmness.recurrence import HolidayRule, MalformedRule, Occurrence, expand, preview
from calmness.services import audit, reminders

HORIZON = timedelta(days=90)


class ForeignLink(DomainError):
    """The meeting link is not one of Zoom, Google Meet or Teams."""

    slug = "foreign-meeting-link"
    field = "meeting_url"
    message = _l("Collez un lien https de Zoom, Google Meet ou Teams.")


class RuleRefused(DomainError):
    """The rule gives no date, or its first date does not follow it."""

    slug = "rule-refused"
    field = "starts_on"
    message = _l("La première date doit tomber un des jours choisis.")


class SessionPast(Conflict):
    """What has happened does not change."""

    slug = "session-past"
    message = _l("Cette séance a déjà commencé : elle ne peut plus changer.")


@dataclass(frozen=True)
class Programming:
    """What an admin fills in. ``starts_local`` is wall time in ``time_zone``."""

    formation_id: int
    starts_local: datetime
    weekdays: tuple[str, ...]
    count: int
    duration_minutes: int
    holiday_policy: HolidayPolicy
    meeting_url: str
    trainer_name: str
    time_zone: str = "Europe/Paris"

    @property
    def rrule(self) -> str:
        """Rule of RFC 5545."""
        days = ",".join(self.weekdays)
        return f"FREQ=WEEKLY;BYDAY={days};COUNT={self.count}" if days else f"FREQ=WEEKLY;COUNT={self.count}"


def look_ahead(programming: Programming) -> list[Occurrence]:
    """The first dates, to look at before saving. Raises ``RuleRefused``."""
    try:
        return preview(
            programming.rrule,
            programming.starts_local,
            programming.time_zone,
            timedelta(minutes=programming.duration_minutes),
            holiday_rule=HolidayRule(programming.holiday_policy.value),
        )
    except MalformedRule as error:
        raise RuleRefused from error


def program(programming: Programming, *, by: User | None, at: datetime | None = None) -> FormationSchedule:
    """Save a programming, make its sessions and plan their reminders. Raises ``ForeignLink``, ``RuleRefused``."""
    now = at or clock.now()
    look_ahead(programming)
    schedule = FormationSchedule(
        formation_id=programming.formation_id,
        rrule=programming.rrule,
        starts_local=programming.starts_local,
        time_zone=programming.time_zone,
        duration_minutes=programming.duration_minutes,
        holiday_policy=programming.holiday_policy,
        excluded=[],
        meeting_provider=_provider(programming.meeting_url),
        meeting_url=programming.meeting_url.strip(),
        trainer_name=programming.trainer_name.strip(),
        reminder_offsets=list(reminders.DEFAULT_OFFSETS),
        status=ScheduleStatus.ACTIVE,
        created_at=now,
        created_by_id=by.id if by else None,
    )
    db.session.add(schedule)
    db.session.flush()
    extend(schedule, now)
    audit.record("schedule.created", "formation_schedule", schedule.id, actor=by)
    return schedule


def extend(schedule: FormationSchedule, at: datetime | None = None) -> int:
    """Make the sessions up to the horizon. Existing ones, moved or not, are left alone. Gives how many were added."""
    now = at or clock.now()
    formation = db.session.get_one(Formation, schedule.formation_id)
    units = list(formation.units)
    occurrences = list(
        expand(
            schedule.rrule,
            schedule.starts_local,
            schedule.time_zone,
            timedelta(minutes=schedule.duration_minutes),
            until=now + HORIZON,
            last_day=schedule.until_on,
            excluded=frozenset(schedule.excluded),
            holiday_rule=HolidayRule(schedule.holiday_policy.value),
        )
    )
    rows = [_row(schedule, formation, units, index, occurrence, now) for index, occurrence in enumerate(occurrences)]
    added = insert_once(db.session(), AdminFormationSession, rows)
    schedule.extended_until_at = now + HORIZON
    db.session.flush()
    if added:
        for session in of_schedule(schedule.id):
            reminders.plan_for_session(session, now)
    return added


def extend_all(at: datetime | None = None) -> int:
    """Extend every living programming; run by the clock."""
    schedules = db.session.scalars(select(FormationSchedule).where(FormationSchedule.status == ScheduleStatus.ACTIVE))
    return sum(extend(schedule, at) for schedule in schedules.all())


def move(
    session_id: int, starts_local: datetime, duration_minutes: int, *, by: User, at: datetime | None = None
) -> AdminFormationSession:
    """Move one session: old reminders die, new ones are planned, everybody enrolled is told.

    Raises ``SessionPast``, ``RuleRefused``.
    """
    now = at or clock.now()
    session = _changeable(session_id, now)
    start = starts_local.replace(tzinfo=clock.PARIS).astimezone(session.start_at.tzinfo)
    if start <= now:
        raise RuleRefused(_l("Choisissez un moment à venir."))
    reminders.forget(session)
    session.start_at, session.end_at = start, start + timedelta(minutes=duration_minutes)
    session.overridden, session.seq = True, session.seq + 1
    db.session.flush()
    reminders.plan_for_session(session, now)
    reminders.announce_change(
        session,
        NoticeKind.MOVED,
        str(_l("Séance déplacée : %(title)s", title=session.title)),
        str(_l("Elle aura lieu le %(when)s.", when=date_time(session.start_at))),
    )
    audit.record("session.moved", "admin_formation_session", session.id, actor=by, changes=("start_at", "end_at"))
    return session


def cancel(session_id: int, reason: str, *, by: User, at: datetime | None = None) -> AdminFormationSession:
    """Cancel one session; everybody enrolled is told. Raises ``SessionPast``."""
    now = at or clock.now()
    session = _changeable(session_id, now)
    reminders.forget(session)
    session.status, session.cancel_reason, session.seq = SessionStatus.CANCELLED, reason.strip()[:300], session.seq + 1
    db.session.flush()
    reminders.announce_change(
        session,
        NoticeKind.CANCELLED,
        str(_l("Séance annulée : %(title)s", title=session.title)),
        reason.strip(),
    )
    audit.record("session.cancelled", "admin_formation_session", session.id, actor=by, changes=("status",))
    return session


def of_schedule(schedule_id: int) -> list[AdminFormationSession]:
    """Sessions of a programming in order."""
    return list(
        db.session.scalars(
            select(AdminFormationSession)
            .where(AdminFormationSession.schedule_id == schedule_id)
            .order_by(AdminFormationSession.start_at)
        )
    )


def every() -> list[FormationSchedule]:
    """All programmings, newest first."""
    return list(db.session.scalars(select(FormationSchedule).order_by(FormationSchedule.id.desc())))


def between(start: datetime, end: datetime) -> list[AdminFormationSession]:
    """All sessions that start in a stretch of time, in order."""
    return list(
        db.session.scalars(
            select(AdminFormationSession)
            .where(AdminFormationSession.start_at >= start, AdminFormationSession.start_at < end)
            .order_by(AdminFormationSession.start_at)
        )
    )


def get(session_id: int) -> AdminFormationSession:
    """A session. Raises ``NotFound``."""
    session = db.session.get(AdminFormationSession, session_id)
    if session is None:
        raise NotFound
    return session


def finish_past(at: datetime | None = None) -> int:
    """Close the sessions that are over. Gives how many."""
    now = at or clock.now()
    sessions = db.session.scalars(
        select(AdminFormationSession).where(
            AdminFormationSession.status == SessionStatus.SCHEDULED, AdminFormationSession.end_at < now
        )
    ).all()
    for session in sessions:
        session.status = SessionStatus.FINISHED
    db.session.flush()
    return len(sessions)


def _provider(url: str) -> MeetingProvider:
    try:
        return MeetingProvider(provider_of(url))
    except ForeignMeetingLink as error:
        raise ForeignLink from error


def _row(
    schedule: FormationSchedule,
    formation: Formation,
    units: list[FormationSession],
    index: int,
    occurrence: Occurrence,
    now: datetime,
) -> dict[str, object]:
    unit = units[index] if index < len(units) else None
    return {
        "formation_id": formation.id,
        "schedule_id": schedule.id,
        "unit_id": unit.id if unit else None,
        "recurrence_id": occurrence.recurrence_id,
        "title": unit.title if unit else formation.title,
        "start_at": occurrence.start_at,
        "end_at": occurrence.end_at,
        "time_zone": schedule.time_zone,
        "meeting_provider": schedule.meeting_provider,
        "meeting_url": schedule.meeting_url,
        "trainer_name": schedule.trainer_name,
        "status": SessionStatus.SCHEDULED,
        "overridden": False,
        "seq": 0,
        "created_at": now,
    }


def _changeable(session_id: int, now: datetime) -> AdminFormationSession:
    session = db.session.scalar(
        select(AdminFormationSession).where(AdminFormationSession.id == session_id).with_for_update()
    )
    if session is None:
        raise NotFound
    if session.start_at <= now or session.status is not SessionStatus.SCHEDULED:
        raise SessionPast
    return session
