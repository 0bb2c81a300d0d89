"""What an account really did: figures by day, recomputed from where they changed; periods are sums of days.

Net = profit + swap + commission + taxes, exact. Only closed buys and sells count; deposits never do. A trade is a
position, however many exits it took, and belongs to the day of its last exit in the owner's zone; money belongs to the
day of each exit. Definitions stand in docs/statistics.md and on the page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam, func, select, type_coerce

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.positions import IS_RESULT, TradingPosition
from calmness.models.trading import Trade, TradingAccount, TradingStatistics
from calmness.models.types import SCALE
from calmness.services import live
from calmness.services.trading import opening_balances, sync, trade_positions, trading_days
from calmness.services.trading.trade_positions import Span
from calmness.services.trading.trading_breakdowns import streaks_of

ZERO = Decimal(0)
_DIRTY = (
    select(TradingAccount, User.time_zone)
    .join(User, User.id == TradingAccount.user_id)
    .where(TradingAccount.id == bindparam("account"), TradingAccount.dirty_from_at.is_not(None))
    .with_for_update(of=TradingAccount)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True)
class Figures:
    """Results of a period. None where there is nothing to divide. ``net`` is of all exits, also of a position that is
    not over; all other figures are of positions.
    """

    exits: int
    trades: int
    wins: int
    losses: int
    breakeven: int
    net: Decimal
    gross_profit: Decimal
    gross_loss: Decimal
    best: Decimal | None
    worst: Decimal | None
    holding_seconds: int

    @property
    def win_rate(self) -> Decimal | None:
        """Wins among all trades, zeros included in the denominator."""
        return Decimal(self.wins) / self.trades if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Sum of wins over sum of losses; None without a loss."""
        return self.gross_profit / -self.gross_loss if self.gross_loss else None

    @property
    def expectancy(self) -> Decimal | None:
        """Mean net of a trade."""
        return (self.gross_profit + self.gross_loss) / self.trades if self.trades else None

    @property
    def win_rate_without_zeros(self) -> Decimal | None:
        """Wins among the trades that won or lost."""
        decided = self.wins + self.losses
        return Decimal(self.wins) / decided if decided else None

    @property
    def mean_win(self) -> Decimal | None:
        """Mean net of a winning trade."""
        return self.gross_profit / self.wins if self.wins else None

    @property
    def mean_loss(self) -> Decimal | None:
        """Mean net of a losing trade, below zero."""
        return self.gross_loss / self.losses if self.losses else None

    @property
    def payoff(self) -> Decimal | None:
        """Mean win over mean loss; None when either side is empty."""
        if not self.wins or not self.losses:
            return None
        return (self.gross_profit / self.wins) / (-self.gross_loss / self.losses)

    @property
    def mean_holding(self) -> int | None:
        """Mean time a trade is held, in seconds."""
        return self.holding_seconds // self.trades if self.trades else None


@dataclass(frozen=True)
class Course:
    """What depends on the order of the trades: by time of closing, then by ticket."""

    max_drawdown: Decimal
    winning_streak: int
    losing_streak: int


def recompute(account_id: int) -> bool:
    """Compute the days from the earliest change on. False when nothing had changed."""
    found = db.session.execute(_DIRTY, {"account": account_id}).one_or_none()
    if found is None:
        return False
    account, zone = found.TradingAccount, ZoneInfo(found.time_zone or "Europe/Paris")
    span = trading_days.whole_days(Span(account.dirty_from_at, _just_after(account.dirty_until_at)), zone)
    trading_days.count(account_id, trading_days.whole_days(trade_positions.refresh(account_id, span), zone), zone)
    opening_balances.refresh(account)
    account.dirty_from_at = account.dirty_until_at = None
    account.computed_at = clock.now()
    live.emit_after_commit("account:updated", {"account_id": account_id}, room=f"user:{account.user_id}")
    db.session.flush()
    return True


def rebuild(account_id: int) -> None:
    """Compute all days again, from nothing."""
    trade_positions.forget(account_id)
    account = db.session.get_one(TradingAccount, account_id)
    account.dirty_from_at = db.session.scalar(select(func.min(Trade.closed_at)).where(Trade.account_id == account_id))
    account.dirty_until_at = None
    db.session.flush()
    recompute(account_id)


