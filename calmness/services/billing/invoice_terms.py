"""An issued document in the terms of EN 16931 (BT- and BG- numbers): what its XML says.

Amounts are the stored cents, never computed anew: PDF, XML, database and exports say the same.
"""

from decimal import Decimal
from typing import Any

from calmness.models.billing import Invoice, InvoiceItem, InvoiceKind, InvoiceTemplate
from calmness.models.catalogue import VatRegime
from calmness.models.mention import MentionKind
from calmness.services.billing import mentions

DEPOSIT = "386"
TYPE_CODES = {InvoiceKind.INVOICE: "380", InvoiceKind.CREDIT_NOTE: "381"}
CATEGORIES: dict[VatRegime, tuple[str, str]] = {
    VatRegime.STANDARD: ("S", ""),
    VatRegime.FRANCHISE: ("E", "VATEX-FR-FRANCHISE"),
    VatRegime.TRAINING_EXEMPT: ("E", "VATEX-EU-132-1I"),
    VatRegime.REVERSE_CHARGE: ("AE", "VATEX-EU-AE"),
    VatRegime.OUTSIDE_EU: ("O", "VATEX-EU-O"),
}
"""Category of VAT (UNTDID 5305) and code of the exemption (VATEX)."""
NOTE_CODES: dict[str, str] = {
    MentionKind.EARLY_PAYMENT: "AAB",
    MentionKind.LATE_PAYMENT: "PMD",
    MentionKind.RECOVERY: "PMT",
}
"""Early payment, late penalties, recovery: codes that approved platforms ask for."""
SIREN_SCHEME, ADDRESS_SCHEME = "0002", "0225"
TRANSFER, PIECE = "30", "C62"


def terms(invoice: Invoice, corrected: Invoice | None = None) -> dict[str, Any]:
    """All terms of a document; ``corrected`` is the invoice of a credit note."""
    due = invoice.total_incl_cents - invoice.paid_cents
    values: dict[str, Any] = {
        "BT-1": invoice.number,
        "BT-2": invoice.issued_on.isoformat(),
        "BT-3": DEPOSIT if invoice.is_deposit and invoice.kind is InvoiceKind.INVOICE else TYPE_CODES[invoice.kind],
        "BT-5": invoice.currency,
        "BT-9": (invoice.service_on or invoice.issued_on).isoformat(),
        "BT-23": _frame(invoice, due),
        "BT-20": "Facture acquittée" if not due else "Payable à réception",
        "BG-1": [_note(mention) for mention in invoice.mentions],
        "BG-4": _seller(invoice),
        "BG-7": _buyer(invoice.buyer),
        "BG-23": _breakdown(invoice),
        "BG-25": [_line(item) for item in invoice.items],
        # Without a date of delivery the library writes an empty element that the XSD refuses.
        "BT-72": (invoice.service_on or invoice.issued_on).isoformat(),
        "BT-106": amount(invoice.total_excl_cents),
        "BT-109": amount(invoice.total_excl_cents),
        "BT-110": amount(invoice.total_vat_cents),
        "BT-112": amount(invoice.total_incl_cents),
        "BT-113": amount(invoice.paid_cents),
        "BT-115": amount(due),
    }
    if corrected is not None:
        values["BG-3"] = [{"BT-25": corrected.number, "BT-26": corrected.issued_on.isoformat()}]
        values["BT-20"] = "Remboursement par virement"
    else:
        if invoice.deducts is not None:
            values["BG-3"] = [{"BT-25": invoice.deducts.number, "BT-26": invoice.deducts.issued_on.isoformat()}]
        values |= {"BT-81": TRANSFER, "BT-84": invoice.template.iban, "BT-86": invoice.template.bic}
    if invoice.payment is not None:
        values["BT-83"] = invoice.payment.reference
    return values


def _frame(invoice: Invoice, due: int) -> str:
    """Frame of invoicing (XP Z12-012): services, paid or to pay, or final after a deposit."""
    if invoice.deducts_id is not None:
        return "S4"
    return "S1" if due else "S2"


def is_between_french_businesses(invoice: Invoice) -> bool:
    """Whether the rules of the reform hold for it: a buyer of France who gave a SIREN."""
    return invoice.buyer.get("country", "FR") == "FR" and bool(invoice.buyer.get("siren"))


