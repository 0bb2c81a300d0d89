"""A period of accounts in several currencies as one report: each amount at the reference rate of its own day.

Money that lies there is valued again each day, and what it gains or loses by that enters as money paid in or out: a
return is that of the trades, never that of the euro. What finds no rate is left out of its day, money and result alike,
and named.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, case, func, select, type_coerce

from calmness import clock
from calmness.extensions import db
from calmness.models.cash import IS_COST, MOVES_BALANCE
from calmness.models.dialect import posix_seconds
from calmness.models.positions import IS_RESULT, TradingPosition
from calmness.models.trading import AccountSnapshot, Trade, TradingStatistics
from calmness.models.types import SCALE
from calmness.services import pips
from calmness.services.trading import (
    equity_falls,
    exchange_rates,
    opening_balances,
    trading_breakdowns,
    trading_report,
    trading_returns,
    trading_statistics,
)
from calmness.services.trading.equity_falls import EquityFall
from calmness.services.trading.exchange_rates import CENTS, Rates
from calmness.services.trading.trading_breakdowns import Cell, Group, Spread
from calmness.services.trading.trading_report import Exposure, Report, Scope
from calmness.services.trading.trading_returns import Day
from calmness.services.trading.trading_statistics import Figures

_MONEY = ("net", "gross_profit", "gross_loss", "best", "worst")


@dataclass
class Converter:
    """Amounts of the accounts in one currency. Remembers which rates it used and which it did not find."""

    scope: Scope
    currency: str
    by_account: Mapping[int, str]
    rates: Rates
    missing: set[str] = field(default_factory=set)
    oldest: date | None = None
    newest: date | None = None
    _factors: dict[tuple[str, date], Decimal | None] = field(default_factory=dict)

    def factor(self, currency: str, day: date) -> Decimal | None:
        """What one unit of a currency was worth on a day."""
        key = (currency, day)
        if key not in self._factors:
            found = self.rates.convert(Decimal(1), currency, self.currency, day)
            self._factors[key] = found[0] if found else None
            if found and CENTS.get(currency, currency) != self.currency:
                self.oldest = min(self.oldest or found[1], found[1])
                self.newest = max(self.newest or found[1], found[1])
        return self._factors[key]

    def units(self, units: int, currency: str, day: date) -> int | None:
        """An amount in 1e-8 units; None without a rate."""
        if not units:
            return 0
        factor = self.factor(currency, day)
        if factor is None:
            self.missing.add(currency)
            return None
        return int((units * factor).to_integral_value(ROUND_HALF_EVEN))

    def amount(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
        """The same of a decimal."""
        found = self.units(int(amount * SCALE), currency, day)
        return None if found is None else Decimal(found) / SCALE

    def worth(self, balances: Mapping[str, int], day: date) -> int:
        """Balances by currency together, as far as there are rates."""
        return sum(self.units(balance, currency, day) or 0 for currency, balance in balances.items())

    def parts(self) -> Iterator[tuple[str, Scope]]:
        """The scope apart by currency."""
        ids: dict[str, list[int]] = defaultdict(list)
        for account_id in self.scope.account_ids:
            ids[self.by_account[account_id]].append(account_id)
        for currency, account_ids in ids.items():
            yield currency, replace(self.scope, account_ids=tuple(account_ids))


def converter(scope: Scope, currency: str, by_account: Mapping[int, str]) -> Converter:
    """Read the rates that a scope may ask for. ``by_account``: the currency of each account."""
    today = clock.now().date()
    ends: Any = db.session.execute(
        select(func.min(TradingStatistics.day), func.max(TradingStatistics.day)).where(
            TradingStatistics.account_id.in_(scope.account_ids)
        )
    ).one()
    # Readings may be older than the first closing, and of an account that has none.
    first = db.session.scalar(
        select(func.min(AccountSnapshot.taken_at)).where(AccountSnapshot.account_id.in_(scope.account_ids))
    )
    since = min(day for day in (ends[0], first and first.date(), today) if day is not None)
    rates = exchange_rates.between(
        {*by_account.values(), currency}, scope.start or since, max(scope.end or today, ends[1] or today)
    )
    return Converter(scope, currency, by_account, rates)


def report(to: Converter) -> Report:
    """All figures of the scope in the converter's currency."""
    days = merged_days(to)
    found = trading_returns.walk(_movements(to))
    return Report(
        figures=_figures(to),
        walk=found,
        ratios=trading_returns.ratios(days, found.time_weighted, found.fall_ratio),
        spread=spread(to),
        days=days,
        opening=days[0].balance_start if days else 0,
    )


