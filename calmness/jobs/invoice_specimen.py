"""A specimen of an invoice under an identity that is not saved yet: seen before it is printed on real ones."""

from datetime import date

from calmness import clock
from calmness.jobs.invoice_view import invoice_page, invoice_view
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate, Payment
from calmness.models.catalogue import VatRegime
from calmness.pdf.render import render
from calmness.services.billing.identity import TEXTS
from calmness.services.billing.invoice_lines import Line, items_of
from calmness.services.billing.invoicing import MENTIONS

NUMBER = "SPÉCIMEN"
LINES = (
    Line("Formation « Lire les marchés »", "", 59900, VatRegime.TRAINING_EXEMPT, 0),
    Line("Signaux 30 jours", "Durée\u00a0: 30\u00a0jours", 4990, VatRegime.STANDARD, 2000, 1000),
)
BUYER = {"name": "Camille Moreau", "address": "8 impasse de l’Œillet", "postcode": "94240", "city": "L’Haÿ-les-Roses"}


def specimen(values: dict[str, str], logo: bytes | None = None) -> bytes:
    """PDF of an invoice that bears no number and is kept nowhere. ``values``: fields of the identity as typed."""
    now = clock.now()
    today: date = clock.paris_today()
    items = items_of(LINES)
    total = sum(item.incl_cents for item in items)
    invoice = Invoice(
        number=NUMBER,
        kind=InvoiceKind.INVOICE,
        issued_on=today,
        issued_at=now,
        service_on=today,
        buyer=BUYER,
        mentions=["Prestation de services.", str(MENTIONS[VatRegime.TRAINING_EXEMPT])],
        currency="EUR",
        total_excl_cents=sum(item.excl_cents for item in items),
        total_vat_cents=sum(item.vat_cents for item in items),
        total_incl_cents=total,
        paid_cents=total,
        items=items,
        template=InvoiceTemplate(**values, logo=logo, siren=values.get("siret", "").replace(" ", "")[:9]),
        payment=Payment(reference="RF87P0000001"),
    )
    return render(invoice_page(invoice_view(invoice)))


def specimen_of(template: InvoiceTemplate) -> bytes:
    """A specimen with what a version of the identity holds."""
    return specimen({name: getattr(template, name) for name in TEXTS}, template.logo)
