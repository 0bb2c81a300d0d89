"""A specimen of an invoice under an identity or a wording that is not saved yet: seen before real ones bear it."""

from collections.abc import Iterable, Sequence
from datetime import date

from calmness import clock
from calmness.jobs.invoice_view import invoice_page, invoice_view
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate, Payment
from calmness.models.catalogue import VatRegime
from calmness.models.mention import MentionKind
from calmness.services.billing import mentions
from calmness.services.billing.identity import TEXTS
from calmness.services.billing.invoice_lines import Line, items_of

NUMBER = "SPÉCIMEN"
LINES = (
    Line("Formation « Lire les marchés »", "", 59900, VatRegime.TRAINING_EXEMPT, 0),
    Line("Signaux 30 jours", "Durée\u00a0: 30\u00a0jours", 4990, VatRegime.STANDARD, 2000, 1000),
)
BUYER = {"name": "Camille Moreau", "address": "8 impasse de l’Œillet", "postcode": "94240", "city": "L’Haÿ-les-Roses"}
BUSINESS = {**BUYER, "name": "Lilas Conseil", "contact": "Camille Moreau", "siren": "732829320"}
ABROAD = {"name": "Lilas GmbH", "address": "Lindenallee 4", "postcode": "10115", "city": "Berlin", "country": "DE"}


def specimen(values: dict[str, str], logo: bytes | None = None) -> bytes:
    """PDF of an invoice that bears no number and is kept nowhere. ``values``: fields of the identity as typed."""
    template = InvoiceTemplate(**values, logo=logo, siren=values.get("siret", "").replace(" ", "")[:9])
    said = mentions.texts(["Prestation de services.", MentionKind.TRAINING_EXEMPT], clock.paris_today())
    return _draw(template, LINES, BUYER, [each["text"] for each in said])


def specimen_of(template: InvoiceTemplate) -> bytes:
    """A specimen with what a version of the identity holds."""
    return specimen({name: getattr(template, name) for name in TEXTS}, template.logo)


def with_wording(template: InvoiceTemplate, kind: MentionKind, text: str) -> bytes:
    """A specimen on which a mention of that kind stands, worded so."""
    regime = next((regime for regime, of in mentions.OF_REGIME.items() if of is kind), VatRegime.STANDARD)
    line = Line("Formation « Lire les marchés »", "", 59900, regime, 2000 if regime is VatRegime.STANDARD else 0)
    buyer = BUSINESS if kind in mentions.OF_BUSINESS else BUYER
    if kind in {MentionKind.REVERSE_CHARGE, MentionKind.OUTSIDE_EU}:
        buyer = ABROAD
    return _draw(template, [line], buyer, ["Prestation de services.", *([text] if text else [])])


def _draw(template: InvoiceTemplate, lines: Sequence[Line], buyer: dict[str, str], said: Iterable[str]) -> bytes:
    # Slow to import, and most web processes never draw one.
    from calmness.pdf.render import render

    today: date = clock.paris_today()
    items = items_of(lines)
    total = sum(item.incl_cents for item in items)
    invoice = Invoice(
        number=NUMBER,
        kind=InvoiceKind.INVOICE,
        issued_on=today,
        issued_at=clock.now(),
        service_on=today,
        buyer=buyer,
        mentions=[{"text": text} for text in said],
        currency="EUR",
        total_excl_cents=sum(item.excl_cents for item in items),
        total_vat_cents=sum(item.vat_cents for item in items),
        total_incl_cents=total,
        paid_cents=total,
        items=items,
        template=template,
        payment=Payment(reference="RF87P0000001"),
    )
    return render(invoice_page(invoice_view(invoice)))
