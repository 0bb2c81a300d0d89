"""Positions: tickets and exits of one position made into one result.

MetaTrader 4 closes a part of a position by closing its ticket and opening another for the rest, chained by the comments
``to #2`` and ``from #1``; the broker may overwrite one of the two. MetaTrader 5 has exits ``601-9004`` and ``601`` of
position 601. Parts of one position have side, symbol and opening in common (price too with MetaTrader 4): without that
a comment links nothing, so that a hedge, a number used again or a comment made up never merges two positions.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, String, delete, select, type_coerce

from calmness.extensions import db
from calmness.instruments import pip_size
from calmness.models.dialect import upsert_stored
from calmness.models.trading import MarketSession, Trade, TradeKind, TradeStatus, TradingPosition
from calmness.models.types import SCALE

UNIT = int(SCALE)
BIGGEST = 10**9 * UNIT
"""Beyond this a quotient is a fault of the data: a stop a hair from the entry, a price of another instrument."""
CHUNK = 5_000
FEW = 400
"""Openings that are asked for one by one; a statement of SQLite takes a thousand values at least."""
QUARTER = 900
"""All zones differ by whole quarters of an hour, so that a quarter lies within one hour of any of them."""
SEPARATOR = "\n"
"""Between the tickets of a position; a ticket is printable, so it holds none."""

_SIDES = frozenset({TradeKind.BUY.value, TradeKind.SELL.value})
_TAKEN = frozenset({TradeStatus.OPEN.value, TradeStatus.CLOSED.value})
_LINK = re.compile(r"\b(?:from|to) #(\d+)")
_EXIT = re.compile(r"(\d+)-\d+")
_MARKETS = ((ZoneInfo("Europe/London"), 8, 17), (ZoneInfo("America/New_York"), 8, 17), (ZoneInfo("Asia/Tokyo"), 9, 18))


class Part(NamedTuple):
    """A buy or a sell as the database keeps it: amounts in 1e-8 units."""

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


class PositionRow(NamedTuple):
    """A row of ``TradingPosition`` as the database keeps it: 1e-8 units, instants in POSIX seconds."""

    account_id: int
    ticket: str
    tickets: str
    kind: str
    symbol: str
    parts: int
    volume: int
    net: int
    pips: int | None
    r_multiple: int | None
    stop_seen_late: bool
    opened_at: int
    closed_at: int
    held_seconds: int | None
    weekday: int
    hour: int
    session: str


COLUMNS = PositionRow._fields
KEY = ("account_id", "ticket")


def refresh(account_id: int, start: datetime, zone: ZoneInfo) -> datetime:
    """Make the positions anew that have anything to do with what closed from ``start`` on.

    Gives the instant from which days must be counted again: a part that arrives or goes may take a position, which
    was over, to another day. Who calls holds the account's lock.
    """
    origins = _origins(account_id, start)
    if not origins:
        return start
    # Few openings are asked for one by one. Of many, all from the first on are made anew: that is one range to read.
    few = len(origins) <= FEW
    since = min(origins)
    parts = _parts(account_id, Trade.opened_at.in_(origins) if few else Trade.opened_at >= since)
    touched = (
        TradingPosition.account_id == account_id,
        TradingPosition.opened_at.in_(origins) if few else TradingPosition.opened_at >= since,
    )
    # The earliest is looked for here: asked for a minimum, SQLite would walk the index of closings to its end.
    before = min(db.session.scalars(select(TradingPosition.closed_at).where(*touched)), default=None)
    db.session.execute(delete(TradingPosition).where(*touched), execution_options={"synchronize_session": False})
    rows = [row for position in together(parts) if (row := row_of(account_id, position, zone)) is not None]
    for first in range(0, len(rows), CHUNK):
        upsert_stored(
            db.session(),
            TradingPosition,
            COLUMNS,
            rows[first : first + CHUNK],
            key=KEY,
            update_columns=COLUMNS[len(KEY) :],
        )
    after = min((row.closed_at for row in rows), default=None)
    moments = [start, *([before] if before else []), *([datetime.fromtimestamp(after, UTC)] if after else [])]
    return min(moments)


def _origins(account_id: int, start: datetime) -> set[datetime]:
    """Openings of all that closed from ``start`` on, by the trades of now and by the positions of before."""
    closed = select(Trade.opened_at).where(Trade.account_id == account_id, Trade.closed_at >= start)
    known = select(TradingPosition.opened_at).where(
        TradingPosition.account_id == account_id, TradingPosition.closed_at >= start
    )
    return {*db.session.scalars(closed), *db.session.scalars(known)}


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


def row_of(account_id: int, parts: list[Part], zone: ZoneInfo) -> PositionRow | None:
    """The result of a position; None while a part of it is open."""
    if not all(part.is_closed and part.closed_at for part in parts):
        return None
    first, last = parts[0], parts[-1]
    closed_at = last.closed_at or last.opened_at
    volume = sum(part.volume for part in parts)
    opened, left = _mean_price(parts, "open_price"), _mean_price(parts, "close_price")
    moved = None if opened is None or left is None else (left - opened) * (1 if first.kind == TradeKind.BUY else -1)
    held = int((closed_at - first.opened_at).total_seconds())
    hour, weekday, session = _moment(int(first.opened_at.timestamp()) // QUARTER, zone.key)
    # Of a chain the first ticket tells the stop that was set: the later ones were born with the stop as it stood then.
    origin = min(parts, key=lambda part: (len(part.ticket.partition("-")[0]), part.ticket))
    return PositionRow(
        account_id,
        first.ticket,
        SEPARATOR.join(part.ticket for part in parts),
        first.kind,
        first.symbol,
        len(parts),
        volume,
        sum(part.net for part in parts),
        _quotient(moved, _pip_units(first.symbol)),
        _r_multiple(origin, opened, moved),
        origin.initial_stop is not None and origin.closed_at is not None and origin.seen_at >= origin.closed_at,
        int(first.opened_at.timestamp()),
        int(closed_at.timestamp()),
        held if held >= 0 else None,
        weekday,
        hour,
        session,
    )


def market_session(moment: datetime) -> MarketSession:
    """Which markets are at work, by their own clocks: London and New York 8 to 17 h, Tokyo 9 to 18 h."""
    london, new_york, tokyo = (start <= moment.astimezone(zone).hour < end for zone, start, end in _MARKETS)
    if london:
        return MarketSession.OVERLAP if new_york else MarketSession.LONDON
    if new_york:
        return MarketSession.NEW_YORK
    return MarketSession.ASIA if tokyo else MarketSession.NONE


def _parts(account_id: int, *conditions: Any) -> list[Part]:
    units = (
        type_coerce(column, BigInteger)
        for column in (Trade.volume, Trade.open_price, Trade.close_price, Trade.initial_stop, Trade.net)
    )
    rows = db.session.execute(
        select(
            Trade.ticket,
            type_coerce(Trade.kind, String),
            type_coerce(Trade.status, String),
            Trade.suspect,
            Trade.symbol,
            *units,
            Trade.comment,
            Trade.opened_at,
            Trade.closed_at,
            Trade.seen_at,
        ).where(Trade.account_id == account_id, *conditions)
    )
    # Sorted out here and not there: with more conditions SQLite takes the index of the states and reads the account.
    return [
        Part(ticket, kind, status == TradeStatus.CLOSED, *values)
        for ticket, kind, status, suspect, *values in rows
        if kind in _SIDES and status in _TAKEN and not suspect
    ]


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
    return _quotient(moved, risk) if risk > 0 else None


def _quotient(dividend: int | None, divisor: int) -> int | None:
    """1e-8 units of a quotient, rounded half up, without a binary float. ``divisor`` is above zero."""
    if dividend is None:
        return None
    found = (2 * dividend * UNIT + divisor) // (2 * divisor)
    return found if abs(found) < BIGGEST else None


@lru_cache(maxsize=4096)
def _pip_units(symbol: str) -> int:
    return int(pip_size(symbol) * SCALE)


@lru_cache(maxsize=65_536)
def _moment(quarter: int, zone: str) -> tuple[int, int, str]:
    """(hour, weekday, session) of a quarter of an hour."""
    moment = datetime.fromtimestamp(quarter * QUARTER, UTC)
    there = moment.astimezone(ZoneInfo(zone))
    return there.hour, there.weekday(), market_session(moment).value


__all__ = ["Part", "PositionRow", "market_session", "refresh", "row_of", "together"]
