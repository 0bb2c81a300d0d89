"""Figures of a person's accounts for the dashboard. Accounts of several currencies are never added up."""

import calendar
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from calmness import clock
from calmness.models.account import User
from calmness.models.trading import TradingAccount, TradingStatistics
from calmness.services.trading import trading_accounts, trading_statistics
from calmness.services.trading.trading_statistics import Figures


@dataclass(frozen=True)
class Overview:
    """What the dashboard shows."""

    accounts: list[TradingAccount]
    currency: str
    currencies: list[str]
    month: Figures
    all_time: Figures
    curve: list[tuple[date, Decimal]]
    days: dict[date, TradingStatistics]
    today: date

    @property
    def balance(self) -> Decimal:
        """Balances of the accounts in the main currency."""
        return sum((account.balance or Decimal(0) for account in self.accounts), Decimal(0))

    @property
    def equity(self) -> Decimal:
        """Equities of the accounts in the main currency."""
        return sum((account.equity_or_balance for account in self.accounts), Decimal(0))


def overview(user: User, days: int = 365, currency: str = "") -> Overview | None:
    """Figures of the accounts in one currency, by default the one that most have; None without an account."""
    accounts = trading_accounts.of_user(user.id)
    if not accounts:
        return None
    counted = Counter(account.currency for account in accounts).most_common()
    currencies = [name for name, _count in counted]
    currency = currency if currency in currencies else currencies[0]
    chosen = [account for account in accounts if account.currency == currency]
    ids = [account.id for account in chosen]
    today = clock.now().astimezone(ZoneInfo(user.time_zone)).date()
    first = today.replace(day=1)
    rows = trading_statistics.day_rows(ids, first)
    merged: dict[date, TradingStatistics] = {}
    for row in rows:
        if row.day in merged:
            merged[row.day].net += row.net
            merged[row.day].trades += row.trades
        else:
            merged[row.day] = TradingStatistics(day=row.day, net=row.net, trades=row.trades)
    return Overview(
        accounts=chosen,
        currency=currency,
        currencies=currencies,
        month=trading_statistics.figures(ids, first),
        all_time=trading_statistics.figures(ids),
        curve=trading_statistics.balance_curve(ids, today - timedelta(days=days)),
        days=merged,
        today=today,
    )


def month_cells(
    view: Overview, figure: Callable[[Decimal], str], exact: Callable[[Decimal], str]
) -> list[tuple[str, str, str, str]]:
    """Cells of the present month's calendar, see ``calendar_cells``."""
    results = {day: (row.net, row.trades) for day, row in view.days.items()}
    return calendar_cells(view.today.year, view.today.month, results, figure, exact)


def calendar_cells(
    year: int,
    month: int,
    results: Mapping[date, tuple[Decimal, int]],
    figure: Callable[[Decimal], str],
    exact: Callable[[Decimal], str],
) -> list[tuple[str, str, str, str]]:
    """Cells of a month's calendar: (day, shown result, tone, explanation), from each day's net and number of trades.

    ``figure`` writes a result short, ``exact`` in full. A day with money and without a trade is one on which a part of
    a position was closed.
    """
    cells = []
    for week in calendar.Calendar().monthdatescalendar(year, month):
        for day in week:
            net, trades = results.get(day, (Decimal(0), 0))
            if day.month != month:
                cells.append(("", "", "out", ""))
            elif not trades and not net:
                cells.append((str(day.day), "", "none", ""))
            else:
                tone = "gain" if net > 0 else "loss" if net < 0 else "none"
                cells.append((str(day.day), figure(net), tone, f"{day.day}\u00a0: {exact(net)}, {trades} trades"))
    return cells
