"""Statements of MetaTrader: sent as a file, read by a job, looked at, confirmed, undone."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.bodies import takes_file
from calmness.blueprints.api.fields import Bytes, Exact, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.blueprints.trading.words import refusal_in_words
from calmness.extensions import db, limiter
from calmness.metatrader import MAX_BYTES
from calmness.models.statement import ImportState, StatementImport
from calmness.permissions import Permission
from calmness.services.trading import broker_clocks, statement_imports, trading_accounts


class StatementIn(ClosedSchema):
    """A statement as MetaTrader saves it (HTML, XLSX, …), 20 MB at most."""

    statement = Bytes(required=True)


class ClockIn(ClosedSchema):
    """How the broker's server tells time: `new-york` (seven hours ahead of New York), a zone, or `utc+2`."""

    broker_clock = String(required=True, validate=OneOf(list(broker_clocks.CHOICES)))


class PreviewIn(ClosedSchema):
    """Under which clock to show the sample trades; the proposed one by default."""

    broker_clock = String(validate=OneOf(list(broker_clocks.CHOICES)))


class SkippedOut(Schema):
    """A line that was not taken, and why."""

    line = Integer(required=True)
    ticket = String(required=True)
    reason = String(required=True)


class SumOut(Schema):
    """A sum that the statement states, beside the same sum over what was read."""

    name = String(required=True)
    reported = String(required=True)
    computed = String(required=True)
    equal = Boolean(required=True)


class SampleOut(Schema):
    """A trade of the file under a clock. ``server_*``: the times as the file writes them."""

    ticket = String(required=True)
    symbol = String(required=True)
    opened_at = Instant(required=True)
    closed_at = Instant(required=True)
    server_opened = String(required=True)
    server_closed = String(required=True)
    net = Exact(required=True)


class PreviewOut(Schema):
    """What the file holds. ``known``: tickets that are there already and stay as they are. ``in_closed_market``: times
    that fall into the week-end under this clock: many of them say that the clock is another one.
    """

    format = String(required=True)
    login = String(required=True, allow_none=True)
    currency = String(required=True, allow_none=True)
    truncated = Boolean(required=True)
    trades = Integer(required=True)
    cash = Integer(required=True)
    known = Integer(required=True)
    skipped_count = Integer(required=True)
    skipped = List(Nested(SkippedOut), required=True)
    sums = List(Nested(SumOut), required=True)
    samples = List(Nested(SampleOut), required=True)
    in_closed_market = Integer(required=True)


class ImportOut(Schema):
    """An import: `received` until a job has read it, `read` until confirmed, `confirmed` until taken, `imported`,
    `undone`; or `refused` with its reason. ``written_about``: its trades with a note, that an undo takes along.
    """

    id = Integer(required=True)
    account_id = Integer(required=True)
    state = String(required=True)
    file_name = String(required=True)
    file_size = Integer(required=True)
    broker_clock = String(required=True)
    reason = String(required=True, allow_none=True)
    reason_text = String(required=True, allow_none=True)
    trades_added = Integer(required=True)
    trades_known = Integer(required=True)
    written_about = Integer(required=True)
    created_at = Instant(required=True)
    imported_at = Instant(required=True, allow_none=True)
    undone_at = Instant(required=True, allow_none=True)


class ImportPageOut(ImportOut):
    """An import with what the file holds, once it was read."""

    preview = Nested(PreviewOut, required=True, allow_none=True)


class UndoneOut(ImportOut):
    """An import taken back, and how many trades went with it."""

    trades_removed = Integer(required=True)


