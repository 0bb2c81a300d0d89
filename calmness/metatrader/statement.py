"""What a statement says, whatever file it came from."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from calmness.metatrader.cash import BALANCE, CREDIT

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000


class Format(StrEnum):
    """Which of MetaTrader's files."""

    MT4_HTML = "mt4_html"
    MT5_HTML = "mt5_html"
    MT5_XLSX = "mt5_xlsx"


class Unreadable(Exception):
    """The file cannot be taken; ``code`` says why, in one word for whoever writes the sentence."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Skipped:
    """A line that brings no trade, and why. ``line`` is its number among the rows of the file's tables."""

    line: int
    ticket: str
    reason: str


@dataclass
class Statement:
    """Entries in the shape of an EA's trades (times are epochs of the broker's wall clock, amounts are text)."""

    format: Format
    login: str
    currency: str = ""
    truncated: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    reported: dict[str, Decimal] = field(default_factory=dict)
    """Control sums written in the file: ``closed``, ``cash``, ``change``."""

    def computed(self) -> dict[str, Decimal]:
        """The same sums over the entries that were read."""
        closed = sum((net(entry) for entry in self.entries if entry["type"] < 2), Decimal(0))
        # A broker's credit is no money of the student: MetaTrader keeps it out of deposits too.
        cash = sum((net(entry) for entry in self.entries if entry["type"] == BALANCE), Decimal(0))
        moved = sum((net(entry) for entry in self.entries if entry["type"] != CREDIT), Decimal(0))
        return {"closed": closed, "cash": cash, "change": moved}


def net(entry: dict[str, Any]) -> Decimal:
    """Result of an entry with its costs."""
    return sum((Decimal(entry[name]) for name in ("profit", "swap", "commission", "taxes")), Decimal(0))
