"""Formations and their calendar by program: change a formation, look at dates first, stop a series, move or cancel."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Date, Dict, Integer, List, Nested, String, Time
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.admin_training import (
    AdminFormationOut,
    FormationIn,
    ScheduleIn,
    formation_json,
    programming_of,
    sheet_of,
    wall_time,
)
from calmness.blueprints.api.conditional import require_unchanged
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.blueprints.api.training import SessionOut, session_of
from calmness.extensions import db
from calmness.models.training import Formation
from calmness.permissions import Permission
from calmness.services import delivery
from calmness.services.training import attendance, enrollments, formations, reminders, schedules

TEXTS = ("summary", "objectives", "audience", "prerequisites", "access_delay", "accessibility")


class CalledOffIn(ClosedSchema):
    """Why something does not take place; its students read it."""

    reason = String(required=True, validate=Length(max=300))


class MoveIn(ClosedSchema):
    """A new moment; day and hour are wall time in Paris."""

    starts_on = Day(required=True)
    starts_time = Time(required=True)
    duration_minutes = Whole(15, 600, required=True)


class FormationSheetOut(AdminFormationOut):
    """A formation with its texts."""

    summary = String(required=True)
    objectives = String(required=True)
    audience = String(required=True)
    prerequisites = String(required=True)
    access_delay = String(required=True)
    accessibility = String(required=True)
    unit_minutes = Integer(required=True, allow_none=True)


class OccurrenceOut(Schema):
    """A date that a programming would give. ``moved_from``: the holiday that it was moved from.

    ``clock_note``: what the change of the clock does to it (``missing`` or ``doubled``).
    """

    start_at = Instant(required=True)
    end_at = Instant(required=True)
    moved_from = Date(required=True, allow_none=True)
    clock_note = String(required=True, allow_none=True)


class OccurrencesOut(Schema):
    """Dates in order."""

    items = List(Nested(OccurrenceOut), required=True)
    next = String(required=True, allow_none=True)


class StoppedOut(Schema):
    """How many sessions were cancelled."""

    cancelled = Integer(required=True)


class SessionNoticeOut(Schema):
    """A reminder or a notice; ``messages`` counts those to people by their state."""

    id = Integer(required=True)
    kind = String(required=True)
    offset_minutes = Integer(required=True)
    due_at = Instant(required=True)
    messages = Dict(required=True)


class StaffSessionOut(SessionOut):
    """A session with what is sent about it, and how many were there."""

    schedule_id = Integer(required=True, allow_none=True)
    present = Integer(required=True)
    notices = List(Nested(SessionNoticeOut), required=True)


@bp.get("/admin/formations/<int:formation_id>")
@bp.output(FormationSheetOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_admin_formation(formation_id: int) -> ResponseReturnValue:
    """One formation with its texts."""
    return _sheet(formations.get(formation_id))


@bp.put("/admin/formations/<int:formation_id>")
@bp.input(FormationIn, arg_name="given")
@bp.output(FormationSheetOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_change_formation(formation_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Save the texts, the programme and the state."""
    require_unchanged(FormationSheetOut, _sheet(formations.get(formation_id)))
    changed = formations.change(formation_id, sheet_of(given), by=current_account())
    db.session.commit()
    return _sheet(changed)


@bp.post("/admin/schedules/preview")
@bp.input(ScheduleIn, arg_name="given")
@bp.output(OccurrencesOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_preview_schedule(given: dict[str, Any]) -> ResponseReturnValue:
    """The dates that a programming would give; nothing is saved."""
    items = [
        {
            "start_at": instant(row.start_at),
            "end_at": instant(row.end_at),
            "moved_from": row.moved_from,
            "clock_note": row.clock_note,
        }
        for row in schedules.look_ahead(programming_of(given))
    ]
    return {"items": items, "next": None}


@bp.post("/admin/schedules/<int:schedule_id>/stop")
@once
@bp.input(CalledOffIn, arg_name="given")
@bp.output(StoppedOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_stop_schedule(schedule_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """End a series: what has not begun is cancelled, everybody enrolled is told once."""
    return {"cancelled": schedules.stop(schedule_id, given["reason"], by=current_account())}


@bp.get("/admin/sessions/<int:session_id>")
@bp.output(StaffSessionOut)
@requires(Permission.RECORD_ATTENDANCE)
def api_session(session_id: int) -> ResponseReturnValue:
    """One session with its reminders."""
    return _session(session_id)


@bp.post("/admin/sessions/<int:session_id>/move")
@once
@bp.input(MoveIn, arg_name="given")
@bp.output(StaffSessionOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_move_session(session_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Move one session: reminders follow, everybody enrolled is told."""
    local = wall_time(given["starts_on"], given["starts_time"])
    schedules.move(session_id, local, given["duration_minutes"], by=current_account())
    return _session(session_id)


@bp.post("/admin/sessions/<int:session_id>/cancellation")
@once
@bp.input(CalledOffIn, arg_name="given")
@bp.output(StaffSessionOut)
@requires(Permission.MANAGE_FORMATIONS)
def api_cancel_session(session_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Cancel one session; everybody enrolled is told."""
    schedules.cancel(session_id, given["reason"], by=current_account())
    return _session(session_id)


def _sheet(formation: Formation) -> dict[str, Any]:
    enrolled = enrollments.counts_by_formation().get(formation.id, 0)
    units = formation.units
    return (
        formation_json(formation, enrolled)
        | {name: getattr(formation, name) for name in TEXTS}
        | {"unit_minutes": units[0].duration_minutes if units else None}
    )


def _session(session_id: int) -> dict[str, Any]:
    found = schedules.get(session_id)
    notices = reminders.of_session(session_id)
    states = delivery.states_of_notices([row.id for row in notices])
    return session_of(found) | {
        "schedule_id": found.schedule_id,
        "present": attendance.counts([session_id]).get(session_id, 0),
        "notices": [
            {
                "id": row.id,
                "kind": row.kind.value,
                "offset_minutes": row.offset_minutes,
                "due_at": instant(row.due_at),
                "messages": states.get(row.id, {}),
            }
            for row in notices
        ],
    }