class ImportsOut(Schema):
    """The newest imports of an account, fifty at most."""

    items = List(Nested(ImportOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/me/trading/accounts/<int:account_id>/imports")
@bp.output(ImportsOut)
@requires(Permission.OWN_SPACE)
def api_imports(account_id: int) -> ResponseReturnValue:
    """Imports of an own account, newest first."""
    account = trading_accounts.own(current_account().id, account_id)
    return {"items": [_import(row) for row in statement_imports.of_account(account.id)], "next": None}


@bp.post("/me/trading/accounts/<int:account_id>/imports")
@once
@bp.input(StatementIn, location="form_and_files", arg_name="given")
@bp.output(ImportOut, status_code=202)
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@takes_file(MAX_BYTES)
def api_send_statement(account_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Send a statement, as `multipart/form-data`; a job reads it within seconds."""
    account, file = trading_accounts.own(current_account().id, account_id), given["statement"]
    with file.stream as stream:
        content = stream.read(MAX_BYTES + 1)
    return _import(statement_imports.receive(account, file.filename or "", content)), 202


@bp.get("/me/trading/imports/<int:import_id>")
@bp.input(PreviewIn, location="query", arg_name="wanted")
@bp.output(ImportPageOut)
@requires(Permission.OWN_SPACE)
def api_import(import_id: int, wanted: dict[str, Any]) -> ResponseReturnValue:
    """Where an own import stands, with its preview."""
    found = statement_imports.own(current_account().id, import_id)
    return _import(found) | {"preview": _preview(found, wanted.get("broker_clock", found.broker_clock))}


@bp.post("/me/trading/imports/<int:import_id>/confirmation")
@bp.input(ClockIn, arg_name="given")
@bp.output(ImportOut, status_code=202)
@requires(Permission.OWN_SPACE)
def api_confirm_import(import_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say yes to the preview under a clock, which becomes the account's; a job writes the trades."""
    found = statement_imports.own(current_account().id, import_id)
    statement_imports.confirm(found, given["broker_clock"])
    db.session.commit()
    return _import(found), 202


@bp.post("/me/trading/imports/<int:import_id>/cancellation")
@bp.output(UndoneOut)
@requires(Permission.OWN_SPACE)
def api_undo_import(import_id: int) -> ResponseReturnValue:
    """Take an import back: its trades go, with what was written about them; those that an EA has sent since stay."""
    found = statement_imports.own(current_account().id, import_id)
    gone = statement_imports.undo(found)
    db.session.commit()
    return _import(found) | {"trades_removed": gone}


@bp.delete("/me/trading/imports/<int:import_id>")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_give_import_up(import_id: int) -> ResponseReturnValue:
    """Throw away a file that was not confirmed."""
    statement_imports.give_up(statement_imports.own(current_account().id, import_id))
    db.session.commit()
    return "", 204


def _import(found: StatementImport) -> dict[str, Any]:
    same = ("id", "account_id", "file_name", "file_size", "broker_clock", "trades_added", "trades_known")
    return (
        {name: getattr(found, name) for name in same}
        | {name: instant(getattr(found, name)) for name in ("created_at", "imported_at", "undone_at")}
        | {
            "state": found.state.value,
            "reason": found.reason or None,
            "reason_text": " ".join(refusal_in_words(found.reason, found.account)) if found.reason else None,
            "written_about": statement_imports.written_about(found) if found.state is ImportState.IMPORTED else 0,
        }
    )


def _preview(found: StatementImport, choice: str) -> dict[str, Any] | None:
    """``choice``: the clock under which times are shown."""
    if not found.report:
        return None
    same = ("format", "login", "currency", "truncated", "trades", "cash", "known", "skipped", "skipped_count", "sums")
    is_read = found.state is ImportState.READ
    samples = statement_imports.converted(found, choice) if is_read else []
    return {name: found.report[name] for name in same} | {
        "samples": [
            {name: entry[name] for name in ("ticket", "symbol", "server_opened", "server_closed")}
            | {"opened_at": instant(entry["opened_at"]), "closed_at": instant(entry["closed_at"])}
            | {"net": decimal(entry["net"])}
            for entry in samples
        ],
        "in_closed_market": statement_imports.in_closed_market(found, choice) if is_read else 0,
    }
