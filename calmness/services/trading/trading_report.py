"""A period of a person's accounts in one currency: all figures that a journal tells, each from its own source."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, String, case, cast, func, select, type_coerce

from calmness.extensions import db
from calmness.instruments import base_symbol
from calmness.models.cash import IS_COST, IS_CREDIT
from calmness.models.dialect import plain_rows, unindexed
from calmness.models.positions import PARTS_OF_POSITIONS
from calmness.models.trading import (
    AccountSnapshot,
    Trade,
    TradeKind,
    TradeStatus,
    TradingStatistics,
)
from calmness.models.types import SCALE
from calmness.services import pips
from calmness.services.trading import opening_balances, trading_breakdowns, trading_returns, trading_statistics
from calmness.services.trading.trade_positions import SEPARATOR
from calmness.services.trading.trading_breakdowns import Spread
from calmness.services.trading.trading_returns import Day, Ratios, Walk
from calmness.services.trading.trading_statistics import Figures

EXIT, MONEY, COST = range(3)
"""What a movement is: an exit, money paid in or out, a cost that the broker booked apart from all trades."""


@dataclass(frozen=True)
class Scope:
    """Which accounts, and which days of their owner's zone, both included; None: without an end."""

    account_ids: tuple[int, ...]
    zone: str
    start: date | None = None
    end: date | None = None

    def instants(self) -> tuple[datetime | None, datetime | None]:
        """First instant, and the one just after the last."""
        zone = ZoneInfo(self.zone)
        start = datetime.combine(self.start, time.min, tzinfo=zone) if self.start else None
        end = datetime.combine(self.end + timedelta(days=1), time.min, tzinfo=zone) if self.end else None
        return start, end

    def within(self, column: Any) -> list[Any]:
        """Conditions on an instant."""
        start, end = self.instants()
        return [*([column >= start] if start else []), *([column < end] if end else [])]

    def positions(self, columns: Any) -> list[Any]:
        """Conditions on positions: see ``trading_breakdowns.Which``."""
        return [columns.account_id.in_(self.account_ids), *self.within(columns.closed_at)]


@dataclass
class Exposure:
    """Open positions of an instrument: lots on each side, floating result, how many have no stop."""

    symbol: str
    trades: int = 0
    bought: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    floating: Decimal = Decimal(0)
    without_stop: int = 0

    @property
    def lots(self) -> Decimal:
        """Lots bought less lots sold: of a hedge only what is left over."""
        return self.bought - self.sold


@dataclass(frozen=True)
class Report:
    """Figures of a period."""

    figures: Figures
    walk: Walk
    ratios: Ratios
    spread: Spread
    days: list[Day]
    opening: int

    @property
    def max_drawdown(self) -> Decimal:
        """Deepest fall of the cumulated net, in money."""
        return Decimal(self.walk.fall) / SCALE

    @property
    def recovery_factor(self) -> Decimal | None:
        """Net over the deepest fall; None when nothing ever fell."""
        return self.figures.net / self.max_drawdown if self.walk.fall else None


def report(scope: Scope) -> Report:
    """All figures of a scope."""
    opening = opening_balance(scope)
    movements, positions = _read(scope)
    starts = opening_balances.starts(scope.account_ids, scope.start, scope.end)
    moved: Iterable[tuple[bool, int]] = ((row[-2] == MONEY, row[0]) for row in movements)
    if starts:
        moved = opening_balances.begun(moved, starts, scope.account_ids, scope.within(Trade.closed_at))
    found = trading_returns.walk(moved, opening)
    days = merged_days(scope, opening)
    return Report(
        figures=trading_statistics.figures(scope.account_ids, scope.start, scope.end),
        walk=found,
        ratios=trading_returns.ratios(days, found.time_weighted, found.fall_ratio),
        spread=trading_breakdowns.spread_of(positions, pips.of_accounts(scope.account_ids).size),
        days=days,
        opening=opening,
    )


def spread(scope: Scope) -> Spread:
    """What the single results of a scope say."""
    return trading_breakdowns.spread_of(_read(scope)[1], pips.of_accounts(scope.account_ids).size)


def opening_balance(scope: Scope) -> int:
    """Balances of the accounts together when the period begins, in 1e-8 units."""
    if scope.start is None:
        return 0
    total = 0
    for account_id in scope.account_ids:
        total += (
            db.session.scalar(
                select(type_coerce(TradingStatistics.balance_end, BigInteger))
                .where(TradingStatistics.account_id == account_id, TradingStatistics.day < scope.start)
                .order_by(TradingStatistics.day.desc())
                .limit(1)
            )
            or 0
        )
    return total


def merged_days(scope: Scope, opening: int) -> list[Day]:
    """Days of the accounts together, in order."""
    net, deposits, withdrawals = (
        func.sum(type_coerce(column, BigInteger))
        for column in (TradingStatistics.net, TradingStatistics.deposits, TradingStatistics.withdrawals)
    )
    query = (
        select(TradingStatistics.day, net, deposits, withdrawals, func.sum(TradingStatistics.exits))
        .where(*_days_of(scope))
        .group_by(TradingStatistics.day)
        .order_by(TradingStatistics.day)
    )
    days, balance = [], opening
    begun: Counter[date] = Counter()
    for start in opening_balances.starts(scope.account_ids, scope.start, scope.end):
        begun[start.day] += start.units
    for day, won, paid_in, paid_out, exits in db.session.execute(query):
        flows = int(paid_in) + int(paid_out) + begun[day]
        days.append(Day(day, int(won), flows, balance, int(exits)))
        balance += int(won) + flows
    return days


