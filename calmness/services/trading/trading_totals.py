"""A person's accounts of all currencies in one: results at the rate of each day, capital at the last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from calmness.extensions import db
from calmness.models.trading import TradingAccount, TradingStatistics
from calmness.services.trading import exchange_rates
from calmness.services.trading.exchange_rates import Total


@dataclass(frozen=True)
class Together:
    """Net result of a period and present equity, in one currency."""

    currency: str
    net: Total
    equity: Total

    @property
    def missing(self) -> list[str]:
        """Currencies with something left out, by name."""
        return sorted(set(self.net.missing) | set(self.equity.missing))


def together(
    accounts: Sequence[TradingAccount], currency: str, today: date, start: date | None = None, end: date | None = None
) -> Together:
    """Accounts together, between two days, both included."""
    by_id = {account.id: account.currency for account in accounts}
    conditions: list[Any] = [TradingStatistics.account_id.in_(by_id)]
    conditions += [TradingStatistics.day >= start] if start else []
    conditions += [TradingStatistics.day <= end] if end else []
    rows = db.session.execute(
        select(TradingStatistics.account_id, TradingStatistics.day, TradingStatistics.net).where(*conditions)
    )
    nets = [(by_id[account_id], day, net) for account_id, day, net in rows]
    equities = [(account.currency, today, account.equity_or_balance) for account in accounts]
    return Together(currency, exchange_rates.total(nets, currency), exchange_rates.total(equities, currency))
