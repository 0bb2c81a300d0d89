"""The staff's grid: who was expected, who came, the agent's own word; nobody is present at what has not begun."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.training import (
    AdminFormationSession,
    AdminSessionAttendance,
    AttendanceSource,
    AttendanceStatus,
    EnrollmentStatus,
    UserFormationEnrollment,
)
from calmness.services.training import attendance
from tests import factories
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


@pytest.fixture
def session(site: Flask, time_machine: TimeMachineFixture) -> AdminFormationSession:
    time_machine.move_to(START - timedelta(days=2), tick=False)
    return school.session_of(school.formation(), START)


def known() -> dict[int, tuple[AttendanceStatus, AttendanceSource]]:
    db.session.expire_all()
    return {row.user_id: (row.status, row.source) for row in db.session.scalars(select(AdminSessionAttendance))}


def test_an_agent_completes_what_the_clicks_left_open(
    session: AdminFormationSession, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    came, absent, unmarked = (school.enrolled(session.formation, first_name=name) for name in ("Ana", "Bob", "Cyd"))
    time_machine.move_to(START + timedelta(minutes=1), tick=False)
    client_for(came).get(f"/espace/seances/{session.id}/rejoindre")
    agent = factories.agent()
    browser = client_for(agent)
    address = f"/admin/seances/{session.id}"

    assert address in browser.get("/admin/seances").text
    page = browser.get(address).text
    assert "1 sur 3" in page
    assert 'aria-label="Bob O&#39;Brien-Ñandú : Absent"' in page
    browser.post(f"{address}/presences", data={f"user-{came.id}": "present", f"user-{absent.id}": "absent"})

    assert known() == {
        came.id: (AttendanceStatus.PRESENT, AttendanceSource.JOIN_LINK),
        absent.id: (AttendanceStatus.ABSENT, AttendanceSource.MANUAL),
    }
    browser.post(f"{address}/presences", data={"everybody": "present"})
    assert known()[unmarked.id] == (AttendanceStatus.PRESENT, AttendanceSource.MANUAL)
    assert known()[absent.id][0] is AttendanceStatus.ABSENT
    assert attendance.first_broken() is None
    assert "Absent" in client_for(absent).get("/espace/formations/lire-les-marches").text


def test_before_the_start_only_an_excuse_can_be_noted(session: AdminFormationSession, client_for: ClientFor) -> None:
    student = school.enrolled(session.formation)
    browser = client_for(factories.agent())
    address = f"/admin/seances/{session.id}"

    assert "vous pouvez noter les absences excusées" in browser.get(address).text
    assert browser.post(f"{address}/presences", data={f"user-{student.id}": "present"}).status_code == 409
    assert known() == {}
    browser.post(f"{address}/presences", data={f"user-{student.id}": "excused"})
    assert known() == {student.id: (AttendanceStatus.EXCUSED, AttendanceSource.MANUAL)}


def test_the_grid_holds_who_had_a_place_then(session: AdminFormationSession, time_machine: TimeMachineFixture) -> None:
    expected = school.enrolled(session.formation)
    gone = school.enrolled(session.formation)
    place = db.session.scalars(select(UserFormationEnrollment).filter_by(user_id=gone.id)).one()
    place.status, place.ended_at = EnrollmentStatus.COMPLETED, START - timedelta(days=1)
    school.enrolled(session.formation, at=START + timedelta(days=3))
    factories.student()

    assert [row.user.id for row in attendance.grid(session)] == [expected.id]


@pytest.mark.usefixtures("session")
def test_a_student_sees_no_grid(client_for: ClientFor) -> None:
    browser = client_for(factories.student())

    assert browser.get("/admin/seances/1").status_code == 403
    assert browser.post("/admin/seances/1/presences", data={"everybody": "present"}).status_code == 403
    assert known() == {}
