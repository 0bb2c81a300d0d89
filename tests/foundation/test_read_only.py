"""SQLite connections that take turns in reading and writing: readers can't write, and nobody is told anything twice."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from calmness.database import prepare, reading, writing

pytestmark = pytest.mark.once


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """One connection for all transactions."""
    made = create_engine(f"sqlite:///{tmp_path / 'one.db'}", pool_size=1, max_overflow=0)
    prepare(made)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE note (word TEXT)"))
    yield made
    made.dispose()


def write(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO note VALUES ('one')"))


def test_a_connection_that_wrote_is_refused_when_it_only_reads_and_writes_again_afterwards(engine: Engine) -> None:
    write(engine)
    with reading(), pytest.raises(OperationalError, match="readonly"):
        write(engine)
    with reading(), writing():
        write(engine)
    write(engine)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM note")) == 3


def test_transactions_of_one_kind_keep_the_compiled_statements_of_their_connection(engine: Engine) -> None:
    write(engine)
    said: list[str] = []
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(said.append)

    write(engine)
    write(engine)

    # Any pragma of this sort makes SQLite compile all of them again.
    assert [statement for statement in said if statement.startswith("PRAGMA")] == []
    assert len([statement for statement in said if statement.startswith("BEGIN IMMEDIATE")]) == 2
