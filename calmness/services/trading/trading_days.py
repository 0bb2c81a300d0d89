"""Days of an account, counted by the database: one row for a day and an account, in the owner's zone.

Money belongs to the day of each exit, a position to the day of its last one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    type_coerce,
    update,
)

from calmness import clock
from calmness.extensions import db
from calmness.models.cash import IS_COST, IS_CREDIT
from calmness.models.dialect import posix_seconds, unindexed, upsert_stored
from calmness.models.positions import IS_RESULT
from calmness.models.trading import Trade, TradeStatus, TradingAccount, TradingChain, TradingStatistics
from calmness.services.trading import zone_offsets
from calmness.services.trading.trade_positions import CHUNK, Span, within

# Each statement is built once: this is done after each trade.
_DAYS: Any = TradingStatistics.__table__.c
_ACCOUNTS: Any = TradingAccount.__table__.c
_OWN_DAYS = _DAYS.account_id == bindparam("account")
_FORGET_DAYS = delete(TradingStatistics.__table__).where(  # type: ignore[arg-type]
    _OWN_DAYS, _DAYS.day >= bindparam("first"), _DAYS.day < bindparam("after")
)
_LAST_BALANCE = (
    select(type_coerce(_DAYS.balance_end, BigInteger))
    .where(_OWN_DAYS, _DAYS.day < bindparam("day"))
    .order_by(_DAYS.day.desc())
    .limit(1)
)
_OPENING_BALANCE = select(type_coerce(_ACCOUNTS.opening_balance, BigInteger)).where(
    _ACCOUNTS.id == bindparam("account")
)
_MOVE_BALANCES = (
    update(TradingStatistics.__table__)  # type: ignore[arg-type]
    .where(_OWN_DAYS, _DAYS.day >= bindparam("after"))
    .values(
        balance_end=type_coerce(
            type_coerce(_DAYS.balance_end, BigInteger) + bindparam("shift", type_=BigInteger), BigInteger
        )
    )
)
AHEAD_DAYS = 3
"""A broker's clock that is set wrong may close a trade up to two days ahead of us."""


def whole_days(span: Span, zone: ZoneInfo) -> Span:
    """The days of a zone that a span touches."""
    start = datetime.combine(span.start.astimezone(zone).date(), time.min, tzinfo=zone)
    if span.end is None:
        return Span(start, None)
    # An end at midnight is that of the day before; any other one lies within its day, which is counted whole.
    last = span.end.astimezone(zone)
    is_midnight = last.time() == time.min
    return Span(start, datetime.combine(last.date() + timedelta(days=0 if is_midnight else 1), time.min, tzinfo=zone))


def count(account_id: int, span: Span, zone: ZoneInfo) -> None:
    """Write the days of a span anew. Balances of the days after it move by what the span changed."""
    connection = db.session.connection()
    first, after = span.start.date(), span.end.date() if span.end else date.max
    before = balance_before(account_id, first)
    was = balance_before(account_id, after) if span.end else 0
    rows = _day_rows(account_id, span, zone, before)
    connection.execute(_FORGET_DAYS, {"account": account_id, "first": first, "after": after})
    for start in range(0, len(rows), CHUNK):
        upsert_stored(
            db.session(),
            TradingStatistics,
            DAY_COLUMNS,
            rows[start : start + CHUNK],
            key=("account_id", "day"),
            update_columns=DAY_COLUMNS[2:],
        )
    shift = (rows[-1][-1] if rows else before) - was
    if span.end and shift:
        connection.execute(_MOVE_BALANCES, {"account": account_id, "after": after, "shift": shift})


def balance_before(account_id: int, day: date) -> int:
    """What an account held before a day, in 1e-8 units; before the first one, what it had when its history began."""
    connection = db.session.connection()
    found = connection.scalar(_LAST_BALANCE, {"account": account_id, "day": day})
    if found is None:
        found = connection.scalar(_OPENING_BALANCE, {"account": account_id})
    return found or 0


class _Sort(IntEnum):
    """What a row means for the figures of its day."""

    ALONE = 0
    PART = 1
    SUSPECT = 2
    CASH = 3
    CREDIT = 4
    COST = 5


@dataclass
class _Day:
    """Figures of a day in 1e-8 units, in the order of ``DAY_COLUMNS``."""

    exits: int = 0
    trades: int = 0
    wins: int = 0
    losses: int = 0
    breakeven: int = 0
    net: int = 0
    booked: int = 0
    gross_profit: int = 0
    gross_loss: int = 0
    swap: int = 0
    commission: int = 0
    volume: int = 0
    best: int | None = None
    worst: int | None = None
    deposits: int = 0
    withdrawals: int = 0
    holding_seconds: int = 0
    balance_end: int = 0

    def count(self, found: "_Sum") -> None:
        """Count positions that ended this day."""
        self.trades += found.rows
        self.wins += found.wins
        self.losses += found.losses
        self.breakeven += found.rows - found.wins - found.losses
        self.gross_profit += found.gain
        self.gross_loss += found.loss
        self.best = found.best if self.best is None else max(self.best, found.best)
        self.worst = found.worst if self.worst is None else min(self.worst, found.worst)
        self.holding_seconds += found.held


