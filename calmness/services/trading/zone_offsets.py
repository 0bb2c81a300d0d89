"""Offsets of zones as the database can use them: between two changes of clock an offset is a number."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, case, type_coerce

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
"""Clocks change at whole quarters of an hour."""

Stretch = tuple[datetime, tuple[int, ...]]
"""(first instant, seconds that each of the zones is ahead of UTC from there on)."""


def stretches(zones: Sequence[str], first: datetime, last: datetime) -> list[Stretch]:
    """Stretches of time in which none of the zones changes its clock, from the one that holds ``first`` on."""
    found: list[Stretch] = []
    for year in range(first.astimezone(UTC).year, last.astimezone(UTC).year + 1):
        for start, offsets in _of_year(tuple(zones), year):
            if not found or found[-1][1] != offsets:
                found.append((start, offsets))
    ended = sum(1 for after in found[1:] if after[0] <= first)
    return found[ended:]


def by_stretch(column: Any, values: Sequence[tuple[Any, Any]]) -> ColumnElement[int]:
    """SQL: the value of the stretch that an instant lies in; each goes until the next one begins.

    Beginnings and values may be parameters of a statement that is built once.
    """
    if len(values) == 1:
        return type_coerce(values[0][1], Integer)
    steps = [(column < after, value) for (_start, value), (after, _next) in pairwise(values)]
    return case(*steps, else_=values[-1][1])


@lru_cache(maxsize=1024)
def _of_year(zones: tuple[str, ...], year: int) -> tuple[Stretch, ...]:
    day, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found = [(day, _offsets(zones, day))]
    while day < end:
        if _offsets(zones, day + DAY) != found[-1][1]:
            for quarter in range(DAY // QUARTER):
                moment = day + quarter * QUARTER
                if _offsets(zones, moment) != found[-1][1]:
                    found.append((moment, _offsets(zones, moment)))
        day += DAY
    return tuple(found)


def _offsets(zones: tuple[str, ...], moment: datetime) -> tuple[int, ...]:
    return tuple(int((moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)).total_seconds()) for zone in zones)