def move_days(user_id: int) -> None:
    """Compute all days of a person again: the time zone has changed."""
    for account in db.session.scalars(
        select(TradingAccount).where(TradingAccount.user_id == user_id).with_for_update()
    ):
        first = db.session.scalar(select(func.min(Trade.closed_at)).where(Trade.account_id == account.id))
        if first is not None:
            # Its day in the zone of before may have been an earlier one.
            sync.mark_dirty(account, first - timedelta(days=2), None)


def figures(account_ids: Sequence[int], start: date | None = None, end: date | None = None) -> Figures:
    """Figures of accounts of one currency between two days, both included."""
    days = day_rows(account_ids, start, end)
    bests = [row.best for row in days if row.best is not None]
    worsts = [row.worst for row in days if row.worst is not None]
    return Figures(
        exits=sum(row.exits for row in days),
        trades=sum(row.trades for row in days),
        wins=sum(row.wins for row in days),
        losses=sum(row.losses for row in days),
        breakeven=sum(row.breakeven for row in days),
        net=sum((row.net for row in days), ZERO),
        gross_profit=sum((row.gross_profit for row in days), ZERO),
        gross_loss=sum((row.gross_loss for row in days), ZERO),
        best=max(bests, default=None),
        worst=min(worsts, default=None),
        holding_seconds=sum(row.holding_seconds for row in days),
    )


def course(account_ids: Sequence[int], since: datetime | None = None) -> Course:
    """Deepest fall of the cumulated net from its highest point (zero at first), exit after exit; longest runs of wins
    and of losses, position after position.

    Deposits are not in it. A trade of zero ends a run.
    """
    exits = (
        select(type_coerce(Trade.net, BigInteger))
        .where(*_counted(account_ids, since))
        .order_by(Trade.closed_at, Trade.ticket)
    )
    positions = (
        select(type_coerce(TradingPosition.net, BigInteger))
        .where(*_over(account_ids, since))
        .order_by(TradingPosition.closed_at, TradingPosition.ticket)
    )
    return Course(fall_of(db.session.scalars(exits)), *streaks_of(db.session.scalars(positions)))


def fall_of(results: Iterable[int]) -> Decimal:
    """Deepest fall of results in 1e-8 units, in order, from the highest point before it."""
    total = peak = deepest = 0
    for net in results:
        total += net
        peak = max(peak, total)
        deepest = max(deepest, peak - total)
    return Decimal(deepest) / SCALE


def day_rows(account_ids: Sequence[int], start: date | None = None, end: date | None = None) -> list[TradingStatistics]:
    """Day rows in order."""
    query = select(TradingStatistics).where(TradingStatistics.account_id.in_(account_ids))
    if start:
        query = query.where(TradingStatistics.day >= start)
    if end:
        query = query.where(TradingStatistics.day <= end)
    # Days are written without objects: what the session knows of them may be older.
    query = query.order_by(TradingStatistics.day, TradingStatistics.account_id)
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))


def balance_curve(account_ids: Sequence[int], start: date | None = None) -> list[tuple[date, Decimal]]:
    """End-of-day balance of all accounts together; deposits are part of a balance, never of a result."""
    known: dict[int, Decimal] = {}
    points: dict[date, Decimal] = {}
    for row in day_rows(account_ids):
        known[row.account_id] = row.balance_end
        points[row.day] = sum(known.values(), ZERO)
    return [(day, value) for day, value in points.items() if start is None or day >= start]


def _just_after(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment + timedelta(seconds=1)


def _counted(account_ids: Sequence[int], since: datetime | None) -> list[Any]:
    conditions = [Trade.account_id.in_(account_ids), IS_RESULT]
    return [*conditions, Trade.closed_at >= since] if since else conditions


def _over(account_ids: Sequence[int], since: datetime | None) -> list[Any]:
    conditions = [TradingPosition.account_id.in_(account_ids)]
    return [*conditions, TradingPosition.closed_at >= since] if since else conditions
