"""What a transaction announces leaves when its rows are there for others: not at the end of a savepoint."""

import pytest
from flask import Flask

from calmness.extensions import db, socketio, work_queue
from calmness.services import delivery, live


@pytest.fixture
def heard(site: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """News and wake-ups that left, in order."""
    left: list[str] = []
    monkeypatch.setattr(socketio, "emit", lambda name, *_data, **_to: left.append(name))
    monkeypatch.setattr(work_queue, "wake", left.append)
    return left


def announce() -> None:
    """A piece of work and a word for open pages."""
    delivery.enqueue("tests.note", "note:1", {})
    live.emit_after_commit("account:updated", {}, room="user:1")


def test_news_inside_a_savepoint_waits_for_the_transaction(heard: list[str]) -> None:
    with db.session.begin_nested():
        announce()
    before = list(heard)

    db.session.commit()

    assert before == []
    assert sorted(heard) == ["account:updated", "default"]


def test_a_savepoint_rolled_back_takes_nothing_from_what_stays(heard: list[str]) -> None:
    announce()
    with pytest.raises(ZeroDivisionError), db.session.begin_nested():
        raise ZeroDivisionError

    db.session.commit()

    assert sorted(heard) == ["account:updated", "default"]


def test_what_is_rolled_back_is_not_told(heard: list[str]) -> None:
    announce()
    db.session.rollback()
    db.session.commit()

    assert heard == []
