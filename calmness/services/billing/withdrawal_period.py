"""How long a consumer may withdraw from a contract: fourteen days (C. conso. L221-18 and L221-19)."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

import holidays

from calmness import clock

DAYS = 14
TEXT_VERSION = "retractation-2026-11"
"""Version of the information and of the waiver that the checkout shows."""


def period_end(concluded_at: datetime) -> datetime:
    """The last instant: the day of the contract does not count, and a period that would end on a Saturday, a Sunday
    or a holiday goes on until the end of the next working day.
    """
    last = concluded_at.astimezone(clock.PARIS).date() + timedelta(days=DAYS)
    while last.weekday() >= 5 or last in _holidays(last.year):
        last += timedelta(days=1)
    midnight = datetime.combine(last + timedelta(days=1), time.min, clock.PARIS)
    return midnight.astimezone(UTC)


@lru_cache(maxsize=8)
def _holidays(year: int) -> holidays.HolidayBase:
    return holidays.country_holidays("FR", years=year)
