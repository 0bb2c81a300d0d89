"""From an issued invoice to what its PDF shows. Everything comes from the document and its template's version."""

from collections.abc import Callable
from decimal import Decimal

from flask import render_template

from calmness.models.billing import Invoice, InvoiceItem, InvoiceKind, InvoiceTemplate
from calmness.models.catalogue import VatRegime
from calmness.pdf.invoice import InvoiceView, LineView, LogoView, Properties
from calmness.pdf.letters import fitting, printable
from calmness.pdf.logo import as_address, size_in
from calmness.presentation import day, iban, money, number

TITLES = {InvoiceKind.INVOICE: "Facture", InvoiceKind.CREDIT_NOTE: "Avoir"}
PARTY_POINTS, LABEL_POINTS, PAGE_POINTS = 235, 215, 480
"""Widths of the columns of people and of lines, and of the text, in the document."""
LOGO_POINTS = 240, 40
RATELESS = {
    VatRegime.FRANCHISE: "non applicable",
    VatRegime.TRAINING_EXEMPT: "exonérée",
    VatRegime.REVERSE_CHARGE: "autoliquidée",
    VatRegime.OUTSIDE_EU: "hors champ",
}
"""What stands where a rate would; the article of the law is among the mentions."""
DUE_LABELS = {InvoiceKind.INVOICE: "Reste à payer", InvoiceKind.CREDIT_NOTE: "Montant de l’avoir"}


def invoice_view(invoice: Invoice) -> InvoiceView:
    """Texts of the document, in French, with letters that the font has."""
    template = invoice.template
    return InvoiceView(
        title=title_of(invoice),
        number=invoice.number,
        brand="Calmness Trading",
        seller=_clean(_seller(template)),
        buyer=_clean(_buyer(invoice)),
        facts=_facts(invoice),
        lines=tuple(_line(item) for item in invoice.items),
        totals=_totals(invoice),
        due_label=DUE_LABELS[invoice.kind],
        due=money(invoice.total_incl_cents - invoice.paid_cents, invoice.currency),
        mentions=_clean(invoice.mention_texts),
        footer=printable(_footer(template)),
        note=fitting(printable(template.note or ""), PAGE_POINTS),
        logo=_logo(template.logo),
    )


def title_of(invoice: Invoice) -> str:
    """Name of the document."""
    if invoice.is_deposit and invoice.kind is InvoiceKind.INVOICE:
        return "Facture d’acompte"
    return TITLES[invoice.kind]


def invoice_page(view: InvoiceView) -> Callable[[int], str]:
    """The page of the document, to be told how many pages there are."""
    return lambda pages: render_template("pdf/invoice.html", view=view, pages=pages)


def document_properties(invoice: Invoice) -> Properties:
    """Title, author, subject and instant of the file."""
    title = f"{title_of(invoice)} {invoice.number}"
    subject = f"{title} du {invoice.issued_on:%d/%m/%Y}, {printable(invoice.buyer['name'])}"
    return Properties(title, invoice.template.company_name, subject, invoice.issued_at)


def _clean(texts: list[str]) -> tuple[str, ...]:
    return tuple(fitting(printable(text), PARTY_POINTS) for text in texts if text)


def _seller(template: InvoiceTemplate) -> list[str]:
    return [
        template.company_name,
        template.legal_form + (f" au capital de {template.capital}" if template.capital else ""),
        template.address,
        f"{template.postcode} {template.city}",
        f"SIREN {template.siren}" + (f" · {template.rcs}" if template.rcs else ""),
        f"N° TVA {template.vat_number}" if template.vat_number else "",
        f"Déclaration d’activité n° {template.training_number}" if template.training_number else "",
        template.email,
    ]


def _buyer(invoice: Invoice) -> list[str]:
    buyer = invoice.buyer
    return [
        buyer["name"],
        buyer.get("contact", ""),
        buyer.get("address", ""),
        f"{buyer.get('postcode', '')} {buyer.get('city', '')}".strip(),
        f"SIREN {buyer['siren']}" if buyer.get("siren") else "",
        f"N° TVA {buyer['vat_number']}" if buyer.get("vat_number") else "",
        buyer.get("email", ""),
    ]


def _facts(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    facts = [("Date d’émission", day(invoice.issued_on))]
    if invoice.service_on:
        facts.append(("Date de paiement", day(invoice.service_on)))
    if invoice.deducts:
        facts.append(("Acompte déduit", invoice.deducts.number))
    if invoice.payment:
        facts.append(("Référence", iban(invoice.payment.reference)))
    facts.append(("Catégorie", "Prestation de services"))
    return tuple(facts)


def _line(item: InvoiceItem) -> LineView:
    detail = item.detail
    if item.quantity < 0:
        detail = f"{detail} · TVA {money(-item.vat_cents)} · TTC {money(-item.incl_cents)}"
    if item.discount_cents:
        discount = f"Remise\u00a0: {money(-item.discount_cents)}\u00a0HT"
        detail = f"{detail} · {discount}" if detail else discount
    return LineView(
        label=fitting(printable(item.label), LABEL_POINTS),
        detail=fitting(printable(detail), LABEL_POINTS),
        quantity=number(item.quantity),
        unit=unit_price(item.unit_excl_micros),
        vat=_rate(item),
        amount=money(item.excl_cents),
    )


def unit_price(micros: int) -> str:
    """A price with the decimals that it needs, two at least: ``27,775 €``."""
    euros = Decimal(micros) / 1_000_000
    decimals = max(2, -int(euros.normalize().as_tuple().exponent))
    return f"{number(euros, decimals)}\u00a0€"


def _rate(item: InvoiceItem) -> str:
    if item.vat_regime in RATELESS:
        return RATELESS[item.vat_regime]
    return f"{number(item.vat_rate_bp / 100, 0 if item.vat_rate_bp % 100 == 0 else 1)}\u00a0%"


def _totals(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    """Totals of the document; with several rates or reasons, the amount without VAT of each."""
    groups: dict[str, list[InvoiceItem]] = {}
    for item in invoice.items:
        groups.setdefault(_rate(item), []).append(item)
    rows = []
    for rate, items in groups.items():
        if len(groups) > 1:
            rows.append((f"Base HT {rate}", money(sum(item.excl_cents for item in items))))
        if items[0].vat_regime not in RATELESS:
            rows.append((f"TVA {rate}", money(sum(item.vat_cents for item in items))))
    rows.insert(0, ("Total HT", money(invoice.total_excl_cents)))
    if len(groups) > 1 or not invoice.total_vat_cents:
        rows.append(("Total TVA", money(invoice.total_vat_cents)))
    rows.append(("Total TTC", money(invoice.total_incl_cents)))
    if invoice.paid_cents:
        rows.append(("Déjà réglé", money(-invoice.paid_cents)))
    return tuple(rows)


def _logo(png: bytes | None) -> LogoView | None:
    return LogoView(as_address(png), *size_in(png, *LOGO_POINTS)) if png else None


def _footer(template: InvoiceTemplate) -> str:
    parts = [template.company_name, f"SIRET {template.siret}", template.rcs, template.footer]
    return " · ".join(part for part in parts if part)
