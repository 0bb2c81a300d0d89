"""Positions: tickets and exits of one position made into one result.

MetaTrader 4 closes a part of a position by closing its ticket and opening another for the rest, chained by the comments
``to #2`` and ``from #1``; the broker may overwrite one of the two. MetaTrader 5 has exits ``601-9004`` and ``601`` of
position 601. Parts of one position have side, symbol and opening in common (price too with MetaTrader 4): without that
a comment links nothing, so that a hedge, a number used again or a comment made up never merges two positions.

Only openings that several trades share are looked at. All other trades are positions as they stand
(``models/positions.py``).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarResult,
    String,
    and_,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from calmness.extensions import db
from calmness.models.derived import QUOTIENT_LIMIT, RISK_LIMIT
from calmness.models.dialect import upsert_stored
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingChain
from calmness.models.types import SCALE

UNIT = int(SCALE)
CHUNK = 5_000
SECOND = timedelta(seconds=1)
FEW = 2_500
"""Openings that are asked for one by one: five batches of a first sync."""
SEPARATOR = "\n"
"""Between the tickets of a position; a ticket is printable, so it holds none."""

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any closing."""
_SIDES = frozenset({TradeKind.BUY.value, TradeKind.SELL.value})
_TAKEN = frozenset({TradeStatus.OPEN.value, TradeStatus.CLOSED.value})
_LINK = re.compile(r"\b(?:from|to) #(\d+)")
_EXIT = re.compile(r"(\d+)-\d+")


class Span(NamedTuple):
    """Closings from the first instant on, and before the other one; None: without an end."""

    start: datetime
    end: datetime | None

    def given(self) -> dict[str, datetime]:
        """The parameters of ``within``."""
        return {"start": self.start, "end": self.end or NEVER}

    def with_all(self, moments: Iterable[datetime]) -> "Span":
        """The span that holds these instants too."""
        found = list(moments)
        end = None if self.end is None else max([self.end, *(moment + SECOND for moment in found)])
        return Span(min([self.start, *found]), end)


def within(column: Any) -> ColumnElement[bool]:
    """SQL: whether an instant lies within the span that is given (see ``Span.given``)."""
    return and_(column >= bindparam("start"), column < bindparam("end"))


class Part(NamedTuple):
    """A buy or a sell as the database keeps it: amounts in 1e-8 units."""

    trade_id: int
    is_part: bool
    ticket: str
    kind: str
    is_closed: bool
    symbol: str
    volume: int
    open_price: int | None
    close_price: int | None
    initial_stop: int | None
    net: int
    comment: str
    opened_at: datetime
    closed_at: datetime | None
    seen_at: datetime


class ChainRow(NamedTuple):
    """A row of ``TradingChain`` as the database keeps it: 1e-8 units, instants in POSIX seconds."""

    account_id: int
    ticket: str
    tickets: str
    kind: str
    symbol: str
    parts: int
    volume: int
    net: int
    moved: int | None
    r_multiple: int | None
    stop_seen_late: bool
    opened_at: int
    closed_at: int
    held_seconds: int | None


