"""A student's trades: filter, sort, page, total; notes and tags beside the broker's fields."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, or_, select

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.dialect import upsert
from calmness.models.trading import Trade, TradeJournal, TradeKind, TradeStatus, TradingAccount
from calmness.services import trading_statistics

SORTS = {
    "closed": Trade.closed_at,
    "opened": Trade.opened_at,
    "symbol": Trade.symbol,
    "net": Trade.net,
    "volume": Trade.volume,
}


@dataclass(frozen=True)
class Filter:
    """What the history page asks for. Days are of the owner's zone, both included."""

    account_id: int | None = None
    status: str = ""
    result: str = ""
    symbol: str = ""
    direction: str = ""
    text: str = ""
    start: date | None = None
    end: date | None = None
    sort: str = "closed"
    descending: bool = True


@dataclass(frozen=True)
class Page:
    """Rows of a page with the totals of the whole filter."""

    rows: list[Trade]
    total: int
    net: Decimal
    wins: int
    closed: int


def search(user: User, wanted: Filter, *, limit: int, offset: int = 0) -> Page:
    """One's own trades under a filter."""
    query = _query(user, wanted)
    column = SORTS.get(wanted.sort, Trade.closed_at)
    order = column.desc().nullsfirst() if wanted.descending else column.asc().nullslast()
    rows = list(db.session.scalars(query.order_by(order, Trade.id.desc()).limit(limit).offset(offset)))
    counted = query.with_only_columns(
        func.count(),
        func.coalesce(func.sum(Trade.net), 0),
        func.count().filter(Trade.net > 0, Trade.status == TradeStatus.CLOSED),
        func.count().filter(Trade.status == TradeStatus.CLOSED),
    )
    total, net, wins, closed = db.session.execute(counted).one()
    exact = trading_statistics.exact(net)
    return Page(rows, total, exact, wins, closed)


def every(user: User, wanted: Filter) -> list[Trade]:
    """All of one's own trades under a filter, for an export."""
    return list(db.session.scalars(_query(user, wanted).order_by(Trade.closed_at.desc()).limit(200_000)))


def own(user_id: int, trade_id: int) -> Trade:
    """One's own trade. Raises ``NotFound``."""
    trade = db.session.scalar(
        select(Trade)
        .join(TradingAccount, TradingAccount.id == Trade.account_id)
        .where(Trade.id == trade_id, TradingAccount.user_id == user_id)
    )
    if trade is None:
        raise NotFound
    return trade


def symbols_of(user_id: int) -> list[str]:
    """Symbols that a person has traded, by name."""
    return list(
        db.session.scalars(
            select(Trade.symbol)
            .join(TradingAccount, TradingAccount.id == Trade.account_id)
            .where(TradingAccount.user_id == user_id, Trade.symbol != "")
            .distinct()
            .order_by(Trade.symbol)
        )
    )


def journal_of(trade_id: int) -> TradeJournal | None:
    """What was written about a trade."""
    return db.session.get(TradeJournal, trade_id)


def write_note(user_id: int, trade_id: int, note: str, tags: list[str]) -> None:
    """Save what a person writes about an own trade. Raises ``NotFound``."""
    trade = own(user_id, trade_id)
    clean = sorted({" ".join(tag.split())[:30] for tag in tags if tag.strip()})[:12]
    row = {"trade_id": trade.id, "note": note.strip()[:10_000], "tags": clean, "updated_at": clock.now()}
    upsert(db.session(), TradeJournal, [row], key=["trade_id"], update_columns=["note", "tags", "updated_at"])


def _query(user: User, wanted: Filter) -> Select[Any]:
    account_ids = select(TradingAccount.id).where(
        TradingAccount.user_id == user.id, TradingAccount.archived_at.is_(None)
    )
    if wanted.account_id:
        account_ids = account_ids.where(TradingAccount.id == wanted.account_id)
    query = select(Trade).where(Trade.account_id.in_(account_ids), *_conditions(user, wanted))
    if wanted.text:
        like = f"%{wanted.text.lower()}%"
        query = query.outerjoin(TradeJournal, TradeJournal.trade_id == Trade.id).where(
            or_(
                func.lower(Trade.comment).like(like),
                func.lower(TradeJournal.note).like(like),
                Trade.ticket.like(like),
                func.lower(Trade.symbol).like(like),
            )
        )
    return query


def _conditions(user: User, wanted: Filter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.status in set(TradeStatus):
        conditions.append(Trade.status == TradeStatus(wanted.status))
    else:
        conditions.append(Trade.status.in_((TradeStatus.OPEN, TradeStatus.CLOSED)))
    if wanted.result == "win":
        conditions += [Trade.net > 0, Trade.status == TradeStatus.CLOSED]
    elif wanted.result == "loss":
        conditions += [Trade.net < 0, Trade.status == TradeStatus.CLOSED]
    if wanted.symbol:
        conditions.append(Trade.symbol == wanted.symbol)
    if wanted.direction in {"buy", "sell"}:
        conditions.append(Trade.kind == TradeKind(wanted.direction))
    zone = ZoneInfo(user.time_zone)
    if wanted.start:
        conditions.append(Trade.closed_at >= datetime.combine(wanted.start, time.min, tzinfo=zone))
    if wanted.end:
        conditions.append(Trade.closed_at < datetime.combine(wanted.end + timedelta(days=1), time.min, tzinfo=zone))
    return conditions
