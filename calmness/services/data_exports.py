"""A copy of everything that the house holds of a person: one ZIP with JSON and CSV of each table and the files.

A worker writes it row by row, so that ten years of trades take no more memory than ten. It rests in the private store
for a week; only its owner, logged in and confirmed, gets it.
"""

import json
import secrets
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.sql.elements import NamedColumn

from calmness import clock
from calmness.database import reading
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.files import store
from calmness.models.account import User
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.catalogue import Offer
from calmness.models.dialect import hold
from calmness.models.privacy import DataExport, ExportState
from calmness.models.training import AdminFormationSession, Formation
from calmness.services import audit, delivery, notifications, personal_data
from calmness.services.preferences import NoticeKind
from calmness.spreadsheets import Cell, csv_lines

MAKE = "privacy.make_export"
READY_MAIL = "privacy.export_ready"
KEPT = timedelta(days=7)
PAUSE = timedelta(hours=24)
ROWS = 500
README = "LISEZMOI.txt"

_TITLES: dict[str, ColumnElement[str]] = {
    Formation.__tablename__: Formation.title.expression,
    Offer.__tablename__: Offer.name.expression,
    AdminFormationSession.__tablename__: AdminFormationSession.title.expression,
}
"""What a number of another table means to its reader."""


class ExportTooSoon(Conflict):
    """A copy was asked for within the last day."""

    slug = "export-too-soon"
    message = _l("Vous avez déjà demandé une copie depuis moins de 24 heures\u202f: elle est sur cette page.")


class ExportNotReady(DomainError):
    """The worker has not finished."""

    status = 409
    slug = "export-not-ready"
    message = _l("La copie est en préparation\u202f: un e-mail vous dira quand elle sera prête.")


def ask(user: User) -> DataExport:
    """Have a copy made; one a day. Raises ``ExportTooSoon``."""
    hold(db.session(), f"data-export:{user.id}")
    now = clock.now()
    recent = select(DataExport.id).where(DataExport.user_id == user.id, DataExport.asked_at > now - PAUSE)
    if db.session.scalar(recent.limit(1)) is not None:
        raise ExportTooSoon
    export = DataExport(user_id=user.id, state=ExportState.ASKED, asked_at=now)
    db.session.add(export)
    db.session.flush()
    # SQLite gives the number of an erased row again: the key must not meet the work of an older copy.
    delivery.enqueue(MAKE, f"{MAKE}:{export.id}:{secrets.token_hex(6)}", {"export_id": export.id})
    audit.record("privacy.export_asked", "user", user.id, actor=user)
    return export


def of_user(user_id: int, *, limit: int = 5) -> list[DataExport]:
    """A person's copies, newest first."""
    return list(
        db.session.scalars(
            select(DataExport).where(DataExport.user_id == user_id).order_by(DataExport.id.desc()).limit(limit)
        )
    )


def own_file(user: User, export_id: int) -> str:
    """Key of the file of one's own copy. Raises ``NotFound``, ``ExportNotReady``."""
    export = db.session.scalar(select(DataExport).where(DataExport.id == export_id, DataExport.user_id == user.id))
    if export is None or export.state is ExportState.EXPIRED:
        raise NotFound
    if export.state is ExportState.ASKED or export.file_key is None:
        raise ExportNotReady
    if export.expires_at is not None and export.expires_at <= clock.now():
        raise NotFound
    return export.file_key


def make(export_id: int) -> None:
    """Write the file, then tell its owner. Run twice, it changes nothing; it commits by itself.

    No writer waits meanwhile: the rows are read in a transaction that only reads.
    """
    export = db.session.get(DataExport, export_id)
    if export is None or export.state is not ExportState.ASKED:
        return
    user_id, key = export.user_id, f"exports/{secrets.token_hex(24)}.zip"
    db.session.rollback()
    with reading(), store().writing(key) as handle:
        write(handle, user_id)
        db.session.rollback()
    now = clock.now()
    taken = db.session.execute(
        update(DataExport)
        .where(DataExport.id == export_id, DataExport.state == ExportState.ASKED)
        .values(
            state=ExportState.READY,
            ready_at=now,
            expires_at=now + KEPT,
            file_key=key,
            size_bytes=store().size(key),
        ),
        execution_options={"synchronize_session": False},
    )
    if int(taken.rowcount) != 1:  # type: ignore[attr-defined]
        db.session.rollback()
        store().delete(key)
        return
    notifications.notify(
        user_id,
        NoticeKind.SECURITY,
        f"export-ready:{export_id}",
        title=str(_l("La copie de vos données est prête")),
        body=str(_l("Elle reste à votre disposition pendant sept jours.")),
        url="/espace/compte/donnees",
        message_kind=READY_MAIL,
    )
    db.session.commit()


def expire() -> int:
    """End the copies whose week is over: the file goes, the row says that there was one. Commits; gives how many."""
    over = list(
        db.session.execute(
            select(DataExport.id, DataExport.file_key).where(
                DataExport.state == ExportState.READY, DataExport.expires_at <= clock.now()
            )
        )
    )
    for export_id, key in over:
        db.session.execute(
            update(DataExport).where(DataExport.id == export_id).values(state=ExportState.EXPIRED, file_key=None)
        )
        db.session.commit()
        if key:
            store().delete(key)
    return len(over)


