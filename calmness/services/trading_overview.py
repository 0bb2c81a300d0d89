"""Figures of a person's accounts for the dashboard. Accounts of several currencies are never added up."""

import calendar
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from calmness import clock
from calmness.models.account import User
from calmness.models.trading import TradingAccount, TradingStatistics
from calmness.services import trading_accounts, trading_statistics
from calmness.services.trading_statistics import Figures


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
    """Cells of the month's calendar: (day, shown result, tone, explanation). ``figure`` writes a result short,
    ``exact`` in full.
    """
    cells = []
    for week in calendar.Calendar().monthdatescalendar(view.today.year, view.today.month):
        for day in week:
            row = view.days.get(day)
            if day.month != view.today.month:
                cells.append(("", "", "out", ""))
            elif row is None or not row.trades:
                cells.append((str(day.day), "", "none", ""))
            else:
                shown = figure(row.net)
                cells.append(
                    (
                        str(day.day),
                        shown,
                        "gain" if row.net > 0 else "loss" if row.net < 0 else "none",
                        f"{day.day}\u00a0: {exact(row.net)}, {row.trades} trades",
                    )
                )
    return cells
