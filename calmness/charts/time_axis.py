"""Marks of a time axis, at midnights and full hours of the reader's zone.

Days of 23 and 25 hours are walked by wall time, so that a mark never slides by an hour after a change of clock.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from calmness.charts.line import Tick

HOUR_STEPS = (1, 3, 6, 12)
DAY_STEPS = (1, 2, 7, 14)
MONTH_STEPS = (1, 2, 3, 6, 12)


class Unit(StrEnum):
    """What lies between two marks: decides how the caller writes them."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def time_ticks(
    first: datetime, last: datetime, zone: str, label: Callable[[datetime, Unit], str], *, most: int = 7
) -> list[Tick]:
    """At most ``most`` marks between two instants; ``x`` are POSIX seconds, ``label`` gets local datetimes."""
    local_zone = ZoneInfo(zone)
    for unit, step in _candidates():
        if _too_many(unit, step, last - first, most):
            continue
        marks = [mark for mark in _walk(first.astimezone(local_zone), last, unit, step) if first <= mark <= last]
        if len(marks) <= most:
            return [Tick(mark.timestamp(), label(mark, unit)) for mark in marks]
    return []


def _candidates() -> Iterator[tuple[Unit, int]]:
    yield from ((Unit.HOUR, step) for step in HOUR_STEPS)
    yield from ((Unit.DAY, step) for step in DAY_STEPS)
    yield from ((Unit.MONTH, step) for step in MONTH_STEPS)


def _too_many(unit: Unit, step: int, span: timedelta, most: int) -> bool:
    hours = {Unit.HOUR: 1, Unit.DAY: 24, Unit.MONTH: 24 * 31}[unit] * step
    return span / timedelta(hours=hours) > most + 1


def _walk(start: datetime, last: datetime, unit: Unit, step: int) -> Iterator[datetime]:
    """Marks from the midnight, Monday or month before ``start`` until past ``last``."""
    mark = start.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit is Unit.DAY and step % 7 == 0:
        mark -= timedelta(days=mark.weekday())
    elif unit is Unit.MONTH:
        mark = mark.replace(month=(mark.month - 1) // step * step + 1, day=1)
    while mark.astimezone(UTC) <= last:
        yield mark
        mark = _next(mark, unit, step)


def _next(mark: datetime, unit: Unit, step: int) -> datetime:
    # Arithmetic on an aware datetime is wall arithmetic: midnight stays midnight, whatever the day's length.
    if unit is Unit.HOUR:
        following = mark + timedelta(hours=step)
        # The hour that the spring change leaves out is shown as the next one.
        return following.astimezone(UTC).astimezone(mark.tzinfo).replace(fold=0)
    if unit is Unit.DAY:
        return mark + timedelta(days=step)
    months = mark.month - 1 + step
    return mark.replace(year=mark.year + months // 12, month=months % 12 + 1)
