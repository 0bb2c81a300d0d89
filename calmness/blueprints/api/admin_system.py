"""The team's dashboard, the health of the system, what is sent on its way again, and the register of processing."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Date, Dict, Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.serialisers import amount, instant
from calmness.blueprints.api.training import SessionOut, session_of
from calmness.permissions import Permission, may
from calmness.services import delivery, second_tries
from calmness.services.billing import purchases, takings
from calmness.services.dashboard import school
from calmness.services.privacy import processing_register, retention
from calmness.services.support import chat_unread


class ComparedOut(Schema):
    """A figure of the last thirty days beside the thirty before."""

    value = Integer(required=True)
    before = Integer(required=True)


class ComparedAmountOut(Schema):
    """The same of an amount."""

    value = Nested(AmountOut, required=True)
    before = Nested(AmountOut, required=True)


class WeekOut(Schema):
    """A week of Paris, by its Monday, and what was validated in it."""

    monday = Date(required=True)
    revenue = Nested(AmountOut, required=True)


class NewcomerOut(Schema):
    """Somebody who registered lately."""

    id = Integer(required=True)
    name = String(required=True)
    created_at = Instant(required=True)


class StaffDashboardOut(Schema):
    """What waits for somebody, and how the school does."""

    payments_to_validate = Integer(required=True)
    unread_messages = Integer(required=True)
    revenue = Nested(ComparedAmountOut, required=True)
    registrations = Nested(ComparedOut, required=True)
    sales = Nested(ComparedOut, required=True)
    students = Integer(required=True)
    subscribers = Integer(required=True)
    weeks = List(Nested(WeekOut), required=True)
    next_sessions = List(Nested(SessionOut), required=True)
    newcomers = List(Nested(NewcomerOut), required=True)


class ProcessOut(Schema):
    """A process and its last sign of life."""

    process = String(required=True)
    kind = String(required=True)
    at = Instant(required=True)


class FailedTaskOut(Schema):
    """Work that was given up."""

    id = Integer(required=True)
    kind = String(required=True)
    error = String(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)


class UncertainMessageOut(Schema):
    """A message that may or may not have left: sent again it may arrive twice."""

    id = Integer(required=True)
    kind = String(required=True)
    channel = String(required=True)
    due_at = Instant(required=True)


class SystemOut(Schema):
    """What runs, what leaves, what waits for a hand; ``messages`` counts them by state."""

    processes = List(Nested(ProcessOut), required=True)
    messages = Dict(required=True)
    failed_tasks = List(Nested(FailedTaskOut), required=True)
    uncertain_messages = List(Nested(UncertainMessageOut), required=True)


class DurationOut(Schema):
    """What is kept how long."""

    what = String(required=True)
    how_long = String(required=True)


class TreatmentOut(Schema):
    """One purpose of processing (GDPR art. 30)."""

    name = String(required=True)
    purpose = String(required=True)
    basis = String(required=True)
    people = String(required=True)
    recipients = String(required=True)
    durations = List(Nested(DurationOut), required=True)


class RegisterOut(Schema):
    """The register; ``overdue`` names what is older than its rule says."""

    items = List(Nested(TreatmentOut), required=True)
    next = String(required=True, allow_none=True)
    security = String(required=True)
    overdue = List(String(), required=True)


@bp.get("/admin/dashboard")
@bp.output(StaffDashboardOut)
@requires(Permission.SEE_ADMIN)
def api_staff_dashboard() -> ResponseReturnValue:
    """The team's first page."""
    me, figures = current_account(), school.figures()
    sessions = school.next_sessions() if may(me, Permission.RECORD_ATTENDANCE) else []
    newcomers = school.newcomers() if may(me, Permission.SEE_CLIENTS) else []
    return {
        "payments_to_validate": purchases.waiting_count(),
        "unread_messages": chat_unread.unread_of_staff(),
        "revenue": {"value": amount(figures.revenue.value), "before": amount(figures.revenue.before)},
        "registrations": {"value": figures.registrations.value, "before": figures.registrations.before},
        "sales": {"value": figures.sales.value, "before": figures.sales.before},
        "students": figures.students,
        "subscribers": figures.subscribers,
        "weeks": [{"monday": week.monday, "revenue": amount(week.cents)} for week in takings.by_week(clock.now())],
        "next_sessions": [session_of(row) for row in sessions],
        "newcomers": [
            {"id": row.id, "name": row.full_name, "created_at": instant(row.created_at)} for row in newcomers
        ],
    }


@bp.get("/admin/system")
@bp.output(SystemOut)
@requires(Permission.MANAGE_SYSTEM)
def api_system() -> ResponseReturnValue:
    """Processes, messages, work that was given up."""
    return {
        "processes": [
            {"process": row.process, "kind": row.kind, "at": instant(row.at)} for row in delivery.heartbeats()
        ],
        "messages": delivery.counts_by_state(),
        "failed_tasks": [
            {"id": row.id, "kind": row.kind, "error": row.error, "finished_at": instant(row.finished_at)}
            for row in second_tries.failed_tasks()
        ],
        "uncertain_messages": [
            {"id": row.id, "kind": row.kind, "channel": row.channel.value, "due_at": instant(row.due_at)}
            for row in second_tries.uncertain_messages()
        ],
    }


@bp.post("/admin/system/tasks/<int:task_id>/retry")
@once
@bp.output({}, status_code=204)
@requires(Permission.MANAGE_SYSTEM)
def api_retry_task(task_id: int) -> ResponseReturnValue:
    """Try a piece of work again that was given up; nothing happens to any other."""
    second_tries.retry_task(task_id, by=current_account())
    return "", 204


@bp.post("/admin/system/messages/<int:delivery_id>/second-sending")
@once
@bp.output({}, status_code=204)
@requires(Permission.MANAGE_SYSTEM)
def api_send_again(delivery_id: int) -> ResponseReturnValue:
    """Send an uncertain message again; nothing happens to any other."""
    second_tries.send_again(delivery_id, by=current_account())
    return "", 204


@bp.get("/admin/processing-register")
@bp.output(RegisterOut)
@requires(Permission.SEE_AUDIT)
def api_processing_register() -> ResponseReturnValue:
    """What is done with people's data, why, for how long."""
    return {
        "items": [_treatment(row) for row in processing_register.TREATMENTS],
        "next": None,
        "security": processing_register.SECURITY,
        "overdue": [str(label) for label in retention.overdue()],
    }


def _treatment(row: processing_register.Treatment) -> dict[str, Any]:
    same = ("name", "purpose", "basis", "people", "recipients")
    durations = [{"what": duration.what, "how_long": duration.how_long} for duration in row.durations]
    return {name: str(getattr(row, name)) for name in same} | {"durations": durations}
