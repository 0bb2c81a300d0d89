"""A student's trades: filter, sort, page, total; notes and tags beside the broker's fields."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, func, or_, select

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.dialect import upsert
from calmness.models.trading import Trade, TradeJournal, TradeKind, TradeStatus, TradingAccount
from calmness.services.sync_trades import clean

EXPORT_LIMIT = 200_000
NOTE_LENGTH, TAGS, TAG_LENGTH = 10_000, 12, 30
SORTS = {
    "closed": Trade.closed_at,
    "opened": Trade.opened_at,
    "symbol": Trade.symbol,
    "net": Trade.net,
    "volume": Trade.volume,
}


class NoteTooLong(DomainError):
    """More than a note may hold."""

    slug = "note-too-long"
    field = "note"
    message = _l("Votre note dépasse 10 000 caractères : raccourcissez-la.")


class TooManyTags(DomainError):
    """Too many tags, or one that is too long."""

    slug = "too-many-tags"
    field = "tags"
    message = _l("12 étiquettes au plus, de 30 caractères chacune.")


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
class Totals:
    """Totals of a whole filter in one currency. Deposits stand apart; a position still open is no result yet."""

    currency: str
    net: Decimal
    cash: Decimal
    wins: int
    closed: int

    @property
    def win_rate(self) -> Decimal | None:
        """Wins among the closed trades; None without one."""
        return Decimal(self.wins) / self.closed if self.closed else None


@dataclass(frozen=True)
class Page:
    """Rows of a page with the totals of the whole filter."""

    rows: list[Trade]
    total: int
    number: int
    totals: list[Totals]


def search(user: User, wanted: Filter, *, size: int, page: int = 1) -> Page:
    """One's own trades under a filter. A page beyond the end is the last one."""
    query = _query(user, wanted)
    total = db.session.scalar(query.with_only_columns(func.count())) or 0
    number = min(max(page, 1), max(1, -(-total // size)))
    rows = db.session.scalars(_ordered(query, wanted).limit(size).offset((number - 1) * size))
    return Page(list(rows), total, number, _totals(query))


def stretch(user: User, wanted: Filter, *, limit: int, offset: int) -> tuple[list[Trade], int]:
    """A stretch of one's own trades under a filter, with how many there are in all."""
    query = _query(user, wanted)
    total = db.session.scalar(query.with_only_columns(func.count())) or 0
    return list(db.session.scalars(_ordered(query, wanted).limit(limit).offset(offset))), total


def _totals(query: Select[Any]) -> list[Totals]:
    is_result = and_(Trade.status == TradeStatus.CLOSED, Trade.suspect.is_(False))
    rows = db.session.execute(
        query.join(TradingAccount, TradingAccount.id == Trade.account_id)
        .with_only_columns(
            TradingAccount.currency,
            func.sum(Trade.net).filter(is_result),
            func.sum(Trade.net).filter(Trade.status == TradeStatus.CASH),
            func.count().filter(is_result, Trade.net > 0),
            func.count().filter(is_result),
        )
        .group_by(TradingAccount.currency)
        .order_by(func.count().desc(), TradingAccount.currency)
    )
    zero = Decimal(0)
    return [Totals(currency, net or zero, cash or zero, wins, closed) for currency, net, cash, wins, closed in rows]


def _ordered(query: Select[Any], wanted: Filter) -> Select[Any]:
    column = SORTS.get(wanted.sort, Trade.closed_at)
    order = column.desc().nullsfirst() if wanted.descending else column.asc().nullslast()
    return query.order_by(order, Trade.id.desc() if wanted.descending else Trade.id.asc())


def every(user: User, wanted: Filter) -> list[Trade]:
    """All of one's own trades under a filter, in its order, for an export."""
    return list(db.session.scalars(_ordered(_query(user, wanted), wanted).limit(EXPORT_LIMIT)))


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
            .where(TradingAccount.user_id == user_id, TradingAccount.archived_at.is_(None), Trade.symbol != "")
            .distinct()
            .order_by(Trade.symbol)
        )
    )


def journal_of(trade_id: int) -> TradeJournal | None:
    """What was written about a trade."""
    return db.session.get(TradeJournal, trade_id)


def write_note(user_id: int, trade_id: int, note: str, tags: str) -> None:
    """Save what a person writes about an own trade; tags are separated by commas.

    Raises ``NotFound``, ``NoteTooLong``, ``TooManyTags``.
    """
    trade = own(user_id, trade_id)
    written = sorted({" ".join(tag.split()) for tag in clean(tags, len(tags)).split(",") if tag.strip()})
    if len(note.strip()) > NOTE_LENGTH:
        raise NoteTooLong
    if len(written) > TAGS or any(len(tag) > TAG_LENGTH for tag in written):
        raise TooManyTags
    row = {
        "trade_id": trade.id,
        "note": note.strip().replace("\r\n", "\n").replace("\x00", ""),
        "tags": written,
        "updated_at": clock.now(),
    }
    upsert(db.session(), TradeJournal, [row], key=["trade_id"], update_columns=["note", "tags", "updated_at"])


def _query(user: User, wanted: Filter) -> Select[Any]:
    account_ids = select(TradingAccount.id).where(
        TradingAccount.user_id == user.id, TradingAccount.archived_at.is_(None)
    )
    if wanted.account_id:
        account_ids = account_ids.where(TradingAccount.id == wanted.account_id)
    query = select(Trade).where(Trade.account_id.in_(account_ids), *_conditions(user, wanted))
    if wanted.text:
        query = query.outerjoin(TradeJournal, TradeJournal.trade_id == Trade.id).where(
            or_(
                *(_holds(column, wanted.text) for column in (Trade.comment, TradeJournal.note, Trade.symbol)),
                Trade.ticket.startswith(wanted.text, autoescape=True),
            )
        )
    return query


def _holds(column: Any, text: str) -> Any:
    # SQLite folds the case of ASCII letters only: what was typed must at least match as it is.
    return or_(column.icontains(text, autoescape=True), column.contains(text, autoescape=True))


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
