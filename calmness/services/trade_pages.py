"""Pages of a long history by key: a page begins after the last row of the one before, however far that is.

No offset and no count: the first page and the last of a million rows cost the same. Accounts are walked one by one in
the order of their index and merged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, select, tuple_, type_coerce, union_all

from calmness.extensions import db
from calmness.models.trading import Trade, TradeKind
from calmness.models.types import SCALE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

SORTS: dict[str, Any] = {
    "closed": Trade.closed_at,
    "opened": Trade.opened_at,
    "symbol": Trade.symbol,
    "direction": Trade.kind,
    "volume": Trade.volume,
    "duration": Trade.held_seconds,
    "profit": Trade.profit,
    "net": Trade.net,
}
COLUMN_NAMES = {"closed": "closed_at", "opened": "opened_at", "direction": "kind", "duration": "held_seconds"}
NULLABLE = frozenset({"closed", "duration"})
"""Open positions have neither: they stand first from above and last from below."""


@dataclass(frozen=True)
class Place:
    """The row that a page lies after, or before when ``backwards``."""

    value: Any
    row_id: int
    backwards: bool = False


@dataclass(frozen=True)
class Stretch:
    """Rows of a page, with the places of its neighbours; None where there is none."""

    rows: list[Trade]
    previous: Place | None
    following: Place | None


def read_place(sort: str, text: str, *, backwards: bool) -> Place | None:
    """Place of an address, such as ``8812.1764159400000000``; None for what nobody wrote."""
    number, _dot, value = text.partition(".")
    if not number.isdecimal() or len(number) > 18:
        return None
    if sort in NULLABLE and not value:
        return Place(None, int(number), backwards)
    if sort == "symbol":
        return Place(value[:64], int(number), backwards)
    if sort == "direction":
        return Place(TradeKind(value), int(number), backwards) if value in set(TradeKind) else None
    try:
        units = int(value)
    except ValueError:
        return None
    if sort in {"closed", "opened"}:
        return Place(EPOCH + MICROSECOND * units, int(number), backwards) if abs(units) < 10**17 else None
    if abs(units) >= 2**62:
        return None
    return Place(units if sort == "duration" else Decimal(units) / SCALE, int(number), backwards)


def write_place(place: Place) -> str:
    """Text of a place for an address."""
    value = place.value
    if value is None:
        text = ""
    elif isinstance(value, datetime):
        text = str((value - EPOCH) // MICROSECOND)
    elif isinstance(value, Decimal):
        text = str(int(value * SCALE))
    else:
        text = str(value)
    return f"{place.row_id}.{text}"


def stretch(
    account_ids: list[int],
    conditions: list[ColumnElement[bool]],
    *,
    sort: str,
    descending: bool,
    size: int,
    place: Place | None,
) -> Stretch:
    """The page after a place, or before it; the first one without a place."""
    backwards = place is not None and place.backwards
    rows = _walk(account_ids, conditions, sort, descending=descending != backwards, size=size + 1, place=place)
    has_more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_previous, has_following = (has_more, True) if backwards else (place is not None, has_more)
    if not rows:
        return Stretch([], None, None)
    return Stretch(
        rows,
        Place(value_of(sort, rows[0]), rows[0].id, backwards=True) if has_previous else None,
        Place(value_of(sort, rows[-1]), rows[-1].id) if has_following else None,
    )


def last(
    account_ids: list[int], conditions: list[ColumnElement[bool]], *, sort: str, descending: bool, size: int
) -> Stretch:
    """The last rows, walked from the end."""
    rows = _walk(account_ids, conditions, sort, descending=not descending, size=size + 1, place=None)
    has_previous, rows = len(rows) > size, rows[:size][::-1]
    return Stretch(rows, Place(value_of(sort, rows[0]), rows[0].id, backwards=True) if has_previous else None, None)


def ordered(query: Select[Any], sort: str, *, descending: bool) -> Select[Any]:
    """A query over several accounts in the order of the pages, for what reads all of it at once."""
    column = SORTS[sort]
    order = column.desc().nulls_first() if descending else column.asc().nulls_last()
    return query.order_by(order, Trade.id.desc() if descending else Trade.id.asc())


def value_of(sort: str, row: Trade) -> Any:
    """What a row is sorted by."""
    return getattr(row, COLUMN_NAMES.get(sort, sort))


def _walk(
    account_ids: list[int],
    conditions: list[ColumnElement[bool]],
    sort: str,
    *,
    descending: bool,
    size: int,
    place: Place | None,
) -> list[Trade]:
    rows: list[Trade] = []
    for part, is_empty in _parts(sort, descending=descending, place=place):
        wanted = [*conditions, *part]
        key = type_coerce(Trade.id, BigInteger) if is_empty else SORTS[sort]
        rows += _merged(account_ids, wanted, key, descending=descending, size=size - len(rows))
        if len(rows) >= size:
            break
    return rows


def _merged(
    account_ids: list[int], conditions: list[ColumnElement[bool]], key: Any, *, descending: bool, size: int
) -> list[Trade]:
    """The first rows of all accounts. The database merges, so that texts are in its own order."""

    def by(*columns: Any) -> list[Any]:
        return [column.desc() if descending else column for column in columns]

    queries = [
        select(Trade.id, key.label("sorted_by"))
        .where(Trade.account_id == account_id, *conditions)
        .order_by(*by(key, Trade.id))
        .limit(size)
        for account_id in account_ids
    ]
    if not queries:
        return []
    firsts = union_all(*(select(query.subquery()) for query in queries)).subquery()
    order = by(firsts.c.sorted_by, firsts.c.id)
    return list(db.session.scalars(select(Trade).join(firsts, firsts.c.id == Trade.id).order_by(*order).limit(size)))


def _parts(sort: str, *, descending: bool, place: Place | None) -> Iterator[tuple[list[ColumnElement[bool]], bool]]:
    """(conditions, whether the sorted value is absent) of the rows without a value and of those with one, in order."""
    column = SORTS[sort]
    if sort not in NULLABLE:
        yield ([] if place is None else [_beyond(column, place, descending=descending)]), False
        return
    for is_empty in (True, False) if descending else (False, True):
        is_first, part = is_empty is descending, column.is_(None) if is_empty else column.is_not(None)
        if place is None:
            yield [part], is_empty
        elif (place.value is None) is not is_empty:
            # The first part is behind when the place lies in the second.
            if not is_first:
                yield [part], is_empty
        elif is_empty:
            yield [part, Trade.id < place.row_id if descending else Trade.id > place.row_id], True
        else:
            yield [part, _beyond(column, place, descending=descending)], False


def _beyond(column: Any, place: Place, *, descending: bool) -> ColumnElement[bool]:
    here, there = tuple_(column, Trade.id), tuple_(type_coerce(place.value, column.type), place.row_id)
    return here < there if descending else here > there
