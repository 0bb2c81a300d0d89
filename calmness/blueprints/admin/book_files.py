"""Files of the books, for pages and programs alike: sales journal, FEC, flows of the e-reporting, a month's PDFs."""

from datetime import date

from flask import Response
from flask_babel import gettext as _

from calmness.blueprints.admin.vat_words import REGIMES
from calmness.services.billing import books, e_reporting, fec, invoicing
from calmness.spreadsheets import Cell, csv_lines, xlsx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sales_journal(first: date, last: date, extension: str) -> Response:
    """Every line of every document, as ``csv`` or ``xlsx``."""
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
    rows = [_row(line) for line in books.sales_journal(first, last)]
    name = f"ventes-{first}-{last}.{extension}"
    if extension == "xlsx":
        return _file(xlsx(heads, rows, _("Journal des ventes")), XLSX, name)
    return _file("".join(csv_lines(heads, rows)), "text/csv", name)


def fec_file(first: date, last: date, charset: str) -> Response:
    """The sales part of the FEC, in ``iso-8859-15`` or ``utf-8``."""
    content, _changed = fec.encoded(fec.lines(first, last), charset)
    name = fec.file_name(invoicing.active_template().siren, last)
    return _file(content, f"text/plain; charset={charset}", name)


def sales_flow(first: date, last: date) -> Response:
    """Sales to consumers by day, category and rate (flow 10.3)."""
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


def receipts_flow(first: date, last: date) -> Response:
    """Receipts from consumers by day and rate (flow 10.4)."""
    heads = [_("Date"), _("Taux de TVA"), _("Devise"), _("Encaissé TTC")]
    rows: list[list[Cell]] = [
        [row.day, row.rate_bp / 100, row.currency, row.incl_cents / 100] for row in e_reporting.receipts(first, last)
    ]
    return _file("".join(csv_lines(heads, rows)), "text/csv", f"flux-10-4-{first}-{last}.csv")


def invoice_archive(first: date, last: date) -> Response:
    """The PDFs of a month. Raises ``books.PeriodTooLong``."""
    return _file(books.archive(first, last), "application/zip", f"factures-{first:%Y-%m}.zip")


def _row(line: books.SalesLine) -> list[Cell]:
    invoice, item = line.invoice, line.item
    return [
        invoice.issued_on,
        invoice.number,
        _("Avoir") if books.sign(invoice.kind) < 0 else _("Facture"),
        invoice.buyer["name"],
        invoice.buyer.get("country", ""),
        invoice.buyer.get("siren", ""),
        invoice.buyer.get("vat_number", ""),
        item.label,
        str(REGIMES[item.vat_regime]),
        item.vat_rate_bp / 100,
        line.excl_cents / 100,
        line.vat_cents / 100,
        line.incl_cents / 100,
        invoice.payment.reference if invoice.payment else "",
        invoice.corrects.number if invoice.corrects else "",
    ]


def _file(body: str | bytes, kind: str, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, mimetype=kind.partition(";")[0], content_type=kind, headers=disposition)
