"""Returns and risk: what an account made of its money, whatever was paid in or out. Numbers only, no database.

Amounts are whole 1e-8 units; ratios are binary floats, because they are nobody's money. None where a figure would say
nothing: its reason stands in docs/statistics.md.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean

YEAR = 252
"""Trading days of a year, by which Sharpe's and Sortino's ratios of days are brought to a year."""
FEWEST_DAYS = 20
FEWEST_DAYS_OF_A_YEAR = 90
"""Below a quarter a return brought to a year is a wish."""


@dataclass(frozen=True)
class Walk:
    """Exit after exit: time-weighted return, deepest fall of the cumulated net, deepest fall of the return's index."""

    time_weighted: float | None
    fall: int
    fall_ratio: float | None


@dataclass(frozen=True)
class Day:
    """A day of the accounts together: net of its exits, money paid in and out, balance when it began."""

    on: date
    net: int
    flows: int
    balance_start: int
    exits: int

    @property
    def is_active(self) -> bool:
        """Whether it brought or cost something; a fee that the broker booked by itself is no exit."""
        return bool(self.exits or self.net)

    @property
    def capital(self) -> int:
        """What the day worked with."""
        return self.balance_start + self.flows


@dataclass(frozen=True)
class Ratios:
    """Risk by days. Each is None when there is too little to say."""

    days: int
    sharpe: float | None
    sortino: float | None
    calmar: float | None


def walk(movements: Iterable[tuple[bool, int]], opening: int = 0) -> Walk:
    """Follow (is money paid in or out, amount) in order, from an opening balance.

    An exit multiplies the index by 1 + net / balance just before; money paid in or out changes the balance alone. With
    a balance of nothing or less the chain ends: from there on no return is known, for the whole period.
    """
    balance, index, top, fall_ratio, known, exits = opening, 1.0, 1.0, 0.0, True, 0
    total = peak = fall = 0
    for is_flow, amount in movements:
        if not is_flow:
            exits += 1
            total += amount
            if total > peak:
                peak = total
            elif peak - total > fall:
                fall = peak - total
            if balance > 0 and known:
                index *= 1 + amount / balance
                if index > top:
                    top = index
                elif 1 - index / top > fall_ratio:
                    fall_ratio = 1 - index / top
            else:
                known = False
        balance += amount
    known = known and exits > 0
    return Walk(index - 1 if known else None, fall, fall_ratio if known else None)


def ratios(days: Sequence[Day], time_weighted: float | None, fall_ratio: float | None) -> Ratios:
    """Sharpe, Sortino (risk-free rate and target zero) and Calmar of a period's days in order.

    A day's return is its net over what the day worked with. From the first day with an exit to the last, Monday to
    Friday count, with zero where nothing was closed; a week-end counts when something was closed.
    """
    returns = daily_returns(days)
    if returns is None:
        return Ratios(0, None, None, None)
    traded = [day.on for day in days if day.is_active]
    span = (traded[-1] - traded[0]).days + 1 if traded else 0
    calmar = None
    if time_weighted is not None and time_weighted > -1 and fall_ratio and span >= FEWEST_DAYS_OF_A_YEAR:
        calmar = annual(time_weighted, span) / fall_ratio
    return Ratios(len(returns), sharpe(returns), sortino(returns), calmar)


def annual(total: float, days: int) -> float:
    """A return over so many days of the calendar, brought to a year of 365."""
    return float((1 + total) ** (365 / days)) - 1


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over sample deviation, times the root of 252. None below twenty days or without any deviation."""
    if len(returns) < FEWEST_DAYS:
        return None
    mean = fmean(returns)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in returns) / (len(returns) - 1))
    # Equal returns deviate by rounding alone.
    return mean / deviation * math.sqrt(YEAR) if deviation > 1e-12 * max(1.0, abs(mean)) else None


def sortino(returns: Sequence[float]) -> float | None:
    """Mean over downside deviation (all days in its denominator), times the root of 252. None without a losing day."""
    if len(returns) < FEWEST_DAYS:
        return None
    downside = math.sqrt(sum(min(value, 0.0) ** 2 for value in returns) / len(returns))
    return fmean(returns) / downside * math.sqrt(YEAR) if downside > 0 else None


def daily_returns(days: Sequence[Day]) -> list[float] | None:
    """Returns by day; None when on a day with an exit there was no capital to relate it to."""
    by_day = {day.on: day for day in days if day.is_active}
    if not by_day:
        return []
    if any(day.capital <= 0 for day in by_day.values()):
        return None
    first, last = min(by_day), max(by_day)
    calendar = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [
        by_day[day].net / by_day[day].capital if day in by_day else 0.0
        for day in calendar
        if day in by_day or day.weekday() < 5
    ]


def drawdown_curve(days: Sequence[Day]) -> list[tuple[date, float]]:
    """How far below its highest point the return's index stands at the end of each day with exits; never above 0."""
    index = top = 1.0
    points = []
    for day in days:
        if not day.is_active:
            continue
        if day.capital <= 0:
            return []
        index *= 1 + day.net / day.capital
        top = max(top, index)
        points.append((day.on, index / top - 1 if top > 0 else -1.0))
    return points
