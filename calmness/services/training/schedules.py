"""Recurring programming: rules in wall time, made into dated sessions ninety days ahead."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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
from calmness.recurrence import HolidayRule, MalformedRule, Occurrence, expand, preview
from calmness.services import audit
from calmness.services.training import enrollments, reminders

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
    message = _l("Cette séance a déjà commencé\u00a0: elle ne peut plus changer.")


class ReasonMissing(DomainError):
    """Students read why."""

    slug = "reason-missing"
    field = "reason"
    message = _l("Dites aux élèves pourquoi.")


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


def look_ahead(programming: Programming, at: datetime | None = None) -> list[Occurrence]:
    """All dates, to look at before saving. Raises ``RuleRefused``, ``ForeignLink``."""
    _provider(programming.meeting_url)
    _rule, occurrences = _rule_and_dates(programming)
    if occurrences[0].start_at <= (at or clock.now()):
        raise RuleRefused(_l("Choisissez une première date à venir."))
    return occurrences


def program(programming: Programming, *, by: User | None, at: datetime | None = None) -> FormationSchedule:
    """Save a programming, make its sessions, plan their reminders, tell who is enrolled.

    Raises ``ForeignLink``, ``RuleRefused``, ``NotFound``.
    """
    now = at or clock.now()
    if db.session.get(Formation, programming.formation_id) is None:
        raise NotFound
    look_ahead(programming, now)
    schedule = FormationSchedule(
        formation_id=programming.formation_id,
        rrule=_rule_and_dates(programming)[0],
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
    reminders.announce_series(schedule, of_schedule(schedule.id))
    audit.record("schedule.created", "formation_schedule", schedule.id, actor=by)
    return schedule


def stop(schedule_id: int, reason: str, *, by: User, at: datetime | None = None) -> int:
    """End a programming: what has not begun is cancelled, everybody enrolled is told once. Gives how many.

    Raises ``ReasonMissing``, ``NotFound``.
    """
    now = at or clock.now()
    schedule = db.session.get(FormationSchedule, schedule_id, with_for_update=True)
    if schedule is None:
        raise NotFound
    reason = _reason(reason)
    schedule.status = ScheduleStatus.ENDED
    coming = [row for row in of_schedule(schedule_id) if row.status is SessionStatus.SCHEDULED and row.start_at > now]
    for session in coming:
        _cancel(session, reason)
    if coming:
        reminders.announce_series(schedule, coming, reason)
    audit.record("schedule.stopped", "formation_schedule", schedule.id, actor=by, changes=("status",))
    return len(coming)


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
    if occurrences and occurrences[-1].end_at < now:
        # Nothing in the coming ninety days: a weekly rule has come to its end.
        schedule.status = ScheduleStatus.ENDED
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
    zone, was = ZoneInfo(session.time_zone), session.start_at
    start = starts_local.replace(tzinfo=zone).astimezone(UTC)
    if start <= now:
        raise RuleRefused(_l("Choisissez un moment à venir."))
    end = start + timedelta(minutes=duration_minutes)
    if (start, end) == (session.start_at, session.end_at):
        return session
    reminders.forget(session, moved=True)
    session.start_at, session.end_at = start, end
    session.overridden, session.seq = True, session.seq + 1
    db.session.flush()
    reminders.plan_for_session(session, now)
    reminders.announce_change(session, NoticeKind.MOVED, was=was)
    audit.record("session.moved", "admin_formation_session", session.id, actor=by, changes=("start_at", "end_at"))
    return session


def cancel(session_id: int, reason: str, *, by: User, at: datetime | None = None) -> AdminFormationSession:
    """Cancel one session; everybody enrolled is told. Raises ``SessionPast``, ``ReasonMissing``."""
    now = at or clock.now()
    session = _changeable(session_id, now)
    _cancel(session, _reason(reason))
    reminders.announce_change(session, NoticeKind.CANCELLED, reason=session.cancel_reason or "", was=session.start_at)
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


def schedule(schedule_id: int) -> FormationSchedule:
    """A programming. Raises ``NotFound``."""
    found = db.session.get(FormationSchedule, schedule_id)
    if found is None:
        raise NotFound
    return found


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


def active() -> list[FormationSchedule]:
    """Programmings that still make sessions, newest first."""
    return [schedule for schedule in every() if schedule.status is ScheduleStatus.ACTIVE]


def get(session_id: int) -> AdminFormationSession:
    """A session. Raises ``NotFound``."""
    session = db.session.get(AdminFormationSession, session_id)
    if session is None:
        raise NotFound
    return session


def finish_past(at: datetime | None = None) -> int:
    """Close the sessions that are over, and the places of those who were given all. Gives how many sessions."""
    now = at or clock.now()
    sessions = db.session.scalars(
        select(AdminFormationSession).where(
            AdminFormationSession.status == SessionStatus.SCHEDULED, AdminFormationSession.end_at < now
        )
    ).all()
    for session in sessions:
        session.status = SessionStatus.FINISHED
    db.session.flush()
    for enrollment in enrollments.complete_due(now):
        reminders.announce_completion(enrollment)
    return len(sessions)


def _rule_and_dates(programming: Programming) -> tuple[str, list[Occurrence]]:
    """Rule of RFC 5545 that gives the wanted number of sessions once holidays are left out, and its dates."""
    days = f";BYDAY={','.join(programming.weekdays)}" if programming.weekdays else ""
    count = programming.count
    while True:
        rule = f"FREQ=WEEKLY{days};COUNT={count}"
        try:
            dates = preview(
                rule,
                programming.starts_local,
                programming.time_zone,
                timedelta(minutes=programming.duration_minutes),
                count=count,
                holiday_rule=HolidayRule(programming.holiday_policy.value),
            )
        except MalformedRule as error:
            raise RuleRefused from error
        # A whole year of holidays is no rule: eleven a year are.
        if len(dates) >= programming.count or count > 2 * programming.count + 20:
            if not dates:
                raise RuleRefused
            return rule, dates
        count += programming.count - len(dates)


def _reason(text: str) -> str:
    if not text.strip():
        raise ReasonMissing
    return text.strip()[:300]


def _cancel(session: AdminFormationSession, reason: str) -> None:
    reminders.forget(session)
    session.status, session.cancel_reason, session.seq = SessionStatus.CANCELLED, reason, session.seq + 1
    db.session.flush()


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
