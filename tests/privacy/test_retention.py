"""Durations: kept to by a job, written in the docs, shown in the register, from one table."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs import privacy as jobs
from calmness.models.account import Channel, LoginAttempt, SessionKind, User
from calmness.models.analytics import PageView, UserSession
from calmness.models.delivery import Delivery, DeliveryState, Lane
from calmness.models.support import ChatAttachment, ChatRoom
from calmness.services.account import sessions
from calmness.services.privacy import processing_register, retention
from calmness.services.privacy.personal_data import TABLES
from tests import factories

LogIn = Callable[[User], FlaskClient]
DOCS = Path(__file__).parents[2] / "docs" / "privacy.md"


def docs_line(rule: retention.Rule) -> str:
    """The row of a rule in the table of ``docs/privacy.md``."""
    plain = (rule.label, rule.duration, rule.since)
    return f"| `{rule.name}` | {' | '.join(text.replace(chr(160), ' ') for text in plain)} |"


def test_the_docs_say_what_the_code_does() -> None:
    written = DOCS.read_text().splitlines()

    assert [docs_line(rule) for rule in retention.RULES if docs_line(rule) not in written] == []
    assert len([line for line in written if line.startswith("| `")]) == len(retention.RULES)


def test_every_table_with_people_in_it_has_one_purpose() -> None:
    named = [table for treatment in processing_register.TREATMENTS for table in treatment.tables]
    with_people = {name for name, place in TABLES.items() if place.owner is not None}

    assert len(named) == len(set(named))
    assert with_people - set(named) == set()
    assert {rule.table for rule in retention.RULES} - set(named) == set()
    assert set(named) - set(TABLES) == set()


def attempt(at: datetime) -> LoginAttempt:
    return LoginAttempt(account_hash="x", network="192.0.2.0", at=at, succeeded=False)


def room(at: datetime, **owner: Any) -> ChatRoom:
    return ChatRoom(public_id=str(uuid4()), created_at=at, last_message_at=at, **owner)


def message(at: datetime, **values: Any) -> Delivery:
    return Delivery(
        **{
            "key": f"m-{at:%Y%m%d}-{len(values)}-{values.get('state', '')}",
            "kind": "notification",
            "channel": Channel.EMAIL,
            "lane": Lane.MAIL,
            "params": {"title": "Bonjour"},
            "state": DeliveryState.SENT,
            "due_at": at,
            "created_at": at,
            **values,
        }
    )


def test_what_is_older_goes_and_what_is_younger_stays(site: Flask) -> None:
    now = clock.now()
    db.session.add_all([attempt(now - timedelta(days=89)), attempt(now - timedelta(days=91))])
    db.session.commit()

    jobs.keep_to_durations()

    assert db.session.scalar(select(func.count()).select_from(LoginAttempt)) == 1


def test_a_message_keeps_its_trace_and_loses_its_words(site: Flask) -> None:
    user, long_ago = factories.student(), clock.now() - timedelta(days=100)
    waiting = message(long_ago, user_id=user.id, address="a@b.test", state=DeliveryState.PENDING)
    sent = message(long_ago, user_id=user.id, address="a@b.test")
    stranger = message(long_ago, address="visitor@b.test")
    db.session.add_all([waiting, sent, stranger])
    db.session.commit()
    numbers = waiting.id, sent.id, stranger.id

    jobs.keep_to_durations()

    db.session.expire_all()
    assert db.session.get_one(Delivery, numbers[0]).params == {"title": "Bonjour"}
    assert (sent.params, sent.address, sent.state) == ({}, None, DeliveryState.SENT)
    assert db.session.get(Delivery, numbers[2]) is None


def test_a_visitors_conversation_goes_with_its_files(site: Flask) -> None:
    long_ago = clock.now() - timedelta(days=366)
    old, young = room(long_ago, visitor_hash="a" * 64), room(clock.now(), visitor_hash="b" * 64)
    owned = room(long_ago, user_id=factories.student().id)
    db.session.add_all([old, young, owned])
    db.session.flush()
    key = "attachments/old.png"
    store().put(key, b"picture")
    db.session.add(
        ChatAttachment(
            id="x",
            room_id=old.id,
            name="a.png",
            content_type="image/png",
            size_bytes=7,
            file_key=key,
            created_at=long_ago,
        )
    )
    db.session.commit()
    kept = {young.id, owned.id}

    jobs.keep_to_durations()

    assert set(db.session.scalars(select(ChatRoom.id))) == kept
    assert not store().exists(key)


def test_visits_lose_their_name_first_and_go_later(site: Flask) -> None:
    user, now = factories.student(), clock.now()
    for number, days in enumerate((394, 396, 761)):
        at = now - timedelta(days=days)
        visit = UserSession(
            day=at.date(), visitor_hash=b"0" * 16, started_at=at, last_at=at, hour=1, views=1, bounced=True,
            entry_path="/", exit_path="/", channel="direct", source="", device="desktop", browser="", system="",
            user_id=user.id,
        )  # fmt: skip
        db.session.add(visit)
        db.session.flush()
        db.session.add(
            PageView(
                stream_ms=number, stream_seq=0, view_id=str(number), visit_id=visit.id, day=at.date(), at=at, path="/"
            )
        )
    db.session.commit()

    jobs.keep_to_durations()

    assert db.session.scalars(select(UserSession.user_id).order_by(UserSession.started_at.desc())).all() == [
        user.id,
        None,
    ]
    assert db.session.scalar(select(func.count()).select_from(PageView)) == 2


def test_a_big_purge_comes_in_portions(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 3)
    db.session.add_all([attempt(clock.now() - timedelta(days=91)) for _number in range(10)])
    db.session.commit()

    assert retention.enforce()["login_attempt"] == 10


def test_a_device_in_use_is_no_old_device(site: Flask) -> None:
    user = factories.student()
    sessions.open_session(user, kind=SessionKind.PAGE, persistent=True, ip_truncated=None, device_label="")
    db.session.commit()

    with time_machine.travel(clock.now() + timedelta(days=179), tick=False):
        assert "auth_session" not in retention.enforce()
    with time_machine.travel(clock.now() + timedelta(days=181), tick=False):
        assert retention.enforce()["auth_session"] == 1


def test_the_register_shows_purposes_and_durations_to_the_admin_alone(site: Flask, client_for: LogIn) -> None:
    page = client_for(factories.admin()).get("/admin/registre").text.replace("\u00a0", " ")

    assert "Ventes et facturation" in page
    assert "90 jours après l’essai" in page
    assert "dix ans (C. com. L123-22" in page
    assert "ont dépassé leur durée" not in page
    assert client_for(factories.agent()).get("/admin/registre").status_code == 403


def test_the_register_says_when_the_job_does_not_run(site: Flask, client_for: LogIn) -> None:
    db.session.add(attempt(clock.now() - timedelta(days=93)))
    db.session.commit()

    page = client_for(factories.admin()).get("/admin/registre").text

    assert re.search(r"ont dépassé leur durée\s:\sEssais de connexion", page)