# The tables themselves, and each statement built once: this is done after each trade, and to build them and to go the
# ORM's way took two thirds of its time.
_TRADES, _CHAINS = Trade.__table__.c, TradingChain.__table__.c
_OWN_TRADES, _OWN_CHAINS = _TRADES.account_id == bindparam("account"), _CHAINS.account_id == bindparam("account")
_CLOSED_OPENINGS = select(_TRADES.opened_at).where(_OWN_TRADES, within(_TRADES.closed_at)).limit(FEW + 1)
_CHAINED_OPENINGS = select(_CHAINS.opened_at).where(_OWN_CHAINS, within(_CHAINS.closed_at)).limit(FEW + 1)
_SHARED_OPENINGS = (
    select(_TRADES.opened_at)
    .where(_OWN_TRADES)
    .group_by(_TRADES.opened_at)
    .having(func.count() > 1)
    .union_all(select(_TRADES.opened_at).where(_OWN_TRADES, _TRADES.is_part))
)
_ORIGINS: Any = bindparam("origins", expanding=True)
_AMOUNTS = (_TRADES.volume, _TRADES.open_price, _TRADES.close_price, _TRADES.initial_stop, _TRADES.net)
_ALL_PARTS = select(
    _TRADES.id,
    _TRADES.is_part,
    _TRADES.ticket,
    type_coerce(_TRADES.kind, String),
    type_coerce(_TRADES.status, String),
    _TRADES.suspect,
    _TRADES.symbol,
    *(type_coerce(column, BigInteger) for column in _AMOUNTS),
    _TRADES.comment,
    _TRADES.opened_at,
    _TRADES.closed_at,
    _TRADES.seen_at,
).where(_OWN_TRADES)
# By whether few openings were touched, which are given then.
_PARTS = {
    True: _ALL_PARTS.where(_TRADES.opened_at.in_(_ORIGINS)),
    False: _ALL_PARTS.where(_TRADES.opened_at.in_(_SHARED_OPENINGS)),
}
_CHAINS_OF = {True: and_(_OWN_CHAINS, _CHAINS.opened_at.in_(_ORIGINS)), False: _OWN_CHAINS}
_CHAINS_BEFORE = {few: select(_CHAINS.closed_at).where(chains) for few, chains in _CHAINS_OF.items()}
_FORGET_CHAINS = {few: delete(TradingChain.__table__).where(chains) for few, chains in _CHAINS_OF.items()}  # type: ignore[arg-type]

COLUMNS = ChainRow._fields
KEY = ("account_id", "ticket")


def refresh(account_id: int, span: Span) -> Span:
    """Make the chains anew that have anything to do with what closed within a span.

    Gives the span from which days must be counted again: a part that arrives or goes may take a position, which was
    over, to another day. Who calls holds the account's lock.
    """
    asked, parts = _touched(account_id, span)
    is_few = "origins" in asked
    before = list(_column(_CHAINS_BEFORE[is_few], asked))
    if before:
        db.session.connection().execute(_FORGET_CHAINS[is_few], asked)
    rows: list[ChainRow] = []
    flipped: dict[bool, list[Part]] = {True: [], False: []}
    for position in together(parts):
        is_chain = len(position) > 1
        flipped[is_chain] += [part for part in position if part.is_part is not is_chain]
        if is_chain and (row := row_of(account_id, position)) is not None:
            rows.append(row)
    for is_chain, changed in flipped.items():
        _mark([part.trade_id for part in changed], is_part=is_chain)
    for first in range(0, len(rows), CHUNK):
        chunk = rows[first : first + CHUNK]
        upsert_stored(db.session(), TradingChain, COLUMNS, chunk, key=KEY, update_columns=COLUMNS[len(KEY) :])
    # A trade that is a position no more, or one again, is counted otherwise on its own day.
    alone = [part.closed_at for changed in flipped.values() for part in changed if part.closed_at]
    return span.with_all([*before, *alone, *(datetime.fromtimestamp(row.closed_at, UTC) for row in rows)])


def forget(account_id: int) -> None:
    """Throw away all that is known of chains."""
    db.session.execute(delete(TradingChain).where(TradingChain.account_id == account_id))
    db.session.execute(
        update(Trade).where(Trade.account_id == account_id, Trade.is_part).values(is_part=False),
        execution_options={"synchronize_session": False},
    )


