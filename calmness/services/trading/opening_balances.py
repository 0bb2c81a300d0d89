"""What an account held before the first row that is known of it, where no deposit says so.

An EA of version 1.00 sends the last hundred rows, a terminal may show one month. The broker's balance less all that is
known to have moved it is then what was there before. A history that begins with money paid in needs no such guess, and
a difference below zero is none: something is missing, and no return is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, select, type_coerce, update

from calmness.extensions import db
from calmness.models.cash import IS_OWN_MONEY, MOVES_BALANCE
from calmness.models.trading import (
    Platform,
    Trade,
    TradeSource,
    TradeStatus,
    TradingAccount,
    TradingStatistics,
)
from calmness.models.types import SCALE
from calmness.services.trading import trading_days

_TRADES: Any = Trade.__table__.c
_OWN = _TRADES.account_id == bindparam("account")
# Each statement is built once: this is done after each trade.
_FIRST = (
    select(_TRADES.closed_at, _TRADES.net, IS_OWN_MONEY.label("is_own_money"))
    .where(_OWN, _TRADES.closed_at.is_not(None), MOVES_BALANCE)
    .order_by(_TRADES.closed_at, _TRADES.ticket)
    .limit(1)
)
_YOUNGER = select(func.sum(_TRADES.net)).where(
    _OWN, _TRADES.source == TradeSource.IMPORT, _TRADES.closed_at > bindparam("since"), MOVES_BALANCE
)
_ENTRY_COSTS = select(func.sum(_TRADES.commission), func.sum(_TRADES.taxes)).where(
    _OWN, _TRADES.status == TradeStatus.OPEN
)
LEGACY = "1."
"""EA 1.00 never says that it has sent all; it begins with the newest rows."""
ROUNDING = Decimal(1)
"""A difference of less than one unit of the currency comes from amounts that were sent with two decimals."""


class Start(NamedTuple):
    """Where the known history of an account begins, and what it held then, in 1e-8 units."""

    account_id: int
    at: datetime
    day: date
    units: int


@dataclass(frozen=True)
class Told:
    """The base of an account's return, as its page tells it."""

    account: TradingAccount
    since: datetime
    amount: Decimal

    @property
    def known(self) -> Decimal:
        """What the rows that are known made of it."""
        return (self.account.balance or Decimal(0)) - self.amount


def refresh(account: TradingAccount) -> None:
    """Find the opening balance again once the days are counted; all days' balances move with it.

    The caller holds the account's lock: balance and rows are of the same message.
    """
    before = account.opening_balance
    if not account.history_complete and not (account.ea_version or "").startswith(LEGACY):
        # The EA is still sending, oldest rows first: what lies ahead would be taken for what was before.
        return
    found = _found(account)
    if found == before:
        return
    account.opening_balance = found
    balance_end = type_coerce(TradingStatistics.balance_end, BigInteger)
    db.session.execute(
        update(TradingStatistics)
        .where(TradingStatistics.account_id == account.id)
        .values(balance_end=type_coerce(balance_end + int((found - before) * SCALE), BigInteger)),
        execution_options={"synchronize_session": False},
    )


def starts(account_ids: Sequence[int], since: date | None, until: date | None) -> list[Start]:
    """Accounts whose known history begins between two days with a balance of before."""
    query: Any = (
        select(
            TradingAccount.id,
            type_coerce(TradingAccount.opening_balance, BigInteger),
            select(func.min(TradingStatistics.day))
            .where(TradingStatistics.account_id == TradingAccount.id)
            .scalar_subquery(),
        )
        .where(TradingAccount.id.in_(account_ids), TradingAccount.opening_balance != 0)
        .order_by(TradingAccount.id)
    )
    found = []
    for account_id, units, day in db.session.execute(query):
        is_within = day is not None and (since is None or day >= since) and (until is None or day <= until)
        first = _first(account_id) if is_within else None
        if first is not None:
            found.append(Start(account_id, first.closed_at, day, units))
    return found


def begun(
    movements: Iterable[tuple[bool, int]], found: Sequence[Start], account_ids: Sequence[int], within: Sequence[Any]
) -> list[tuple[bool, int]]:
    """Movements in order, with what each account held just before its own first one. ``within``: as for movements."""
    result = list(movements)
    for start in sorted(found, key=lambda start: start.at, reverse=True):
        place = 0
        if len(account_ids) > 1:
            counted = select(func.count()).where(Trade.account_id.in_(account_ids), MOVES_BALANCE, *within)
            place = db.session.scalar(counted.where(Trade.closed_at < start.at)) or 0
        result.insert(place, (True, start.units))
    return result


def told(accounts: Sequence[TradingAccount]) -> list[Told]:
    """Accounts whose return rests on a balance that no row of the history says."""
    found = []
    for account in accounts:
        first = _first(account.id) if account.opening_balance else None
        if first is not None:
            found.append(Told(account, first.closed_at, account.opening_balance))
    return found


def _found(account: TradingAccount) -> Decimal:
    first = _first(account.id)
    if account.balance is None or first is None:
        return Decimal(0)
    is_paid_in = bool(first.is_own_money) and first.net > 0
    difference = account.balance - _moved(account)
    return difference if difference >= ROUNDING and not is_paid_in else Decimal(0)


def _first(account_id: int) -> Any:
    """(closed_at, net, is_own_money) of the first row that moved an account's balance."""
    return db.session.connection().execute(_FIRST, {"account": account_id}).first()


def _moved(account: TradingAccount) -> Decimal:
    """All that is known to have moved the balance, up to the moment at which the broker told it."""
    connection, asked = db.session.connection(), {"account": account.id}
    moved = Decimal(trading_days.balance_before(account.id, date.max)) / SCALE - account.opening_balance
    # A statement may be younger than the last contact of the EA.
    moved -= connection.scalar(_YOUNGER, asked | {"since": account.last_sync_at}) or Decimal(0)
    if account.platform is Platform.MT5:
        # There the costs of an entry are taken at once, while the position is still open.
        moved += sum((part or Decimal(0) for part in connection.execute(_ENTRY_COSTS, asked).one()), Decimal(0))
    return moved
