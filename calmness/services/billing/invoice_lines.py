"""Lines of a document: amounts in cents, VAT rounded once a rate, unit prices exact enough for any quantity."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.billing import Invoice, InvoiceItem
from calmness.models.catalogue import VatRegime

MICROS = 10_000
"""Millionths of a euro in a cent."""


@dataclass(frozen=True)
class Line:
    """A line before it is issued: amounts including VAT in cents, as the student saw them.

    ``incl_cents`` is what is paid for all pieces, after a discount of ``discount_incl_cents``.
    """

    label: str
    detail: str
    incl_cents: int
    vat_regime: VatRegime
    vat_rate_bp: int
    discount_incl_cents: int = 0
    quantity: int = 1

    @property
    def rate_bp(self) -> int:
        """Only the normal regime bears a rate: an exempt line must never show one."""
        return self.vat_rate_bp if self.vat_regime is VatRegime.STANDARD else 0


def split_vat(incl_cents: int, rate_bp: int) -> tuple[int, int]:
    """Amount without VAT and VAT of a price that includes it: half up, and their sum is the price."""
    excl = (Decimal(incl_cents) * 10000 / (10000 + rate_bp)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return int(excl), incl_cents - int(excl)


def items_of(lines: Sequence[Line]) -> list[InvoiceItem]:
    """Lines as they are issued: VAT is rounded once a rate, then shared so that the lines add up to it."""
    excl = [0] * len(lines)
    for rate_bp in {line.rate_bp for line in lines}:
        ranks = [rank for rank, line in enumerate(lines) if line.rate_bp == rate_bp]
        shares = _shared([lines[rank].incl_cents for rank in ranks], rate_bp)
        for rank, share in zip(ranks, shares, strict=True):
            excl[rank] = share
    return [_item(position, line, share) for position, (line, share) in enumerate(zip(lines, excl, strict=True), 1)]


def unit_micros(incl_cents: int, excl_cents: int, rate_bp: int, quantity: int) -> int:
    """Price of a piece without VAT, in millionths of a euro: the one with the fewest decimals of which ``quantity`` are
    ``excl_cents`` to the cent. ``incl_cents``: what all pieces cost with VAT.
    """
    if quantity == 1:
        return excl_cents * MICROS
    exact = Decimal(incl_cents) * 10000 / (10000 + rate_bp) * MICROS / quantity
    for step in (MICROS, 100, 1):
        unit = int((exact / step).quantize(Decimal(1), rounding=ROUND_HALF_UP)) * step
        if -MICROS // 2 <= unit * quantity - excl_cents * MICROS < MICROS // 2:
            return unit
    # A cent of rounding was shared out to this line: its price follows from its amount.
    return int((Decimal(excl_cents * MICROS) / quantity).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def left_by_line(invoice: Invoice) -> dict[int, tuple[int, int]]:
    """What credit notes have left of an invoice, by position of the line: cents including VAT, cents without."""
    left = {item.position: (item.incl_cents, item.excl_cents) for item in invoice.items}
    credited = db.session.execute(
        select(InvoiceItem.position, func.sum(InvoiceItem.incl_cents), func.sum(InvoiceItem.excl_cents))
        .join(Invoice, Invoice.id == InvoiceItem.invoice_id)
        .where(Invoice.corrects_id == invoice.id)
        .group_by(InvoiceItem.position)
    )
    for position, incl, excl in credited:
        left[position] = (left[position][0] - int(incl), left[position][1] - int(excl))
    return left


def deduction(deposit: Invoice, left: dict[int, tuple[int, int]], position: int) -> list[InvoiceItem]:
    """Lines of a final invoice that take a deposit off, at the rates and to the cents of the deposit's own invoice.

    ``left``: what was not given back of it, by line, with VAT and without.
    """
    lines: list[InvoiceItem] = []
    for item in deposit.items:
        incl, excl = left[item.position]
        if not incl:
            continue
        lines.append(
            InvoiceItem(
                position=position + len(lines),
                label=f"Acompte déduit, facture {deposit.number}",
                detail=f"Facture du {deposit.issued_on:%d/%m/%Y}",
                quantity=-1,
                unit_excl_micros=excl * MICROS,
                discount_cents=0,
                vat_regime=item.vat_regime,
                vat_rate_bp=item.vat_rate_bp,
                excl_cents=-excl,
                vat_cents=excl - incl,
                incl_cents=-incl,
            )
        )
    return lines


def _shared(incl_cents: list[int], rate_bp: int) -> list[int]:
    """Amounts without VAT whose sum is that of the sum: each is its exact part, a cent more or less."""
    running, shares, before = 0, [], 0
    for cents in incl_cents:
        running += cents
        until_here, _vat = split_vat(running, rate_bp)
        shares.append(until_here - before)
        before = until_here
    return shares


def _item(position: int, line: Line, excl_cents: int) -> InvoiceItem:
    discount, _vat = split_vat(line.discount_incl_cents, line.rate_bp)
    whole = line.incl_cents + line.discount_incl_cents
    return InvoiceItem(
        position=position,
        label=line.label,
        detail=line.detail,
        quantity=line.quantity,
        unit_excl_micros=unit_micros(whole, excl_cents + discount, line.rate_bp, line.quantity),
        discount_cents=discount,
        vat_regime=line.vat_regime,
        vat_rate_bp=line.rate_bp,
        excl_cents=excl_cents,
        vat_cents=line.incl_cents - excl_cents,
        incl_cents=line.incl_cents,
    )
