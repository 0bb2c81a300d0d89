"""Expansion of a rule: local starts first, then holidays, then UTC."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from dateutil import tz
from dateutil.rrule import rrule, rruleset, rrulestr

MAX_OCCURRENCES = 4000
"""Ten years of days: the net below a rule without end."""
LONGEST = 300
# An interval of nothing would never end.
_RULE = re.compile(r"(?!.*INTERVAL=0*(?:;|$))(?:RRULE:)?FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;[A-Z]+=[A-Z0-9,+-]+)*")
_UNTIL = re.compile(r"UNTIL=(\d{8})(?:T(\d{6})(Z?))?")


class HolidayRule(StrEnum):
    """What happens on a French public holiday: kept, left out, or moved to the next working day."""

    KEEP = "keep"
    SKIP = "skip"
    SHIFT = "shift"


class MalformedRule(ValueError):
    """The rule cannot be read, never happens, or its first date does not follow it."""


@dataclass(frozen=True)
class Occurrence:
    """One date of a rule. ``recurrence_id`` is the local start that the rule gave, also when a holiday moved it.

    ``clock_note``: ``missing`` (the spring change has no such hour: an hour later) or ``doubled`` (the first of two).
    """

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
    added: Sequence[datetime] = (),
    holiday_rule: HolidayRule = HolidayRule.KEEP,
) -> Iterator[Occurrence]:
    """Occurrences that start before ``until`` (an instant), at most on ``last_day`` (local), in order of their ids.

    ``starts_local`` is naive wall time in ``zone`` and must itself be an occurrence. ``excluded`` holds recurrence ids
    (EXDATE), ``added`` more naive local starts (RDATE). A date that a holiday would move onto another occurrence is
    left out. Raises ``MalformedRule``.
    """
    local_zone = ZoneInfo(zone)
    starts = _starts(rule, starts_local, local_zone, added)
    for number, local in enumerate(starts):
        if number >= MAX_OCCURRENCES or (last_day and local.date() > last_day):
            return
        identity = local.isoformat(timespec="seconds")
        if _instant(local, local_zone)[0] >= until:
            return
        shifted = _after_holidays(local, holiday_rule)
        if shifted is None or identity in excluded or (shifted != local and shifted in starts):
            continue
        start, note = _instant(shifted, local_zone)
        if start < until:
            yield Occurrence(identity, start, start + duration, local.date() if shifted != local else None, note)


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
    far = starts_local.replace(tzinfo=UTC) + timedelta(days=3660)
    found = expand(rule, starts_local, zone, duration, until=far, last_day=last_day, holiday_rule=holiday_rule)
    return [occurrence for occurrence, _ in zip(found, range(count), strict=False)]


def _starts(rule: str, starts_local: datetime, zone: ZoneInfo, added: Sequence[datetime]) -> rruleset:
    """Naive local starts: wall time is what counts, and dateutil refuses an UNTIL without zone beside an aware one."""
    written = rule.strip().upper()
    if len(written) > LONGEST or not _RULE.fullmatch(written) or starts_local.tzinfo is not None:
        raise MalformedRule(rule)
    try:
        parsed = rrulestr(_UNTIL.sub(lambda found: _local_until(found, zone), written), dtstart=starts_local)
        first = next(iter(parsed), None)
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise MalformedRule(rule) from error
    if first != starts_local:
        raise MalformedRule(rule)
    if not isinstance(parsed, rrule):
        raise MalformedRule(rule)
    starts = rruleset(cache=True)
    starts.rrule(parsed)
    for start in added:
        starts.rdate(start)
    return starts


def _local_until(found: re.Match[str], zone: ZoneInfo) -> str:
    """RFC 5545 wants UNTIL in UTC: read as wall time, a summer would lose its last session. A day means all of it."""
    day, time, utc = found.groups()
    if not utc:
        return f"UNTIL={day}T{time or '235959'}"
    last = datetime.strptime(day + time, "%Y%m%d%H%M%S").replace(tzinfo=UTC).astimezone(zone)
    return f"UNTIL={last:%Y%m%dT%H%M%S}"


def _after_holidays(local: datetime, rule: HolidayRule) -> datetime | None:
    if rule is HolidayRule.KEEP:
        return local
    free = _public_holidays()
    if local.date() not in free:
        return local
    if rule is HolidayRule.SKIP:
        return None
    while local.date() in free or local.weekday() >= 5:
        local += timedelta(days=1)
    return local


@lru_cache(maxsize=1)
def _public_holidays() -> holidays.HolidayBase:
    # The table fills itself for the years that are asked.
    return holidays.country_holidays("FR")


def _instant(local: datetime, zone: ZoneInfo) -> tuple[datetime, str | None]:
    """UTC of a wall time. In spring a missing hour moves forward; in autumn the first of two is taken."""
    aware = local.replace(tzinfo=zone, fold=0)
    if not tz.datetime_exists(aware):
        return tz.resolve_imaginary(aware).astimezone(UTC), "missing"
    return aware.astimezone(UTC), "doubled" if tz.datetime_ambiguous(aware) else None
