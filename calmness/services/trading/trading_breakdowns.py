"""Results by symbol, weekday, hour, market session, direction and tag, and how results and holding times are spread."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, String, func, literal, select, type_coerce

from calmness.extensions import db
from calmness.instruments import base_symbol, is_forex, pip_size
from calmness.models.dialect import plain_rows, posix_seconds, unindexed
from calmness.models.journal import TradeJournal
from calmness.models.positions import PARTS_OF_POSITIONS
from calmness.models.trading import Trade
from calmness.models.types import SCALE
from calmness.services.trading import market_sessions, zone_offsets
from calmness.services.trading.trade_positions import SEPARATOR

HOLDING_EDGES = (60, 300, 900, 3_600, 4 * 3_600, 86_400, 7 * 86_400)
"""Upper ends of the holding times' classes, in seconds; the last class has none."""
BINS = 12
QUARTER, HOUR, DAY, WEEK = 900, 3_600, 86_400, 7 * 86_400
UNITS = float(SCALE)


class Cell(NamedTuple):
    """Totals of the positions that have all of these in common, in 1e-8 units."""

    symbol: str
    kind: str
    weekday: int
    hour: int
    session: str
    trades: int
    wins: int
    losses: int
    net: int
    gross_profit: int
    gross_loss: int


@dataclass
class Group:
    """Results of a part of the trades, in 1e-8 units."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    units: int = 0
    gross_profit: int = 0
    gross_loss: int = 0

    @property
    def net(self) -> Decimal:
        """Sum of the results."""
        return Decimal(self.units) / SCALE

    @property
    def win_rate(self) -> Decimal | None:
        """Wins among all trades."""
        return Decimal(self.wins) / self.trades if self.trades else None

    @property
    def expectancy(self) -> Decimal | None:
        """Mean result."""
        return self.net / self.trades if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        """Sum of wins over sum of losses; None without a loss."""
        return Decimal(self.gross_profit) / -self.gross_loss if self.gross_loss else None

    def add(self, cell: Cell) -> None:
        """Count the trades of a cell."""
        self.trades += cell.trades
        self.wins += cell.wins
        self.losses += cell.losses
        self.units += cell.net
        self.gross_profit += cell.gross_profit
        self.gross_loss += cell.gross_loss

    def add_one(self, net: int) -> None:
        """Count one trade by its result in 1e-8 units."""
        self.trades += 1
        self.wins += net > 0
        self.losses += net < 0
        self.units += net
        self.gross_profit += max(net, 0)
        self.gross_loss += min(net, 0)


class Result(NamedTuple):
    """What is asked of each position by itself: 1e-8 units, seconds."""

    net: int
    held: int | None
    r_multiple: int | None
    moved: int | None
    symbol: str


@dataclass(frozen=True)
class Bin:
    """A class of a distribution: from (included) to (excluded)."""

    start: float
    end: float
    count: int


@dataclass(frozen=True)
class Spread:
    """What the single results say. None where no position tells it."""

    winning_streak: int = 0
    losing_streak: int = 0
    median_net: Decimal | None = None
    median_holding: int | None = None
    mean_r: Decimal | None = None
    with_r: int = 0
    forex_pips: Decimal | None = None
    with_pips: int = 0
    pips: dict[str, Decimal] = field(default_factory=dict)
    """By instrument, for those that have a pip and a trade with both prices. Those of two instruments are never added
    up, but for pairs of currencies (``forex_pips``): a point of one index is not one of another."""
    results: list[Bin] = field(default_factory=list)
    holdings: list[int] = field(default_factory=list)


PipOf = Callable[[str], Decimal | None]
"""What a pip of a symbol is: see ``services/pips.py``."""
WorthOf = Callable[[int, int, datetime], int | None]
"""What an amount of an account (1e-8 units) is worth at an instant; None without a rate."""
Which = Callable[[Any], list[Any]]
"""Conditions on positions, from the columns of whichever query over them is asked."""


def cells(account_ids: Sequence[int], which: Which, zone: str) -> list[Cell]:
    """Totals of positions, one row for what they have in common: all breakdowns add these up.

    ``zone``: that of weekday and hour.
    """
    totals: dict[Any, list[int]] = defaultdict(lambda: [0] * 5)
    for place, _closed, sums in _counted(account_ids, which, zone, is_dated=False):
        totals[place] = [one + two for one, two in zip(totals[place], sums, strict=True)]
    return [_cell(place, sums) for place, sums in totals.items()]


def dated_cells(account_ids: Sequence[int], which: Which, zone: str) -> Iterator[tuple[date, Cell]]:
    """The same apart by the day of closing, in the zone: for amounts that have a rate of their day."""
    home = ZoneInfo(zone)
    days: dict[int, date] = {}
    for place, closed, sums in _counted(account_ids, which, zone, is_dated=True):
        if closed not in days:
            days[closed] = datetime.fromtimestamp(closed * QUARTER, home).date()
        yield days[closed], _cell(place, sums)


def _cell(place: tuple[Any, ...], sums: Sequence[int]) -> Cell:
    return Cell._make((*place, *sums, sums[3] - sums[4]))


def _counted(
    account_ids: Sequence[int], which: Which, zone: str, *, is_dated: bool
) -> Iterator[tuple[tuple[Any, ...], int, list[int]]]:
    """(what they have in common, quarter of an hour of closing or 0, sums) of positions.

    The database counts by the week's hours of UTC, apart for each state of the clocks, which are then read in the zone
    and on the markets' own clocks.
    """
    known = [moment for account_id in account_ids for moment in _openings(account_id) if moment is not None]
    if not known:
        return
    found = zone_offsets.stretches((zone, *market_sessions.MARKETS), min(known), max(known))
    clocks = sorted({offsets for _start, offsets in found})
    is_hourly = all(offset % HOUR == 0 for offsets in clocks for offset in offsets)
    size = HOUR if is_hourly else QUARTER
    states = [(start, clocks.index(offsets)) for start, offsets in found]
    for columns in PARTS_OF_POSITIONS:
        closed = posix_seconds(columns.closed_at) // QUARTER if is_dated else literal(0, BigInteger)
        query = _grouped(columns, which, states, size, closed)
        for unit, closing, state, symbol, kind, *sums in plain_rows(db.session(), query):
            # PostgreSQL adds whole numbers up as decimals.
            yield (symbol, kind, *_moment(unit * size, clocks[state])), closing, [int(value) for value in sums]


def _grouped(
    columns: Any, which: Which, states: list[tuple[datetime, int]], size: int, closed: ColumnElement[int]
) -> Select[Any]:
    given = (
        select(
            # As it is, SQLite would walk the account by symbol and read its rows in no order.
            unindexed(columns.symbol).label("symbol"),
            type_coerce(columns.kind, String).label("kind"),
            zone_offsets.by_stretch(columns.opened_at, states).label("state"),
            (posix_seconds(columns.opened_at) // size % (WEEK // size)).label("unit"),
            closed.label("closing"),
            type_coerce(columns.net, BigInteger).label("net"),
        )
        .where(*which(columns))
        .subquery()
        .c
    )
    # Numbers first: they tell two rows apart sooner than texts do.
    key = (given.unit, given.closing, given.state, given.symbol, given.kind)
    return select(
        *key,
        func.count(),
        func.count().filter(given.net > 0),
        func.count().filter(given.net < 0),
        func.sum(given.net),
        func.coalesce(func.sum(given.net).filter(given.net > 0), 0),
    ).group_by(*key)


def _openings(account_id: int) -> list[datetime | None]:
    # Each account and each end apart, so that both are read from the index.
    ends = (func.min(Trade.opened_at), func.max(Trade.opened_at))
    return [db.session.scalar(select(end).where(Trade.account_id == account_id)) for end in ends]


def _moment(seconds: int, offsets: tuple[int, ...]) -> tuple[int, int, str]:
    """(weekday, hour, session) of an instant, in seconds of a week that begins like 1970 on a Thursday of UTC."""
    there = seconds + offsets[0]
    session = market_sessions.session_of_hour(seconds // HOUR % 24, offsets[1:])
    return (there // DAY + 3) % 7, there // HOUR % 24, session.value


def by(found: Iterable[Cell], key: Callable[[Cell], Hashable]) -> dict[Any, Group]:
    """Groups by what ``key`` gives."""
    groups: dict[Any, Group] = defaultdict(Group)
    for cell in found:
        groups[key(cell)].add(cell)
    return groups


def by_symbol(found: Iterable[Cell]) -> list[tuple[str, Group]]:
    """By instrument, most traded first; ``EURUSDm`` and ``EURUSD.r`` are EURUSD."""
    groups = by(found, lambda cell: base_symbol(cell.symbol))
    return sorted(groups.items(), key=lambda item: (-item[1].trades, item[0]))


def by_tag(account_ids: Sequence[int], which: Which, worth: WorthOf | None = None) -> list[tuple[str, Group]]:
    """By tag, most used first. A position has the tags of all its parts, and counts once under each.

    ``worth``: what a result is in another currency; one that finds no rate is left out.
    """
    groups: dict[str, Group] = defaultdict(Group)
    counted: set[tuple[str, int, str]] = set()
    alone, chained = PARTS_OF_POSITIONS
    for columns, is_of in ((alone, alone.ticket == Trade.ticket), (chained, chained.opened_at == Trade.opened_at)):
        found = db.session.execute(_tagged(account_ids, columns, is_of, which))
        for account_id, position, tickets, closed_at, units, ticket, tags in found:
            net = worth(account_id, units, closed_at) if worth else units
            if net is None or ticket not in tickets.split(SEPARATOR):
                continue
            for tag in tags:
                if (tag, account_id, position) not in counted:
                    counted.add((tag, account_id, position))
                    groups[tag].add_one(net)
    return sorted(groups.items(), key=lambda item: (-item[1].trades, item[0]))


def _tagged(account_ids: Sequence[int], columns: Any, is_of: ColumnElement[bool], which: Which) -> Select[Any]:
    """Trades with notes, each beside the positions that it may be of."""
    return (
        select(
            columns.account_id,
            columns.ticket,
            columns.tickets,
            columns.closed_at,
            type_coerce(columns.net, BigInteger),
            Trade.ticket,
            TradeJournal.tags,
        )
        .join(Trade, Trade.id == TradeJournal.trade_id)
        .join(columns.ticket.table, (columns.account_id == Trade.account_id) & is_of)
        .where(Trade.account_id.in_(account_ids), *which(columns))
    )


def spread_of(results: Sequence[Sequence[Any]], pip_of: PipOf = pip_size) -> Spread:
    """What results in order say, each as in ``Result`` (more columns are left aside), column by column."""
    if not results:
        return Spread()
    nets, held_seconds, r_multiples, ways, symbols = ([row[place] for row in results] for place in range(5))
    ordered = sorted(nets)
    held = sorted(seconds for seconds in held_seconds if seconds is not None)
    multiples = [multiple for multiple in r_multiples if multiple is not None]
    places = [0, *(bisect_left(held, edge) for edge in HOLDING_EDGES), len(held)]
    wins, losses = streaks_of(nets)
    by_symbol, counts = _pips(ways, symbols, pip_of)
    pairs = [symbol for symbol in by_symbol if is_forex(symbol)]
    return Spread(
        winning_streak=wins,
        losing_streak=losses,
        median_net=Decimal(str(median(ordered))) / SCALE,
        median_holding=int(median(held)) if held else None,
        mean_r=Decimal(sum(multiples)) / len(multiples) / SCALE if multiples else None,
        with_r=len(multiples),
        forex_pips=sum((by_symbol[symbol] for symbol in pairs), Decimal(0)) if pairs else None,
        with_pips=sum(counts[symbol] for symbol in pairs),
        pips=by_symbol,
        results=histogram(ordered),
        holdings=[end - start for start, end in pairwise(places)] if held else [],
    )


def _pips(
    ways: Sequence[int | None], symbols: Sequence[str], pip_of: PipOf
) -> tuple[dict[str, Decimal], dict[str, int]]:
    """(pips, positions that tell them) by instrument; one that has no pip is in neither."""
    moved: dict[str, int] = defaultdict(int)
    told: dict[str, int] = defaultdict(int)
    for way, symbol in zip(ways, symbols, strict=True):
        if way is not None:
            moved[symbol] += way
            told[symbol] += 1
    pips: dict[str, Decimal] = defaultdict(Decimal)
    counts: dict[str, int] = defaultdict(int)
    for symbol, units in moved.items():
        size = pip_of(symbol)
        if size is not None:
            pips[base_symbol(symbol)] += Decimal(units) / SCALE / size
            counts[base_symbol(symbol)] += told[symbol]
    return dict(pips), counts


def streaks_of(results: Iterable[int]) -> tuple[int, int]:
    """(longest run of wins, longest run of losses) of results in order. A zero ends a run."""
    run = wins = losses = 0
    for net in results:
        if net > 0:
            run = run + 1 if run > 0 else 1
            if run > wins:
                wins = run
        elif net < 0:
            run = run - 1 if run < 0 else -1
            if -run > losses:
                losses = -run
        else:
            run = 0
    return wins, losses


def histogram(ordered: Sequence[int]) -> list[Bin]:
    """Classes of results in 1e-8 units, lowest first, of round and equal width, with a limit at zero: no class mixes
    gains and losses.

    The first and the last class take what lies beyond: the hundredth part at each end would else leave one bar.
    """
    if not ordered:
        return []
    low, high = min(0, ordered[len(ordered) // 100]) / UNITS, max(0, ordered[-1 - len(ordered) // 100]) / UNITS
    if high - low <= 0:
        low, high = min(0, ordered[0]) / UNITS, max(0, ordered[-1]) / UNITS
    if high - low <= 0:
        return [Bin(0.0, 0.0, len(ordered))]
    rough = (high - low) / BINS
    magnitude = 10 ** math.floor(math.log10(rough))
    width = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999999)
    # A single loss among hundreds of gains lies beyond the outer hundredth; it has its class all the same.
    first = min(math.floor(low / width), -1 if ordered[0] < 0 else 0)
    last = max(math.floor(high / width), first)
    limits = [number * width for number in range(first, last + 2)]
    places = [0, *(bisect_left(ordered, edge * UNITS) for edge in limits[1:-1]), len(ordered)]
    return [
        Bin(start, end, after - before)
        for (start, end), (before, after) in zip(pairwise(limits), pairwise(places), strict=True)
    ]
