"""The staff's view: formations, programmings, sessions and presence."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import Schema
from apiflask.fields import Date, Integer, List, Nested, String, Time
from apiflask.validators import Length, OneOf, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.blueprints.api.training import SessionsOut, session_of
from calmness.extensions import db
from calmness.models.training import (
    AttendanceStatus,
    Formation,
    FormationSchedule,
    FormationStatus,
    HolidayPolicy,
    Level,
)
from calmness.permissions import Permission
from calmness.services.training import attendance, enrollments, formations, schedules

PARIS = ZoneInfo("Europe/Paris")
AROUND = timedelta(days=30)
LONGEST_DAYS = 400
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
WRITTEN = Regexp(r"[\s\S]*\S")


class FormationIn(ClosedSchema):
    """What the school writes of a formation; ``units`` are the titles of its programme, in order."""

    title = String(required=True, validate=[Length(max=160), WRITTEN])
    summary = String(required=True, validate=[Length(max=300), WRITTEN])
    level = String(required=True, validate=OneOf([level.value for level in Level]))
    trainer_name = String(required=True, validate=[Length(max=100), WRITTEN])
    units = List(String(validate=[Length(max=160), WRITTEN]), required=True, validate=Length(min=1, max=100))
    unit_minutes = Integer(required=True, strict=True, validate=Range(min=15, max=600))
    capacity = Integer(load_default=None, allow_none=True, strict=True, validate=Range(min=1, max=10_000))
    status = String(load_default="draft", validate=OneOf([status.value for status in FormationStatus]))
    objectives = String(load_default="", validate=Length(max=10_000))
    audience = String(load_default="", validate=Length(max=10_000))
    prerequisites = String(load_default="", validate=Length(max=10_000))
    access_delay = String(load_default="", validate=Length(max=300))
    accessibility = String(load_default="", validate=Length(max=10_000))


class AdminFormationOut(Schema):
    """A formation as the staff sees it."""

    id = Integer(required=True)
    slug = String(required=True)
    title = String(required=True)
    status = String(required=True)
    level = String(required=True)
    trainer = String(required=True)
    duration_minutes = Integer(required=True)
    capacity = Integer(required=True, allow_none=True)
    enrolled = Integer(required=True)
    units = List(String(), required=True)


class AdminFormationsOut(Schema):
    """All formations."""

    items = List(Nested(AdminFormationOut), required=True)
    next = String(required=True, allow_none=True)


class ScheduleIn(ClosedSchema):
    """A recurring programming; day and hour are wall time in Paris."""

    formation_id = Integer(required=True, strict=True, validate=Range(min=1, max=MAX_ID))
    starts_on = Day(required=True)
    starts_time = Time(required=True)
    weekdays = List(String(validate=OneOf(WEEKDAYS)), load_default=list, validate=Length(max=7))
    count = Integer(required=True, strict=True, validate=Range(min=1, max=100))
    duration_minutes = Integer(required=True, strict=True, validate=Range(min=15, max=600))
    holiday_policy = String(load_default="skip", validate=OneOf([policy.value for policy in HolidayPolicy]))
    meeting_url = String(required=True, validate=Length(max=500))
    trainer_name = String(required=True, validate=[Length(max=100), WRITTEN])


class ScheduleOut(Schema):
    """A programming."""

    id = Integer(required=True)
    formation_id = Integer(required=True)
    rule = String(required=True)
    starts_local = String(required=True)
    time_zone = String(required=True)
    duration_minutes = Integer(required=True)
    trainer = String(required=True)
    status = String(required=True)


class SchedulesOut(Schema):
    """All programmings, newest first."""

    items = List(Nested(ScheduleOut), required=True)
    next = String(required=True, allow_none=True)


class CalendarIn(ClosedSchema):
    """Which days, in Paris, both included; thirty days around today by default, 400 at most."""

    from_ = Day(data_key="from")
    to = Day()


class MarkIn(ClosedSchema):
    """A presence as the staff saw it."""

    user_id = Integer(required=True, strict=True, validate=Range(min=1, max=MAX_ID))
    status = String(required=True, validate=OneOf([status.value for status in AttendanceStatus]))


class MarksIn(ClosedSchema):
    """Presences to record; who is left out stays as known."""

    items = List(Nested(MarkIn), required=True, validate=Length(min=1, max=500))


class PresenceOut(Schema):
    """Somebody expected at a session, and what is known of the presence."""

    user_id = Integer(required=True)
    name = String(required=True)
    status = String(required=True, allow_none=True)
    source = String(required=True, allow_none=True)
    first_joined_at = Instant(required=True, allow_none=True)


class PresencesOut(Schema):
    """Everybody expected at a session, by name."""

    session_id = Integer(required=True)
    day = Date(required=True)
    items = List(Nested(PresenceOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/formations")
@bp.output(AdminFormationsOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_admin_formations() -> ResponseReturnValue:
    """All formations, drafts too."""
    counts = enrollments.counts_by_formation()
    return {"items": [formation_json(row, counts.get(row.id, 0)) for row in formations.every()], "next": None}


@bp.post("/admin/formations")
@once
@bp.input(FormationIn, arg_name="given")
@bp.output(AdminFormationOut, status_code=201)
@requires(Permission.MANAGE_FORMATIONS)
def api_create_formation(given: dict[str, Any]) -> ResponseReturnValue:
    """Write a new formation."""
    created = formations.create(sheet_of(given), by=current_account())
    db.session.refresh(created)
    return formation_json(created, 0)


@bp.get("/admin/schedules")
@bp.output(SchedulesOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_schedules() -> ResponseReturnValue:
    """All programmings."""
    return {"items": [schedule_json(row) for row in schedules.every()], "next": None}


@bp.post("/admin/schedules")
@once
@bp.input(ScheduleIn, arg_name="given")
@bp.output(ScheduleOut, status_code=201)
@requires(Permission.MANAGE_FORMATIONS)
def api_create_schedule(given: dict[str, Any]) -> ResponseReturnValue:
    """Programme sessions; who is enrolled is told, reminders are planned."""
    return schedule_json(schedules.program(programming_of(given), by=current_account()))


@bp.get("/admin/sessions")
@bp.input(CalendarIn, location="query", arg_name="wanted")
@bp.output(SessionsOut)
@requires(Permission.RECORD_ATTENDANCE)
def api_sessions(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Sessions of some days, in order."""
    now = clock.now().astimezone(PARIS)
    first = wanted.get("from_") or (now - AROUND).date()
    last = wanted.get("to") or first + 2 * AROUND
    last = min(last, first + timedelta(days=LONGEST_DAYS))
    start, end = (datetime.combine(day, datetime.min.time(), tzinfo=PARIS) for day in (first, last + timedelta(days=1)))
    return {"items": [session_of(row) for row in schedules.between(start, end)], "next": None}


