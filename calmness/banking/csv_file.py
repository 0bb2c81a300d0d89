"""CSV of French banks: Windows-1252 or UTF-8, lines above the header, one or two columns of amounts, a comma inside.

Which column is which is guessed by the names of the header and mended by a person, once a bank.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from calmness.banking import MAX_ENTRIES, Entry, Statement, UnreadableStatement, cents, keyed, plain

NAMES = {
    "date": ("date operation", "date de l operation", "date comptable", "date", "date de comptabilisation"),
    "amount": ("montant", "montant eur", "montant en euros", "montant euros", "amount", "montant net"),
    "credit": ("credit", "credit euros", "montant credit", "credit eur"),
    "debit": ("debit", "debit euros", "montant debit", "debit eur"),
    "reference": ("reference", "reference de l operation", "numero d operation", "ref", "reference operation"),
    "name": ("nom", "emetteur", "donneur d ordre", "nom de la contrepartie", "contrepartie", "tiers"),
    "iban": ("iban", "iban contrepartie", "iban emetteur", "compte contrepartie"),
    "label": ("libelle", "libelle operation", "libelle simplifie", "communication", "informations complementaires",
              "detail de l ecriture", "motif", "libelle de l operation", "nature de l operation"),
}  # fmt: skip
_DATES = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})$")


@dataclass(frozen=True)
class Columns:
    """Place of each thing, from zero; -1 where the bank does not say it."""

    date: int = -1
    amount: int = -1
    credit: int = -1
    debit: int = -1
    reference: int = -1
    name: int = -1
    iban: int = -1
    label: tuple[int, ...] = field(default=())

    @property
    def enough(self) -> bool:
        """Whether lines can be read: a day, and an amount in one column or two."""
        return self.date >= 0 and (self.amount >= 0 or self.credit >= 0)

    def as_json(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self) | {"label": list(self.label)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Columns":
        """From the database."""
        return cls(**{**stored, "label": tuple(stored.get("label", ()))})


@dataclass(frozen=True)
class Sheet:
    """The cells of a file, its header found."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def signature(self) -> str:
        """What recognises the bank's next file."""
        return "|".join(map(folded, self.header))[:500]


def open_sheet(content: bytes) -> Sheet:
    """Decode, find the delimiter and the header line. Raises ``UnreadableStatement``."""
    text = decoded(content)
    delimiter = max(";\t,", key=lambda mark: sum(line.count(mark) for line in text.splitlines()[:40]))
    try:
        lines = [
            tuple(cell.strip() for cell in line)
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise UnreadableStatement("csv") from error
    if len(lines) > MAX_ENTRIES + 100:
        raise UnreadableStatement("size")
    place = max(range(min(len(lines), 40)), key=lambda index: (_likeness(lines[index]), -index), default=-1)
    if place < 0 or _likeness(lines[place]) < 2:
        raise UnreadableStatement("header")
    rows = tuple(line for line in lines[place + 1 :] if any(line))
    return Sheet(lines[place], rows)


def decoded(content: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else Windows-1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise UnreadableStatement("csv")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def guess(sheet: Sheet) -> Columns:
    """Columns by the names of the header."""
    names = [folded(cell) for cell in sheet.header]

    def first(kind: str) -> int:
        exact = next((names.index(name) for name in NAMES[kind] if name in names), -1)
        return exact if exact >= 0 else next((i for i, name in enumerate(names) if name.startswith(kind)), -1)

    labels = tuple(i for i, name in enumerate(names) if name in NAMES["label"] or name.startswith("libelle"))
    single = {kind: first(kind) for kind in NAMES if kind != "label"}
    return Columns(**single, label=labels)


def read(sheet: Sheet, columns: Columns, account: str = "") -> Statement:
    """Entries of the sheet. Lines without a day (totals, feet) are left out; a wrong amount refuses the file."""
    entries = []
    for row in sheet.rows:
        booked = day(_cell(row, columns.date))
        if booked is None:
            continue
        amount = _amount(row, columns)
        if amount == 0:
            continue
        entries.append(
            Entry(
                booked_on=booked,
                amount_cents=amount,
                label=" ".join(filter(None, (_cell(row, place) for place in columns.label)))[:500],
                debtor_name=_cell(row, columns.name)[:140],
                debtor_iban=plain(_cell(row, columns.iban))[:34],
                bank_reference=_cell(row, columns.reference)[:80],
            )
        )
    return Statement(plain(account)[:34], keyed(entries))


def day(text: str) -> date | None:
    """A day as banks write it: 26/11/2026, 26.11.26, 2026-11-26."""
    found = _DATES.match(text.strip())
    try:
        if found:
            year = int(found[3])
            return date(year + 2000 if year < 100 else year, int(found[2]), int(found[1]))
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def folded(text: str) -> str:
    """Lower case without accents and marks."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters).split())


def _likeness(line: tuple[str, ...]) -> int:
    known = {name for names in NAMES.values() for name in names}
    return sum(folded(cell) in known or folded(cell).startswith(("libelle", "date", "montant")) for cell in line)


def _cell(row: tuple[str, ...], place: int) -> str:
    return row[place] if 0 <= place < len(row) else ""


def _amount(row: tuple[str, ...], columns: Columns) -> int:
    try:
        if columns.amount >= 0 and _cell(row, columns.amount):
            return cents(_cell(row, columns.amount))
        credit, debit = _cell(row, columns.credit), _cell(row, columns.debit)
        # Banks print a debit with or without its sign.
        return (cents(credit) if credit else 0) - (abs(cents(debit)) if debit else 0)
    except ValueError as error:
        raise UnreadableStatement("amount") from error
