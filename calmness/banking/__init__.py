"""Bank statements of every format, read into the same entries: money that moved, with what the bank says of it."""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

MAX_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 20_000


class UnreadableStatement(Exception):
    """The file is not what it says it is. ``reason`` is a short English word for the edge to translate."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Entry:
    """One movement. Positive cents came in. ``is_reversal``: the bank takes back what it had booked."""

    booked_on: date
    amount_cents: int
    label: str = ""
    debtor_name: str = ""
    debtor_iban: str = ""
    end_to_end_id: str = ""
    bank_reference: str = ""
    is_reversal: bool = False
    currency: str = "EUR"
    key: str = ""


@dataclass(frozen=True)
class Statement:
    """What a file holds. ``balanced`` is None when the file gives no balances."""

    account: str
    entries: tuple[Entry, ...]
    balanced: bool | None = None


def cents(text: str) -> int:
    """Cents of an amount as banks write it: ``1 234,56``, ``1,234.56``, ``+12``, ``12-``. Raises ValueError."""
    kept = "".join(character for character in text if character.isdigit() or character in ",.-+")
    if kept.endswith("-"):
        kept = "-" + kept[:-1]
    comma, dot = kept.rfind(","), kept.rfind(".")
    decimal = "," if comma > dot else "."
    other = "." if decimal == "," else ","
    kept = kept.replace(other, "")
    if kept.count(decimal) > 1:
        kept = kept.replace(decimal, "")
    try:
        amount = Decimal(kept.replace(",", "."))
    except InvalidOperation as error:
        raise ValueError(text) from error
    whole = amount * 100
    if whole != whole.to_integral_value() or abs(whole) > 10**13:
        raise ValueError(text)
    return int(whole)


def plain(text: str) -> str:
    """Upper-case letters and digits only."""
    return "".join(character for character in text.upper() if character.isascii() and character.isalnum())


def keyed(entries: list[Entry]) -> tuple[Entry, ...]:
    """Give each entry the key that recognises it in another statement: the bank's number with day and amount, since
    such numbers are not unique everywhere, or else what the line says. Equal lines of a day are told by their rank.
    """
    seen: Counter[str] = Counter()
    done = []
    for entry in entries:
        said = plain(entry.bank_reference) or plain(f"{entry.label}{entry.debtor_name}{entry.end_to_end_id}")
        basis = f"{entry.booked_on}|{entry.amount_cents}|{entry.is_reversal}|{said}"
        digest = hashlib.sha256(f"{basis}|{seen[basis]}".encode()).hexdigest()
        seen[basis] += 1
        done.append(replace(entry, key=digest))
    return tuple(done)