def together(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Parts by position, each in the order of their closing; what is still open comes last."""
    families: dict[tuple[datetime, str, str], list[Part]] = defaultdict(list)
    for part in parts:
        families[part.opened_at, part.kind, part.symbol.casefold()].append(part)
    for family in families.values():
        if len(family) == 1:
            yield family
        else:
            yield from _linked(family)


def row_of(account_id: int, parts: list[Part]) -> ChainRow | None:
    """The result of a position; None while a part of it is open."""
    if not all(part.is_closed and part.closed_at for part in parts):
        return None
    first, last = parts[0], parts[-1]
    closed_at = last.closed_at or last.opened_at
    opened, left = _mean_price(parts, "open_price"), _mean_price(parts, "close_price")
    moved = None if opened is None or left is None else (left - opened) * (1 if first.kind == TradeKind.BUY else -1)
    held = int(closed_at.timestamp()) - int(first.opened_at.timestamp())
    # Of a chain the first ticket tells the stop that was set: the later ones were born with the stop as it stood then.
    origin = min(parts, key=lambda part: (len(part.ticket.partition("-")[0]), part.ticket))
    return ChainRow(
        account_id,
        first.ticket,
        SEPARATOR.join(part.ticket for part in parts),
        first.kind,
        first.symbol,
        len(parts),
        sum(part.volume for part in parts),
        sum(part.net for part in parts),
        moved,
        _r_multiple(origin, opened, moved),
        origin.initial_stop is not None and origin.closed_at is not None and origin.seen_at >= origin.closed_at,
        int(first.opened_at.timestamp()),
        int(closed_at.timestamp()),
        held if held >= 0 else None,
    )


def quotient(dividend: int | None, divisor: int) -> int | None:
    """1e-8 units of a quotient, rounded half up, without a binary float. ``divisor`` is above zero.

    ``models/derived.py`` has the same for the database.
    """
    if dividend is None:
        return None
    found = (2 * dividend * UNIT + divisor) // (2 * divisor)
    return found if abs(found) < QUOTIENT_LIMIT else None


def _touched(account_id: int, span: Span) -> tuple[dict[str, Any], list[Part]]:
    """(parameters of the chains of before, trades that may be parts now)."""
    asked: dict[str, Any] = {"account": account_id} | span.given()
    origins = {*_column(_CLOSED_OPENINGS, asked), *_column(_CHAINED_OPENINGS, asked)}
    # Few openings are asked for one by one. Of many, all that several trades share are looked at.
    is_few = len(origins) <= FEW
    asked |= {"origins": list(origins)} if is_few else {}
    # Sorted out here and not there: with more conditions SQLite takes the index of the states and reads the account.
    parts = [
        Part(trade_id, is_part, ticket, kind, status == TradeStatus.CLOSED, *values)
        for trade_id, is_part, ticket, kind, status, suspect, *values in db.session.connection().execute(
            _PARTS[is_few], asked
        )
        if kind in _SIDES and status in _TAKEN and not suspect
    ]
    return asked, parts


def _column(query: Any, asked: dict[str, Any]) -> ScalarResult[datetime]:
    return db.session.connection().scalars(query, asked)


def _mark(trade_ids: list[int], *, is_part: bool) -> None:
    for first in range(0, len(trade_ids), CHUNK):
        db.session.execute(
            update(Trade).where(Trade.id.in_(trade_ids[first : first + CHUNK])).values(is_part=is_part),
            execution_options={"synchronize_session": False},
        )


def _linked(family: list[Part]) -> Iterator[list[Part]]:
    """Parts of the same opening, apart unless their tickets or comments chain them, also over one that is missing."""
    leader: dict[Any, Any] = {}

    def find(name: Any) -> Any:
        while leader.setdefault(name, name) != name:
            leader[name] = name = leader[leader[name]]
        return name

    for part in family:
        own = (part.open_price, part.ticket)
        exit_of = _EXIT.fullmatch(part.ticket)
        leader[find(own)] = find(("position", exit_of[1] if exit_of else part.ticket))
        for number in _LINK.findall(part.comment):
            leader[find((part.open_price, number))] = find(own)
    positions: dict[Any, list[Part]] = defaultdict(list)
    for part in family:
        positions[find((part.open_price, part.ticket))].append(part)
    for position in positions.values():
        yield sorted(position, key=_place)


def _place(part: Part) -> tuple[bool, datetime, str]:
    return (not part.is_closed, part.closed_at or part.opened_at, part.ticket)


def _mean_price(parts: list[Part], name: str) -> int | None:
    """Price weighted by volume; None when one is unknown."""
    prices = [getattr(part, name) for part in parts]
    if any(price is None for price in prices):
        return None
    if len(prices) == 1:
        return int(prices[0])
    volume = sum(part.volume for part in parts)
    return sum(price * part.volume for price, part in zip(prices, parts, strict=True)) // volume if volume else None


def _r_multiple(origin: Part, opened: int | None, moved: int | None) -> int | None:
    """Result in units of what was risked; None when the stop is unknown, at the entry or on its wrong side."""
    if origin.initial_stop is None or opened is None:
        return None
    risk = (opened - origin.initial_stop) * (1 if origin.kind == TradeKind.BUY else -1)
    return quotient(moved, risk) if 0 < risk < RISK_LIMIT else None


__all__ = ["ChainRow", "Part", "Span", "forget", "quotient", "refresh", "row_of", "together"]
