"""Flows 10.3 and 10.4 as the tax office reads them: XML of the external specifications of e-invoicing (v3.2, annexe 6).

Files of the same facts are the same bytes. They were checked against the office's XSD and Schematron of July 2026
(AIFE, ``PPF_Flux10`` 1.0); rules in brackets are its own. One file holds either sales or receipts [G6.29].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

INITIAL = "IN"
PLATFORM_SCHEME, PLATFORM_ROLE = "0238", "WK"
SIREN_SCHEME, SELLER_ROLE = "0002", "SE"
NAME_LENGTH = 150


@dataclass(frozen=True)
class Head:
    """Who sends what: the platform by its registration of four signs [G6.22], the school by its SIREN [G6.26]."""

    identifier: str
    made_at: datetime
    platform_registration: str
    platform_name: str
    siren: str
    seller_name: str
    first_on: date
    last_on: date


@dataclass(frozen=True)
class Sales:
    """Sales of a day, of one category at one rate; ``documents`` counts those of all its rates. Cents."""

    day: date
    currency: str
    category: str
    documents: int
    rate_bp: int
    excl_cents: int
    vat_cents: int


@dataclass(frozen=True)
class Receipts:
    """What was received on a day at one rate, VAT included, never below zero [G1.16]. Cents."""

    day: date
    currency: str
    rate_bp: int
    incl_cents: int


def sales_file(head: Head, rows: Sequence[Sales]) -> bytes:
    """Flow 10.3. Rows stand in the order of day, currency and category."""
    root, block = _start(head, "TransactionsReport")
    for (day, currency, category), group in groupby(rows, key=lambda row: (row.day, row.currency, row.category)):
        parts = list(group)
        element = SubElement(block, "Transactions")
        _text(element, "Date", _day(day))
        _text(element, "TransactionsCurrency", currency)
        _text(element, "CategoryCode", category)
        _text(element, "TaxExclusiveAmount", _amount(sum(part.excl_cents for part in parts)))
        _text(element, "TaxTotal", _amount(sum(part.vat_cents for part in parts)))
        _text(element, "TransactionsCount", str(parts[0].documents))
        for part in parts:
            subtotal = SubElement(element, "TaxSubtotal")
            _text(subtotal, "TaxPercent", _rate(part.rate_bp))
            _text(subtotal, "TaxableAmount", _amount(part.excl_cents))
            _text(subtotal, "TaxTotal", _amount(part.vat_cents))
    return _bytes(root)


def receipts_file(head: Head, rows: Sequence[Receipts]) -> bytes:
    """Flow 10.4. Rows stand in the order of day."""
    root, block = _start(head, "PaymentsReport")
    for day, group in groupby(rows, key=lambda row: row.day):
        payment = SubElement(SubElement(block, "Transactions"), "Payment")
        _text(payment, "Date", _day(day))
        for part in group:
            subtotal = SubElement(payment, "SubTotals")
            _text(subtotal, "TaxPercent", _rate(part.rate_bp))
            _text(subtotal, "CurrencyCode", part.currency)
            _text(subtotal, "Amount", _amount(part.incl_cents))
    return _bytes(root)


def _start(head: Head, block: str) -> tuple[Element, Element]:
    root = Element("Report")
    document = SubElement(root, "ReportDocument")
    _text(document, "Id", head.identifier)
    _text(SubElement(document, "IssueDateTime"), "DateTimeString", f"{head.made_at:%Y%m%d%H%M%S}")
    _text(document, "TypeCode", INITIAL)
    _party(document, "Sender", PLATFORM_SCHEME, head.platform_registration, head.platform_name, PLATFORM_ROLE)
    _party(document, "Issuer", SIREN_SCHEME, head.siren, head.seller_name, SELLER_ROLE)
    report = SubElement(root, block)
    period = SubElement(report, "ReportPeriod")
    _text(period, "StartDate", _day(head.first_on))
    _text(period, "EndDate", _day(head.last_on))
    return root, report


def _party(document: Element, tag: str, scheme: str, identifier: str, name: str, role: str) -> None:
    party = SubElement(document, tag)
    SubElement(party, "Id", {"schemeId": scheme}).text = identifier
    _text(party, "Name", name[:NAME_LENGTH])
    _text(party, "RoleCode", role)


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _day(value: date) -> str:
    return f"{value:%Y%m%d}"


def _amount(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def _rate(rate_bp: int) -> str:
    return f"{(Decimal(rate_bp) / 100).normalize():f}"


def _bytes(root: Element) -> bytes:
    content: bytes = tostring(root, encoding="UTF-8", xml_declaration=True)
    return content