def write(handle: BinaryIO, user_id: int) -> None:
    """Write the archive of a person."""
    with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr(README, _readme())
        for name in personal_data.exported():
            columns = _columns(name)
            _write_json(archive, name, columns, user_id)
            _write_csv(archive, name, columns, user_id)
        for name, place in personal_data.TABLES.items():
            if place.file and name not in {"data_export", "invoice_document"}:
                _write_files(archive, name, place.file, user_id)
        _write_invoices(archive, user_id)


def _hidden(name: str) -> frozenset[str]:
    place = personal_data.TABLES[name]
    return place.hidden | place.others


def _columns(name: str) -> list[NamedColumn[Any]]:
    """What leaves the house of a table; beside the number of a formation, offer or session stands what it is called."""
    source = personal_data.table(name)
    found: list[NamedColumn[Any]] = []
    for column in source.columns:
        if column.name in _hidden(name):
            continue
        found.append(column)
        for key in column.foreign_keys:
            title = _TITLES.get(key.column.table.name)
            if title is not None and key.column.table is not source:
                words = select(title).where(key.column == column).correlate(source).scalar_subquery()
                found.append(words.label(f"{column.name.removesuffix('_id')}_title"))
    return found


def _rows(name: str, columns: list[NamedColumn[Any]], user_id: int) -> Iterator[Any]:
    query = personal_data.rows_of(name, user_id, *columns).order_by(*personal_data.table(name).primary_key.columns)
    return iter(db.session.execute(query, execution_options={"yield_per": ROWS}))


def _write_json(archive: zipfile.ZipFile, name: str, columns: list[NamedColumn[Any]], user_id: int) -> None:
    names = [column.name for column in columns]
    with archive.open(f"json/{name}.json", "w", force_zip64=True) as file:
        file.write(b"[")
        for index, row in enumerate(_rows(name, columns, user_id)):
            values = dict(zip(names, (_plain(value) for value in row), strict=True))
            file.write(b",\n" if index else b"\n")
            file.write(json.dumps(values, ensure_ascii=False).encode("utf-8", "replace"))
        file.write(b"\n]\n")


def _write_csv(archive: zipfile.ZipFile, name: str, columns: list[NamedColumn[Any]], user_id: int) -> None:
    rows = ([_cell(value) for value in row] for row in _rows(name, columns, user_id))
    with archive.open(f"csv/{name}.csv", "w", force_zip64=True) as file:
        for line in csv_lines([column.name for column in columns], rows):
            file.write(line.encode("utf-8", "replace"))


def _write_files(archive: zipfile.ZipFile, name: str, column: str, user_id: int) -> None:
    source = personal_data.table(name)
    label = source.c.name if "name" in source.c else source.c.file_name if "file_name" in source.c else None
    query = personal_data.rows_of(name, user_id, source.c[column], source.c.id, *([label] if label is not None else []))
    for key, row_id, *given in db.session.execute(query).all():
        if key:
            # A person's own words never become a path: the end of the name is all that stays of it.
            ending = PurePosixPath(given[0] if given else key).suffix[:8]
            safe = ending if ending.removeprefix(".").isalnum() else ""
            _copy(archive, key, f"fichiers/{name}/{row_id}{safe}")


def _write_invoices(archive: zipfile.ZipFile, user_id: int) -> None:
    query = (
        select(Invoice.number, InvoiceDocument.file_key)
        .join(InvoiceDocument, InvoiceDocument.invoice_id == Invoice.id)
        .where(Invoice.user_id == user_id)
        .order_by(Invoice.id)
    )
    for number, key in db.session.execute(query).all():
        _copy(archive, key, f"fichiers/factures/{number}.pdf")


def _copy(archive: zipfile.ZipFile, key: str, path: str) -> None:
    if not store().exists(key):
        return
    with store().open(key) as source, archive.open(path, "w", force_zip64=True) as target:
        while block := source.read(64 * 1024):
            target.write(block)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    return None if isinstance(value, bytes) else value


def _cell(value: Any) -> Cell:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return None if isinstance(value, bytes) else value


def _readme() -> str:
    left_out = "\n".join(
        f"- {name}\u00a0: {place.left_out}" for name, place in personal_data.TABLES.items() if place.left_out
    )
    hidden = "\n".join(
        f"- {name}\u00a0: {', '.join(sorted(_hidden(name)))}" for name in personal_data.exported() if _hidden(name)
    )
    return (
        "Vos données chez Calmness Trading\n"
        f"Copie faite le {clock.now():%d/%m/%Y à %H:%M} UTC (RGPD, articles 15 et 20).\n\n"
        "json/      une table par fichier, lisible par un programme\u00a0; instants en UTC (ISO 8601),\n"
        "           montants de facturation en centimes, montants de trading en décimales exactes\n"
        "csv/       les mêmes lignes pour un tableur\u00a0; un texte qui ressemble à une formule porte une apostrophe\n"
        "fichiers/  vos factures en PDF, votre photo, vos pièces jointes et relevés\n\n"
        f"Ce qui n’y est pas, et pourquoi\n{left_out}\n\n"
        "Colonnes retirées (secrets, empreintes, noms de membres de l’équipe)\n"
        f"{hidden}\n\n"
        "Une question, une erreur à corriger\u00a0: écrivez-nous depuis la page Contact. Vous pouvez aussi saisir la\n"
        "CNIL (www.cnil.fr).\n"
    )
