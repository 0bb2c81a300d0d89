"""How connections behave: SQLite that neither locks out nor loses an update, and requests that only read.

The driver's default for SQLite runs SELECTs outside the transaction and loses concurrent updates; a plain BEGIN fails
when it must become a writer. So writers take the lock at once (BEGIN IMMEDIATE), readers never wait, and a reader that
tries to write is refused instead of failing now and then.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

LOCK_PATIENCE_SECONDS = 30.0
LOCK_PAUSE_SECONDS = 0.002
SHORTEST_PAUSE_SECONDS = 0.0005
READ_PATIENCE_MS = 50
"""How long SQLite itself waits where a reader meets a log that is being moved or restored, which is rare."""

_read_only: ContextVar[bool] = ContextVar("read_only", default=False)


def set_read_only(value: bool) -> None:
    """Say whether transactions begun from here on (in this request) only read."""
    _read_only.set(value)


@contextmanager
def writing() -> Iterator[None]:
    """Transactions begun inside may write, also within a request that only reads."""
    token = _read_only.set(False)
    try:
        yield
    finally:
        _read_only.reset(token)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside only read, also in a job: on SQLite nobody waits for them, however long they are."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


def prepare(engine: Engine) -> None:
    """Install the rules of this module on an engine, before its first connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def is_lock_timeout(error: OperationalError) -> bool:
    """Whether an error only says that the database was busy for too long."""
    return "database is locked" in str(error.orig) or "canceling statement due to lock timeout" in str(error.orig)


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        f"busy_timeout={READ_PATIENCE_MS}",
        # With two megabytes, SQLite's default, the indexes of many trades would be read again and again.
        "cache_size=-16000",
        "temp_store=MEMORY",
        # Pages of 4 kB in the log before they are moved into the file, which waits for the disk: at 170 passes a second
        # the default of 1000 would do so twice a second.
        "wal_autocheckpoint=8000",
    ):
        _patiently(connection, f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = _read_only.get()
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 - narrows the type
    # The pragmas make SQLite compile all statements of the connection again: it is told only what it does not know.
    if connection.info.get("query_only") is not read_only:
        raw.execute(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        raw.execute(f"PRAGMA busy_timeout={READ_PATIENCE_MS if read_only else 0}")
        connection.info["query_only"] = read_only
    if read_only:
        _patiently(raw, "BEGIN")
        return
    started = time.monotonic()
    has_turn = _turns[0].acquire(timeout=LOCK_PATIENCE_SECONDS)
    try:
        _patiently(raw, "BEGIN IMMEDIATE", started)
    finally:
        if has_turn:
            _turns[0].release()


def _patiently(connection: sqlite3.Connection, statement: str, started: float | None = None) -> None:
    """Run a statement that takes a lock. The wait is in Python: SQLite's own would stop the whole gevent process."""
    started = time.monotonic() if started is None else started
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            waited = time.monotonic() - started
            if "locked" not in str(error) or waited > LOCK_PATIENCE_SECONDS:
                raise
            time.sleep(pause_after(waited))
        else:
            return


def pause_after(waited: float) -> float:
    """Seconds until the next try, after ``waited`` seconds. Who waits long asks more often than who has just come.

    Processes do not queue for SQLite's lock: with the same pause for all, one of many can lose every time until its
    patience ends ("database is locked" among fifty issuers on a busy machine).
    """
    return max(SHORTEST_PAUSE_SECONDS, LOCK_PAUSE_SECONDS / (1 + 2 * waited))


_turns = [threading.Lock()]
"""Who asks for SQLite's lock in this process: one at a time, the others wait for their turn without asking."""


def _begin_turns_anew() -> None:
    _turns[0] = threading.Lock()


# A child made while a thread of its parent asks would wait for ever.
os.register_at_fork(after_in_child=_begin_turns_anew)


def _begin_postgresql(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    wanted = True if _read_only.get() else None
    if raw.read_only != wanted:
        raw.read_only = wanted
