"""Stretches of time beside each other: a month with the year that it ends, two periods to compare."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from calmness.blueprints.trading.scope import Chosen
from calmness.services.trading import converted_report, trading_report
from calmness.services.trading.trading_report import Report, Scope

MONTHS = 12
UNBOUNDED = timedelta(days=365)
"""What is compared where a period has no beginning."""


@dataclass(frozen=True)
class Month:
    """Results of a month, day by day: (net, trades); and the nets of the twelve months that end with it."""

    first: date
    days: dict[date, tuple[Decimal, int]]
    months: dict[date, Decimal]

    @property
    def net(self) -> Decimal:
        """Result of the month."""
        return sum((net for net, _trades in self.days.values()), Decimal(0))


def month_of(chosen: Chosen, wanted: date | None) -> Month:
    """The month of a day, at the latest the one that goes on."""
    month = min((wanted or chosen.today).replace(day=1), chosen.today.replace(day=1))
    scope = Scope(
        chosen.scope.account_ids, chosen.scope.zone, later(month, 1 - MONTHS), later(month, 1) - timedelta(days=1)
    )
    to = replace(chosen, scope=scope).converter() if chosen.is_together else None
    days = converted_report.results_by_day(to) if to else trading_report.results_by_day(scope)
    shown = {day: result for day, result in days.items() if (day.year, day.month) == (month.year, month.month)}
    months: dict[date, Decimal] = {later(month, -back): Decimal(0) for back in range(MONTHS)}
    for day, (net, _trades) in days.items():
        months[day.replace(day=1)] += net
    return Month(month, shown, months)


def beside(chosen: Chosen, start: date | None, end: date | None) -> list[Scope]:
    """The chosen period, and another one: by default as long, and ending just before it."""
    first = chosen.scope
    own_start, own_end = first.start or chosen.today - UNBOUNDED, first.end or chosen.today
    other_end = end or own_start - timedelta(days=1)
    other_start = start or other_end - (own_end - own_start)
    other_start, other_end = sorted((other_start, other_end))
    return [
        Scope(first.account_ids, first.zone, own_start, own_end),
        Scope(first.account_ids, first.zone, other_start, other_end),
    ]


def report_of(chosen: Chosen, scope: Scope) -> Report:
    """A report of other days than the chosen ones."""
    if not chosen.is_together:
        return trading_report.report(scope)
    return converted_report.report(replace(chosen, scope=scope).converter())


def later(month: date, months: int) -> date:
    """The first day of a month so many months later."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