def merged_days(to: Converter) -> list[Day]:
    """Days of all accounts together, in order."""
    by_day: dict[date, dict[str, Day]] = defaultdict(dict)
    balances: dict[str, int] = {}
    for currency, scope in to.parts():
        balances[currency] = trading_report.opening_balance(scope)
        for day in trading_report.merged_days(scope, balances[currency]):
            by_day[day.on][currency] = day
    days = []
    for on in sorted(by_day):
        start, net, flows, exits = to.worth(balances, on), 0, 0, 0
        for currency, day in by_day[on].items():
            net += to.units(day.net, currency, on) or 0
            flows += to.units(day.flows, currency, on) or 0
            exits += day.exits if to.factor(currency, on) is not None else 0
            balances[currency] += day.net + day.flows
        days.append(Day(on, net, flows, start, exits))
    return days


def results_by_day(to: Converter) -> dict[date, tuple[Decimal, int]]:
    """(net, positions that ended) of each day; what finds no rate is not in it."""
    found: dict[date, tuple[Decimal, int]] = {}
    for currency, scope in to.parts():
        for day, (net, trades) in trading_report.results_by_day(scope).items():
            converted = to.amount(net, currency, day)
            if converted is not None:
                before = found.get(day, (Decimal(0), 0))
                found[day] = (before[0] + converted, before[1] + trades)
    return found


def equity_by_day(to: Converter) -> list[tuple[date, Decimal]]:
    """Equity on the last reading of each UTC day; a silent account keeps its last one, at the day's own rate."""
    read: dict[date, dict[str, Decimal]] = defaultdict(dict)
    for currency, scope in to.parts():
        for day, equity in trading_report.equity_by_day(scope):
            read[day][currency] = equity
    known: dict[str, int] = {}
    points = []
    for day in sorted(read):
        known |= {currency: int(equity * SCALE) for currency, equity in read[day].items()}
        points.append((day, Decimal(to.worth(known, day)) / SCALE))
    return points


def exposure(to: Converter) -> list[Exposure]:
    """What is open now, by instrument, its floating result at the last rate."""
    today, found = clock.now().date(), dict[str, Exposure]()
    for currency, scope in to.parts():
        for row in trading_report.exposure(scope.account_ids):
            total = found.setdefault(row.symbol, Exposure(row.symbol))
            total.trades += row.trades
            total.bought += row.bought
            total.sold += row.sold
            total.without_stop += row.without_stop
            total.floating += to.amount(row.floating, currency, today) or Decimal(0)
    return sorted(found.values(), key=lambda row: (-(row.bought + row.sold), row.symbol))


def equity_fall(to: Converter) -> EquityFall | None:
    """How deep the equity of all accounts together fell, each move at the rate of its day."""

    def worth(account_id: int, units: int, day: date) -> int | None:
        return to.units(units, to.by_account[account_id], day)

    return equity_falls.of_scope(to.scope, worth)


def spread(to: Converter) -> Spread:
    """What the single results say."""
    return trading_breakdowns.spread_of(_positions(to), pips.of_accounts(to.scope.account_ids).size)


def cells(to: Converter) -> list[Cell]:
    """Totals of positions for the breakdowns, each at the rate of the day of its closing."""
    found = []
    for currency, scope in to.parts():
        for day, cell in trading_breakdowns.dated_cells(scope.account_ids, scope.positions, scope.zone):
            profit, loss = (to.units(units, currency, day) for units in (cell.gross_profit, cell.gross_loss))
            if to.factor(currency, day) is None or profit is None or loss is None:
                to.missing.add(currency)
                continue
            found.append(cell._replace(net=profit + loss, gross_profit=profit, gross_loss=loss))
    return found


