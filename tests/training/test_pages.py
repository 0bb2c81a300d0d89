"""What a student and an admin find: catalogue, agenda, progress, the end of a formation, and pages without anything."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.jobs.training import keep_calendar
from calmness.models.account import User, UserNotification
from calmness.models.training import (
    AttendanceStatus,
    EnrollmentStatus,
    Formation,
    FormationSession,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import attendance, formations, schedules
from tests import factories
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(site: Flask, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def sheet(**values: Any) -> dict[str, Any]:
    return {
        "title": "Lire l’Or et les indices",
        "summary": "Deux marchés qui ne pardonnent pas l’à-peu-près.",
        "level": "intermediaire",
        "trainer_name": "Inès Caron",
        "programme": "Ouvrir\n\n  Tenir  \nFermer",
        "unit_minutes": "90",
        "capacity": "12",
        "status": "published",
        **values,
    }


def units() -> list[tuple[int, int, str]]:
    db.session.expire_all()
    rows = db.session.scalars(select(FormationSession).order_by(FormationSession.position))
    return [(unit.position, unit.duration_minutes, unit.title) for unit in rows]


def test_an_admin_writes_a_formation_and_the_public_reads_it(client_for: ClientFor, visitor: FlaskClient) -> None:
    admin = client_for(factories.admin())

    assert "Aucune formation" in admin.get("/admin/formations").text
    admin.post("/admin/formations/nouvelle", data=sheet())

    formation = db.session.scalars(select(Formation)).one()
    assert formation.slug == "lire-lor-et-les-indices"
    assert (formation.duration_minutes, formation.capacity) == (270, 12)
    assert units() == [(1, 90, "Ouvrir"), (2, 90, "Tenir"), (3, 90, "Fermer")]
    page = visitor.get(f"/formations/{formation.slug}").text
    assert "Deux marchés" in page
    assert "12 places" in page


def test_a_changed_programme_keeps_the_units_that_stay(client_for: ClientFor) -> None:
    admin = client_for(factories.admin())
    admin.post("/admin/formations/nouvelle", data=sheet())
    formation = db.session.scalars(select(Formation)).one()
    before = {unit.title: unit.id for unit in formation.units}

    admin.post(f"/admin/formations/{formation.id}", data=sheet(programme="Fermer\nOuvrir\nRelire", unit_minutes="60"))

    assert units() == [(1, 60, "Fermer"), (2, 60, "Ouvrir"), (3, 60, "Relire")]
    after = {unit.title: unit.id for unit in formation.units}
    assert (after["Fermer"], after["Ouvrir"]) == (before["Fermer"], before["Ouvrir"])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": " "}, "Donnez un titre."),
        ({"programme": "\n \n"}, "Écrivez au moins une séance au programme."),
        ({"unit_minutes": "5"}, "De 15 à 600 minutes."),
        ({"capacity": "0"}, "De 1 à 10 000 places, ou rien."),
    ],
)
def test_a_mistake_in_the_sheet_is_told_and_the_rest_is_kept(
    client_for: ClientFor, values: dict[str, str], told: str
) -> None:
    page = client_for(factories.admin()).post("/admin/formations/nouvelle", data=sheet() | values)

    assert page.status_code == 422
    assert told in page.text
    assert "Deux marchés qui ne pardonnent pas" in page.text
    assert units() == []


def test_the_capacity_never_falls_below_the_places_given(client_for: ClientFor) -> None:
    course = school.formation(capacity=5)
    for _one in range(3):
        school.enrolled(course)

    page = client_for(factories.admin()).post(f"/admin/formations/{course.id}", data=sheet(capacity="2"))

    assert page.status_code == 422
    assert "3 élèves ont déjà une place." in page.text


def test_the_agenda_lists_one_s_own_sessions_by_month(client_for: ClientFor) -> None:
    course = school.formation()
    camille = school.enrolled(course)
    school.session_of(course, NOW + timedelta(days=1), title="Séance du mercredi")
    school.session_of(course, NOW + timedelta(days=1, hours=4), title="Atelier du mercredi")
    school.session_of(
        course, NOW + timedelta(days=2), title="Séance annulée", status=SessionStatus.CANCELLED, cancel_reason="Grève"
    )
    school.session_of(school.formation(slug="autre"), NOW + timedelta(days=1), title="Séance des autres")

    page = client_for(camille).get("/espace/agenda").text

    assert page.count("Novembre 2026") == 1
    assert page.count("Demain") == 2
    assert page.index("Séance du mercredi") < page.index("Atelier du mercredi")
    assert "Grève" in page
    assert "Séance des autres" not in page


def test_a_new_student_finds_pages_that_say_what_will_come(client_for: ClientFor) -> None:
    browser = client_for(factories.student())

    assert "Aucune séance programmée" in browser.get("/espace/agenda").text
    assert "Aucune formation pour l’instant" in browser.get("/espace/formations").text
    assert browser.get("/espace/formations/lire-les-marches").status_code == 404
    assert "Rien au calendrier" in client_for(factories.admin()).get("/admin/programmation").text


def test_progress_counts_what_was_held_and_where_one_was(site: Flask, time_machine: TimeMachineFixture) -> None:
    course = school.formation()
    camille = school.enrolled(course)
    held = [school.session_of(course, NOW + timedelta(days=day)) for day in (1, 2, 3)]
    school.session_of(course, NOW + timedelta(days=9))
    school.session_of(course, NOW + timedelta(days=4), status=SessionStatus.CANCELLED)
    school.session_of(course, NOW - timedelta(days=4))
    time_machine.move_to(NOW + timedelta(days=5), tick=False)
    for session, status in zip(held, (AttendanceStatus.PRESENT, AttendanceStatus.LATE), strict=False):
        attendance.mark(session.id, camille.id, status, by=factories.agent())

    (row,) = formations.progress_of(camille.id)

    assert (row.planned, row.held, row.attended) == (4, 3, 2)
    assert row.presence == 2 / 3
    assert row.next_session is not None
    assert row.next_session.start_at == NOW + timedelta(days=9)


def test_who_was_given_all_has_finished_and_is_told_once(
    client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    course = school.formation(units=2)
    camille = school.enrolled(course)
    schedule = school.programmed(course, school.wall("2026-11-26 19:00"), count=2)
    time_machine.move_to(NOW + timedelta(days=4), tick=False)
    late = school.enrolled(course)
    time_machine.move_to(NOW + timedelta(days=12), tick=False)

    for _tick in range(2):
        keep_calendar()

    db.session.expire_all()
    places = {place.user_id: place.status for place in db.session.scalars(select(UserFormationEnrollment))}
    assert places == {camille.id: EnrollmentStatus.COMPLETED, late.id: EnrollmentStatus.ACTIVE}
    assert {session.status for session in schedules.of_schedule(schedule.id)} == {SessionStatus.FINISHED}
    told = db.session.scalars(select(UserNotification).where(UserNotification.key.endswith(":completed"))).one()
    assert told.title == "Formation terminée\u00a0: Lire les marchés"
    school.session_of(course, NOW + timedelta(days=20), title="Pour le groupe suivant")
    browser = client_for(camille)
    assert "Terminée" in browser.get("/espace/formations").text
    assert "Pour le groupe suivant" not in browser.get("/espace/formations/lire-les-marches").text
