"""Sales to consumers as the tax office wants them from September 2027: flows 10.3 (sales) and 10.4 (receipts), by day.

Both are computed from issued documents alone, which never change: the same period gives the same flow for ever.
Exempt training stays out, as its exemption dispenses with invoicing; businesses go by electronic invoice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from calmness.models.billing import Invoice, InvoiceItem, InvoiceKind
from calmness.models.catalogue import VatRegime
from calmness.services.billing import books

SERVICES, NOT_TAXED = "TPS1", "TNT1"
"""Categories of the flow: services taxed in France, sales not taxed in France."""


class MoreGivenBack(Exception):
    """At a rate a period gave back more than it received: the flow has no way to say so."""

    def __init__(self, rate_bp: int) -> None:
        super().__init__(rate_bp)
        self.rate_bp = rate_bp


@dataclass(frozen=True)
class SalesDay:
    """Flow 10.3: sales to consumers of a day, of one category at one rate; credit notes are taken off. Cents."""

    day: date
    category: str
    rate_bp: int
    currency: str
    documents: int
    excl_cents: int
    vat_cents: int


@dataclass(frozen=True)
class ReceiptsDay:
    """Flow 10.4: what consumers paid on a day for services at one rate, VAT included. Cents."""

    day: date
    rate_bp: int
    currency: str
    incl_cents: int


def sales(first: date, last: date) -> list[SalesDay]:
    """Flow 10.3 of the days of issue, both included."""
    totals: dict[tuple[date, str, int, str], list[int]] = {}
    for invoice in _to_consumers(first, last):
        sign = books.sign(invoice.kind)
        seen = set()
        for item in _reported(invoice):
            key = (invoice.issued_on, _category(item), item.vat_rate_bp, invoice.currency)
            row = totals.setdefault(key, [0, 0, 0])
            row[0] += key not in seen
            seen.add(key)
            row[1] += sign * item.excl_cents
            row[2] += sign * item.vat_cents
    return [SalesDay(*key, *totals[key]) for key in sorted(totals)]


def receipts(first: date, last: date) -> list[ReceiptsDay]:
    """Flow 10.4 of the days of issue, both included: a document is issued when its payment is seen, or given back."""
    totals: dict[tuple[date, int, str], int] = {}
    for invoice in _to_consumers(first, last):
        if not invoice.paid_cents and invoice.kind is InvoiceKind.INVOICE:
            continue
        for item in _reported(invoice):
            key = (invoice.issued_on, item.vat_rate_bp, invoice.currency)
            totals[key] = totals.get(key, 0) + books.sign(invoice.kind) * item.incl_cents
    return [ReceiptsDay(*key, totals[key]) for key in sorted(totals)]


def documents_a_day(first: date, last: date) -> Counter[tuple[date, str, str]]:
    """How many documents there were by day, currency and category, whatever their rates."""
    seen: Counter[tuple[date, str, str]] = Counter()
    for invoice in _to_consumers(first, last):
        seen.update({(invoice.issued_on, invoice.currency, _category(item)) for item in _reported(invoice)})
    return seen


def not_below_zero(rows: list[ReceiptsDay]) -> list[ReceiptsDay]:
    """Receipts as the flow takes them: what a day gives back beyond what it received is taken off other days of the
    period at the same rate, the last before it first. Sums stay. Raises ``MoreGivenBack``.
    """
    amounts = {(row.rate_bp, row.currency, row.day): row.incl_cents for row in rows}
    for rate_bp, currency, day in sorted(key for key, cents in amounts.items() if cents < 0):
        mine = (rate_bp, currency, day)
        others = sorted(key for key in amounts if key[:2] == mine[:2] and amounts[key] > 0)
        before, after = [key for key in others if key[2] < day], [key for key in others if key[2] > day]
        for other in (*reversed(before), *after):
            taken = min(-amounts[mine], amounts[other])
            amounts[mine] += taken
            amounts[other] -= taken
        if amounts[mine] < 0:
            raise MoreGivenBack(rate_bp)
    return [replace(row, incl_cents=left) for row in rows if (left := amounts[row.rate_bp, row.currency, row.day])]


def is_business(invoice: Invoice) -> bool:
    """Whether the buyer gave a number of a company."""
    return bool(invoice.buyer.get("siren") or invoice.buyer.get("vat_number"))


def _to_consumers(first: date, last: date) -> Iterator[Invoice]:
    return (invoice for invoice in books.documents(first, last) if not is_business(invoice))


def _reported(invoice: Invoice) -> list[InvoiceItem]:
    return [item for item in invoice.items if item.vat_regime is not VatRegime.TRAINING_EXEMPT]


def _category(item: InvoiceItem) -> str:
    return SERVICES if item.vat_regime is VatRegime.STANDARD else NOT_TAXED
