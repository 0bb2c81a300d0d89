"""A student's trades: filter, sort, page, total. What is written about them is in ``journals``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Engine, Select, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from calmness.database import reading
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.instruments import base_symbol
from calmness.models.account import User
from calmness.models.dialect import has_text, unindexed
from calmness.models.journal import MISTAKE_LENGTH, TAG_LENGTH, TradeJournal
from calmness.models.trading import MarketSession, Trade, TradeKind, TradeStatus, TradingAccount
from calmness.services.trading import trade_pages, trade_totals
from calmness.services.trading.market_sessions import opened_during
from calmness.services.trading.message_values import clean
from calmness.services.trading.sync_trades import SYMBOL_LENGTH
from calmness.services.trading.trade_pages import Place
from calmness.services.trading.trade_totals import Totals

SMALL = frozenset({TradeStatus.OPEN, TradeStatus.PENDING, TradeStatus.CASH})
"""Statuses of few rows: worth an index of their own. The others are walked in the order of the page."""
_LONGEST = {"symbol": SYMBOL_LENGTH, "tag": TAG_LENGTH, "mistake": MISTAKE_LENGTH, "text": 100}


@dataclass(frozen=True)
class Filter:
    """What the history page asks for. Days are of the owner's zone, both included."""

    account_id: int | None = None
    status: str = ""
    result: str = ""
    symbol: str = ""
    direction: str = ""
    session: str = ""
    tag: str = ""
    mistake: str = ""
    text: str = ""
    start: date | None = None
    end: date | None = None
    sort: str = "closed"
    descending: bool = True
    place: Place | None = None
    is_last: bool = False
    """The last page, walked from the end."""

    def __post_init__(self) -> None:
        """Words as they are kept: as long as what they are compared with, without blanks around."""
        for name, longest in _LONGEST.items():
            object.__setattr__(self, name, clean(getattr(self, name), longest).strip())


@dataclass(frozen=True)
class Page:
    """Rows of a page with the totals of the whole filter."""

    rows: list[Trade]
    previous: Place | None
    following: Place | None
    totals: list[Totals]

    @property
    def total(self) -> int:
        """Rows of the whole filter."""
        return sum(part.rows for part in self.totals)


def search(user: User, wanted: Filter, *, size: int) -> Page:
    """One's own trades under a filter. A place whose neighbours are gone is the last page."""
    account_ids = accounts_of(user, wanted)
    conditions = _conditions(user, account_ids, wanted, walking=True)
    order: dict[str, Any] = {"sort": wanted.sort, "descending": wanted.descending, "size": size}
    found = trade_pages.Stretch([], None, None)
    if not wanted.is_last:
        found = trade_pages.stretch(account_ids, conditions, place=wanted.place, **order)
    if wanted.is_last or (not found.rows and wanted.place):
        found = trade_pages.last(account_ids, conditions, **order)
    return Page(found.rows, found.previous, found.following, totals(user, wanted))


def latest(user: User, size: int) -> list[Trade]:
    """The newest trades, those still open first."""
    account_ids, wanted = accounts_of(user, Filter()), Filter()
    conditions = _conditions(user, account_ids, wanted, walking=True)
    return trade_pages.stretch(account_ids, conditions, sort="closed", descending=True, size=size, place=None).rows


def totals(user: User, wanted: Filter) -> list[Totals]:
    """Totals of a whole filter, by currency."""
    account_ids = accounts_of(user, wanted)
    name = (user.time_zone, replace(wanted, sort="", descending=True, place=None, is_last=False))
    return trade_totals.of_filter(account_ids, _conditions(user, account_ids, wanted, walking=False), name)


def following(user: User, wanted: Filter, *, size: int) -> trade_pages.Stretch:
    """One's own trades under a filter after its place, without totals."""
    account_ids = accounts_of(user, wanted)
    conditions = _conditions(user, account_ids, wanted, walking=True)
    return trade_pages.stretch(
        account_ids, conditions, sort=wanted.sort, descending=wanted.descending, size=size, place=wanted.place
    )


def every(user: User, wanted: Filter) -> Iterator[tuple[Trade, TradeJournal | None]]:
    """All of one's own trades under a filter with what was written of them, in its order, as they are read.

    They are read on a connection of their own: a long export outlives its request.
    """
    query = (
        _query(user, wanted)
        .outerjoin(TradeJournal, TradeJournal.trade_id == Trade.id)
        .with_only_columns(Trade, TradeJournal)
        .execution_options(yield_per=1000)
    )
    return _read(db.engine, query)


def _read(engine: Engine, query: Select[Trade, TradeJournal]) -> Iterator[tuple[Trade, TradeJournal | None]]:
    with Session(engine) as session:
        with reading():
            session.connection()
        for row in session.execute(query):
            yield row[0], row[1]


