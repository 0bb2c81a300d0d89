"""What the team's forms take: texts that say something, whole numbers, percentages."""

from decimal import Decimal

from apiflask.fields import Decimal as DecimalField
from apiflask.fields import Integer, String
from apiflask.validators import Length, Range, Regexp
from marshmallow import ValidationError


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
