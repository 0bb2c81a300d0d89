"""Closing of periods: each day, month and year of the sales gets its row once it is over.

A closed day takes no document any more: the series' last day moves behind it. What is paid back later is a new
document of the open period.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.audit import ChainHead
from calmness.models.billing import Invoice, InvoiceCounter
from calmness.models.closing import ClosingSpan, PeriodClosing
from calmness.models.dialect import locked
from calmness.services import chain
from calmness.services.billing.books import sign
from calmness.services.billing.invoicing import SERIES

CHAIN = "closing"
Totals = tuple[int, int, int]
"""Documents, cents without VAT, VAT."""


def close_due(at: datetime | None = None) -> int:
    """Close every day that is over in Paris, with its month and its year; gives the number of rows. Once each."""
    yesterday = (at or clock.now()).astimezone(clock.PARIS).date() - timedelta(days=1)
    _refuse_documents_until(yesterday)
    last = db.session.scalar(
        select(PeriodClosing)
        .where(PeriodClosing.span == ClosingSpan.DAY)
        .order_by(PeriodClosing.first_on.desc())
        .limit(1)
    )
    day = last.last_on + timedelta(days=1) if last else db.session.scalar(select(func.min(Invoice.issued_on)))
    perpetual, closed = last.perpetual_cents if last else 0, 0
    by_day = _totals_by_day(day, yesterday) if day else {}
    while day and day <= yesterday:
        perpetual += sum(by_day.get(day, (0, 0, 0))[1:])
        for span, first in _spans_ending(day):
            totals = (
                by_day.get(day, (0, 0, 0)) if span is ClosingSpan.DAY else _sum(_totals_by_day(first, day).values())
            )
            _append(span, first, day, totals, perpetual, at or clock.now())
            closed += 1
        day += timedelta(days=1)
    return closed


def latest(span: ClosingSpan, limit: int) -> list[PeriodClosing]:
    """Newest closed periods."""
    query = select(PeriodClosing).where(PeriodClosing.span == span)
    return list(db.session.scalars(query.order_by(PeriodClosing.first_on.desc()).limit(limit)))


def first_broken() -> str | None:
    """The first closed period that does not agree with its documents or with the chain; None when all do."""
    previous, seq, perpetual = chain.GENESIS, 0, 0
    last = "the beginning"
    for closing in db.session.scalars(select(PeriodClosing).order_by(PeriodClosing.id)):
        seq += 1
        name = f"{closing.span.value} {closing.first_on}"
        totals = _sum(_totals_by_day(closing.first_on, closing.last_on).values())
        if closing.span is ClosingSpan.DAY:
            perpetual += totals[1] + totals[2]
        whole = (
            (closing.documents, closing.excl_cents, closing.vat_cents) == totals
            and closing.perpetual_cents == perpetual
            and closing.prev_hash == previous
            and closing.hash == chain.link_hash(CHAIN, seq, previous, _content(closing))
        )
        if not whole:
            return name
        previous, last = closing.hash, name
    head = db.session.get(ChainHead, CHAIN)
    if head is not None and (head.seq, head.hash) != (seq, previous):
        return f"{head.seq - seq} after {last}"
    return None


def _refuse_documents_until(day: date) -> None:
    """Move the last day of each series behind a day, under the lock that issuing takes."""
    after = (day + timedelta(days=1)).toordinal()
    for series in SERIES.values():
        head = locked(db.session(), InvoiceCounter, {"series": f"{series}-LAST", "day": date.min}, {"last": 0})
        head.last = max(head.last, after)
    db.session.flush()


def _totals_by_day(first: date, last: date) -> dict[date, Totals]:
    totals: dict[date, Totals] = {}
    query = (
        select(
            Invoice.issued_on,
            Invoice.kind,
            func.count(),
            func.sum(Invoice.total_excl_cents),
            func.sum(Invoice.total_vat_cents),
        )
        .where(Invoice.issued_on.between(first, last))
        .group_by(Invoice.issued_on, Invoice.kind)
    )
    for day, kind, count, excl, vat in db.session.execute(query):
        before = totals.get(day, (0, 0, 0))
        totals[day] = _sum([before, (count, sign(kind) * int(excl), sign(kind) * int(vat))])
    return totals


def _sum(parts: Iterable[Totals]) -> Totals:
    documents, excl, vat = 0, 0, 0
    for part in parts:
        documents, excl, vat = documents + part[0], excl + part[1], vat + part[2]
    return documents, excl, vat


def _spans_ending(day: date) -> list[tuple[ClosingSpan, date]]:
    spans = [(ClosingSpan.DAY, day)]
    if day.day == monthrange(day.year, day.month)[1]:
        spans.append((ClosingSpan.MONTH, day.replace(day=1)))
        if day.month == 12:
            spans.append((ClosingSpan.YEAR, day.replace(month=1, day=1)))
    return spans


def _append(span: ClosingSpan, first: date, last: date, totals: Totals, perpetual: int, at: datetime) -> None:
    documents, excl, vat = totals
    closing = PeriodClosing(
        span=span,
        first_on=first,
        last_on=last,
        documents=documents,
        excl_cents=excl,
        vat_cents=vat,
        incl_cents=excl + vat,
        perpetual_cents=perpetual,
        closed_at=at,
    )
    _seq, closing.prev_hash, closing.hash = chain.append(CHAIN, _content(closing))
    db.session.add(closing)
    db.session.flush()


def _content(closing: PeriodClosing) -> dict[str, Any]:
    return {
        "span": closing.span.value,
        "first": closing.first_on,
        "last": closing.last_on,
        "documents": closing.documents,
        "totals": [closing.excl_cents, closing.vat_cents, closing.incl_cents],
        "perpetual": closing.perpetual_cents,
        "at": closing.closed_at,
    }
