"""What an invoice of a supplier says: its CII data, alone or inside a Factur-X file."""

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

import pikepdf
from defusedxml import DefusedXmlException, ElementTree

NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")


class Unreadable(Exception):
    """No invoice data that we can read."""


@dataclass(frozen=True)
class SupplierData:
    """Head of an invoice."""

    number: str
    issued_on: date
    seller_name: str
    seller_siren: str
    total_cents: int
    currency: str


def supplier_data(content: bytes) -> SupplierData:
    """Read the head. No entity is expanded, nothing fetched. Raises ``Unreadable``."""
    try:
        root = ElementTree.fromstring(_xml_of(content), forbid_dtd=True)
        total = Decimal(_text(root, "GrandTotalAmount"))
        return SupplierData(
            number=_text(_one(root, "ExchangedDocument"), "ID")[:60],
            issued_on=_day(_text(_one(root, "ExchangedDocument"), "DateTimeString")),
            seller_name=_text(_one(root, "SellerTradeParty"), "Name")[:200],
            seller_siren=_siren(_one(root, "SellerTradeParty")),
            total_cents=int((total * 100).to_integral_exact()),
            currency=_text(root, "InvoiceCurrencyCode")[:3],
        )
    except (ParseError, DefusedXmlException, InvalidOperation, ValueError, pikepdf.PdfError) as error:
        raise Unreadable(str(error)) from error


def _xml_of(content: bytes) -> bytes:
    if not content.startswith(b"%PDF"):
        return content
    with pikepdf.open(io.BytesIO(content)) as document:
        for name in NAMES:
            if name in document.attachments:
                return document.attachments[name].get_file().read_bytes()
    raise Unreadable("no invoice data inside")


def _one(root: Element, name: str) -> Element:
    for element in root.iter():
        if element.tag.rpartition("}")[2] == name:
            return element
    raise Unreadable(f"no {name}")


def _text(root: Element, name: str) -> str:
    text = " ".join((_one(root, name).text or "").split())
    if not text:
        raise Unreadable(f"{name} is empty")
    return text


def _day(digits: str) -> date:
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def _siren(seller: Element) -> str:
    try:
        digits = _text(_one(seller, "SpecifiedLegalOrganization"), "ID")
    except Unreadable:
        return ""
    return digits[:9] if digits.isdigit() else ""
