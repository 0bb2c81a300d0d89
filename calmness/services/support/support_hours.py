"""Opening hours of the support: local hours of the school's zone, right across clock changes, holidays and midnight."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from calmness import clock
from calmness.extensions import db
from calmness.models.settings import Setting

KEY = "support.hours"
ZONE = "Europe/Paris"
HORIZON_DAYS = 30
DEFAULT: dict[str, Any] = {
    "zone": ZONE,
    "week": {
        **{str(weekday): [["09:00", "12:30"], ["13:30", "19:00"]] for weekday in range(5)},
        "5": [["10:00", "13:00"]],
        "6": [],
    },
    "closed_on_holidays": True,
    "exceptions": [],
    "closed_message": "",
}
"""``week``: ranges by weekday, Monday is 0; an end at or before its start is on the next day. ``exceptions``: days
``{"from", "to", "ranges", "text"}`` that win over holidays, which win over the week."""


@dataclass(frozen=True)
class Opening:
    """Whether somebody answers now, until when, and from when on again (UTC). ``text``: the exception's own words."""

    is_open: bool
    until: datetime | None
    next_open: datetime | None
    text: str = ""


def settings() -> dict[str, Any]:
    """The hours as the school set them, over the defaults."""
    row = db.session.get(Setting, KEY)
    return DEFAULT | (row.value if row is not None else {})


def now_open(at: datetime | None = None) -> Opening:
    """State of the opening hours at an instant."""
    return opening(at or clock.now(), settings())


def opening(at: datetime, hours: dict[str, Any]) -> Opening:
    """The same from given hours. Local walls of time become instants one by one, so a clock change moves nothing."""
    zone = ZoneInfo(hours["zone"])
    today = at.astimezone(zone).date()
    ranges = merged(
        span for offset in range(-1, HORIZON_DAYS) for span in _spans(today + timedelta(days=offset), hours, zone)
    )
    exception = _exception(today, hours)
    text = str((exception or {}).get("text", "")) or str(hours["closed_message"])
    for start, end in ranges:
        if start <= at < end:
            following = next((later for later, _end in ranges if later > end), None)
            return Opening(True, end, following, text)
        if start > at:
            return Opening(False, None, start, text)
    return Opening(False, None, None, text)


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Spans in order, those that touch joined: a night shift that ends when the day's begins never closes."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans(day: date, hours: dict[str, Any], zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    return [_span(day, opens, closes, zone) for opens, closes in _ranges(day, hours)]


def _ranges(day: date, hours: dict[str, Any]) -> list[list[str]]:
    exception = _exception(day, hours)
    if exception is not None:
        return list(exception.get("ranges", []))
    if hours["closed_on_holidays"] and day in _holidays(day.year):
        return []
    return list(hours["week"].get(str(day.weekday()), []))


@lru_cache(maxsize=8)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


def _exception(day: date, hours: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = next(
        (
            exception
            for exception in hours["exceptions"]
            if date.fromisoformat(exception["from"]) <= day <= date.fromisoformat(exception["to"])
        ),
        None,
    )
    return found


def _span(day: date, opens: str, closes: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = time.fromisoformat(opens), time.fromisoformat(closes)
    last_day = day + timedelta(days=1) if end <= start else day
    return (
        datetime.combine(day, start, zone).astimezone(UTC),
        datetime.combine(last_day, end, zone).astimezone(UTC),
    )
