"""The one clock of the house: instants are aware and in UTC, so that tests can set the time in one place."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def now() -> datetime:
    """Current instant, aware, in UTC."""
    return datetime.now(UTC)


def paris_today() -> date:
    """Today's date in Paris: the day that the law means on an invoice."""
    return now().astimezone(PARIS).date()
