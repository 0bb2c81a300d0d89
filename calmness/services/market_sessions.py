"""Market sessions, by the instant of opening in the markets' own clocks: fixed hours of UTC are wrong half the year.

Asia is open from 9 to 18 h of Tokyo, London from 8 to 17 h, New York from 8 to 17 h. A trade has one label: the overlap
of London and New York first, then London, New York, Asia, else outside.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from calmness.models.dialect import utc_hour

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class MarketSession(StrEnum):
    """When a trade was opened."""

    OVERLAP = "overlap"
    LONDON = "london"
    NEW_YORK = "new_york"
    ASIA = "asia"
    OUTSIDE = "outside"


_TOKYO, _LONDON, _NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


def session_of(instant: datetime) -> MarketSession:
    """Session of an instant."""
    in_london = 8 <= instant.astimezone(_LONDON).hour < 17
    in_new_york = 8 <= instant.astimezone(_NEW_YORK).hour < 17
    if in_london and in_new_york:
        return MarketSession.OVERLAP
    if in_london:
        return MarketSession.LONDON
    if in_new_york:
        return MarketSession.NEW_YORK
    return MarketSession.ASIA if 9 <= instant.astimezone(_TOKYO).hour < 18 else MarketSession.OUTSIDE


def opened_during(
    session: Session, column: InstrumentedAttribute[datetime], wanted: MarketSession, first: datetime, last: datetime
) -> ColumnElement[bool]:
    """Whether an instant of a column, known to lie between ``first`` and ``last``, is of a session.

    Between two changes of clock a session is a set of hours of UTC, so that the database can tell by itself. Stretches
    with the same hours are put together, and the hour is looked at first.
    """
    by_hours: dict[tuple[int, ...], list[tuple[datetime, datetime]]] = {}
    for start, end in _stretches(first.year, last.year + 1):
        hours = tuple(hour for hour in range(24) if session_of((start + DAY).replace(hour=hour)) is wanted)
        by_hours.setdefault(hours, []).append((start, end))
    hour = utc_hour(session, column)
    ways = [
        and_(hour.in_(hours), or_(*(column.between(start, end) for start, end in stretches)))
        for hours, stretches in by_hours.items()
        if hours
    ]
    return or_(false(), *ways)


@lru_cache(maxsize=8)
def _stretches(first_year: int, end_year: int) -> tuple[tuple[datetime, datetime], ...]:
    """(first instant, last instant) of the stretches without a change of clock in London or New York."""
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(end_year, 1, 1, tzinfo=UTC)
    marks = [start, *_changes(start, end), end]
    return tuple((mark, following - timedelta(microseconds=1)) for mark, following in pairwise(marks))


def _changes(start: datetime, end: datetime) -> Iterator[datetime]:
    day = start
    while day < end:
        if _offsets(day) != _offsets(day + DAY):
            yield next(hour for hour in (day + HOUR * n for n in range(1, 25)) if _offsets(hour) != _offsets(day))
        day += DAY


def _offsets(instant: datetime) -> tuple[timedelta | None, timedelta | None]:
    return instant.astimezone(_LONDON).utcoffset(), instant.astimezone(_NEW_YORK).utcoffset()
