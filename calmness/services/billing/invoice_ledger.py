"""Proof that no invoice was changed, removed or left out: hashes, serials, days and counters must agree."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from calmness.extensions import db
from calmness.models.audit import ChainHead
from calmness.models.billing import Invoice, InvoiceCounter, InvoiceKind
from calmness.services import chain
from calmness.services.billing.invoicing import CHAIN, SERIES, content_of


def first_broken() -> str | None:
    """Where the chain of documents breaks first: a number, or what is missing after the last; None when it is whole.

    The head of the chain and the day counters know how many documents there were: a removed last one shows.
    """
    previous, seq = chain.GENESIS, 0
    serials: dict[InvoiceKind, int] = {}
    days: dict[InvoiceKind, str] = {}
    last = ""
    for invoice in _documents():
        seq += 1
        serials[invoice.kind] = serials.get(invoice.kind, 0) + 1
        whole = (
            invoice.serial == serials[invoice.kind]
            and invoice.prev_hash == previous
            and invoice.hash == chain.link_hash(CHAIN, seq, previous, content_of(invoice))
            and invoice.issued_on.isoformat() >= days.get(invoice.kind, "")
            and invoice.number.startswith(f"{SERIES[invoice.kind]}-{invoice.issued_on:%Y%m%d}-")
        )
        if not whole:
            return invoice.number
        previous, last = invoice.hash, invoice.number
        days[invoice.kind] = invoice.issued_on.isoformat()
    head = db.session.get(ChainHead, CHAIN)
    if head is not None and (head.seq, head.hash) != (seq, previous):
        return f"{head.seq - seq} after {last or 'the beginning'}"
    return _wrong_counter()


def _documents() -> Iterator[Invoice]:
    """All documents in the order of the chain, some at a time."""
    last_id = 0
    query = select(Invoice).options(selectinload(Invoice.items)).order_by(Invoice.id).limit(500)
    while batch := list(db.session.scalars(query.where(Invoice.id > last_id))):
        last_id = batch[-1].id
        yield from batch


def _wrong_counter() -> str | None:
    counted = {
        (SERIES[kind], day): count
        for kind, day, count in db.session.execute(
            select(Invoice.kind, Invoice.issued_on, func.count()).group_by(Invoice.kind, Invoice.issued_on)
        )
    }
    known = {
        (counter.series, counter.day): counter.last
        for counter in db.session.scalars(
            select(InvoiceCounter).where(InvoiceCounter.series.in_(SERIES.values()), InvoiceCounter.last > 0)
        )
    }
    wrong = sorted(set(counted.items()) ^ set(known.items()))
    if not wrong:
        return None
    (series, day), _count = wrong[0]
    return f"{series}-{day:%Y%m%d}"
