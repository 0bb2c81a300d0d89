"""The admin puts a weekly series on the calendar: wall time holds, holidays fall out, mistakes are told in place."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.clock import PARIS
from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.training import (
    AdminFormationSession,
    FormationSchedule,
    ScheduleStatus,
    SessionStatus,
)
from calmness.services import schedules
from tests import factories
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
AUTUMN = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def admin(site: Flask, client_for: ClientFor, time_machine: TimeMachineFixture) -> FlaskClient:
    time_machine.move_to(AUTUMN, tick=False)
    return client_for(factories.admin())


def form(formation_id: int, **values: Any) -> dict[str, Any]:
    return {
        "formation_id": formation_id,
        "starts_on": "2026-10-13",
        "starts_time": "19:00",
        "weekdays": "TU",
        "count": "4",
        "duration_minutes": "90",
        "holiday_policy": "skip",
        "meeting_url": school.LINK,
        "trainer_name": "Inès Caron",
        **values,
    }


def sessions() -> list[AdminFormationSession]:
    return list(db.session.scalars(select(AdminFormationSession).order_by(AdminFormationSession.start_at)))


def local_hours() -> set[str]:
    return {f"{session.start_at.astimezone(PARIS):%a %H:%M}" for session in sessions()}


def test_a_series_keeps_its_hour_when_winter_begins(admin: FlaskClient) -> None:
    course = school.formation()

    answer = admin.post("/admin/programmation", data=form(course.id))

    assert answer.status_code == 302
    assert [session.start_at.hour for session in sessions()] == [17, 17, 18, 18]
    assert local_hours() == {"Tue 19:00"}
    assert [session.title for session in sessions()] == ["Unité 1", "Unité 2", "Unité 3", "Unité 4"]
    page = admin.get("/admin/programmation").text
    assert "4 séances au calendrier" in page
    assert "19\u00a0h\u00a000" in page
    assert "20\u00a0h\u00a030" in page


def test_a_series_keeps_its_hour_when_summer_begins(admin: FlaskClient, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(datetime(2027, 3, 1, 9, 0, tzinfo=UTC), tick=False)

    school.programmed(school.formation(), school.wall("2027-03-16 19:00"))

    assert [session.start_at.hour for session in sessions()] == [18, 18, 17, 17]
    assert local_hours() == {"Tue 19:00"}


def test_the_horizon_moves_on_and_nothing_comes_twice(site: Flask, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(AUTUMN, tick=False)
    schedule = school.programmed(school.formation(), school.wall("2026-10-13 19:00"), count=40)
    at_first = len(sessions())

    again = schedules.extend_all()
    time_machine.move_to(AUTUMN + timedelta(days=28), tick=False)
    later = schedules.extend_all()

    assert (at_first, again, later) == (12, 0, 4)
    assert local_hours() == {"Tue 19:00"}
    time_machine.move_to(AUTUMN + timedelta(days=400), tick=False)
    schedules.extend_all()
    assert len(sessions()) == 40
    schedules.extend_all()
    assert schedule.status is ScheduleStatus.ENDED


def test_dates_can_be_seen_before_they_are_saved(admin: FlaskClient) -> None:
    course = school.formation()

    page = admin.post("/admin/programmation", data=form(course.id, preview="1"))

    assert page.status_code == 200
    assert "Mardi 13\u00a0octobre" in page.text
    assert "Mardi 3\u00a0novembre" in page.text
    assert 'value="2026-10-13"' in page.text
    assert sessions() == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("keep", [date(2026, 11, 4), date(2026, 11, 11), date(2026, 11, 18)]),
        # The eleventh is a holiday: the series goes on a week longer.
        ("skip", [date(2026, 11, 4), date(2026, 11, 18), date(2026, 11, 25)]),
        ("shift", [date(2026, 11, 4), date(2026, 11, 12), date(2026, 11, 18)]),
    ],
)
def test_a_holiday_is_kept_left_out_or_moved(admin: FlaskClient, policy: str, expected: list[date]) -> None:
    course = school.formation()

    admin.post(
        "/admin/programmation",
        data=form(course.id, starts_on="2026-11-04", weekdays="WE", count="3", holiday_policy=policy),
    )

    assert [session.start_at.astimezone(PARIS).date() for session in sessions()] == expected


@pytest.mark.parametrize(
    ("field", "values", "told"),
    [
        ("meeting_url", {"meeting_url": "https://zoom.us.evil.test/j/1"}, "Collez un lien https de Zoom"),
        ("meeting_url", {"meeting_url": "http://zoom.us/j/1"}, "Collez un lien https de Zoom"),
        ("starts_on", {"weekdays": "FR"}, "La première date doit tomber un des jours choisis."),
        ("starts_on", {"starts_on": "2026-09-29"}, "Choisissez une première date à venir."),
        ("starts_on", {"starts_on": "demain"}, "Entrez une date au format 24/11/2026."),
        ("starts_time", {"starts_time": "25:61"}, "Entrez une heure comme 19:00."),
        ("count", {"count": "0"}, "De 1 à 100 séances."),
        ("count", {"count": "huit"}, "Entrez un nombre entier."),
        ("duration_minutes", {"duration_minutes": ""}, "De 15 à 600 minutes."),
        ("trainer_name", {"trainer_name": "  "}, "Nommez le formateur."),
        ("formation_id", {"formation_id": "999"}, ""),
    ],
)
def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(
    admin: FlaskClient, field: str, values: dict[str, str], told: str
) -> None:
    course = school.formation()

    page = admin.post("/admin/programmation", data=form(course.id) | values)

    assert page.status_code == 422
    assert f'id="{field}-erreur"' in page.text
    assert told in page.text
    kept = values.get("meeting_url", school.LINK)
    assert kept in page.text
    assert sessions() == []


def test_those_enrolled_learn_of_new_dates_once(admin: FlaskClient) -> None:
    course = school.formation()
    camille = school.enrolled(course)

    admin.post("/admin/programmation", data=form(course.id))
    schedules.extend_all()

    notice = db.session.scalars(select(UserNotification)).one()
    assert notice.user_id == camille.id
    assert notice.title == "Nouvelles dates\u00a0: Lire les marchés"
    assert "mardi 13\u00a0octobre à 19\u00a0h\u00a000 (heure de Paris)" in notice.body


def test_a_series_that_stops_cancels_what_is_to_come_and_tells_once(
    admin: FlaskClient, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    course = school.formation()
    camille = school.enrolled(course)
    schedule = school.programmed(course, school.wall("2026-10-13 19:00"))
    time_machine.move_to(datetime(2026, 10, 14, 9, 0, tzinfo=UTC), tick=False)
    browser = client_for(factories.admin())
    address = f"/admin/programmation/{schedule.id}/arret"

    assert browser.post(address, data={"reason": " "}).status_code == 422
    assert "Lire les marchés" in browser.get(address).text
    browser.post(address, data={"reason": "Formatrice indisponible"})

    db.session.expire_all()
    states = [session.status for session in sessions()]
    assert states == [SessionStatus.SCHEDULED] + [SessionStatus.CANCELLED] * 3
    assert db.session.scalars(select(FormationSchedule.status)).one() is ScheduleStatus.ENDED
    told = db.session.scalars(select(UserNotification).where(UserNotification.key.endswith(":stopped"))).one()
    assert told.user_id == camille.id
    assert told.body.startswith("3 séances à venir n’auront pas lieu")
    assert schedules.extend_all() == 0


def test_only_admins_programme(site: Flask, client_for: ClientFor) -> None:
    course = school.formation()
    for person in (factories.student(), factories.agent()):
        browser = client_for(person)
        assert browser.get("/admin/programmation").status_code == 403
        assert browser.post("/admin/programmation", data=form(course.id)).status_code == 403
    assert sessions() == []
