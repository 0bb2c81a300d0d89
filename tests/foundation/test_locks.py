"""SQLite that is busy: who waits longest for the lock asks most often, and of a process one asks at a time."""

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from calmness import database
from tests.fixtures.live import wait_until

pytestmark = pytest.mark.once


def test_who_waits_longer_asks_more_often() -> None:
    pauses = [database.pause_after(waited) for waited in (0.0, 0.5, 2.0, 10.0, 29.0)]

    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] == database.LOCK_PAUSE_SECONDS
    assert pauses[-1] == database.SHORTEST_PAUSE_SECONDS


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = create_engine(f"sqlite:///{tmp_path / 'one.db'}", pool_size=8)
    database.prepare(made)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE note (word TEXT)"))
    return made


def write(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES ('one')"))


def test_of_many_that_wait_in_a_process_one_asks_and_all_get_their_turn(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking: list[str] = []
    most = [0]
    ask = database._patiently

    def watched(connection: sqlite3.Connection, statement: str, *started: float) -> None:
        if statement == "BEGIN IMMEDIATE":
            asking.append(statement)
            most[0] = max(most[0], len(asking))
            ask(connection, statement, *started)
            asking.pop()
        else:
            ask(connection, statement, *started)

    monkeypatch.setattr(database, "_patiently", watched)
    holder = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writers = [threading.Thread(target=write, args=(engine,)) for _number in range(6)]
    for writer in writers:
        writer.start()
    wait_until(lambda: asking)

    holder.execute("COMMIT")
    for writer in writers:
        writer.join(30)

    assert most == [1]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM note")) == 6
    holder.close()


def test_a_reader_waits_for_nobody(engine: Engine, tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    writer = threading.Thread(target=write, args=(engine,))
    writer.start()

    with database.reading(), engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM note")) == 0

    assert writer.is_alive()
    holder.execute("COMMIT")
    writer.join(30)
    holder.close()


def test_a_child_made_while_its_parent_asks_has_turns_of_its_own(engine: Engine) -> None:
    with database._turns[0]:
        child = multiprocessing.get_context("fork").Process(target=_write_anew, args=(str(engine.url),))
        child.start()
        child.join(30)

    assert child.exitcode == 0


def _write_anew(url: str) -> None:
    engine = create_engine(url)
    database.prepare(engine)
    write(engine)
