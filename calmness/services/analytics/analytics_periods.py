"""Periods of the audience measure in local days, and the period before that each is compared with."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l

from calmness.errors import DomainError

LENGTHS = {"7d": 7, "30d": 30, "90d": 90, "year": 365}
MAX_DAYS = 3660


class MalformedPeriod(DomainError):
    """The bounds make no period."""

    slug = "malformed-period"
    field = "from"
    message = _l("La date de début doit précéder la date de fin, et la période tenir dans dix ans.")


@dataclass(frozen=True)
class Period:
    """Local days, both included, with the same number of days just before."""

    name: str
    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1

    @property
    def previous(self) -> "Period":
        """As many days just before."""
        end = self.start - timedelta(days=1)
        return Period(self.name, end - timedelta(days=self.days - 1), end)

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Half-open instants of the period: days of a change of clock have 23 or 25 hours."""
        midnight = datetime.min.time()
        return (
            datetime.combine(self.start, midnight, tzinfo=zone),
            datetime.combine(self.end + timedelta(days=1), midnight, tzinfo=zone),
        )


def period(name: str, today: date, start: str = "", end: str = "") -> Period:
    """``today``, ``7d``, ``30d``, ``90d``, ``year`` or ``custom`` with ISO days. Raises ``MalformedPeriod``."""
    if name == "custom":
        try:
            first, last = date.fromisoformat(start), date.fromisoformat(end)
        except ValueError as error:
            raise MalformedPeriod from error
        last = min(last, today)
        if first > last or (last - first).days > MAX_DAYS:
            raise MalformedPeriod
        return Period("custom", first, last)
    if name == "today":
        return Period("today", today, today)
    length = LENGTHS.get(name, 30)
    return Period(name if name in LENGTHS else "30d", today - timedelta(days=length - 1), today)


def growth(now: float, before: float) -> float | None:
    """Change in per cent with one decimal; None when there was nothing before."""
    return None if not before else round(100 * (now - before) / before, 1)