def category(item: InvoiceItem) -> str:
    """Category of VAT of a line; a normal line at 0 % is zero-rated."""
    code = CATEGORIES[item.vat_regime][0]
    return "Z" if code == "S" and item.vat_rate_bp == 0 else code


def amount(cents: int) -> str:
    """Cents as the XML writes them."""
    return f"{Decimal(cents) / 100:.2f}"


def unit_price(micros: int) -> str:
    """Millionths of a euro as the XML writes a price: as many decimals as it needs, two at least, six at most."""
    whole, _point, decimals = f"{Decimal(micros) / 1_000_000:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _note(mention: dict[str, str]) -> dict[str, str]:
    code = NOTE_CODES.get(mention.get("kind", ""))
    return {"BT-22": mention["text"], **({"BT-21": code} if code else {})}


def _seller(invoice: Invoice) -> dict[str, str]:
    template: InvoiceTemplate = invoice.template
    party = {
        "name": template.company_name,
        "legal_identifier": template.siren,
        "legal_identifier_schemeid": SIREN_SCHEME,
        "einvoicing_addr": template.siren,
        "einvoicing_addr_schemeid": ADDRESS_SCHEME,
        "addr_l1": template.address,
        "postcode": template.postcode,
        "city": template.city,
        "country_code": template.country,
    }
    # Outside of the scope of VAT, no VAT number may stand on the document (BR-O-02); without one, exempt lines
    # ask for the number under which the tax office knows the seller (BR-E-02).
    if not _outside_scope(invoice.items):
        identifier = "vat_identifier" if template.vat_number else "tax_identifier"
        party[identifier] = template.vat_number or template.siren
    return party


def _buyer(buyer: dict[str, Any]) -> dict[str, str]:
    party = {
        "name": buyer["name"],
        "addr_l1": buyer.get("address", ""),
        "postcode": buyer.get("postcode", ""),
        "city": buyer.get("city", ""),
        "country_code": buyer.get("country", "FR"),
        "vat_identifier": buyer.get("vat_number", ""),
    }
    if buyer.get("siren"):
        party |= {"legal_identifier": buyer["siren"], "legal_identifier_schemeid": SIREN_SCHEME}
        party |= {"einvoicing_addr": buyer["siren"], "einvoicing_addr_schemeid": ADDRESS_SCHEME}
    return {key: value for key, value in party.items() if value}


def _outside_scope(items: list[InvoiceItem]) -> bool:
    return any(item.vat_regime is VatRegime.OUTSIDE_EU for item in items)


def _breakdown(invoice: Invoice) -> list[dict[str, str]]:
    """VAT by category and rate: one entry each, whatever the reasons are. A reason reads as it does on the page."""
    reasons = {mention.get("kind", ""): mention["text"] for mention in invoice.mentions}
    groups: dict[tuple[str, int], list[InvoiceItem]] = {}
    for item in invoice.items:
        groups.setdefault((category(item), item.vat_rate_bp), []).append(item)
    return [_group(code, rate_bp, group, reasons) for (code, rate_bp), group in groups.items()]


def _group(code: str, rate_bp: int, items: list[InvoiceItem], reasons: dict[str, str]) -> dict[str, str]:
    entry = {
        "BT-116": amount(sum(item.excl_cents for item in items)),
        "BT-117": amount(sum(item.vat_cents for item in items)),
        "BT-118": code,
    }
    if code != "O":
        entry["BT-119"] = amount(rate_bp)
    kinds = dict.fromkeys(mentions.OF_REGIME.get(item.vat_regime) for item in items)
    given = [reasons[kind] for kind in kinds if kind and kind in reasons]
    if given:
        entry |= {"BT-120": " ; ".join(given), "BT-121": CATEGORIES[items[0].vat_regime][1]}
    return entry


def _line(item: InvoiceItem) -> dict[str, Any]:
    code = category(item)
    line: dict[str, Any] = {
        "BT-126": str(item.position),
        "BT-129": str(item.quantity),
        "BT-130": PIECE,
        "BT-131": amount(item.excl_cents),
        "BT-146": unit_price(item.unit_excl_micros),
        "BT-151": code,
        "BT-153": item.label,
    }
    if item.discount_cents:
        line["BG-27"] = [{"amount": amount(item.discount_cents), "reason": "Remise", "reason_code": "95"}]
    if code != "O":
        line["BT-152"] = amount(item.vat_rate_bp)
    if item.detail:
        line["BT-154"] = item.detail
    return line
