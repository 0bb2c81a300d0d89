"""Market sessions, by the instant of opening in the markets' own clocks: fixed hours of UTC are wrong half the year.

Asia is open from 9 to 18 h of Tokyo, London from 8 to 17 h, New York from 8 to 17 h. A trade has one label: the overlap
of London and New York first, then London, New York, Asia, else outside.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from calmness.models.dialect import utc_hour
from calmness.models.trading import MarketSession
from calmness.services import zone_offsets

LONDON, NEW_YORK, TOKYO = "Europe/London", "America/New_York", "Asia/Tokyo"
MARKETS = (LONDON, NEW_YORK, TOKYO)
_ZONES = tuple(ZoneInfo(name) for name in MARKETS)


def session_of(instant: datetime) -> MarketSession:
    """Session of an instant."""
    return session_at(*(instant.astimezone(zone).hour for zone in _ZONES))


def session_at(london: int, new_york: int, tokyo: int) -> MarketSession:
    """Session by the hours of the three markets' own clocks."""
    in_london, in_new_york = 8 <= london < 17, 8 <= new_york < 17
    if in_london:
        return MarketSession.OVERLAP if in_new_york else MarketSession.LONDON
    if in_new_york:
        return MarketSession.NEW_YORK
    return MarketSession.ASIA if 9 <= tokyo < 18 else MarketSession.NONE


def session_of_hour(utc: int, offsets: Sequence[int]) -> MarketSession:
    """Session of an hour of UTC, with the seconds that ``MARKETS`` are ahead of it."""
    london, new_york, tokyo = ((utc + offset // 3600) % 24 for offset in offsets)
    return session_at(london, new_york, tokyo)


def opened_during(
    session: Session, column: InstrumentedAttribute[datetime], wanted: MarketSession, first: datetime, last: datetime
) -> ColumnElement[bool]:
    """Whether an instant of a column, known to lie between ``first`` and ``last``, is of a session.

    Between two changes of clock a session is a set of hours of UTC, so that the database can tell by itself. Stretches
    with the same hours are put together, and the hour is looked at first.
    """
    by_hours: dict[tuple[int, ...], list[tuple[datetime, datetime]]] = {}
    found = zone_offsets.stretches(MARKETS, first, last)
    for (start, offsets), (after, _next) in pairwise([*found, (last + timedelta(seconds=1), ())]):
        hours = tuple(hour for hour in range(24) if session_of_hour(hour, offsets) is wanted)
        by_hours.setdefault(hours, []).append((start, after))
    hour = utc_hour(session, column)
    ways = [
        and_(hour.in_(hours), or_(*(and_(column >= start, column < after) for start, after in stretches)))
        for hours, stretches in by_hours.items()
        if hours
    ]
    return or_(false(), *ways)
