"""Books by program: figures of a period, unpaid sales, closed periods, files for the accountant."""

from datetime import date
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import OneOf, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import requires
from calmness.blueprints.admin import book_files
from calmness.blueprints.api import bp
from calmness.blueprints.api.admin_payments import PayerOut
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.payments import PaymentOut, payment_of
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant, percent
from calmness.models.closing import ClosingSpan, PeriodClosing
from calmness.permissions import Permission
from calmness.services import ledgers
from calmness.services.billing import books, closings, e_reporting


class BooksPeriodIn(ClosedSchema):
    """A year (``2026``) or a month (``2026-11``); the running year by default. Days are those of Paris."""

    period = String(load_default="", validate=Regexp(r"^((199\d|20\d\d)(-(0[1-9]|1[0-2]))?)?$"))


class SalesJournalIn(BooksPeriodIn):
    """A period, and the kind of file."""

    format = String(load_default="csv", validate=OneOf(["csv", "xlsx"]))


class FecIn(BooksPeriodIn):
    """A period, and the character set."""

    charset = String(load_default="iso-8859-15", validate=OneOf(["iso-8859-15", "utf-8"]))


class ClosingsIn(ClosedSchema):
    """Which closed periods, newest first."""

    span = String(load_default="month", validate=OneOf([span.value for span in ClosingSpan]))
    limit = Whole(1, 100, strict=False, load_default=25)


class VatRowOut(Schema):
    """Sales at one rate, or under one reason of exemption; credit notes are taken off."""

    regime = String(required=True)
    rate = String(required=True)
    documents = Integer(required=True)
    excl = Nested(AmountOut, required=True)
    vat = Nested(AmountOut, required=True)
    incl = Nested(AmountOut, required=True)


class TurnoverOut(Schema):
    """Turnover of a month without VAT; credit notes are taken off."""

    month = Date(required=True)
    excl = Nested(AmountOut, required=True)


class BooksOut(Schema):
    """Figures of a period, and the months of its year. ``missing_files`` are documents whose PDF is not made yet."""

    first = Date(required=True)
    last = Date(required=True)
    vat_summary = List(Nested(VatRowOut), required=True)
    excl = Nested(AmountOut, required=True)
    vat = Nested(AmountOut, required=True)
    months = List(Nested(TurnoverOut), required=True)
    missing_files = List(String(), required=True)


class UnpaidOut(PaymentOut):
    """A purchase whose conditions were accepted and whose transfer was not seen."""

    payer = Nested(PayerOut, required=True)
    due_on = Date(required=True, allow_none=True)


class UnpaidListOut(Schema):
    """Unpaid purchases, oldest first."""

    items = List(Nested(UnpaidOut), required=True)
    next = String(required=True, allow_none=True)


class ClosingOut(Schema):
    """A closed period; ``perpetual`` is the sum of all sales until its end, ``hash`` chains it to the one before."""

    span = String(required=True)
    first = Date(required=True)
    last = Date(required=True)
    documents = Integer(required=True)
    excl = Nested(AmountOut, required=True)
    vat = Nested(AmountOut, required=True)
    incl = Nested(AmountOut, required=True)
    perpetual = Nested(AmountOut, required=True)
    closed_at = Instant(required=True)
    hash = String(required=True)


class ClosingsOut(Schema):
    """Closed periods."""

    items = List(Nested(ClosingOut), required=True)
    next = String(required=True, allow_none=True)


class SalesDayOut(Schema):
    """Flow 10.3: sales to consumers of a day, of one category at one rate."""

    day = Date(required=True)
    category = String(required=True)
    rate = String(required=True)
    documents = Integer(required=True)
    excl = Nested(AmountOut, required=True)
    vat = Nested(AmountOut, required=True)


class ReceiptsDayOut(Schema):
    """Flow 10.4: what consumers paid on a day at one rate."""

    day = Date(required=True)
    rate = String(required=True)
    incl = Nested(AmountOut, required=True)


class FlowsOfPeriodOut(Schema):
    """Both flows of the e-reporting."""

    first = Date(required=True)
    last = Date(required=True)
    sales = List(Nested(SalesDayOut), required=True)
    receipts = List(Nested(ReceiptsDayOut), required=True)


class ChainOut(Schema):
    """A chain of appended facts; ``broken_at`` says where it breaks first."""

    name = String(required=True)
    whole = Boolean(required=True)
    broken_at = String(required=True, allow_none=True)


class LedgerOut(Schema):
    """Every chain, computed anew."""

    whole = Boolean(required=True)
    chains = List(Nested(ChainOut), required=True)


@bp.get("/admin/books")
@bp.input(BooksPeriodIn, location="query", arg_name="wanted")
@bp.output(BooksOut)
@requires(Permission.SEE_BOOKS)
def api_books(wanted: dict[str, Any]) -> ResponseReturnValue:
    """VAT, turnover and missing files of a period."""
    first, last = books.period(wanted["period"])
    rows = books.vat_summary(first, last)
    return {
        "first": first,
        "last": last,
        "vat_summary": [_vat_row(row) for row in rows],
        "excl": amount(sum(row.excl_cents for row in rows)),
        "vat": amount(sum(row.vat_cents for row in rows)),
        "months": [{"month": row.month, "excl": amount(row.excl_cents)} for row in books.turnover_by_month(first.year)],
        "missing_files": books.missing_files(first, last),
    }