class _Sum(NamedTuple):
    """Rows of one day and one sort together."""

    day: int
    sort: int
    rows: int
    net: int
    swap: int
    commission: int
    volume: int
    wins: int
    losses: int
    gain: int
    loss: int
    best: int
    worst: int
    held: int


DAY_COLUMNS = ("account_id", "day", *(field.name for field in fields(_Day)))
_MARKET = frozenset({_Sort.ALONE, _Sort.PART})
EPOCH_DAY = date(1970, 1, 1).toordinal()


def _day_rows(account_id: int, span: Span, zone: ZoneInfo, balance: int) -> list[tuple[Any, ...]]:
    """Days as the database keeps them. Credit is the broker's money: it is no part of a balance."""
    days: dict[int, _Day] = {}
    for found in _sums(account_id, span, zone):
        row = days.setdefault(found.day, _Day())
        if found.sort in _MARKET:
            row.exits += found.rows
            row.net += found.net
            row.swap += found.swap
            row.commission += found.commission
            row.volume += found.volume
        elif found.sort == _Sort.COST:
            row.net += found.net
            row.booked += found.net
        elif found.sort == _Sort.CASH:
            row.deposits += found.gain
            row.withdrawals += found.loss
        if found.sort == _Sort.ALONE:
            row.count(found)
        # The sum of the day, and below what all days before it left.
        row.balance_end += 0 if found.sort == _Sort.CREDIT else found.net
    for found in _chains(account_id, span, zone):
        days[found.day].count(found)
    rows = []
    for day in sorted(days):
        balance += days[day].balance_end
        days[day].balance_end = balance
        values = (getattr(days[day], name) for name in DAY_COLUMNS[2:])
        rows.append((account_id, date.fromordinal(EPOCH_DAY + day).isoformat(), *values))
    return rows


def _sums(account_id: int, span: Span, zone: ZoneInfo) -> Iterator[_Sum]:
    """What a day and a sort have in common, added up by the database."""
    return _added_up(_sums_statement, account_id, span, zone)


def _chains(account_id: int, span: Span, zone: ZoneInfo) -> Iterator[_Sum]:
    return _added_up(_chains_statement, account_id, span, zone)


def _added_up(statement: Callable[[int], Select[Any]], account_id: int, span: Span, zone: ZoneInfo) -> Iterator[_Sum]:
    latest = span.end or clock.now() + timedelta(days=AHEAD_DAYS)
    stretches = zone_offsets.stretches((zone.key,), span.start, latest)
    asked: dict[str, Any] = {"account": account_id} | span.given()
    for number, (start, offsets) in enumerate(stretches):
        asked |= {f"from{number}": start, f"ahead{number}": offsets[0]}
    # PostgreSQL adds whole numbers up as decimals.
    rows = db.session.connection().execute(statement(len(stretches)), asked)
    return (_Sum(*(int(value) for value in row)) for row in rows)


@lru_cache(maxsize=64)
def _sums_statement(stretches: int) -> Select[Any]:
    table = Trade.__table__.c
    sort = case(
        (and_(IS_RESULT, ~table.is_part), _Sort.ALONE.value),
        (IS_RESULT, _Sort.PART.value),
        (table.status == TradeStatus.CLOSED, _Sort.SUSPECT.value),
        (IS_CREDIT, _Sort.CREDIT.value),
        (IS_COST, _Sort.COST.value),
        else_=_Sort.CASH.value,
    )
    is_counted = unindexed(Trade.status).in_([TradeStatus.CLOSED.value, TradeStatus.CASH.value])
    return _sum_statement(table, stretches, sort, (table.swap, table.commission, table.volume), is_counted)


@lru_cache(maxsize=64)
def _chains_statement(stretches: int) -> Select[Any]:
    nothing = literal(0, BigInteger)
    sort = literal(int(_Sort.ALONE), BigInteger)
    return _sum_statement(TradingChain.__table__.c, stretches, sort, (nothing, nothing, nothing))


def _sum_statement(table: Any, stretches: int, sort: Any, others: tuple[Any, ...], *conditions: Any) -> Select[Any]:
    """Sums of each day and sort, days being those of a zone whose clock has so many stretches within the span."""
    given: list[Any] = [
        (bindparam(f"from{number}"), bindparam(f"ahead{number}", type_=Integer)) for number in range(stretches)
    ]
    offset = zone_offsets.by_stretch(table.closed_at, given)
    rows = select(
        # Days from the first of January 1970 to the day of the closing in that zone.
        ((posix_seconds(table.closed_at) + offset) // 86_400).label("day"),
        sort.label("sort"),
        type_coerce(table.net, BigInteger).label("net"),
        *(type_coerce(column, BigInteger).label(f"other{place}") for place, column in enumerate(others)),
        table.held_seconds,
    ).where(table.account_id == bindparam("account"), within(table.closed_at), *conditions)
    found = rows.subquery().c
    return select(
        found.day,
        found.sort,
        func.count(),
        func.sum(found.net),
        *(func.sum(found[f"other{place}"]) for place in range(len(others))),
        func.count().filter(found.net > 0),
        func.count().filter(found.net < 0),
        func.coalesce(func.sum(found.net).filter(found.net > 0), 0),
        func.coalesce(func.sum(found.net).filter(found.net < 0), 0),
        func.max(found.net),
        func.min(found.net),
        func.coalesce(func.sum(found.held_seconds), 0),
    ).group_by(found.day, found.sort)
