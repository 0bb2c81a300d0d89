"""Column types shared by all areas: instants, exact broker decimals, enums as text, JSON."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

SCALE = Decimal(10) ** 8

JsonType = JSON().with_variant(JSONB(), "postgresql")
"""JSON column: JSONB on PostgreSQL, text on SQLite."""

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""64-bit primary key; SQLite numbers rows by itself only when the type is exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """Instant: aware in, aware out, UTC in the database.

    SQLite keeps no zone: without this decorator an aware value comes back naive and compares with nothing.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Scaled8(TypeDecorator[Decimal]):
    """Exact decimal with up to eight places, stored as an integer of 1e-8 units.

    SQLite has no decimal type and would pass Numeric through binary floats; brokers give at most 8 places.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        return int((Decimal(value) * SCALE).to_integral_value(rounding=ROUND_HALF_EVEN))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) / SCALE


def text_enum(members: type[Enum], name: str) -> EnumType:
    """Python enum stored by value as text with a CHECK: a value can be added without a native type's pain."""
    return EnumType(
        members,
        native_enum=False,
        create_constraint=True,
        name=name,
        length=32,
        values_callable=lambda kind: [member.value for member in kind],
        validate_strings=True,
    )


JsonDict = dict[str, Any]
