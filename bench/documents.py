"""A whole invoice (page, XML, XSD, embedding, PDF/A shape; then the rules of EN 16931) against the bare page."""

import io
import logging
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import pikepdf
from flask import Flask
from xhtml2pdf import pisa

from bench.__main__ import in_turn
from bench.school import application
from calmness.jobs.invoice_view import document_properties, invoice_page, invoice_view
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate, Payment
from calmness.models.catalogue import VatRegime
from calmness.pdf import facturx
from calmness.pdf.render import ASSETS, draw
from calmness.services.billing import invoice_terms
from calmness.services.billing.invoice_lines import Line, items_of

ROUNDS = 15


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the whole document, seconds of the bare page by xhtml2pdf): one page of five lines."""
    app = application()
    logging.getLogger("factur-x").setLevel(logging.WARNING)
    invoice = _invoice()
    kinds = (("", lambda _n: _whole(app)), (" and rules", lambda _n: _whole(app, rules=True)))
    rows = []
    for name, made in kinds:
        product, floor = in_turn(made, lambda _n: _bare(app, invoice), rounds=ROUNDS)
        rows.append((f"Invoice, 5 lines{name}: {_per_second(made):.1f} /s of one core", product, floor))
    return rows


def _per_second(made: Callable[[int], object]) -> float:
    """How many a core makes in a second of its own time: what else the machine does is not counted."""
    times = []
    for number in range(ROUNDS):
        started = time.process_time()
        made(number)
        times.append(time.process_time() - started)
    return 1 / statistics.median(times)


def _whole(app: Flask, *, rules: bool = False) -> bytes:
    """What the worker makes of an invoice: data, XML with its XSD, page, one file of the shape of PDF/A-3b."""
    invoice = _invoice()
    xml = facturx.invoice_xml(invoice_terms.terms(invoice))
    if rules:
        facturx.require_valid(xml)
    with _drawn(app, invoice) as document:
        return facturx.with_invoice(document, xml, document_properties(invoice))


def _bare(app: Flask, invoice: Invoice) -> None:
    """The floor: the library alone, its file neither cleaned nor completed."""
    with app.test_request_context():
        html = invoice_page(invoice_view(invoice))(1)
    pisa.CreatePDF(html, dest=io.BytesIO(), path=str(ASSETS / "document.html"), encoding="utf-8")


def _drawn(app: Flask, invoice: Invoice) -> pikepdf.Pdf:
    with app.test_request_context():
        return draw(invoice_page(invoice_view(invoice)))


def _invoice() -> Invoice:
    """An invoice that no database knows."""
    items = items_of([Line(f"Signaux {rank}", "30 jours", 4990, VatRegime.STANDARD, 2000) for rank in range(5)])
    total = sum(item.incl_cents for item in items)
    return Invoice(
        number="CT-20261124-0001",
        kind=InvoiceKind.INVOICE,
        issued_on=date(2026, 11, 24),
        issued_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        buyer={"name": "Camille Moreau", "city": "Paris", "country": "FR"},
        mentions=[{"text": "Prestation de services."}],
        currency="EUR",
        total_excl_cents=sum(item.excl_cents for item in items),
        total_vat_cents=sum(item.vat_cents for item in items),
        total_incl_cents=total,
        paid_cents=total,
        items=items,
        payment=Payment(reference="RF87P0000001"),
        template=InvoiceTemplate(
            company_name="Calmness Trading SAS",
            legal_form="SAS",
            capital="10 000 €",
            address="12 rue de la Paix",
            postcode="75002",
            city="Paris",
            country="FR",
            siren="732829320",
            siret="73282932000074",
            rcs="RCS Paris",
            vat_number="FR44732829320",
            email="facturation@calmness.test",
            iban="FR1420041010050500013M02606",
            bic="PSSTFRPPPAR",
            footer="",
        ),
    )