@bp.get("/admin/sessions/<int:session_id>/attendance")
@bp.output(PresencesOut)
@requires(Permission.RECORD_ATTENDANCE)
def api_attendance(session_id: int) -> ResponseReturnValue:
    """Who is expected at a session, and who was there."""
    return _presences(session_id)


@bp.put("/admin/sessions/<int:session_id>/attendance")
@bp.input(MarksIn, arg_name="given")
@bp.output(PresencesOut)
@requires(Permission.RECORD_ATTENDANCE)
def api_record_attendance(session_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Record presences: only people who are expected at the session."""
    expected = {row.user.id for row in attendance.grid(schedules.get(session_id))}
    for mark in given["items"]:
        if mark["user_id"] not in expected:
            raise attendance.NotExpected
        attendance.mark(session_id, mark["user_id"], AttendanceStatus(mark["status"]), by=current_account())
    db.session.commit()
    return _presences(session_id)


def sheet_of(given: dict[str, Any]) -> formations.Sheet:
    """What ``FormationIn`` says of a formation."""
    kinds = {"level": Level(given["level"]), "status": FormationStatus(given["status"])}
    return formations.Sheet(**(given | kinds | {"units": tuple(given["units"])}))


def programming_of(given: dict[str, Any]) -> schedules.Programming:
    """What ``ScheduleIn`` says of a programming."""
    changed = {"weekdays": tuple(given["weekdays"]), "holiday_policy": HolidayPolicy(given["holiday_policy"])}
    local = wall_time(given.pop("starts_on"), given.pop("starts_time"))
    return schedules.Programming(**(given | changed), starts_local=local)


def wall_time(day: date, hour: time) -> datetime:
    """Day and hour as the clock on the wall shows them."""
    return datetime.combine(day, hour.replace(tzinfo=None, microsecond=0))


def formation_json(formation: Formation, enrolled: int) -> dict[str, Any]:
    """A formation as ``AdminFormationOut`` has it."""
    return {
        "id": formation.id,
        "slug": formation.slug,
        "title": formation.title,
        "status": formation.status.value,
        "level": formation.level.value,
        "trainer": formation.trainer_name,
        "duration_minutes": formation.duration_minutes,
        "capacity": formation.capacity,
        "enrolled": enrolled,
        "units": [unit.title for unit in formation.units],
    }


def schedule_json(schedule: FormationSchedule) -> dict[str, Any]:
    """A programming as ``ScheduleOut`` has it."""
    return {
        "id": schedule.id,
        "formation_id": schedule.formation_id,
        "rule": schedule.rrule,
        "starts_local": schedule.starts_local.isoformat(timespec="minutes"),
        "time_zone": schedule.time_zone,
        "duration_minutes": schedule.duration_minutes,
        "trainer": schedule.trainer_name,
        "status": schedule.status.value,
    }


def _presences(session_id: int) -> dict[str, Any]:
    session = schedules.get(session_id)
    items = [
        {
            "user_id": row.user.id,
            "name": row.user.full_name,
            "status": row.attendance.status.value if row.attendance else None,
            "source": row.attendance.source.value if row.attendance else None,
            "first_joined_at": instant(row.attendance.first_joined_at) if row.attendance else None,
        }
        for row in attendance.grid(session)
    ]
    day = session.start_at.astimezone(ZoneInfo(session.time_zone)).date()
    return {"session_id": session.id, "day": day, "items": items, "next": None}
