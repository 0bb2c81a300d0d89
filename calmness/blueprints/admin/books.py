"""Books for the owner and the accountant: figures of a period, VAT, unpaid, and files to take away."""

import io
import zipfile
from calendar import monthrange
from datetime import date

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness import charts, clock
from calmness.access import requires
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.catalogue import REGIMES
from calmness.errors import NotFound
from calmness.files import store
from calmness.models.closing import ClosingSpan
from calmness.permissions import Permission
from calmness.presentation import amount, money, month, short_month
from calmness.services.billing import books as accounts
from calmness.services.billing import closings, e_reporting, fec, invoicing
from calmness.spreadsheets import Cell, csv_lines, xlsx

CLOSED = ((ClosingSpan.YEAR, 3), (ClosingSpan.MONTH, 6), (ClosingSpan.DAY, 7))
SPANS = {ClosingSpan.DAY: _l("Jour"), ClosingSpan.MONTH: _l("Mois"), ClosingSpan.YEAR: _l("Année")}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    first, last = _period()
    heads = [
        _("Date"),
        _("Numéro"),
        _("Type"),
        _("Client"),
        _("Pays"),
        _("SIREN"),
        _("N° TVA"),
        _("Désignation"),
        _("Régime de TVA"),
        _("Taux de TVA"),
        _("HT"),
        _("TVA"),
        _("TTC"),
        _("Référence du paiement"),
        _("Facture corrigée"),
    ]
    rows = list(_journal(first, last))
    name = f"ventes-{first}-{last}.{extension}"
    if extension == "csv":
        return _file("".join(csv_lines(heads, rows)), "text/csv", name)
    if extension == "xlsx":
        return _file(xlsx(heads, rows, _("Journal des ventes")), XLSX, name)
    raise NotFound


@bp.get("/comptabilite/fec.txt")
@requires(Permission.SEE_BOOKS)
def fec_file() -> ResponseReturnValue:
    """The sales part of the FEC of a period; ``?jeu=utf-8`` for another character set."""
    first, last = _period()
    charset = "utf-8" if request.args.get("jeu") == "utf-8" else "iso-8859-15"
    content, _changed = fec.encoded(fec.lines(first, last), charset)
    name = fec.file_name(invoicing.active_template().siren, last)
    return _file(content, f"text/plain; charset={charset}", name)


@bp.get("/comptabilite/flux-10-3.csv")
@requires(Permission.SEE_BOOKS)
def sales_flow() -> ResponseReturnValue:
    """Sales to consumers by day, category and rate."""
    first, last = _period()
    heads = [_("Date"), _("Catégorie"), _("Taux de TVA"), _("Devise"), _("Transactions"), _("HT"), _("TVA")]
    rows: list[list[Cell]] = [
        [
            row.day,
            row.category,
            row.rate_bp / 100,
            row.currency,
            row.documents,
            row.excl_cents / 100,
            row.vat_cents / 100,
        ]
        for row in e_reporting.sales(first, last)
    ]
    return _file("".join(csv_lines(heads, rows)), "text/csv", f"flux-10-3-{first}-{last}.csv")


@bp.get("/comptabilite/flux-10-4.csv")
@requires(Permission.SEE_BOOKS)
def receipts_flow() -> ResponseReturnValue:
    """Receipts from consumers by day and rate."""
    first, last = _period()
    heads = [_("Date"), _("Taux de TVA"), _("Devise"), _("Encaissé TTC")]
    rows: list[list[Cell]] = [
        [row.day, row.rate_bp / 100, row.currency, row.incl_cents / 100] for row in e_reporting.receipts(first, last)
    ]
    return _file("".join(csv_lines(heads, rows)), "text/csv", f"flux-10-4-{first}-{last}.csv")


@bp.get("/comptabilite/factures.zip")
@requires(Permission.SEE_BOOKS)
def invoice_archive() -> ResponseReturnValue:
    """The PDFs of a month as they were stored, with their checksums."""
    first, last = _period()
    if (last - first).days > 31:
        raise NotFound
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        files = accounts.files_of(first, last)
        for number, key, _digest in files:
            archive.writestr(f"{number}.pdf", store().get(key))
        archive.writestr("SHA256SUMS", "".join(f"{digest}  {number}.pdf\n" for number, _key, digest in files))
    return _file(out.getvalue(), "application/zip", f"factures-{first:%Y-%m}.zip")


def _journal(first: date, last: date) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for invoice in accounts.documents(first, last):
        sign, buyer = accounts.sign(invoice.kind), invoice.buyer
        rows += [
            [
                invoice.issued_on,
                invoice.number,
                _("Avoir") if sign < 0 else _("Facture"),
                buyer["name"],
                buyer.get("country", ""),
                buyer.get("siren", ""),
                buyer.get("vat_number", ""),
                item.label,
                str(REGIMES[item.vat_regime]),
                item.vat_rate_bp / 100,
                sign * item.excl_cents / 100,
                sign * item.vat_cents / 100,
                sign * item.incl_cents / 100,
                invoice.payment.reference if invoice.payment else "",
                invoice.corrects.number if invoice.corrects else "",
            ]
            for item in invoice.items
        ]
    return rows


def _period() -> tuple[date, date]:
    """``?periode=2026`` or ``2026-11``; the running year when nothing sensible is asked for."""
    year_text, _dash, month_text = request.args.get("periode", "").partition("-")
    today = clock.paris_today()
    try:
        year = int(year_text or today.year)
        if month_text:
            first = date(year, int(month_text), 1)
            return first, first.replace(day=monthrange(year, first.month)[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError:
        return date(today.year, 1, 1), date(today.year, 12, 31)


def _periods(year: int) -> list[tuple[str, str]]:
    """Years and months to choose from."""
    this_year = clock.paris_today().year
    years = [(str(each), str(each)) for each in range(max(year, this_year), min(year, this_year) - 3, -1)]
    return years + [(f"{year}-{number:02d}", month(date(year, number, 1))) for number in range(1, 13)]


def _file(body: str | bytes, kind: str, name: str) -> Response:
    return Response(body, mimetype=kind.partition(";")[0], content_type=kind, headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
