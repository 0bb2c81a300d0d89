"""A whole invoice (page, XML, XSD, rules of EN 16931, embedding, PDF/A shape) against the bare page, in one process."""

from datetime import UTC, date, datetime

from flask import Flask, render_template

from bench.__main__ import in_turn
from bench.school import application
from calmness.jobs.invoice_view import document_properties, invoice_view
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate, Payment
from calmness.models.catalogue import VatRegime
from calmness.pdf import facturx, render
from calmness.services import invoice_terms
from calmness.services.invoicing import Line, items_of

ROUNDS = 15


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the whole document, seconds of the page alone): one page of five lines."""
    app = application()
    product, floor = in_turn(lambda _n: _whole(app), lambda _n: _page(app), rounds=ROUNDS)
    return [(f"Invoice, 5 lines: {1 / product:.1f} whole documents/s", product, floor)]


def _whole(app: Flask) -> bytes:
    invoice = _invoice()
    xml = facturx.invoice_xml(invoice_terms.terms(invoice))
    facturx.require_valid(xml)
    return facturx.with_invoice(_page(app), xml, document_properties(invoice))


def _page(app: Flask) -> bytes:
    with app.test_request_context():
        return render(render_template("pdf/invoice.html", view=invoice_view(_invoice())))


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
        mentions=["Prestation de services."],
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
