"""A quiet pass, which ten thousand terminals send each minute: it asks and writes no more than it must."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.prepared import Prepared
from tests.trading.terminal import NOW, linked, trade


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@contextmanager
def heard() -> Iterator[list[str]]:
    """The statements that the database is given meanwhile."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        said.append(" ".join(statement.split()[:3]))

    def run(prepared: Prepared, connection: Connection, given: dict[str, Any]) -> list[list[Any]]:
        said.append("prepared")
        return run_by_driver(prepared, connection, given)

    run_by_driver = Prepared.run
    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        with pytest.MonkeyPatch.context() as patched:
            # SQLAlchemy never hears of these.
            patched.setattr(Prepared, "run", run)
            yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def test_a_pass_in_which_a_price_moved_takes_seven_statements_and_no_flush(site: Flask) -> None:
    _account, terminal = linked(site)
    terminal.sync(trade(1, "3.00", close_time=0, close_price="1.08450"))
    terminal.sync(trade(1, "4.00", close_time=0, close_price="1.08500"))
    flushed: list[Session] = []

    def note(session: Session, *_others: Any) -> None:
        flushed.append(session)

    db.session.remove()
    event.listen(Session, "before_flush", note)
    try:
        terminal.balance = "1001.00"
        body = terminal.body(trade(1, "5.00", close_time=0, close_price="1.08600"))
        body["snapshot"]["open_tickets"] = ["1"]
        with heard() as said:
            assert terminal.post(body).status_code == 200
    finally:
        event.remove(Session, "before_flush", note)

    assert sorted(said) == ["INSERT INTO trade", *["prepared"] * 6]
    assert flushed == []


def test_the_log_tells_of_a_pass_only_when_it_brought_something(site: Flask, caplog: pytest.LogCaptureFixture) -> None:
    _account, terminal = linked(site)
    terminal.sync(trade(1, "3.00", close_time=0, close_price="1.08450"))

    def told(*trades: Any) -> list[logging.LogRecord]:
        caplog.clear()
        with caplog.at_level("INFO", logger="calmness.health"):
            terminal.sync(*trades)
        return [record for record in caplog.records if record.name == "calmness.health"]

    assert told(trade(1, "5.00", close_time=0, close_price="1.08600")) == []
    assert len(told(trade(2, "7.00"))) == 1


def test_a_full_batch_is_written_in_one_statement_new_or_changed(site: Flask) -> None:
    _account, terminal = linked(site)

    for profit in ("1.00", "2.00"):
        body = terminal.body(*(trade(number, profit) for number in range(1, 501)))
        with heard() as said:
            assert terminal.post(body).get_json()["accepted"] == 500
        assert [line for line in said if line.startswith("INSERT INTO trade ") or line == "INSERT INTO trade"] == [
            "INSERT INTO trade"
        ]
