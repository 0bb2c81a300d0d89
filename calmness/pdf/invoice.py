"""What the PDF of an invoice shows: texts already formatted, so that the document never depends on today's settings."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class LogoView:
    """A picture that the address holds itself, and its size in points."""

    address: str
    width: int
    height: int


@dataclass(frozen=True)
class LineView:
    """A line of the document."""

    label: str
    detail: str
    quantity: str
    unit: str
    vat: str
    amount: str


@dataclass(frozen=True)
class InvoiceView:
    """The whole document. ``seller`` and ``buyer``: name first, then address and identifiers, a line each.

    Without ``logo``, the brand stands in letters.
    """

    title: str
    number: str
    brand: str
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[LineView, ...]
    totals: tuple[tuple[str, str], ...]
    due_label: str
    due: str
    mentions: tuple[str, ...]
    footer: str
    note: str = ""
    logo: LogoView | None = None


@dataclass(frozen=True)
class Properties:
    """What a reader shows of the file."""

    title: str
    author: str
    subject: str
    at: datetime
