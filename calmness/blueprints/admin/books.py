"""Books for the owner and the accountant: figures of a period, VAT, unpaid, and files to take away."""

from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness import charts, clock
from calmness.access import requires
from calmness.blueprints.admin import book_files
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.vat_words import REGIMES
from calmness.errors import NotFound
from calmness.models.closing import ClosingSpan
from calmness.permissions import Permission
from calmness.presentation import amount, money, month, short_month
from calmness.services.billing import books as accounts
from calmness.services.billing import closings

CLOSED = ((ClosingSpan.YEAR, 3), (ClosingSpan.MONTH, 6), (ClosingSpan.DAY, 7))
SPANS = {ClosingSpan.DAY: _l("Jour"), ClosingSpan.MONTH: _l("Mois"), ClosingSpan.YEAR: _l("Année")}


@bp.get("/comptabilite")
@requires(Permission.SEE_BOOKS)
def books() -> ResponseReturnValue:
    """Figures of a year or a month."""
    first, last = _period()
    rows = accounts.vat_summary(first, last)
    months = accounts.turnover_by_month(first.year)
    drawing = charts.bars(
        [(short_month(row.month), row.excl_cents / 100) for row in months],
        title=_("Chiffre d’affaires HT par mois"),
        format_value=lambda value: amount(value, digits=0),
        signed=True,
        identity="turnover",
    )
    return render_template(
        "admin/billing/books.html",
        first=first,
        last=last,
        chosen=request.args.get("periode", ""),
        periods=_periods(first.year),
        rows=rows,
        regimes=REGIMES,
        excl=sum(row.excl_cents for row in rows),
        vat=sum(row.vat_cents for row in rows),
        # A year without a sale has no bars to draw.
        chart=drawing if any(row.excl_cents for row in months) else None,
        months=[(month(row.month), money(row.excl_cents)) for row in months],
        unpaid=accounts.unpaid(),
        missing=accounts.missing_files(first, last),
        closed=[(span, closings.latest(span, count)) for span, count in CLOSED],
        spans=SPANS,
    )


@bp.get("/comptabilite/ventes.<extension>")
@requires(Permission.SEE_BOOKS)
def sales_journal(extension: str) -> ResponseReturnValue:
    """Every line of every document of a period, CSV or Excel."""
    if extension not in {"csv", "xlsx"}:
        raise NotFound
    return book_files.sales_journal(*_period(), extension)


@bp.get("/comptabilite/fec.txt")
@requires(Permission.SEE_BOOKS)
def fec_file() -> ResponseReturnValue:
    """The sales part of the FEC of a period; ``?jeu=utf-8`` for another character set."""
    return book_files.fec_file(*_period(), "utf-8" if request.args.get("jeu") == "utf-8" else "iso-8859-15")


@bp.get("/comptabilite/flux-10-3.csv")
@requires(Permission.SEE_BOOKS)
def sales_flow() -> ResponseReturnValue:
    """Sales to consumers by day, category and rate."""
    return book_files.sales_flow(*_period())


@bp.get("/comptabilite/flux-10-4.csv")
@requires(Permission.SEE_BOOKS)
def receipts_flow() -> ResponseReturnValue:
    """Receipts from consumers by day and rate."""
    return book_files.receipts_flow(*_period())


@bp.get("/comptabilite/factures.zip")
@requires(Permission.SEE_BOOKS)
def invoice_archive() -> ResponseReturnValue:
    """The PDFs of a month as they were stored, with their checksums."""
    try:
        return book_files.invoice_archive(*_period())
    except accounts.PeriodTooLong as error:
        raise NotFound from error


def _period() -> tuple[date, date]:
    """``?periode=2026`` or ``2026-11``; the running year when nothing sensible is asked for."""
    try:
        return accounts.period(request.args.get("periode", ""))
    except ValueError:
        return accounts.period("")


def _periods(year: int) -> list[tuple[str, str]]:
    """Years and months to choose from."""
    this_year = clock.paris_today().year
    years = [(str(each), str(each)) for each in range(max(year, this_year), min(year, this_year) - 3, -1)]
    return years + [(f"{year}-{number:02d}", month(date(year, number, 1))) for number in range(1, 13)]
