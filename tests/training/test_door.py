"""The way into a session: for who is enrolled, from a quarter of an hour before until the end, through our own link."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionAttendance,
    AttendanceEvidence,
    AttendanceStatus,
    EnrollmentStatus,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services.training import attendance
from tests import factories
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
END = START + timedelta(hours=2)


@pytest.fixture
def session(site: Flask, time_machine: TimeMachineFixture) -> AdminFormationSession:
    time_machine.move_to(START - timedelta(days=2), tick=False)
    return school.session_of(school.formation(), START)


@pytest.fixture
def camille(session: AdminFormationSession) -> User:
    return school.enrolled(session.formation)


def door(session: AdminFormationSession) -> str:
    return f"/espace/seances/{session.id}/rejoindre"


def presences() -> list[AdminSessionAttendance]:
    db.session.expire_all()
    return list(db.session.scalars(select(AdminSessionAttendance)))


@pytest.mark.parametrize(
    ("at", "status", "told"),
    [
        (START - timedelta(hours=3), 409, "C’est un peu tôt\u202f: la salle ouvre un quart d’heure avant le début."),
        (START - timedelta(minutes=15, seconds=1), 409, "C’est un peu tôt"),
        (START - timedelta(minutes=15), 302, ""),
        (START + timedelta(hours=1), 302, ""),
        (END, 302, ""),
        (END + timedelta(seconds=1), 409, "Cette séance est terminée"),
    ],
)
def test_the_door_keeps_its_hours(
    session: AdminFormationSession,
    camille: User,
    client_for: ClientFor,
    time_machine: TimeMachineFixture,
    at: datetime,
    status: int,
    told: str,
) -> None:
    time_machine.move_to(at, tick=False)

    answer = client_for(camille).get(door(session))

    assert answer.status_code == status
    assert len(presences()) == (status == 302)
    if status == 302:
        assert answer.headers["Location"] == school.LINK
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    else:
        assert told.replace("\u202f", " ") in answer.text.replace("\u202f", " ").replace("\u00a0", " ")
        assert "zoom.us" not in answer.text


@pytest.mark.parametrize("minutes", [-180, -10, 30, 200])
def test_no_page_ever_shows_the_room_s_own_link(
    session: AdminFormationSession,
    camille: User,
    client_for: ClientFor,
    time_machine: TimeMachineFixture,
    minutes: int,
) -> None:
    time_machine.move_to(START + timedelta(minutes=minutes), tick=False)
    browser = client_for(camille)

    pages = [
        "/espace",
        "/espace/agenda",
        "/espace/formations",
        "/espace/formations/lire-les-marches",
        f"/espace/seances/{session.id}",
        "/formations/lire-les-marches",
    ]
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert "canary-of-the-room" not in answer.text, page
        assert "zoom.us" not in answer.text, page


def test_the_button_is_there_only_while_the_door_is_open(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    shown = {}
    for minutes in (-60, -14, 30, 121):
        time_machine.move_to(START + timedelta(minutes=minutes), tick=False)
        shown[minutes] = door(session) in client_for(camille).get(f"/espace/seances/{session.id}").text

    assert shown == {-60: False, -14: True, 30: True, 121: False}


def test_clicks_are_one_presence_and_each_a_proof(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(START - timedelta(minutes=5), tick=False)
    browser = client_for(camille)
    browser.get(door(session))
    time_machine.move_to(START + timedelta(minutes=50), tick=False)
    client_for(camille).get(door(session))

    (presence,) = presences()
    assert presence.status is AttendanceStatus.PRESENT
    assert presence.first_joined_at == START - timedelta(minutes=5)
    assert presence.last_joined_at == START + timedelta(minutes=50)
    assert db.session.scalar(select(func.count()).select_from(AttendanceEvidence)) == 2
    assert attendance.first_broken() is None
    page = client_for(camille).get(f"/espace/seances/{session.id}").text
    assert "entré à 18\u00a0h\u00a055" in page


def test_who_comes_late_is_late(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(START + timedelta(minutes=11), tick=False)

    client_for(camille).get(door(session))

    assert presences()[0].status is AttendanceStatus.LATE


def test_an_excused_student_who_comes_after_all_is_there(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    attendance.mark(session.id, camille.id, AttendanceStatus.EXCUSED, by=factories.agent())
    time_machine.move_to(START, tick=False)

    client_for(camille).get(door(session))

    assert presences()[0].status is AttendanceStatus.PRESENT


def test_a_cancelled_session_has_no_door(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    session.status, session.cancel_reason = SessionStatus.CANCELLED, "Formatrice souffrante"
    time_machine.move_to(START, tick=False)

    answer = client_for(camille).get(door(session))

    assert answer.status_code == 409
    assert "Cette séance est annulée" in answer.text
    assert "Formatrice souffrante" in answer.text
    assert presences() == []


def test_others_do_not_even_learn_that_the_session_exists(
    session: AdminFormationSession, client_for: ClientFor, visitor: FlaskClient, time_machine: TimeMachineFixture
) -> None:
    other = school.enrolled(school.formation(slug="autre"))
    withdrawn = school.enrolled(session.formation)
    place = db.session.scalars(select(UserFormationEnrollment).filter_by(user_id=withdrawn.id)).one()
    place.status = EnrollmentStatus.WITHDRAWN
    time_machine.move_to(START, tick=False)

    for person in (other, withdrawn):
        browser = client_for(person)
        assert browser.get(door(session)).status_code == 404
        assert browser.get(f"/espace/seances/{session.id}").status_code == 404
        assert "Lire un carnet" not in browser.get("/espace/agenda").text
    assert visitor.get(door(session)).headers["Location"].startswith("/connexion")
    assert presences() == []


def test_a_suspended_place_says_so(
    session: AdminFormationSession, camille: User, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    db.session.scalars(select(UserFormationEnrollment)).one().status = EnrollmentStatus.SUSPENDED
    time_machine.move_to(START, tick=False)

    answer = client_for(camille).get(door(session))

    assert answer.status_code == 409
    assert "Votre inscription est suspendue" in answer.text
    assert presences() == []
