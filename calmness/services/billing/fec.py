"""The sales part of a FEC (LPF A47 A-1): 18 columns, tab, CR LF, no quotes, ISO 8859-15 or UTF-8.

It holds sales and receipts only and feeds the accountant's books; it is not the company's whole file.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from calmness import clock
from calmness.models.billing import Invoice, InvoiceKind
from calmness.services.billing import books

COLUMNS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)
CLIENTS, DEPOSITS, SALES, VAT, BANK = (
    ("411", "Clients"),
    ("4191", "Clients, avances et acomptes reçus"),
    ("706", "Prestations de services"),
    ("44571", "TVA collectée"),
    ("512", "Banque"),
)
_STROKED = str.maketrans(
    {"Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ø": "O", "ø": "o", "ı": "i", "’": "'", "\u202f": " "}
)


@dataclass(frozen=True)
class Entry:
    """A line of an entry. One of both amounts is 0. Cents."""

    account: tuple[str, str]
    debit_cents: int
    credit_cents: int


def file_name(siren: str, year_end: date) -> str:
    """``<SIREN>FEC<AAAAMMJJ>.txt``."""
    return f"{siren}FEC{year_end:%Y%m%d}.txt"


def lines(first: date, last: date) -> Iterator[str]:
    """The whole file, a line at a time, head first. Entries follow the order of issue, numbered without a hole."""
    yield "\t".join(COLUMNS) + "\r\n"
    number = 0
    for invoice in books.documents(first, last):
        for journal, day, entries in _entries_of(invoice):
            if not any(entry.debit_cents or entry.credit_cents for entry in entries):
                continue
            number += 1
            for entry in entries:
                if entry.debit_cents or entry.credit_cents:
                    yield _line(number, journal, day, entry, invoice)


def encoded(text: Iterable[str], charset: str) -> tuple[bytes, int]:
    """The file in ``iso-8859-15`` or ``utf-8``, without a mark, and how many letters were brought back to others."""
    whole = "".join(text)
    if charset == "utf-8":
        return whole.encode(), 0
    changed = 0
    out = []
    for character in whole:
        kept = _latin(character)
        changed += kept != character
        out.append(kept)
    return "".join(out).encode("iso-8859-15"), changed


def _entries_of(invoice: Invoice) -> Iterator[tuple[tuple[str, str], date, list[Entry]]]:
    """The sale and its receipt; a credit note is the same the other way round.

    A deposit is no sale yet: it stands in 4191 without its VAT, which is due, until the final invoice takes it off.
    """
    back = invoice.kind is InvoiceKind.CREDIT_NOTE
    deducted = -sum(item.excl_cents for item in invoice.items if item.quantity < 0)
    sale = [
        Entry(CLIENTS, invoice.total_incl_cents, 0),
        Entry(DEPOSITS, deducted, 0),
        Entry(DEPOSITS if invoice.is_deposit else SALES, 0, invoice.total_excl_cents + deducted),
        Entry(VAT, 0, invoice.total_vat_cents),
    ]
    yield ("VE", "Ventes"), invoice.issued_on, [_turned(entry) for entry in sale] if back else sale
    if invoice.paid_cents and not back:
        receipt = [Entry(BANK, invoice.paid_cents, 0), Entry(CLIENTS, 0, invoice.paid_cents)]
        yield ("BQ", "Banque"), invoice.issued_on, receipt


def _turned(entry: Entry) -> Entry:
    return Entry(entry.account, entry.credit_cents, entry.debit_cents)


def _line(number: int, journal: tuple[str, str], day: date, entry: Entry, invoice: Invoice) -> str:
    client = entry.account is CLIENTS
    kind = "Facture d'acompte" if invoice.is_deposit else "Facture"
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        kind = "Avoir"
    fields = (
        *journal,
        str(number),
        f"{day:%Y%m%d}",
        *entry.account,
        f"C{invoice.user_id:06d}" if client else "",
        invoice.buyer["name"] if client else "",
        invoice.number,
        f"{invoice.issued_on:%Y%m%d}",
        f"{kind} {invoice.number} {invoice.buyer['name']}"[:200],
        _amount(entry.debit_cents),
        _amount(entry.credit_cents),
        "",
        "",
        f"{invoice.issued_at.astimezone(clock.PARIS):%Y%m%d}",
        "",
        "",
    )
    return "\t".join(_label(field) for field in fields) + "\r\n"


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"


def _label(text: str) -> str:
    """No field may hold what separates fields or lines, nor an invisible sign."""
    text = re.sub(r"[\s|\u0085\u2028\u2029\"]+", " ", text)
    return "".join(character for character in text if unicodedata.category(character) not in {"Cc", "Cf"}).strip()


def _latin(character: str) -> str:
    for candidate in (character, character.translate(_STROKED), unicodedata.normalize("NFKD", character)):
        kept = "".join(part for part in candidate if unicodedata.category(part) != "Mn")
        try:
            kept.encode("iso-8859-15")
        except UnicodeEncodeError:
            continue
        return kept
    return "?"
