"""Values of a message as they must be read: exact numbers, texts that a page can hold, a broker's wall clock."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from calmness.models.types import SCALE

NEW_YORK = ZoneInfo("America/New_York")
AMOUNT_LIMIT = 10**9 * int(SCALE)
QUICK = 10_000_000.0
"""Below this a float times 1e8 errs by less than a quarter: rounded, it is the very number that was written."""
BIGGEST = 2**63 - 1
TICKET_LENGTH = 32

BrokerClock = int | str | None
"""How a broker's server tells time: None for New York plus seven hours, a zone's name, or an offset in seconds."""


def units(value: Any) -> int:
    """1e-8 units of a number of a message: text or number, finite, below a billion. Raises ValueError."""
    if type(value) is str:
        quick = float(value)
        if -QUICK < quick < QUICK:
            return round(quick * 100_000_000.0)
    elif type(value) is not int and type(value) is not float:
        raise ValueError("no number")
    try:
        exact = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not exact.is_finite() or abs(exact) >= Decimal(10) ** 10:
        raise ValueError("number out of range")
    whole = int((exact * SCALE).to_integral_value(rounding=ROUND_HALF_EVEN))
    if abs(whole) >= AMOUNT_LIMIT:
        raise ValueError("number out of range")
    return whole


def number(value: Any) -> Decimal:
    """An exact decimal of a message. Raises ValueError."""
    return Decimal(units(value)) / SCALE


def price_units(value: Any) -> int | None:
    """1e-8 units of a price; None where there is none (absent, empty, zero or less)."""
    if not value:
        return None
    found = units(value)
    return found if found > 0 else None


def whole(value: Any) -> int:
    """A 64-bit whole number of a message. Raises ValueError."""
    found = int(value)
    if not -BIGGEST <= found <= BIGGEST:
        raise ValueError("number out of range")
    return found


def clean(value: Any, length: int) -> str:
    """A text of a message without what no page or database can hold: controls, halves of surrogates, NUL."""
    if value is None:
        return ""
    text = value if type(value) is str else str(value)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text[:length]


def ticket_of(value: Any) -> str:
    """A ticket's number as text. Raises ValueError."""
    ticket = str(value) if type(value) is int else value
    if type(ticket) is not str or not 0 < len(ticket) <= TICKET_LENGTH or not ticket.isprintable():
        raise ValueError("bad ticket")
    return ticket


def offset_at(server_epoch: int, broker_clock: BrokerClock) -> int:
    """Seconds that the broker's server is ahead of UTC at a time of its own.

    Most servers follow New York plus seven hours, with American changes of clock: that is the rule without
    a ``broker_clock``.
    """
    if broker_clock is None:
        return _rule_of_hour(server_epoch // 3600)
    return broker_clock if type(broker_clock) is int else _zone_of_hour(str(broker_clock), server_epoch // 3600)


@lru_cache(maxsize=8192)
def _rule_of_hour(hour: int) -> int:
    # Clocks change at full hours.
    wall = datetime.fromtimestamp(hour * 3600, UTC).replace(tzinfo=None)
    offset = (wall - timedelta(hours=7)).replace(tzinfo=NEW_YORK).utcoffset() or timedelta(hours=-5)
    return int(offset.total_seconds()) + 7 * 3600


@lru_cache(maxsize=8192)
def _zone_of_hour(zone: str, hour: int) -> int:
    wall = datetime.fromtimestamp(hour * 3600, UTC).replace(tzinfo=None)
    offset = wall.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
