"""What an account really did: figures by day, recomputed from where they changed; periods are sums of days.

Net of a trade = profit + swap + commission + taxes, exact. Only closed buys and sells count; deposits never do. A day
is the day of closing in the owner's zone. Definitions stand in docs/statistics.md and on the page.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, delete, func, insert, select, type_coerce

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingAccount, TradingStatistics
from calmness.models.types import SCALE
from calmness.services import live

ZERO = Decimal(0)


@dataclass(frozen=True)
class Figures:
    """Results of a period. None where there is nothing to divide."""

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
        return self.net / self.trades if self.trades else None

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
    account = db.session.scalars(
        select(TradingAccount)
        .where(TradingAccount.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if account is None:
        return False
    since = account.dirty_from_at
    if since is None:
        return False
    zone = ZoneInfo(db.session.scalar(select(User.time_zone).where(User.id == account.user_id)) or "Europe/Paris")
    first_day = since.astimezone(zone).date()
    start = datetime.combine(first_day, datetime.min.time(), tzinfo=zone)
    balance = _balance_before(account_id, first_day)
    db.session.execute(
        delete(TradingStatistics).where(TradingStatistics.account_id == account_id, TradingStatistics.day >= first_day)
    )
    rows = _day_rows(account_id, start, zone, balance)
    if rows:
        db.session.execute(insert(TradingStatistics), rows)
    account.dirty_from_at = None
    account.computed_at = clock.now()
    live.emit_after_commit("account:updated", {"account_id": account_id}, room=f"user:{account.user_id}")
    db.session.flush()
    return True


def rebuild(account_id: int) -> None:
    """Compute all days again."""
    account = db.session.get_one(TradingAccount, account_id)
    account.dirty_from_at = db.session.scalar(select(func.min(Trade.closed_at)).where(Trade.account_id == account_id))
    db.session.flush()
    recompute(account_id)


def figures(account_ids: Sequence[int], start: date | None = None, end: date | None = None) -> Figures:
    """Figures of accounts of one currency between two days, both included."""
    days = day_rows(account_ids, start, end)
    bests = [row.best for row in days if row.best is not None]
    worsts = [row.worst for row in days if row.worst is not None]
    return Figures(
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
    """Deepest fall of the cumulated net from its highest point (zero at first), longest runs of wins and of losses.

    Deposits are not in it. A trade of zero ends a run.
    """
    query = (
        select(type_coerce(Trade.net, BigInteger))
        .where(*_counted(account_ids, since))
        .order_by(Trade.closed_at, Trade.ticket)
    )
    return course_of(db.session.scalars(query))


def course_of(results: Iterable[int]) -> Course:
    """The course of results in 1e-8 units, in order."""
    total = peak = deepest = run = wins = losses = 0
    for net in results:
        total += net
        peak = max(peak, total)
        deepest = max(deepest, peak - total)
        sign = (net > 0) - (net < 0)
        run = run + sign if run * sign > 0 else sign
        wins, losses = max(wins, run), max(losses, -run)
    return Course(Decimal(deepest) / SCALE, wins, losses)


def day_rows(account_ids: Sequence[int], start: date | None = None, end: date | None = None) -> list[TradingStatistics]:
    """Day rows in order."""
    query = select(TradingStatistics).where(TradingStatistics.account_id.in_(account_ids))
    if start:
        query = query.where(TradingStatistics.day >= start)
    if end:
        query = query.where(TradingStatistics.day <= end)
    return list(db.session.scalars(query.order_by(TradingStatistics.day, TradingStatistics.account_id)))


def by_symbol(account_ids: Sequence[int], since: datetime | None = None) -> list[tuple[str, int, int, Decimal]]:
    """(symbol, trades, wins, net), most traded first."""
    query = (
        select(Trade.symbol, func.count(), func.count().filter(Trade.net > 0), func.sum(Trade.net))
        .where(*_counted(account_ids, since))
        .group_by(Trade.symbol)
        .order_by(func.count().desc(), Trade.symbol)
        .limit(12)
    )
    return [(symbol, count, wins, net) for symbol, count, wins, net in db.session.execute(query)]


def by_weekday(account_ids: Sequence[int], start: date | None = None) -> list[tuple[int, int, Decimal]]:
    """(weekday from Monday = 0, trades, net) by day of closing."""
    totals: dict[int, list[Any]] = defaultdict(lambda: [0, ZERO])
    for row in day_rows(account_ids, start):
        totals[row.day.weekday()][0] += row.trades
        totals[row.day.weekday()][1] += row.net
    return [(weekday, totals[weekday][0], totals[weekday][1]) for weekday in sorted(totals)]


def balance_curve(account_ids: Sequence[int], start: date | None = None) -> list[tuple[date, Decimal]]:
    """End-of-day balance of all accounts together; deposits are part of a balance, never of a result."""
    known: dict[int, Decimal] = {}
    points: dict[date, Decimal] = {}
    for row in day_rows(account_ids):
        known[row.account_id] = row.balance_end
        points[row.day] = sum(known.values(), ZERO)
    return [(day, value) for day, value in points.items() if start is None or day >= start]


def _counted(account_ids: Sequence[int], since: datetime | None) -> list[Any]:
    conditions = [
        Trade.account_id.in_(account_ids),
        Trade.status == TradeStatus.CLOSED,
        Trade.kind.in_((TradeKind.BUY, TradeKind.SELL)),
        Trade.suspect.is_(False),
    ]
    return [*conditions, Trade.closed_at >= since] if since else conditions


def _balance_before(account_id: int, day: date) -> Decimal:
    return (
        db.session.scalar(
            select(TradingStatistics.balance_end)
            .where(TradingStatistics.account_id == account_id, TradingStatistics.day < day)
            .order_by(TradingStatistics.day.desc())
            .limit(1)
        )
        or ZERO
    )


def _day_rows(account_id: int, start: datetime, zone: ZoneInfo, balance: Decimal) -> list[dict[str, Any]]:
    query = (
        select(
            Trade.closed_at,
            Trade.opened_at,
            Trade.kind,
            Trade.net,
            Trade.swap,
            Trade.commission,
            Trade.volume,
            Trade.suspect,
        )
        .where(
            Trade.account_id == account_id,
            Trade.status.in_((TradeStatus.CLOSED, TradeStatus.CASH)),
            Trade.closed_at >= start,
        )
        .order_by(Trade.closed_at, Trade.ticket)
    )
    days: dict[date, dict[str, Any]] = {}
    for closed_at, opened_at, kind, net, swap, commission, volume, suspect in db.session.execute(query):
        if closed_at is None:
            continue
        day = closed_at.astimezone(zone).date()
        row = days.setdefault(day, _empty(account_id, day))
        balance += net
        row["balance_end"] = balance
        if kind not in (TradeKind.BUY, TradeKind.SELL):
            row["deposits" if net > 0 else "withdrawals"] += net
            continue
        if suspect:
            continue
        _count(row, net, swap, commission, volume, (closed_at - opened_at) // timedelta(seconds=1))
    return list(days.values())


def _count(row: dict[str, Any], net: Decimal, swap: Decimal, commission: Decimal, volume: Decimal, held: int) -> None:
    row["trades"] += 1
    row["net"] += net
    row["swap"] += swap
    row["commission"] += commission
    row["volume"] += volume
    row["holding_seconds"] += max(held, 0)
    row["best"] = net if row["best"] is None else max(row["best"], net)
    row["worst"] = net if row["worst"] is None else min(row["worst"], net)
    if net > 0:
        row["wins"] += 1
        row["gross_profit"] += net
    elif net < 0:
        row["losses"] += 1
        row["gross_loss"] += net
    else:
        row["breakeven"] += 1


def _empty(account_id: int, day: date) -> dict[str, Any]:
    counters = dict.fromkeys(("trades", "wins", "losses", "breakeven", "holding_seconds"), 0)
    sums = dict.fromkeys(
        ("net", "gross_profit", "gross_loss", "swap", "commission", "volume", "deposits", "withdrawals"), ZERO
    )
    return {"account_id": account_id, "day": day, "best": None, "worst": None, "balance_end": ZERO} | counters | sums
