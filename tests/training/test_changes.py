"""One session moves or falls out: everybody enrolled learns it once, in words; what has begun does not change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.jobs.training import keep_calendar
from calmness.models.account import User, UserNotification
from calmness.models.audit import AuditEntry
from calmness.models.training import AdminFormationSession, SessionStatus
from tests import factories
from tests.fixtures.servers import Mailbox
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
LATER = {"starts_on": "2026-11-27", "starts_time": "20:00", "duration_minutes": "90"}


@pytest.fixture
def session(site: Flask, time_machine: TimeMachineFixture) -> AdminFormationSession:
    time_machine.move_to(NOW, tick=False)
    course = school.formation()
    row = school.session_of(course, START)
    school.enrolled(course, email="camille@example.test")
    school.enrolled(course, email="nora@example.test")
    factories.student(email="somebody.else@example.test")
    return row


@pytest.fixture
def admin(session: AdminFormationSession, client_for: ClientFor) -> FlaskClient:
    return client_for(factories.admin())


def notices() -> list[UserNotification]:
    return list(db.session.scalars(select(UserNotification).where(UserNotification.key.startswith("session:"))))


def test_a_move_is_told_once_to_each_who_is_enrolled(
    admin: FlaskClient, session: AdminFormationSession, mailbox: Mailbox
) -> None:
    address = f"/admin/seances/{session.id}"

    assert 'value="2026-11-26"' in admin.get(address).text
    assert 'value="19:00"' in admin.get(address).text
    for _click in range(2):
        assert admin.post(f"{address}/deplacement", data=LATER).status_code == 302
    drain_everything()
    drain_everything()

    db.session.expire_all()
    assert (session.start_at, session.end_at) == (START + timedelta(hours=25), START + timedelta(hours=26, minutes=30))
    assert (session.seq, session.overridden) == (1, True)
    told = notices()
    assert len(told) == 2
    assert told[0].title == "Séance déplacée\u00a0: Lire un carnet d’ordres"
    assert told[0].body == (
        "Prévue le jeudi 26\u00a0novembre à 19\u00a0h\u00a000 (heure de Paris), elle aura lieu le "
        "vendredi 27\u00a0novembre à 20\u00a0h\u00a000 (heure de Paris)."
    )
    assert sorted(str(mail["To"]) for mail in mailbox.messages) == ["camille@example.test", "nora@example.test"]
    assert db.session.scalar(select(func.count()).where(AuditEntry.action == "session.moved")) == 1
    page = admin.get(address).text
    assert "Séance déplacée" in page
    assert "envoyés : 2" in page


def test_two_moves_are_two_notices(admin: FlaskClient, session: AdminFormationSession) -> None:
    address = f"/admin/seances/{session.id}/deplacement"

    admin.post(address, data=LATER)
    admin.post(address, data=LATER | {"starts_time": "21:00"})

    assert len(notices()) == 4


def test_a_cancellation_says_why_once(admin: FlaskClient, session: AdminFormationSession, mailbox: Mailbox) -> None:
    address = f"/admin/seances/{session.id}/annulation"

    assert admin.post(address, data={"reason": "Formatrice souffrante."}).status_code == 302
    assert admin.post(address, data={"reason": "Formatrice souffrante."}).status_code == 409
    drain_everything()

    db.session.expire_all()
    assert session.status is SessionStatus.CANCELLED
    told = notices()
    assert len(told) == 2
    assert told[0].body == (
        "Elle n’aura pas lieu le jeudi 26\u00a0novembre à 19\u00a0h\u00a000 (heure de Paris). Formatrice souffrante."
    )
    assert len(mailbox.messages) == 2


@pytest.mark.parametrize(
    ("address", "values", "told"),
    [
        ("annulation", {"reason": ""}, "Dites aux élèves pourquoi."),
        ("annulation", {"reason": "   "}, "Dites aux élèves pourquoi."),
        ("deplacement", LATER | {"starts_on": "2026-11-23"}, "Choisissez un moment à venir."),
        ("deplacement", LATER | {"starts_on": ""}, "Entrez une date au format 24/11/2026."),
        ("deplacement", LATER | {"duration_minutes": ""}, "De 15 à 600 minutes."),
    ],
)
def test_a_mistake_is_told_in_place(
    admin: FlaskClient, session: AdminFormationSession, address: str, values: dict[str, str], told: str
) -> None:
    page = admin.post(f"/admin/seances/{session.id}/{address}", data=values)

    assert page.status_code == 422
    assert told in page.text
    assert notices() == []


def test_what_has_begun_does_not_change(
    session: AdminFormationSession, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(START + timedelta(minutes=1), tick=False)
    browser = client_for(factories.admin())

    for address, values in (("deplacement", LATER), ("annulation", {"reason": "Trop tard"})):
        assert browser.post(f"/admin/seances/{session.id}/{address}", data=values).status_code == 409
    page = browser.get(f"/admin/seances/{session.id}").text

    assert "Déplacer et prévenir" not in page
    assert notices() == []


def test_an_agent_sees_the_session_but_does_not_move_it(session: AdminFormationSession, client_for: ClientFor) -> None:
    agent = client_for(factories.agent())

    assert "Déplacer et prévenir" not in agent.get(f"/admin/seances/{session.id}").text
    assert agent.post(f"/admin/seances/{session.id}/deplacement", data=LATER).status_code == 403
    assert agent.post(f"/admin/seances/{session.id}/annulation", data={"reason": "x"}).status_code == 403


def test_a_session_moved_by_hand_stays_where_it_is_when_the_series_grows(
    admin: FlaskClient, time_machine: TimeMachineFixture
) -> None:
    course = school.formation(slug="autre")
    schedule = school.programmed(course, school.wall("2026-12-01 19:00"), count=3)
    first = db.session.scalars(
        select(AdminFormationSession).filter_by(schedule_id=schedule.id).order_by(AdminFormationSession.start_at)
    ).first()
    assert first is not None
    admin.post(f"/admin/seances/{first.id}/deplacement", data=LATER)

    keep_calendar()

    db.session.expire_all()
    assert first.start_at == START + timedelta(hours=25)
    assert db.session.scalar(select(func.count()).where(AdminFormationSession.schedule_id == schedule.id)) == 3
