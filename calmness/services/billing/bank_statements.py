"""Bank statements given by the staff: kept, looked at, imported. The same file or the same transfer twice is once."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock, uploads
from calmness.banking import MAX_BYTES, Entry, Statement, UnreadableStatement, camt, csv_file, mt940, ofx, plain
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.files import store
from calmness.models.account import User
from calmness.models.bank import BankFormat, BankLine, BankStatement, LineState, StatementFormat
from calmness.models.dialect import insert_once
from calmness.services import audit

Read = TypeVar("Read")
_REASONS = {
    "xml": _l("Ce fichier XML est abîmé ou contient une déclaration interdite."),
    "camt": _l("Ce fichier XML n’est pas un relevé CAMT.053."),
    "accounts": _l("Ce fichier contient plusieurs comptes\u00a0: exportez un compte à la fois."),
    "ofx": _l("Ce fichier OFX est illisible."),
    "mt940": _l("Ce fichier n’est pas un relevé MT940."),
    "csv": _l("Ce fichier n’est pas un CSV lisible."),
    "header": _l("Aucune ligne d’en-tête n’a été trouvée (date, libellé, montant)."),
    "amount": _l("Un montant ou une date est illisible\u00a0: vérifiez le choix des colonnes."),
    "date": _l("Une date est illisible."),
    "size": _l("Ce relevé compte trop de lignes\u00a0: exportez une période plus courte."),
}


_READERS = {StatementFormat.CAMT: camt.read, StatementFormat.OFX: ofx.read, StatementFormat.MT940: mt940.read}


class StatementRefused(DomainError):
    """The file cannot be read."""

    slug = "statement-refused"
    field = "file"

    def __init__(self, reason: str) -> None:
        super().__init__(_REASONS.get(reason, _REASONS["csv"]))


class ColumnsMissing(DomainError):
    """Nobody said yet where this bank puts day and amount."""

    slug = "columns-missing"
    field = "date"
    message = _l("Dites dans quelles colonnes se trouvent la date et le montant.")


@dataclass(frozen=True)
class Preview:
    """What importing would do: entries in, out, and those that are known already."""

    statement: Statement
    incoming: tuple[tuple[Entry, bool], ...]
    """Entries that would become lines, and whether each is there already."""
    left_out: int

    @property
    def known(self) -> int:
        """How many lines are there already."""
        return sum(known for _entry, known in self.incoming)


def receive(file_name: str, content: bytes, *, by: User) -> BankStatement:
    """Keep a file to look at. The same bytes again give the statement of then. Raises ``StatementRefused``."""
    if not content or len(content) > MAX_BYTES:
        raise StatementRefused("size" if content else "csv")
    if uploads.kind_of(content) not in uploads.READABLE:
        raise StatementRefused("csv")
    digest = hashlib.sha256(content).hexdigest()
    known = db.session.scalar(select(BankStatement).where(BankStatement.sha256 == digest))
    if known is not None:
        return known
    kind = _kind(content)
    statement = BankStatement(
        sha256=digest,
        file_name=re.sub(r"[^\w .()-]+", "_", file_name)[-160:] or "releve",
        file_key=f"statements/{digest}",
        format=kind,
        given_at=clock.now(),
        given_by_id=by.id,
    )
    if kind is StatementFormat.CSV:
        _reading(csv_file.open_sheet, content)
    else:
        statement.account = _reading(_READERS[kind], content).account
    store().put(statement.file_key, content)
    db.session.add(statement)
    db.session.flush()
    return statement


def get(statement_id: int) -> BankStatement:
    """A statement. Raises ``NotFound``."""
    statement = db.session.get(BankStatement, statement_id)
    if statement is None:
        raise NotFound
    return statement


def every(limit: int = 50, before: int | None = None) -> list[BankStatement]:
    """Statements given, newest first; those with an id below ``before``."""
    query = select(BankStatement).order_by(BankStatement.id.desc()).limit(limit)
    return list(db.session.scalars(query if before is None else query.where(BankStatement.id < before)))


def sheet_of(statement: BankStatement) -> csv_file.Sheet:
    """Cells of a CSV statement."""
    return _reading(csv_file.open_sheet, store().get(statement.file_key))


def format_of(sheet: csv_file.Sheet) -> BankFormat | None:
    """What was saved for the bank that writes such headers."""
    return db.session.scalar(
        select(BankFormat)
        .where(BankFormat.signature == sheet.signature)
        .order_by(BankFormat.updated_at.desc())
        .limit(1)
    )


def save_format(sheet: csv_file.Sheet, bank: str, account: str, columns: csv_file.Columns, *, by: User) -> BankFormat:
    """Remember where a bank puts what. Raises ``ColumnsMissing``."""
    if not columns.enough:
        raise ColumnsMissing
    name = " ".join(bank.split())[:80]
    if not name:
        raise DomainError(_l("Nommez la banque\u00a0: le réglage sera retrouvé au prochain relevé."), field="bank")
    saved = db.session.scalar(select(BankFormat).where(BankFormat.bank == name)) or BankFormat(bank=name)
    saved.signature, saved.account, saved.columns = sheet.signature, plain(account)[:34], columns.as_json()
    saved.updated_at, saved.updated_by_id = clock.now(), by.id
    db.session.add(saved)
    db.session.flush()
    return saved


def preview(statement: BankStatement) -> Preview:
    """What is in the file and what is known of it. Raises ``ColumnsMissing``, ``StatementRefused``."""
    read = _read(statement)
    # Money that leaves is none of the sale's business; what the bank takes back is.
    kept = [entry for entry in read.entries if (entry.amount_cents > 0) != entry.is_reversal]
    keys = {entry.key for entry in kept}
    known: set[str] = set()
    ordered = sorted(keys)
    for start in range(0, len(ordered), 500):
        known |= set(
            db.session.scalars(
                select(BankLine.key).where(
                    BankLine.account == read.account, BankLine.key.in_(ordered[start : start + 500])
                )
            )
        )
    incoming = tuple((entry, entry.key in known) for entry in kept)
    return Preview(read, incoming, len(read.entries) - len(kept))


def import_lines(statement_id: int, *, by: User) -> BankStatement:
    """Take the lines that are new. Asked twice, it changes nothing."""
    statement = db.session.scalar(
        select(BankStatement)
        .where(BankStatement.id == statement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if statement is None:
        raise NotFound
    if statement.imported_at is not None:
        return statement
    looked = preview(statement)
    rows = [_row(statement, looked.statement.account, entry) for entry, _known in looked.incoming]
    statement.new_lines = insert_once(db.session(), BankLine, rows)
    statement.known_lines = len(rows) - statement.new_lines
    statement.account = looked.statement.account
    statement.imported_at = clock.now()
    audit.record("statement.imported", "bank_statement", statement.id, actor=by)
    return statement


def _row(statement: BankStatement, account: str, entry: Entry) -> dict[str, object]:
    return {
        "statement_id": statement.id,
        "account": account,
        "key": entry.key,
        "booked_on": entry.booked_on,
        "amount_cents": entry.amount_cents,
        "currency": entry.currency,
        "label": entry.label,
        "debtor_name": entry.debtor_name,
        "debtor_iban": entry.debtor_iban,
        "end_to_end_id": entry.end_to_end_id,
        "bank_reference": entry.bank_reference,
        "is_reversal": entry.is_reversal,
        "state": LineState.RETURNED if entry.is_reversal else LineState.OPEN,
    }


def _read(statement: BankStatement) -> Statement:
    content = store().get(statement.file_key)
    if statement.format is not StatementFormat.CSV:
        return _reading(_READERS[statement.format], content)
    sheet = _reading(csv_file.open_sheet, content)
    saved = format_of(sheet)
    if saved is None:
        raise ColumnsMissing
    columns = csv_file.Columns.from_json(saved.columns)
    return _reading(lambda _content: csv_file.read(sheet, columns, saved.account or plain(saved.bank)), content)


def _reading(read: Callable[[bytes], Read], content: bytes) -> Read:
    try:
        return read(content)
    except UnreadableStatement as error:
        raise StatementRefused(error.reason) from error


def _kind(content: bytes) -> StatementFormat:
    head = content[:4000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if mt940.is_mt940(head):
        return StatementFormat.MT940
    if head[:20].upper().startswith(b"OFXHEADER") or b"<OFX>" in head.upper() or b"<?OFX" in head.upper():
        return StatementFormat.OFX
    if head.startswith(b"<"):
        return StatementFormat.CAMT
    return StatementFormat.CSV
