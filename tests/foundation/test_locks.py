"""SQLite that is busy: readers wait through a recovery, and who waits longest gets the lock."""

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from calmness import database

pytestmark = pytest.mark.once


def test_a_reader_waits_until_the_log_is_free(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    with sqlite3.connect(path) as setup:
        setup.execute("PRAGMA journal_mode=WAL")
        setup.execute("CREATE TABLE kept (id INTEGER)")
    setup.close()
    engine = create_engine(f"sqlite:///{path}")
    database.prepare(engine)
    # Connected beforehand: what waits is the first read, not the opening.
    engine.connect().close()
    engine.dispose()
    held, leave = threading.Event(), threading.Event()

    def recover() -> None:
        alone = sqlite3.connect(path, isolation_level=None)
        alone.execute("PRAGMA locking_mode=EXCLUSIVE")
        alone.execute("BEGIN EXCLUSIVE")
        held.set()
        leave.wait(20)
        alone.rollback()
        alone.close()

    recovery = threading.Thread(target=recover)
    recovery.start()
    assert held.wait(20)
    timer = threading.Timer(0.4, leave.set)
    timer.start()
    database.set_read_only(True)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0
    finally:
        database.set_read_only(False)
        leave.set()
        recovery.join()
        timer.join()
        engine.dispose()


def test_who_waits_longer_asks_more_often() -> None:
    pauses = [database.pause_after(waited) for waited in (0.0, 0.5, 2.0, 10.0, 29.0)]

    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] == database.LOCK_PAUSE_SECONDS
    assert pauses[-1] == database.SHORTEST_PAUSE_SECONDS
