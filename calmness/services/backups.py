"""Backup and restore of database and files.

Keys stay outside: who finds a backup must not find what opens sealed secrets and signs tokens. A restore brings back an
old state, and with it sessions that were ended since, accounts closed since, people erased since: all sessions and
links end, and what can be known of the closures and erasures is done again.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import inspect, text
from sqlalchemy.engine import URL, make_url

from calmness import clock
from calmness.extensions import db
from calmness.services.privacy import erased_list, revocations

log = structlog.get_logger(__name__)

MANIFEST = "manifest.json"
DATABASE = "database"
FILES = "files"
FORMAT = 1
LEFT_OUT = frozenset({"exports"})
"""Folders of the store that are no part of a backup: copies of people's data live for a week only."""


class BackupFault(Exception):
    """It did not work; the sentence is for the operator."""


@dataclass
class Manifest:
    """What a backup holds. ``keys`` tells whether the same keys are at hand, without giving them away."""

    format: int
    made_at: str
    database: str
    revision: str
    keys: str
    sha256: dict[str, str] = field(default_factory=dict)


def make(folder: Path) -> Path:
    """Write a backup into a folder while the house works. Raises ``BackupFault``.

    The database first: every file that it names is there then. A file that is deleted meanwhile is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    now = clock.now()
    url = _url()
    target = folder / f"calmness-{now:%Y%m%dT%H%M%SZ}.tar.gz"
    manifest = Manifest(FORMAT, now.isoformat(), url.get_backend_name(), _revision(), _fingerprint())
    partial = target.with_name(f".{target.name}.partial")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as scratch:
        copy = Path(scratch) / DATABASE
        _dump(url, copy)
        try:
            with _private(partial), tarfile.open(partial, "w:gz") as archive:
                _add(archive, manifest, copy, DATABASE)
                for path, name in _stored_files():
                    _add(archive, manifest, path, f"{FILES}/{name}")
                listed = Path(scratch) / MANIFEST
                listed.write_text(json.dumps(asdict(manifest), indent=1))
                archive.add(listed, MANIFEST)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    log.info("backup_made", file=target.name, files=len(manifest.sha256) - 1)
    return target


def restore(source: Path) -> Manifest:
    """Bring a backup back; the processes of the house are stopped. Raises ``BackupFault`` before anything is touched.

    What was revoked since stays revoked: see ``revocations``.
    """
    with tempfile.TemporaryDirectory(prefix="calmness-restore-") as scratch:
        unpacked = Path(scratch)
        manifest = _unpack(source, unpacked)
        url = _url()
        if manifest.database != url.get_backend_name():
            raise BackupFault(f"The backup is of {manifest.database}, DATABASE_URL names {url.get_backend_name()}.")
        known = revocations.collect() if _has_tables() else revocations.Known()
        known.add_erased(erased_list.read())
        db.session.remove()
        db.engine.dispose()
        _load(url, unpacked / DATABASE)
        _put_files(unpacked / FILES)
    revocations.apply(known)
    log.info("backup_restored", made_at=manifest.made_at)
    return manifest


def has_same_keys(manifest: Manifest) -> bool:
    """Whether the keys in the environment are those of the time of the backup."""
    return manifest.keys == _fingerprint()


def _url() -> URL:
    return make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])


def _fingerprint() -> str:
    sealing = "".join(f"{key.kid}:{key.secret}," for key in current_app.config["DATA_KEYS"])
    secrets = f"{current_app.config['SECRET_KEY']}\0{sealing}"
    return hashlib.sha256(b"calmness backup\0" + secrets.encode()).hexdigest()[:16]


def _revision() -> str:
    if not inspect(db.engine).has_table("alembic_version"):
        return ""
    with db.engine.connect() as connection:
        return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _has_tables() -> bool:
    return inspect(db.engine).has_table("users")


def _stored_files() -> Iterator[tuple[Path, str]]:
    root: Path = current_app.config["FILES_DIR"]
    for folder in sorted(root.glob("*")):
        if folder.is_dir() and folder.name not in LEFT_OUT:
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    yield path, f"{folder.name}/{path.name}"


def _add(archive: tarfile.TarFile, manifest: Manifest, path: Path, name: str) -> None:
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
        handle.seek(0)
        archive.addfile(archive.gettarinfo(arcname=name, fileobj=handle), handle)
    manifest.sha256[name] = digest


def _take_out(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Write a plain file below the target. By hand: Debian's Python 3.11.2 has no extraction filter yet."""
    path = (target / member.name).resolve()
    content = archive.extractfile(member) if member.isreg() else None
    if content is None or not path.is_relative_to(target.resolve()):
        raise ValueError(f"{member.name} does not belong into a backup")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _unpack(source: Path, target: Path) -> Manifest:
    try:
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                _take_out(archive, member, target)
        manifest = Manifest(**json.loads((target / MANIFEST).read_text()))
    except (tarfile.TarError, EOFError, OSError, TypeError, ValueError) as error:
        raise BackupFault(f"{source.name} is no whole backup: {error}") from error
    if manifest.format != FORMAT:
        raise BackupFault(f"{source.name} has format {manifest.format}, this house reads {FORMAT}.")
    for name, expected in manifest.sha256.items():
        path = target / name
        if not path.is_file():
            raise BackupFault(f"{source.name} lacks {name}.")
        with path.open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != expected:
                raise BackupFault(f"{source.name} is damaged at {name}.")
    return manifest


