"""Fields that several areas share."""

from datetime import date

from apiflask.fields import Date, File, String
from marshmallow import ValidationError

FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 12, 31)


class Instant(String):
    """Answer: an instant, RFC 3339 in UTC."""

    def __init__(self, **options: object) -> None:
        super().__init__(metadata={"format": "date-time"}, **options)  # type: ignore[arg-type]


class Exact(String):
    """Answer: an exact decimal written as text, such as ``-12.5``."""

    def __init__(self, **options: object) -> None:
        super().__init__(metadata={"pattern": r"^-?\d+(\.\d+)?$"}, **options)  # type: ignore[arg-type]


class Bytes(File):
    """Input: a file of a form."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]


class Day(Date):
    """Input: a day that a calendar of this house knows; centuries away no time zone can be reckoned."""

    def __init__(self, **options: object) -> None:
        super().__init__(validate=_within_reach, **options)  # type: ignore[arg-type]


def _within_reach(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(f"{FIRST_DAY} – {LAST_DAY}")