def accounts_of(user: User, wanted: Filter) -> list[int]:
    """One's own living accounts under a filter."""
    query = select(TradingAccount.id).where(TradingAccount.user_id == user.id, TradingAccount.archived_at.is_(None))
    if wanted.account_id:
        query = query.where(TradingAccount.id == wanted.account_id)
    return list(db.session.scalars(query.order_by(TradingAccount.id)))


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
    """Symbols that a person has traded, by name: jumps from one to the next in the index, past all their trades."""
    account_ids = db.session.scalars(
        select(TradingAccount.id).where(TradingAccount.user_id == user_id, TradingAccount.archived_at.is_(None))
    )
    found: set[str] = set()
    for account_id in account_ids:
        mine = Trade.account_id == account_id
        first = select(func.min(Trade.symbol).label("symbol")).where(mine, Trade.symbol > "").cte(recursive=True)
        after = select(func.min(Trade.symbol)).where(mine, Trade.symbol > first.c.symbol).correlate(first)
        chain = first.union_all(select(after.scalar_subquery()).where(first.c.symbol.is_not(None)))
        found.update(db.session.scalars(select(chain.c.symbol).where(chain.c.symbol.is_not(None))))
    return sorted(found)


def _query(user: User, wanted: Filter) -> Select[Any]:
    account_ids = accounts_of(user, wanted)
    conditions = _conditions(user, account_ids, wanted, walking=False)
    query = select(Trade).where(Trade.account_id.in_(account_ids), *conditions)
    return trade_pages.ordered(query, wanted.sort, descending=wanted.descending)


def _holds(column: Any, text: str) -> Any:
    # SQLite folds the case of ASCII letters only: what was typed must at least match as it is.
    return or_(column.icontains(text, autoescape=True), column.contains(text, autoescape=True))


def _conditions(user: User, account_ids: list[int], wanted: Filter, *, walking: bool) -> list[Any]:
    """``walking``: rows are read in the order of a page; no other index may be chosen for what many rows have."""
    status = unindexed(Trade.status) if walking else Trade.status
    net = unindexed(Trade.net) if walking else type_coerce(Trade.net, BigInteger)
    conditions: list[Any] = []
    if wanted.status in SMALL:
        conditions.append(Trade.status == TradeStatus(wanted.status))
    elif wanted.status in set(TradeStatus):
        conditions.append(status == TradeStatus(wanted.status).value)
    else:
        conditions.append(status.in_([TradeStatus.OPEN, TradeStatus.CLOSED]))
    if wanted.result in {"win", "loss"}:
        conditions += [net > 0 if wanted.result == "win" else net < 0, status == TradeStatus.CLOSED]
    if wanted.symbol:
        # As the broker writes it, or the instrument whatever brokers write around it.
        others = [name for name in symbols_of(user.id) if base_symbol(name) == wanted.symbol != name]
        conditions.append(Trade.symbol.in_([wanted.symbol, *others]) if others else Trade.symbol == wanted.symbol)
    if wanted.direction in {"buy", "sell"}:
        conditions.append(Trade.kind == TradeKind(wanted.direction))
    zone = ZoneInfo(user.time_zone)
    if wanted.start:
        conditions.append(Trade.closed_at >= datetime.combine(wanted.start, time.min, tzinfo=zone))
    if wanted.end:
        conditions.append(Trade.closed_at < datetime.combine(wanted.end + timedelta(days=1), time.min, tzinfo=zone))
    return [*conditions, *_session_conditions(account_ids, wanted), *_journal_conditions(user, wanted)]


def _session_conditions(account_ids: list[int], wanted: Filter) -> list[Any]:
    if wanted.session not in set(MarketSession):
        return []
    # Each account apart, so that the ends are read from the index.
    ends: list[Any] = [
        db.session.execute(
            select(func.min(Trade.opened_at), func.max(Trade.opened_at)).where(Trade.account_id == account_id)
        ).one()
        for account_id in account_ids
    ]
    firsts, lasts = [row[0] for row in ends if row[0] is not None], [row[1] for row in ends if row[1] is not None]
    if not firsts:
        return []
    chosen = MarketSession(wanted.session)
    # Deposits and withdrawals are of no session.
    in_market = Trade.kind.in_((TradeKind.BUY, TradeKind.SELL))
    return [in_market, opened_during(db.session(), Trade.opened_at, chosen, min(firsts), max(lasts))]


def _journal_conditions(user: User, wanted: Filter) -> list[Any]:
    mine = select(TradeJournal.trade_id).where(TradeJournal.user_id == user.id)
    conditions: list[Any] = []
    for column, text in ((TradeJournal.tags, wanted.tag), (TradeJournal.mistakes, wanted.mistake)):
        if text:
            conditions.append(Trade.id.in_(mine.where(has_text(db.session(), column, text))))
    if wanted.text:
        conditions.append(
            or_(
                *(_holds(column, wanted.text) for column in (Trade.comment, Trade.symbol)),
                Trade.ticket.startswith(wanted.text, autoescape=True),
                Trade.id.in_(mine.where(_holds(TradeJournal.note, wanted.text))),
            )
        )
    return conditions
