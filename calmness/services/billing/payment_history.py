"""A person's own payments, as their pages show them: found by key, so that thousands of them cost what ten do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from calmness import clock
from calmness.extensions import db
from calmness.models.billing import Invoice, Payment, PaymentStatus

NEWEST_FIRST = (Payment.created_at.desc(), Payment.id.desc())


def page_of(
    user_id: int,
    status: PaymentStatus | None = None,
    year: int | None = None,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
) -> tuple[list[Payment], int]:
    """A person's own payments, newest first, and how many there are: of one state, or bought in one year in Paris.

    Those older than the payment ``before``, or the ones just newer than ``after``. Another person's key is no place.
    """
    query = _chosen(user_id, status, year)
    total = db.session.scalar(query.with_only_columns(func.count(Payment.id))) or 0
    query = query.options(selectinload(Payment.invoice).joinedload(Invoice.document)).limit(limit)
    place = tuple_(Payment.created_at, Payment.id)
    if after is not None and (at := _place(user_id, after)):
        newer = query.where(place > at).order_by(Payment.created_at, Payment.id)
        return list(db.session.scalars(newer))[::-1], total
    if before is not None and (at := _place(user_id, before)):
        query = query.where(place < at)
    return list(db.session.scalars(query.order_by(*NEWEST_FIRST))), total


def of_user(user_id: int, *where: ColumnElement[bool], limit: int) -> list[Payment]:
    """The newest of a person's payments, those that ``where`` says."""
    return list(
        db.session.scalars(
            select(Payment).where(Payment.user_id == user_id, *where).order_by(*NEWEST_FIRST).limit(limit)
        )
    )


def any_of(user_id: int) -> bool:
    """Whether a person ever bought something."""
    return bool(db.session.scalar(select(exists().where(Payment.user_id == user_id))))


def states(user_id: int) -> list[PaymentStatus]:
    """States in which a person's payments are."""
    present = set(db.session.scalars(select(Payment.status).where(Payment.user_id == user_id).distinct()))
    return [state for state in PaymentStatus if state in present]


def years(user_id: int) -> list[int]:
    """Years in which something was bought, newest first."""
    return list(_years(Payment.created_at, Payment.user_id == user_id))


def spent_by_year(user_id: int) -> list[tuple[int, int]]:
    """Validated cents a year in Paris, newest first. What was refunded is not spent."""
    mine = (Payment.user_id == user_id) & (Payment.status == PaymentStatus.VALIDATED)
    total = select(func.sum(Payment.amount_cents))
    return [
        (year, db.session.scalar(total.where(mine, _within(Payment.validated_at, year))) or 0)
        for year in _years(Payment.validated_at, mine)
    ]


def _chosen(user_id: int, status: PaymentStatus | None, year: int | None) -> Select[Payment]:
    query = select(Payment).where(Payment.user_id == user_id)
    if status is not None:
        query = query.where(Payment.status == status)
    if year is not None:
        query = query.where(_within(Payment.created_at, year))
    return query


def _place(user_id: int, payment_id: int) -> tuple[Any, ...] | None:
    found = db.session.execute(
        select(Payment.created_at, Payment.id).where(Payment.id == payment_id, Payment.user_id == user_id)
    ).one_or_none()
    return tuple(found) if found else None


def _years(instant: InstrumentedAttribute[Any], mine: ColumnElement[bool]) -> Iterator[int]:
    """Years in Paris, newest first: a look at the index for each, not a row for each payment."""
    newest = select(func.max(instant)).where(mine)
    at = db.session.scalar(newest)
    while at is not None:
        year = at.astimezone(clock.PARIS).year
        yield year
        at = db.session.scalar(newest.where(instant < _first_of(year)))


def _within(instant: InstrumentedAttribute[Any], year: int) -> ColumnElement[bool]:
    return (instant >= _first_of(year)) & (instant < _first_of(year + 1))


def _first_of(year: int) -> datetime:
    """The instant at which a year begins in Paris."""
    return datetime(year, 1, 1, tzinfo=clock.PARIS).astimezone(UTC)