def results_by_day(scope: Scope) -> dict[date, tuple[Decimal, int]]:
    """(net of all exits, positions that ended) of each day."""
    net, trades = func.sum(type_coerce(TradingStatistics.net, BigInteger)), func.sum(TradingStatistics.trades)
    query = select(TradingStatistics.day, net, trades).where(*_days_of(scope)).group_by(TradingStatistics.day)
    return {day: (Decimal(int(won)) / SCALE, int(count)) for day, won, count in db.session.execute(query)}


def equity_by_day(scope: Scope) -> list[tuple[date, Decimal]]:
    """Equity of the accounts together on the last reading of each UTC day; a silent account keeps its last one."""
    day = func.date(AccountSnapshot.taken_at)
    lasts = (
        select(AccountSnapshot.account_id, func.max(AccountSnapshot.taken_at).label("taken_at"))
        .where(AccountSnapshot.account_id.in_(scope.account_ids), *scope.within(AccountSnapshot.taken_at))
        .group_by(AccountSnapshot.account_id, day)
        .subquery()
    )
    rows = db.session.execute(
        select(AccountSnapshot.account_id, AccountSnapshot.taken_at, AccountSnapshot.equity)
        .join(
            lasts,
            (AccountSnapshot.account_id == lasts.c.account_id) & (AccountSnapshot.taken_at == lasts.c.taken_at),
        )
        .order_by(AccountSnapshot.taken_at)
    )
    known: dict[int, Decimal] = {}
    points: dict[date, Decimal] = {}
    for account_id, taken_at, equity in rows:
        known[account_id] = equity
        points[taken_at.date()] = sum(known.values(), Decimal(0))
    return list(points.items())


def exposure(account_ids: Sequence[int]) -> list[Exposure]:
    """What is open now, by instrument, most lots first."""
    rows = db.session.execute(
        select(Trade.symbol, Trade.kind, Trade.volume, Trade.net, Trade.stop_loss).where(
            Trade.account_id.in_(account_ids),
            Trade.status == TradeStatus.OPEN,
            Trade.kind.in_((TradeKind.BUY, TradeKind.SELL)),
        )
    )
    found: dict[str, Exposure] = {}
    for symbol, kind, volume, net, stop in rows:
        row = found.setdefault(base_symbol(symbol), Exposure(base_symbol(symbol)))
        row.trades += 1
        row.floating += net
        row.without_stop += stop is None
        if kind is TradeKind.BUY:
            row.bought += volume
        else:
            row.sold += volume
    return sorted(found.values(), key=lambda row: (-(row.bought + row.sold), row.symbol))


def _days_of(scope: Scope) -> list[Any]:
    conditions: list[Any] = [TradingStatistics.account_id.in_(scope.account_ids)]
    if scope.start:
        conditions.append(TradingStatistics.day >= scope.start)
    if scope.end:
        conditions.append(TradingStatistics.day <= scope.end)
    return conditions


def _read(scope: Scope) -> tuple[list[Any], list[Any]]:
    """(movements, positions), both in order: all that the figures of a period have to look at one by one.

    One pass over the trades. A position of several parts stands where the last of them was closed.
    """
    table = Trade.__table__.c
    is_exit = (table.status == TradeStatus.CLOSED) & table.suspect.is_(False)
    way = table.close_price - table.open_price
    query = (
        select(
            type_coerce(table.net, BigInteger),
            table.held_seconds,
            type_coerce(table.r_multiple, BigInteger),
            type_coerce(case((table.kind == TradeKind.BUY, way), else_=-way), BigInteger),
            table.symbol,
            case((is_exit, EXIT), (IS_COST, COST), else_=MONEY),
            case((table.is_part, _name(table.account_id, table.ticket))),
        )
        .where(
            table.account_id.in_(scope.account_ids),
            unindexed(Trade.status).in_((TradeStatus.CLOSED.value, TradeStatus.CASH.value)),
            ~IS_CREDIT,
            *scope.within(table.closed_at),
        )
        .order_by(table.closed_at, table.ticket)
    )
    rows, chains = plain_rows(db.session(), query), _chains(scope)
    positions = []
    for row in rows:
        part = row[-1]
        if part is None:
            if row[-2] == EXIT:
                positions.append(row)
        elif part in chains:
            positions.append(chains[part])
    return rows, positions


def _chains(scope: Scope) -> dict[str, Any]:
    """Positions of several parts, by the name of their last one."""
    table = PARTS_OF_POSITIONS[1]
    numbers = (type_coerce(table[name], BigInteger) for name in ("net", "held_seconds", "r_multiple", "moved"))
    rows = db.session.execute(
        select(table.account_id, table.tickets, *numbers, table.symbol).where(*scope.positions(table))
    )
    return {
        f"{account_id}:{tickets.rpartition(SEPARATOR)[2]}": (*result, 0, None) for account_id, tickets, *result in rows
    }


def _name(account_id: Any, ticket: Any) -> Any:
    return cast(account_id, String).concat(":").concat(ticket)
