"""A quiet pass, which ten thousand terminals send each minute: it asks and writes no more than it must."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from time_machine import TimeMachineFixture

from calmness.extensions import db
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

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
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

    event.listen(Session, "before_flush", note)
    try:
        terminal.balance = "1001.00"
        body = terminal.body(trade(1, "5.00", close_time=0, close_price="1.08600"))
        body["snapshot"]["open_tickets"] = ["1"]
        with heard() as said:
            assert terminal.post(body).status_code == 200
    finally:
        event.remove(Session, "before_flush", note)

    assert len(said) == 7, said
    assert flushed == []


def test_a_full_batch_is_written_in_one_statement_new_or_changed(site: Flask) -> None:
    _account, terminal = linked(site)

    for profit in ("1.00", "2.00"):
        body = terminal.body(*(trade(number, profit) for number in range(1, 501)))
        with heard() as said:
            assert terminal.post(body).get_json()["accepted"] == 500
        assert [line for line in said if line.startswith("INSERT INTO trade ") or line == "INSERT INTO trade"] == [
            "INSERT INTO trade"
        ]
