"""Fields that several areas share."""

from datetime import date
from decimal import Decimal

from apiflask.fields import Date, File, Integer, String
from apiflask.fields import Decimal as DecimalField
from apiflask.validators import Length, Range, Regexp
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


class Written(String):
    """Input: a text that says something, up to ``most`` characters."""

    def __init__(self, most: int, **options: object) -> None:
        rules = [Length(max=most), Regexp(r"[\s\S]*\S")]
        super().__init__(validate=rules, **options)  # type: ignore[arg-type]


class Whole(Integer):
    """Input: a whole number between two; a text of digits only where a query brings it (``strict`` off)."""

    def __init__(self, least: int, most: int, *, strict: bool = True, **options: object) -> None:
        super().__init__(strict=strict, validate=Range(min=least, max=most), **options)  # type: ignore[arg-type]


class Percent(DecimalField):
    """Input: a percentage with two decimals at most, as a number or as text."""

    def __init__(self, least: str, most: str, **options: object) -> None:
        super().__init__(
            allow_nan=False,
            validate=[Range(min=Decimal(least), max=Decimal(most)), _two_decimals],
            metadata={"type": ["number", "string"], "pattern": r"^\d{1,3}(\.\d{1,2})?$"},
            **options,  # type: ignore[arg-type]
        )


def basis_points(percent: Decimal | None) -> int | None:
    """Hundredths of a percent."""
    return None if percent is None else int(percent * 100)


def _two_decimals(value: Decimal) -> None:
    if value != round(value, 2):
        raise ValidationError("0.01")


def _within_reach(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(f"{FIRST_DAY} – {LAST_DAY}")
