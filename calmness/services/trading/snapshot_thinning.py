"""Readings of an account made fewer with age: all of a month, then a few an hour for a year, then a few a day.

An EA brings up to half a million readings a year, and a page that tells the equity's fall reads them all. Of each hour
(later: day, both of UTC) stay the last one, the lowest and the highest, and the two ends of the deepest fall within it.
So the curve by day is the same, and so is the deepest fall in money, whether it lasted a minute or a year. An hour in
which money was paid in or out stays whole: before and after it the same equity means different things.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, and_, delete, func, or_, select, type_coerce

from calmness.extensions import db
from calmness.models.dialect import posix_seconds
from calmness.models.trading import AccountSnapshot, Trade, TradeStatus, TradingAccount
from calmness.models.types import UtcDateTime

WHOLE_DAYS = 30
"""All readings of so many days are kept: silences are told from those of the last fourteen."""
HOURLY_DAYS = 365
HOUR, DAY = 3_600, 86_400
STRETCH = timedelta(days=30)
"""Looked at in one statement: a first run meets years of readings."""


def due(now: datetime) -> list[int]:
    """Accounts with readings that are old enough to be made fewer."""
    hourly, daily = _limits(now)
    query = select(TradingAccount.id).where(
        or_(
            *(column.is_(None) | (column < limit) for column, limit in zip(_COLUMNS, (hourly, daily), strict=True)),
        ),
        select(AccountSnapshot.account_id)
        .where(AccountSnapshot.account_id == TradingAccount.id, AccountSnapshot.taken_at < hourly)
        .exists(),
    )
    return list(db.session.scalars(query.order_by(TradingAccount.id)))


def thin(account_id: int, now: datetime) -> int:
    """Make an account's readings fewer, from where the last run ended; gives how many went."""
    account = db.session.scalars(
        select(TradingAccount).where(TradingAccount.id == account_id).with_for_update()
    ).one_or_none()
    if account is None:
        return 0
    hourly, daily = _limits(now)
    gone = _reduce(account_id, account.hourly_until, hourly, HOUR) + _reduce(
        account_id, account.daily_until, daily, DAY
    )
    account.hourly_until, account.daily_until = hourly, daily
    return gone


_COLUMNS = (TradingAccount.hourly_until, TradingAccount.daily_until)


def _limits(now: datetime) -> tuple[datetime, datetime]:
    """Before the first readings are kept by the hour, before the second by the day. Both begin a day of UTC."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=WHOLE_DAYS), today - timedelta(days=HOURLY_DAYS)


def _reduce(account_id: int, since: datetime | None, until: datetime, slot: int) -> int:
    mine = AccountSnapshot.account_id == account_id
    first: datetime | None = db.session.scalar(
        select(func.min(AccountSnapshot.taken_at, type_=UtcDateTime())).where(
            mine, *([AccountSnapshot.taken_at >= since] if since else [])
        )
    )
    if first is None:
        return 0
    start, gone = first.replace(hour=0, minute=0, second=0, microsecond=0), 0
    while start < until:
        end = min(start + STRETCH, until)
        left_over = _left_over(account_id, start, end, slot)
        statement = delete(AccountSnapshot).where(mine, AccountSnapshot.taken_at.in_(left_over))
        result: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
        gone += result.rowcount
        start = end
    return gone


def _left_over(account_id: int, start: datetime, end: datetime, slot: int) -> Any:
    """SQL: readings of a stretch that nothing needs."""
    taken_at, equity = AccountSnapshot.taken_at, type_coerce(AccountSnapshot.equity, BigInteger)
    place = posix_seconds(taken_at) // slot
    readings = (
        select(
            taken_at.label("taken_at"),
            equity.label("equity"),
            place.label("place"),
            func.max(equity).over(partition_by=place, order_by=taken_at).label("peak"),
        )
        .where(AccountSnapshot.account_id == account_id, taken_at >= start, taken_at < end)
        .subquery()
        .c
    )
    fall = readings.peak - readings.equity

    def order(*by: Any) -> Any:
        return func.row_number().over(partition_by=readings.place, order_by=by)

    ranked = (
        select(
            readings.taken_at,
            readings.place,
            readings.equity,
            order(readings.taken_at.desc()).label("last"),
            order(readings.equity, readings.taken_at).label("lowest"),
            order(readings.equity.desc(), readings.taken_at).label("highest"),
            order(fall.desc(), readings.taken_at).label("trough"),
            func.first_value(readings.peak)
            .over(partition_by=readings.place, order_by=(fall.desc(), readings.taken_at))
            .label("top"),
            func.row_number()
            .over(partition_by=(readings.place, readings.equity), order_by=readings.taken_at)
            .label("among_equals"),
        )
        .subquery()
        .c
    )
    moved = select(posix_seconds(Trade.closed_at) // slot).where(
        Trade.account_id == account_id,
        Trade.status == TradeStatus.CASH,
        Trade.closed_at >= start,
        Trade.closed_at < end,
    )
    is_top = and_(ranked.equity == ranked.top, ranked.among_equals == 1)
    return select(ranked.taken_at).where(
        ranked.last > 1,
        ranked.lowest > 1,
        ranked.highest > 1,
        ranked.trough > 1,
        ~is_top,
        ranked.place.not_in(moved),
    )
