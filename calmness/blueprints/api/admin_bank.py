"""Bank statements by program: given, looked at, imported."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length, Range
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.banking import Entry, csv_file
from calmness.blueprints.api import bp
from calmness.blueprints.api.base64_files import File, decoded
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import PageIn, Window
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.extensions import db
from calmness.models.bank import BankStatement, StatementFormat
from calmness.permissions import Permission
from calmness.services.billing import bank_statements

MOST_COLUMNS = 200


class BankStatementIn(ClosedSchema):
    """A file of the bank (CAMT.053, OFX, MT940 or CSV)."""

    file_name = String(load_default="", validate=Length(max=160))
    content = File(required=True)


def _column() -> Integer:
    """Place of a column from zero; -1 where the bank does not say it."""
    return Integer(load_default=-1, strict=True, validate=Range(min=-1, max=MOST_COLUMNS))


class BankColumnsIn(ClosedSchema):
    """Where a bank puts what in its CSV, remembered for its next file: ``amount``, or ``credit`` and ``debit``."""

    bank = String(required=True, validate=Length(max=80))
    account = String(load_default="", validate=Length(max=42))
    date = _column()
    amount = _column()
    credit = _column()
    debit = _column()
    reference = _column()
    name = _column()
    iban = _column()
    label = List(Whole(0, MOST_COLUMNS), load_default=list, validate=Length(max=MOST_COLUMNS))


class BankColumnsOut(Schema):
    """Columns as they are read now; those of a bank not seen before are guessed by their names."""

    saved = Boolean(required=True)
    bank = String(required=True)
    account = String(required=True)
    header = List(String(), required=True)
    date = Integer(required=True)
    amount = Integer(required=True)
    credit = Integer(required=True)
    debit = Integer(required=True)
    reference = Integer(required=True)
    name = Integer(required=True)
    iban = Integer(required=True)
    label = List(Integer(), required=True)


class BankStatementOut(Schema):
    """A statement that was given."""

    id = Integer(required=True)
    file_name = String(required=True)
    format = String(required=True)
    account = String(required=True)
    given_at = Instant(required=True)
    given_by_id = Integer(required=True, allow_none=True)
    imported_at = Instant(required=True, allow_none=True)
    new_lines = Integer(required=True)
    known_lines = Integer(required=True)


class BankStatementsOut(Schema):
    """Statements, newest first."""

    items = List(Nested(BankStatementOut), required=True)
    next = Integer(required=True, allow_none=True)


class EntryOfFileOut(Schema):
    """An entry that importing would take; ``known``: it is there already."""

    booked_on = Date(required=True)
    amount = Nested(AmountOut, required=True)
    label = String(required=True)
    debtor_name = String(required=True)
    debtor_iban = String(required=True)
    reversal = Boolean(required=True)
    known = Boolean(required=True)


class BankStatementFileOut(BankStatementOut):
    """What is in a statement before it is imported. ``problem`` says why it cannot be read yet.

    ``balanced`` is null where the file holds no balances; ``left_out`` counts money that leaves.
    """

    balanced = Boolean(required=True, allow_none=True)
    left_out = Integer(required=True)
    entries = List(Nested(EntryOfFileOut), required=True)
    problem = String(required=True, allow_none=True)
    columns = Nested(BankColumnsOut, required=True, allow_none=True)


@bp.get("/admin/bank/statements")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(BankStatementsOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_statements(page: dict[str, Any]) -> ResponseReturnValue:
    """Statements that were given, newest first."""
    window = Window.of(page)
    rows, cursor = window.cut(bank_statements.every(window.limit + 1, window.before))
    return {"items": [_statement(row) for row in rows], "next": cursor}


@bp.post("/admin/bank/statements")
@once
@bp.input(BankStatementIn, arg_name="given")
@bp.output(BankStatementOut, status_code=201)
@requires(Permission.VALIDATE_PAYMENTS)
def api_give_statement(given: dict[str, Any]) -> ResponseReturnValue:
    """Give a file to look at; nothing is imported yet. The same file again is the statement of then."""
    content = decoded(given["content"], "content")
    return _statement(bank_statements.receive(given["file_name"], content, by=current_account()))


@bp.get("/admin/bank/statements/<int:statement_id>")
@bp.output(BankStatementFileOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_statement(statement_id: int) -> ResponseReturnValue:
    """What importing a statement would take."""
    return _file(bank_statements.get(statement_id))


@bp.put("/admin/bank/statements/<int:statement_id>/columns")
@bp.input(BankColumnsIn, arg_name="given")
@bp.output(BankStatementFileOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_set_columns(statement_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say where the bank of a CSV statement puts what."""
    found = bank_statements.get(statement_id)
    if found.format is not StatementFormat.CSV:
        raise bank_statements.StatementRefused("csv")
    bank, account = given.pop("bank"), given.pop("account")
    columns = csv_file.Columns(**(given | {"label": tuple(given["label"])}))
    bank_statements.save_format(bank_statements.sheet_of(found), bank, account, columns, by=current_account())
    db.session.commit()
    return _file(found)


@bp.post("/admin/bank/statements/<int:statement_id>/import")
@once
@bp.output(BankStatementOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_import_statement(statement_id: int) -> ResponseReturnValue:
    """Take the lines that are new. Asked twice, it changes nothing."""
    return _statement(bank_statements.import_lines(statement_id, by=current_account()))


def _statement(row: BankStatement) -> dict[str, Any]:
    same = ("id", "file_name", "account", "given_by_id", "new_lines", "known_lines")
    return {name: getattr(row, name) for name in same} | {
        "format": row.format.value,
        "given_at": instant(row.given_at),
        "imported_at": instant(row.imported_at),
    }


def _file(row: BankStatement) -> dict[str, Any]:
    unread: dict[str, Any] = {"balanced": None, "left_out": 0, "entries": [], "problem": None}
    found = _statement(row) | unread | {"columns": _columns(row) if row.format is StatementFormat.CSV else None}
    try:
        looked = bank_statements.preview(row)
    except (bank_statements.ColumnsMissing, bank_statements.StatementRefused) as error:
        return found | {"problem": str(error.message)}
    return found | {
        "balanced": looked.statement.balanced,
        "left_out": looked.left_out,
        "entries": [_entry(entry, known=known) for entry, known in looked.incoming],
    }


def _columns(row: BankStatement) -> dict[str, Any]:
    sheet = bank_statements.sheet_of(row)
    saved = bank_statements.format_of(sheet)
    columns = csv_file.Columns.from_json(saved.columns) if saved else csv_file.guess(sheet)
    return columns.as_json() | {
        "saved": saved is not None,
        "bank": saved.bank if saved else "",
        "account": saved.account if saved else "",
        "header": list(sheet.header),
    }


def _entry(entry: Entry, *, known: bool) -> dict[str, Any]:
    return {
        "booked_on": entry.booked_on,
        "amount": amount(entry.amount_cents, entry.currency),
        "label": entry.label,
        "debtor_name": entry.debtor_name,
        "debtor_iban": entry.debtor_iban,
        "reversal": entry.is_reversal,
        "known": known,
    }