def by_tag(to: Converter) -> list[tuple[str, Group]]:
    """Results by tag."""
    zone = ZoneInfo(to.scope.zone)

    def worth(account_id: int, units: int, closed_at: datetime) -> int | None:
        currency, day = to.by_account[account_id], closed_at.astimezone(zone).date()
        return None if to.factor(currency, day) is None else to.units(units, currency, day)

    return trading_breakdowns.by_tag(to.scope.account_ids, to.scope.positions, worth)


def _figures(to: Converter) -> Figures:
    """Sums of days, each at its own rate; counts of a day without one are left out with its money."""
    total = trading_statistics.figures([])
    for row in trading_statistics.day_rows(to.scope.account_ids, to.scope.start, to.scope.end):
        currency = to.by_account[row.account_id]
        if to.factor(currency, row.day) is None:
            to.missing.add(currency)
            continue
        values: dict[str, Any] = {
            name: None if (value := getattr(row, name)) is None else to.amount(value, currency, row.day)
            for name in _MONEY
        }
        total = Figures(
            exits=total.exits + row.exits,
            trades=total.trades + row.trades,
            wins=total.wins + row.wins,
            losses=total.losses + row.losses,
            breakeven=total.breakeven + row.breakeven,
            net=total.net + values["net"],
            gross_profit=total.gross_profit + values["gross_profit"],
            gross_loss=total.gross_loss + values["gross_loss"],
            best=max((value for value in (total.best, values["best"]) if value is not None), default=None),
            worst=min((value for value in (total.worst, values["worst"]) if value is not None), default=None),
            holding_seconds=total.holding_seconds + row.holding_seconds,
        )
    return total


def _movements(to: Converter) -> Iterator[tuple[bool, int]]:
    """(is money paid in or out, amount) in order. What the rates of a new day change is money paid in or out."""
    zone, day, worth = ZoneInfo(to.scope.zone), date.min, 0
    balances = {currency: trading_report.opening_balance(scope) for currency, scope in to.parts()}
    for seconds, account_id, is_money, amount in _moved(to.scope):
        on = datetime.fromtimestamp(seconds, zone).date()
        if on != day:
            day, now = on, to.worth(balances, on)
            yield True, now - worth
            worth = now
        currency = to.by_account[account_id]
        converted = to.units(amount, currency, on)
        balances[currency] += amount
        if converted is not None:
            worth += converted
            yield bool(is_money), converted


def _moved(scope: Scope) -> list[tuple[int, int, bool, int]]:
    """(POSIX seconds, account, is money paid in or out, 1e-8 units) of all that moved a balance, in order."""
    table = Trade.__table__.c
    rows = db.session.execute(
        select(
            posix_seconds(table.closed_at),
            table.account_id,
            case((IS_RESULT, 0), (IS_COST, 0), else_=1),
            type_coerce(table.net, BigInteger),
        )
        .where(table.account_id.in_(scope.account_ids), MOVES_BALANCE, *scope.within(table.closed_at))
        .order_by(table.closed_at, table.ticket)
    )
    moved = [(int(seconds), account_id, bool(is_money), amount) for seconds, account_id, is_money, amount in rows]
    starts = opening_balances.starts(scope.account_ids, scope.start, scope.end)
    begun = [(int(start.at.timestamp()), start.account_id, True, start.units) for start in starts]
    # Stable: what an account began with stands before its first row.
    return sorted([*begun, *moved], key=lambda row: row[0])


def _positions(to: Converter) -> Sequence[tuple[Any, ...]]:
    """Positions in order, as ``trading_breakdowns.Result``; those without a rate are left out."""
    zone = ZoneInfo(to.scope.zone)
    rows = db.session.execute(
        select(
            TradingPosition.account_id,
            TradingPosition.closed_at,
            type_coerce(TradingPosition.net, BigInteger),
            TradingPosition.held_seconds,
            type_coerce(TradingPosition.r_multiple, BigInteger),
            type_coerce(TradingPosition.moved, BigInteger),
            TradingPosition.symbol,
        )
        .where(*to.scope.positions(TradingPosition))
        .order_by(TradingPosition.closed_at, TradingPosition.ticket)
    )
    found = []
    for account_id, closed_at, net, *others in rows:
        currency, day = to.by_account[account_id], closed_at.astimezone(zone).date()
        if to.factor(currency, day) is not None:
            found.append((to.units(net, currency, day), *others))
    return found
