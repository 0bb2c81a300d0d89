"""Expansion of a rule: local starts first, then holidays, then UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import holidays
from dateutil import tz
from dateutil.rrule import rrulestr

MAX_OCCURRENCES = 1000


class HolidayRule(StrEnum):
    """What happens on a French public holiday: kept, left out, or moved to the next working day."""

    KEEP = "keep"
    SKIP = "skip"
    SHIFT = "shift"


class MalformedRule(ValueError):
    """The rule cannot be read, never happens, or its first date does not follow it."""


@dataclass(frozen=True)
class Occurrence:
    """One date of a rule. ``recurrence_id`` is the local start that the rule gave, also when a holiday moved it."""

    recurrence_id: str
    start_at: datetime
    end_at: datetime
    moved_from: date | None = None
    clock_note: str | None = None


def expand(
    rule: str,
    starts_local: datetime,
    zone: str,
    duration: timedelta,
    *,
    until: datetime,
    last_day: date | None = None,
    excluded: frozenset[str] = frozenset(),
    holiday_rule: HolidayRule = HolidayRule.KEEP,
) -> Iterator[Occurrence]:
    """Occurrences that start before ``until`` (an instant), at most on ``last_day`` (local).

    ``starts_local`` is naive wall time in ``zone`` and must itself be an occurrence. Raises ``MalformedRule``.
    """
    local_zone = ZoneInfo(zone)
    try:
        # Naive expansion: dateutil refuses an UNTIL without zone beside an aware start, and wall time is what counts.
        starts = rrulestr(rule, dtstart=starts_local, ignoretz=True)
        first = next(iter(starts), None)
    except (ValueError, TypeError, KeyError) as error:
        raise MalformedRule(rule) from error
    if first is None or first != starts_local:
        raise MalformedRule(rule)
    for number, local in enumerate(starts):
        if number >= MAX_OCCURRENCES or (last_day and local.date() > last_day):
            return
        identity = local.isoformat(timespec="seconds")
        shifted = _after_holidays(local, holiday_rule)
        if shifted is None or identity in excluded:
            continue
        start, note = _instant(shifted, local_zone)
        if start >= until:
            return
        moved = local.date() if shifted.date() != local.date() else None
        yield Occurrence(identity, start, start + duration, moved, note)


def preview(
    rule: str,
    starts_local: datetime,
    zone: str,
    duration: timedelta,
    *,
    count: int = 12,
    last_day: date | None = None,
    holiday_rule: HolidayRule = HolidayRule.KEEP,
) -> list[Occurrence]:
    """The first occurrences, for a person to look at before saving. Raises ``MalformedRule``."""
    far = datetime.now(UTC) + timedelta(days=3660)
    found = expand(rule, starts_local, zone, duration, until=far, last_day=last_day, holiday_rule=holiday_rule)
    return [occurrence for occurrence, _ in zip(found, range(count), strict=False)]


def _after_holidays(local: datetime, rule: HolidayRule) -> datetime | None:
    if rule is HolidayRule.KEEP:
        return local
    # The table fills itself for the years that are asked.
    free = holidays.country_holidays("FR", years=(local.year, local.year + 1))
    if local.date() not in free:
        return local
    if rule is HolidayRule.SKIP:
        return None
    while local.date() in free or local.weekday() >= 5:
        local += timedelta(days=1)
    return local


def _instant(local: datetime, zone: ZoneInfo) -> tuple[datetime, str | None]:
    """UTC of a wall time. In spring a missing hour moves forward; in autumn the first of two is taken."""
    aware = local.replace(tzinfo=zone, fold=0)
    if not tz.datetime_exists(aware):
        return tz.resolve_imaginary(aware).astimezone(UTC), "missing"
    return aware.astimezone(UTC), "doubled" if tz.datetime_ambiguous(aware) else None
