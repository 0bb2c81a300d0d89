"""What a transaction announces leaves when its rows are there for others: not at the end of a savepoint."""

import pytest
from flask import Flask

from calmness.extensions import db, socketio, work_queue
from calmness.services import delivery, live, notifications
from calmness.services.account.preferences import NoticeKind
from tests import factories


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


def test_a_number_is_counted_once_at_the_end_of_the_transaction(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.student()
    db.session.commit()
    left: list[dict[str, object]] = []
    monkeypatch.setattr(socketio, "emit", lambda name, data, **_to: left.append({"name": name} | data))

    for number in range(3):
        notifications.notify(user.id, NoticeKind.SUPPORT, f"tests:{number}", title="Une réponse", message_kind=None)
        with db.session.begin_nested():
            announce()
    db.session.commit()

    assert [event["count"] for event in left if event["name"] == "unread"] == [3]


def test_a_load_of_the_past_tells_nobody(heard: list[str]) -> None:
    announce()
    live.emit_number_after_commit("unread", lambda: 1, room="user:1")
    live.keep_quiet()
    db.session.commit()

    assert heard == ["default"]