def _put_files(source: Path) -> None:
    root: Path = current_app.config["FILES_DIR"]
    for path in source.rglob("*"):
        if path.is_file():
            target = root / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target.with_name(f".{target.name}.restored"))
            target.with_name(f".{target.name}.restored").replace(target)


def _dump(url: URL, target: Path) -> None:
    if url.get_backend_name() == "sqlite":
        _copy_sqlite(Path(str(url.database)), target)
        return
    _run(
        url,
        "pg_dump",
        lambda database: ["--format=custom", "--no-owner", "--no-privileges", f"--file={target}", database],
    )


def _load(url: URL, source: Path) -> None:
    if url.get_backend_name() == "sqlite":
        _copy_sqlite(source, Path(str(url.database)))
        return
    _run(
        url,
        "pg_restore",
        lambda database: [
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            "--exit-on-error",
            f"--dbname={database}",
            str(source),
        ],
    )


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy page by page in one transaction: a house that writes meanwhile gives a whole copy all the same."""
    if not source.is_file():
        raise BackupFault(f"There is no database at {source}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(target, timeout=30)) as taken:
            given.backup(taken)
            fault = taken.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFault(f"SQLite refused: {error}") from error
    if fault != "ok":
        raise BackupFault(f"The copy of the database is damaged: {fault}")


def _run(url: URL, program: str, arguments: Callable[[str], list[str]]) -> None:
    """Run a program of PostgreSQL. The password travels in the environment, where other accounts can't read it."""
    parts = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    environment = os.environ | {name: str(value) for name, value in parts.items() if value is not None}
    done = subprocess.run(
        [_program(program), *arguments(str(url.database))], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        lines: list[Any] = done.stderr.strip().splitlines() or ["no reason given"]
        raise BackupFault(f"{program} failed: {lines[-1]}")


def _program(name: str) -> str:
    given = os.environ.get("PG_BIN")
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: _number(place.parent.name))
    places = ([Path(given)] if given else []) + newest[::-1]
    for place in places:
        if (place / name).exists():
            return str(place / name)
    found = shutil.which(name)
    if found is None:
        raise BackupFault(f"{name} is not on this machine: install the client of PostgreSQL, or set PG_BIN.")
    return found


def _number(text_: str) -> float:
    try:
        return float(text_)
    except ValueError:
        return 0.0


@contextmanager
def _private(path: Path) -> Iterator[None]:
    """The file is the operator's alone from its first byte on."""
    path.touch(mode=0o600)
    yield
