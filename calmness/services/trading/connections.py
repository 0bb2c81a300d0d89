"""Is an account connected? What its page says: state, holes in the contact, what came in and what did not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.trading import AccountSnapshot, Trade, TradeSource, TradeStatus, TradingAccount
from calmness.models.types import UtcDateTime
from calmness.services.trading import broker_clocks, sync
from calmness.services.trading.message_values import offset_at

GAP = timedelta(minutes=30)
LOOKED_BACK = timedelta(days=14)
GAPS_SHOWN = 5


class Contact(StrEnum):
    """What is known of the EA."""

    AWAITED = "awaited"
    CONNECTED = "connected"
    SILENT = "silent"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class Numbers:
    """Rows of an account by what became of them: what was received is the sum of the three others."""

    received: int
    closed: int
    open: int
    skipped: int
    failed: int


@dataclass(frozen=True)
class Gap:
    """A time without contact."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end - self.start).total_seconds()


def contact(account: TradingAccount) -> Contact:
    """Whether the EA speaks now. A week-end is no silence: the EA goes on by its timer."""
    if account.archived_at is not None:
        return Contact.ARCHIVED
    if account.last_sync_at is None:
        return Contact.AWAITED
    return Contact.CONNECTED if clock.now() - account.last_sync_at < sync.SILENT_AFTER else Contact.SILENT


def numbers(account: TradingAccount) -> Numbers:
    """What was received, counted for results, left out of them (cash, pending, cancelled, doubtful), and refused."""
    rows = db.session.execute(
        select(Trade.status, Trade.suspect, func.count())
        .where(Trade.account_id == account.id)
        .group_by(Trade.status, Trade.suspect)
    ).all()
    total = sum(count for _status, _suspect, count in rows)
    closed, is_open = (
        sum(count for status, suspect, count in rows if status is wanted and not suspect)
        for wanted in (TradeStatus.CLOSED, TradeStatus.OPEN)
    )
    failed = len(account.refusals)
    return Numbers(total + failed, closed, is_open, total - closed - is_open, failed)


def gaps(account: TradingAccount) -> list[Gap]:
    """The last times without contact, newest first; the one that lasts is not among them."""
    since = clock.now() - LOOKED_BACK
    before: Any = func.lag(AccountSnapshot.taken_at, type_=UtcDateTime()).over(order_by=AccountSnapshot.taken_at)
    moments = (
        select(AccountSnapshot.taken_at.label("taken_at"), before.label("before"))
        .where(AccountSnapshot.account_id == account.id, AccountSnapshot.taken_at >= since)
        .order_by(AccountSnapshot.taken_at)
    )
    found = [
        Gap(earlier, taken_at)
        for taken_at, earlier in db.session.execute(moments)
        if earlier is not None and taken_at - earlier > GAP
    ]
    return found[::-1][:GAPS_SHOWN]


def history_start(account: TradingAccount) -> datetime | None:
    """Since when the terminal shows its history, as the EA saw it last."""
    oldest = account.history_oldest
    if oldest is None:
        return None
    return datetime.fromtimestamp(oldest - offset_at(oldest, broker_clocks.of_account(account)), UTC)


def is_history_cut(account: TradingAccount) -> bool:
    """Whether the terminal shows less than what came before: its history tab was set to a shorter period."""
    start = history_start(account)
    if start is None:
        return False
    earliest = db.session.scalar(
        select(func.min(Trade.closed_at)).where(Trade.account_id == account.id, Trade.source == TradeSource.EA)
    )
    return earliest is not None and start - earliest > timedelta(days=1)


def is_outdated(account: TradingAccount) -> bool:
    """Whether its EA is older than the one to download."""
    return bool(account.ea_version) and is_older(account.ea_version or "")


def is_older(version: str) -> bool:
    """Whether a version of the EA comes before the one to download."""
    return _parts(version) < _parts(sync.LATEST_VERSION)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:3])
