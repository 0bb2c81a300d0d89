"""Reads a FEC as the tax office's rules say, knowing nothing of the code that writes it."""

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

HEAD = (
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum"),
    *("CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet"),
    *("ValidDate", "Montantdevise", "Idevise"),
)


@dataclass(frozen=True)
class Fec:
    """Rows by column name, and the amounts of each entry."""

    rows: list[dict[str, str]]
    balances: dict[str, tuple[Decimal, Decimal]]

    def sum_of(self, account: str) -> Decimal:
        """Debit minus credit of an account."""
        own = [row for row in self.rows if row["CompteNum"] == account]
        return sum((_decimal(row["Debit"]) - _decimal(row["Credit"]) for row in own), Decimal(0))


def read(content: bytes, charset: str = "iso-8859-15") -> Fec:
    """Parse and check every rule of form. Raises AssertionError."""
    text = content.decode(charset)
    assert not text.startswith("\ufeff")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    lines = text[:-2].split("\r\n")
    assert tuple(lines[0].split("\t")) == HEAD
    rows = []
    for line in lines[1:]:
        fields = line.split("\t")
        assert len(fields) == len(HEAD), line
        rows.append(dict(zip(HEAD, fields, strict=True)))
    balances: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for row in rows:
        for name in ("EcritureDate", "PieceDate", "ValidDate"):
            assert re.fullmatch(r"20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])", row[name]), row
        for name in ("JournalCode", "JournalLib", "CompteNum", "CompteLib", "PieceRef", "EcritureLib"):
            assert row[name], row
        for name in ("Debit", "Credit"):
            assert re.fullmatch(r"\d+,\d\d", row[name]), row
        assert bool(row["CompAuxNum"]) == row["CompteNum"].startswith("411")
        assert bool(row["EcritureLet"]) == bool(row["DateLet"])
        assert bool(row["Montantdevise"]) == bool(row["Idevise"])
        debit, credit = balances[row["EcritureNum"]]
        balances[row["EcritureNum"]] = (debit + _decimal(row["Debit"]), credit + _decimal(row["Credit"]))
    numbers = list(dict.fromkeys(row["EcritureNum"] for row in rows))
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert all(debit == credit for debit, credit in balances.values())
    days = [row["ValidDate"] for row in rows]
    assert days == sorted(days)
    return Fec(rows, dict(balances))


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
