"""The public register: complete, chained, closed until the end of a signal, and rewritten by nobody."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.signal import Signal
from calmness.services import signals
from tests import factories
from tests.signals import desk

SECRET = "Rejet net du support hebdomadaire"


@pytest.fixture
def author(site: Flask) -> User:
    """Who publishes."""
    return factories.admin()


def events(visitor: FlaskClient) -> list[dict[str, Any]]:
    """The register as anybody reads it, oldest first."""
    answer = visitor.get("/signaux/registre.json")
    assert answer.status_code == 200
    return list(reversed(answer.get_json()["events"]))


def published(author: User) -> Signal:
    signal = signals.publish(desk.draft(), author=author)
    db.session.commit()
    return signal


def test_a_living_signal_is_committed_to_but_not_told(author: User, visitor: FlaskClient) -> None:
    published(author)

    (event,) = events(visitor)

    assert event["kind"] == "published"
    assert len(event["commitment"]) == 64
    assert "data" not in event
    assert "salt" not in event
    assert SECRET not in visitor.get("/signaux/registre.json").text


def test_anybody_can_check_an_ended_signal_with_a_few_lines(author: User, visitor: FlaskClient) -> None:
    signal = published(author)
    signals.close(signal.id, Decimal("1.09020"), by=author)
    db.session.commit()

    previous = bytes(32).hex()
    for event in events(visitor):
        plain = json.dumps(event["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert hashlib.sha256(bytes.fromhex(event["salt"]) + plain).hexdigest() == event["commitment"]
        content = {
            "signal_id": event["signal"],
            "kind": event["kind"],
            "at": event["at"],
            "commitment": event["commitment"],
        }
        whole = {"v": 1, "chain": "signal", "seq": event["seq"], "prev": previous, "content": content}
        link = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert hashlib.sha256(link).hexdigest() == event["hash"]
        assert event["prev"] == previous
        previous = event["hash"]


@pytest.mark.parametrize("statement", ["UPDATE signal_event SET data = '{}'", "DELETE FROM signal_event"])
def test_the_database_refuses_to_change_an_event(author: User, statement: str) -> None:
    published(author)

    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()


def test_the_chain_is_whole_and_shows_where_it_breaks(author: User, site: Flask) -> None:
    for _number in range(3):
        published(author)
    assert signals.first_broken() is None

    if db.engine.dialect.name == "sqlite":
        db.session.execute(text("DROP TRIGGER signal_event_no_update"))
    else:
        db.session.execute(text("ALTER TABLE signal_event DISABLE TRIGGER signal_event_no_change"))
    db.session.execute(text("UPDATE signal_event SET signal_id = 1, kind = 'commented' WHERE seq = 2"))

    assert signals.first_broken() == 2
    db.session.rollback()


def test_the_track_record_shows_losses_as_plainly_as_gains(author: User, visitor: FlaskClient) -> None:
    for price in ("1.09020", "1.08020"):
        signals.close(published(author).id, Decimal(price), by=author)
    db.session.commit()

    page = visitor.get("/signaux").text

    assert "+1,50" in page
    assert "−1,00" in page
    assert "Les performances passées ne préjugent pas" in page


def test_an_empty_register_says_so(site: Flask, visitor: FlaskClient) -> None:
    assert "Aucun signal clos" in visitor.get("/signaux").text
    assert events(visitor) == []
