"""How deep the equity fell on the EA's readings: of one account, or of the sum of several, money paid in left aside."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, Float, case, cast, func, literal, select, type_coerce

from calmness.extensions import db
from calmness.models.cash import IS_COST
from calmness.models.dialect import plain_rows, posix_seconds
from calmness.models.trading import AccountSnapshot, Trade, TradeStatus
from calmness.models.types import SCALE, UtcDateTime
from calmness.services.trading.trading_report import Scope

FLOWS_SEEN = 100
"""Deposits and withdrawals that the fall of one account's equity can leave out in a period."""
Worth = Callable[[int, int, date], int | None]
"""What an amount of an account (1e-8 units) is worth on a day; None without a rate."""


@dataclass(frozen=True)
class EquityFall:
    """Deepest fall in money, and in percent of what was there at the peak; ``since``: the first reading."""

    amount: Decimal
    ratio: float | None
    since: datetime
    readings: int


def of_scope(scope: Scope, worth: Worth | None = None) -> EquityFall | None:
    """The fall of the accounts together; None before the first reading of an EA. ``worth``: for several currencies."""
    if worth is None and len(scope.account_ids) == 1:
        return _of_one(scope, scope.account_ids[0])
    return _of_sum(scope, worth or (lambda _account_id, units, _day: units))


def _of_sum(scope: Scope, worth: Worth) -> EquityFall | None:
    """Each account stands at its last reading. What it has at its first one is money that was there, no gain; and what
    the rates of a new day change is none either.
    """
    flows = _flows(scope)
    equities: dict[int, int] = {}
    own = peak = deepest = readings = 0
    ratio: float | None = None
    since: datetime | None = None
    for seconds, group in groupby(_readings(scope), key=itemgetter(0)):
        moment = datetime.fromtimestamp(seconds, UTC)
        day = moment.date()
        for _seconds, account_id, equity in group:
            paid = 0
            while flows[account_id] and flows[account_id][0][0] <= seconds:
                paid += flows[account_id].popleft()[1]
            change = worth(account_id, equity - equities.get(account_id, equity - paid) - paid, day)
            if change is None:
                continue
            own += change
            equities[account_id] = equity
            readings += 1
            since = since or moment
        peak = max(peak, own)
        fall = peak - own
        deepest = max(deepest, fall)
        if equities and (fall or ratio is None):
            capital = fall + sum(worth(account_id, equity, day) or 0 for account_id, equity in equities.items())
            ratio = max(ratio or 0.0, fall / capital) if capital > 0 else ratio
    return EquityFall(Decimal(deepest) / SCALE, ratio, since, readings) if since else None


def _readings(scope: Scope) -> list[Any]:
    """(POSIX seconds, account, 1e-8 units of equity) in order."""
    seconds = posix_seconds(AccountSnapshot.taken_at)
    query: Any = (
        select(seconds, AccountSnapshot.account_id, type_coerce(AccountSnapshot.equity, BigInteger))
        .where(AccountSnapshot.account_id.in_(scope.account_ids), *scope.within(AccountSnapshot.taken_at))
        .order_by(AccountSnapshot.taken_at, AccountSnapshot.account_id)
    )
    return plain_rows(db.session(), query)


def _flows(scope: Scope) -> dict[int, deque[tuple[int, int]]]:
    """(POSIX seconds, amount) of money that came or went, credit included, by account and in order."""
    query: Any = (
        select(posix_seconds(Trade.closed_at), Trade.account_id, type_coerce(Trade.net, BigInteger))
        .where(
            Trade.account_id.in_(scope.account_ids),
            Trade.status == TradeStatus.CASH,
            ~IS_COST,
            *scope.within(Trade.closed_at),
        )
        .order_by(Trade.closed_at)
    )
    found: dict[int, deque[tuple[int, int]]] = defaultdict(deque)
    for seconds, account_id, amount in plain_rows(db.session(), query):
        found[account_id].append((seconds, amount))
    return found


def _of_one(scope: Scope, account_id: int) -> EquityFall | None:
    """One pass in the database: there is a reading a minute, half a million a year."""
    flows = _flows_until(scope, account_id)
    if flows is None:
        return None
    own = type_coerce(AccountSnapshot.equity, BigInteger) - flows
    readings = (
        select(
            own.label("own"),
            flows.label("flows"),
            func.max(own).over(order_by=AccountSnapshot.taken_at).label("peak"),
            AccountSnapshot.taken_at.label("taken_at"),
        )
        .where(AccountSnapshot.account_id == account_id, *scope.within(AccountSnapshot.taken_at))
        .subquery()
    )
    fall, capital = readings.c.peak - readings.c.own, readings.c.peak + readings.c.flows
    ratio = case((capital > 0, cast(fall, Float) / cast(capital, Float)))
    count, amount, deepest, since = db.session.execute(
        select(func.count(), func.max(fall), func.max(ratio), func.min(readings.c.taken_at, type_=UtcDateTime()))
    ).one()
    return EquityFall(Decimal(int(amount)) / SCALE, deepest, since, count) if count else None


def _flows_until(scope: Scope, account_id: int) -> Any:
    """SQL: what was paid in and out of an account since the period began, at each reading. None for too many."""
    rows = db.session.execute(
        select(Trade.closed_at, type_coerce(Trade.net, BigInteger))
        .where(
            Trade.account_id == account_id,
            Trade.status == TradeStatus.CASH,
            ~IS_COST,
            *scope.within(Trade.closed_at),
        )
        .order_by(Trade.closed_at)
        .limit(FLOWS_SEEN + 1)
    ).all()
    if len(rows) > FLOWS_SEEN:
        return None
    total, steps = sum(amount for _at, amount in rows), []
    # From the last one back: the first condition that holds wins.
    for closed_at, amount in reversed(rows):
        steps.append((AccountSnapshot.taken_at >= closed_at, literal(total, BigInteger)))
        total -= amount
    return case(*steps, else_=literal(0, BigInteger)) if steps else literal(0, BigInteger)
