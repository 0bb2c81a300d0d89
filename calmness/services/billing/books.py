"""What the accountant reads: sales journal, VAT by period, receipts and unpaid, all from the issued documents.

Amounts of a credit note are negative here; on the document they are positive.
"""

import io
import zipfile
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.files import store
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceItem, InvoiceKind, Payment, PaymentStatus
from calmness.models.catalogue import VatRegime

BATCH = 500


class PeriodTooLong(DomainError):
    """The documents of more than a month make too large a file."""

    slug = "period-too-long"
    field = "period"
    message = _l("Choisissez un mois, comme 2026-11\u00a0: une année entière fait un fichier trop lourd.")


@dataclass(frozen=True)
class VatRow:
    """Sales of a period at one rate or for one reason of exemption, credit notes taken off. Cents."""

    regime: VatRegime
    rate_bp: int
    excl_cents: int
    vat_cents: int
    documents: int

    @property
    def incl_cents(self) -> int:
        """Amount including VAT."""
        return self.excl_cents + self.vat_cents


@dataclass(frozen=True)
class MonthRow:
    """Turnover of a month in Paris, credit notes taken off. Cents without VAT."""

    month: date
    excl_cents: int


@dataclass(frozen=True)
class SalesLine:
    """A line of the sales journal: what a line of a document says, with its document. Cents, below zero in credit."""

    invoice: Invoice
    item: InvoiceItem
    excl_cents: int
    vat_cents: int
    incl_cents: int


def period(text: str) -> tuple[date, date]:
    """First and last day of ``2026`` or ``2026-11``; the running year for nothing. Raises ``ValueError``."""
    year_text, _dash, month_text = text.partition("-")
    year = int(year_text or clock.paris_today().year)
    if not month_text:
        return date(year, 1, 1), date(year, 12, 31)
    first = date(year, int(month_text), 1)
    return first, first.replace(day=monthrange(year, first.month)[1])


def sign(kind: InvoiceKind) -> int:
    """1 for an invoice, -1 for a credit note."""
    return -1 if kind is InvoiceKind.CREDIT_NOTE else 1


def documents(first: date, last: date) -> Iterator[Invoice]:
    """Documents issued from one day to another, both included, in the order of issue, some at a time."""
    query = (
        select(Invoice)
        .where(Invoice.issued_on.between(first, last))
        .options(selectinload(Invoice.items), selectinload(Invoice.payment), selectinload(Invoice.corrects))
        .order_by(Invoice.id)
        .limit(BATCH)
    )
    last_id = 0
    while batch := list(db.session.scalars(query.where(Invoice.id > last_id))):
        last_id = batch[-1].id
        yield from batch


def sales_journal(first: date, last: date) -> Iterator[SalesLine]:
    """Every line of every document of a period, in the order of issue."""
    for invoice in documents(first, last):
        turn = sign(invoice.kind)
        for item in invoice.items:
            yield SalesLine(invoice, item, turn * item.excl_cents, turn * item.vat_cents, turn * item.incl_cents)


def vat_summary(first: date, last: date) -> list[VatRow]:
    """VAT by regime and rate over the days of issue, both included."""
    totals: dict[tuple[VatRegime, int], list[int]] = {}
    query = (
        select(
            Invoice.kind,
            InvoiceItem.vat_regime,
            InvoiceItem.vat_rate_bp,
            func.sum(InvoiceItem.excl_cents),
            func.sum(InvoiceItem.vat_cents),
            func.count(Invoice.id.distinct()),
        )
        .join(Invoice, Invoice.id == InvoiceItem.invoice_id)
        .where(Invoice.issued_on.between(first, last))
        .group_by(Invoice.kind, InvoiceItem.vat_regime, InvoiceItem.vat_rate_bp)
    )
    for kind, regime, rate_bp, excl, vat, count in db.session.execute(query):
        row = totals.setdefault((regime, rate_bp), [0, 0, 0])
        row[0] += sign(kind) * int(excl)
        row[1] += sign(kind) * int(vat)
        row[2] += count
    return [
        VatRow(regime, rate_bp, *totals[regime, rate_bp])
        for regime, rate_bp in sorted(totals, key=lambda key: (-key[1], key[0].value))
    ]


def turnover_by_month(year: int) -> list[MonthRow]:
    """Twelve months of a year."""
    totals = dict.fromkeys(range(1, 13), 0)
    query = select(Invoice.kind, Invoice.issued_on, func.sum(Invoice.total_excl_cents)).where(
        Invoice.issued_on.between(date(year, 1, 1), date(year, 12, 31))
    )
    for kind, day, cents in db.session.execute(query.group_by(Invoice.kind, Invoice.issued_on)):
        totals[day.month] += sign(kind) * int(cents)
    return [MonthRow(date(year, month, 1), cents) for month, cents in totals.items()]


def unpaid() -> list[Payment]:
    """Purchases whose conditions were accepted and whose transfer was not seen, oldest first."""
    waiting = (PaymentStatus.DECLARED, PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.REJECTED)
    return list(
        db.session.scalars(
            select(Payment)
            .where(Payment.status.in_(waiting), Payment.terms_accepted_at.is_not(None))
            .options(selectinload(Payment.user))
            .order_by(Payment.created_at)
        )
    )


def files_of(first: date, last: date) -> list[tuple[str, str, str]]:
    """Number, key and SHA-256 of the PDF of each document issued between two days."""
    query = (
        select(Invoice.number, InvoiceDocument.file_key, InvoiceDocument.sha256)
        .join(InvoiceDocument, InvoiceDocument.invoice_id == Invoice.id)
        .where(Invoice.issued_on.between(first, last))
        .order_by(Invoice.id)
    )
    return [(number, key, digest) for number, key, digest in db.session.execute(query)]


def archive(first: date, last: date) -> bytes:
    """A ZIP of the documents of a month as they were stored, with their checksums. Raises ``PeriodTooLong``."""
    if (last - first).days > 31:
        raise PeriodTooLong
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        files = files_of(first, last)
        for number, key, _digest in files:
            made.writestr(f"{number}.pdf", store().get(key))
        made.writestr("SHA256SUMS", "".join(f"{digest}  {number}.pdf\n" for number, _key, digest in files))
    return out.getvalue()


def missing_files(first: date, last: date) -> list[str]:
    """Numbers of documents whose PDF is not made yet."""
    query = (
        select(Invoice.number)
        .outerjoin(InvoiceDocument, InvoiceDocument.invoice_id == Invoice.id)
        .where(Invoice.issued_on.between(first, last), InvoiceDocument.invoice_id.is_(None))
        .order_by(Invoice.id)
    )
    return list(db.session.scalars(query))


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.PARIS).astimezone(UTC)