@bp.get("/admin/books/unpaid")
@bp.output(UnpaidListOut)
@requires(Permission.SEE_BOOKS)
def api_unpaid() -> ResponseReturnValue:
    """Purchases whose transfer was not seen."""
    items = [
        payment_of(row)
        | {
            "payer": {"id": row.user.id, "name": row.user.full_name, "email": row.user.email},
            "due_on": row.due_on,
        }
        for row in books.unpaid()
    ]
    return {"items": items, "next": None}


@bp.get("/admin/books/closings")
@bp.input(ClosingsIn, location="query", arg_name="wanted")
@bp.output(ClosingsOut)
@requires(Permission.SEE_BOOKS)
def api_closings(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Closed days, months or years."""
    rows = closings.latest(ClosingSpan(wanted["span"]), wanted["limit"])
    return {"items": [_closing(row) for row in rows], "next": None}


@bp.get("/admin/books/sales")
@bp.input(SalesJournalIn, location="query", arg_name="wanted")
@requires(Permission.SEE_BOOKS)
def api_sales_journal(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The sales journal as a file: every line of every document."""
    return book_files.sales_journal(*books.period(wanted["period"]), wanted["format"])


@bp.get("/admin/books/fec")
@bp.input(FecIn, location="query", arg_name="wanted")
@requires(Permission.SEE_BOOKS)
def api_fec(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The sales part of the FEC as a file."""
    return book_files.fec_file(*books.period(wanted["period"]), wanted["charset"])


@bp.get("/admin/books/documents")
@bp.input(BooksPeriodIn, location="query", arg_name="wanted")
@requires(Permission.SEE_BOOKS)
def api_documents_of_month(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The PDFs of a month as a ZIP, with their checksums."""
    return book_files.invoice_archive(*books.period(wanted["period"]))


@bp.get("/admin/books/flows")
@bp.input(BooksPeriodIn, location="query", arg_name="wanted")
@bp.output(FlowsOfPeriodOut)
@requires(Permission.SEE_BOOKS)
def api_flows(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Flows 10.3 and 10.4 of a period."""
    first, last = books.period(wanted["period"])
    return {"first": first, "last": last, "sales": _sales(first, last), "receipts": _receipts(first, last)}


@bp.get("/admin/books/flows/sales")
@bp.input(BooksPeriodIn, location="query", arg_name="wanted")
@requires(Permission.SEE_BOOKS)
def api_sales_flow(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Flow 10.3 as a CSV."""
    return book_files.sales_flow(*books.period(wanted["period"]))


@bp.get("/admin/books/flows/receipts")
@bp.input(BooksPeriodIn, location="query", arg_name="wanted")
@requires(Permission.SEE_BOOKS)
def api_receipts_flow(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Flow 10.4 as a CSV."""
    return book_files.receipts_flow(*books.period(wanted["period"]))


@bp.get("/admin/ledger")
@bp.output(LedgerOut)
@requires(Permission.SEE_AUDIT)
def api_ledger() -> ResponseReturnValue:
    """Compute the chains of journal, documents, closings, signals and presences anew."""
    places = ledgers.verify()
    return {
        "whole": not any(place is not None for place in places.values()),
        "chains": [
            {"name": name, "whole": place is None, "broken_at": None if place is None else str(place)}
            for name, place in places.items()
        ],
    }


def _vat_row(row: books.VatRow) -> dict[str, Any]:
    return {
        "regime": row.regime.value,
        "rate": percent(row.rate_bp),
        "documents": row.documents,
        "excl": amount(row.excl_cents),
        "vat": amount(row.vat_cents),
        "incl": amount(row.incl_cents),
    }


def _closing(row: PeriodClosing) -> dict[str, Any]:
    return {
        "span": row.span.value,
        "first": row.first_on,
        "last": row.last_on,
        "documents": row.documents,
        "excl": amount(row.excl_cents),
        "vat": amount(row.vat_cents),
        "incl": amount(row.incl_cents),
        "perpetual": amount(row.perpetual_cents),
        "closed_at": instant(row.closed_at),
        "hash": row.hash.hex(),
    }


def _sales(first: date, last: date) -> list[dict[str, Any]]:
    return [
        {
            "day": row.day,
            "category": row.category,
            "rate": percent(row.rate_bp),
            "documents": row.documents,
            "excl": amount(row.excl_cents, row.currency),
            "vat": amount(row.vat_cents, row.currency),
        }
        for row in e_reporting.sales(first, last)
    ]


def _receipts(first: date, last: date) -> list[dict[str, Any]]:
    return [
        {"day": row.day, "rate": percent(row.rate_bp), "incl": amount(row.incl_cents, row.currency)}
        for row in e_reporting.receipts(first, last)
    ]
