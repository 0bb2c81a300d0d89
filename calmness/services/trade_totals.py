"""Totals of a whole filter: exact, and counted once for as long as nothing changes.

Each account carries a stamp that is another one after each change of its rows or notes. Totals are kept in this process
by filter and stamps, so turning pages never counts a million rows again, and no total is ever older than the rows.
"""

import secrets
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal

from flask import current_app
from sqlalchemy import ColumnElement, and_, bindparam, func, select, update

from calmness.extensions import db
from calmness.models.trading import Trade, TradeStatus, TradingAccount

KEPT = 512
_ACCOUNTS = TradingAccount.__table__.c
_TOUCH = (
    update(TradingAccount.__table__)  # type: ignore[arg-type]
    .where(_ACCOUNTS.id == bindparam("account"))
    .values(history_stamp=bindparam("stamp"))
)
ZERO = Decimal(0)


@dataclass(frozen=True)
class Totals:
    """Totals in one currency. Deposits stand apart; a position still open is no result yet."""

    currency: str
    net: Decimal
    cash: Decimal
    wins: int
    closed: int
    rows: int

    @property
    def win_rate(self) -> Decimal | None:
        """Wins among the closed trades; None without one."""
        return Decimal(self.wins) / self.closed if self.closed else None


def new_stamp() -> str:
    """What ``history_stamp`` of an account becomes when its rows or notes changed."""
    return secrets.token_hex(8)


def touch(account_id: int) -> None:
    """Say that rows or notes of an account changed. Who has the account itself sets ``new_stamp`` instead."""
    db.session.execute(_TOUCH, {"account": account_id, "stamp": new_stamp()})


def of_filter(account_ids: list[int], conditions: list[ColumnElement[bool]], name: Hashable) -> list[Totals]:
    """Totals by currency, the one with most rows first. ``name`` stands for the conditions in what is kept."""
    accounts = db.session.execute(
        select(TradingAccount.id, TradingAccount.currency, TradingAccount.history_stamp)
        .where(TradingAccount.id.in_(account_ids))
        .order_by(TradingAccount.id)
    ).all()
    kept: OrderedDict[Hashable, list[Totals]] = current_app.extensions.setdefault("trade_totals", OrderedDict())
    key = (tuple((account_id, stamp) for account_id, _currency, stamp in accounts), name)
    # An account without a stamp has never changed since stamps came: nothing can be kept for it.
    is_sure = all(stamp for _id, _currency, stamp in accounts)
    if is_sure and key in kept:
        kept.move_to_end(key)
        return kept[key]
    totals = _counted({account_id: currency for account_id, currency, _stamp in accounts}, conditions)
    if is_sure:
        kept[key] = totals
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return totals


def _counted(currencies: dict[int, str], conditions: list[ColumnElement[bool]]) -> list[Totals]:
    is_result = and_(Trade.status == TradeStatus.CLOSED, Trade.suspect.is_(False))
    by_currency: dict[str, Totals] = {}
    for account_id, currency in currencies.items():
        net, cash, wins, closed, rows = db.session.execute(
            select(
                func.sum(Trade.net).filter(is_result),
                func.sum(Trade.net).filter(Trade.status == TradeStatus.CASH),
                func.count().filter(is_result, Trade.net > 0),
                func.count().filter(is_result),
                func.count(),
            ).where(Trade.account_id == account_id, *conditions)
        ).one()
        if rows:
            old = by_currency.get(currency, Totals(currency, ZERO, ZERO, 0, 0, 0))
            by_currency[currency] = Totals(
                currency,
                old.net + (net or ZERO),
                old.cash + (cash or ZERO),
                old.wins + wins,
                old.closed + closed,
                old.rows + rows,
            )
    return sorted(by_currency.values(), key=lambda totals: (-totals.rows, totals.currency))
