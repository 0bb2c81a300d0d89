"""How the API writes instants, amounts and exact decimals."""

from datetime import UTC, datetime
from decimal import Decimal


def instant(value: datetime | None) -> str | None:
    """RFC 3339 in UTC, with ``Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def percent(basis_points: int) -> str:
    """A percentage with its two decimals."""
    return f"{basis_points / 100:.2f}"


def amount(cents: int, currency: str = "EUR") -> dict[str, int | str]:
    """Integer cents with their currency."""
    return {"amount": cents, "currency": currency}


def decimal(value: Decimal | None) -> str | None:
    """An exact decimal as text."""
    return None if value is None else format(value.normalize(), "f")
