"""What administrators and operators do about accounts."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.audit import AuditEntry
from tests import factories
from tests.account.people import PASSWORD, log_in, subjects_to, with_password
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]


def test_an_administrator_finds_people_by_name_address_and_role(client_for: LogIn) -> None:
    browser = client_for(factories.admin(first_name="Inès"))
    factories.student(first_name="Élodie", last_name="Ñandú", email="100%_sure@example.test")
    factories.student(first_name="Paul", last_name="Martin")

    found = browser.get("/admin/utilisateurs?q=élodie ñandú&role=student").text

    assert "Élodie Ñandú" in found
    assert "Paul Martin" not in found
    assert "Paul Martin" not in browser.get("/admin/utilisateurs?q=%25_").text
    assert "Personne ne correspond" in browser.get("/admin/utilisateurs?q=xyz").text
    assert browser.get("/admin/utilisateurs?role=emperor&page=99999999999999999999").status_code == 302


@pytest.mark.parametrize("path", ["/admin/utilisateurs", "/admin/utilisateurs/1"])
def test_only_administrators_see_the_list(client_for: LogIn, visitor: FlaskClient, path: str) -> None:
    assert client_for(factories.student()).get(path).status_code == 403
    assert client_for(factories.agent()).get(path).status_code == 403
    assert visitor.get(path).location.startswith("/connexion?next=/admin")


def test_a_new_role_holds_at_once_and_is_written_down(client_for: LogIn) -> None:
    chief, person = factories.admin(), factories.agent()
    theirs, browser = client_for(person), client_for(chief)
    assert theirs.get("/admin").status_code == 200

    browser.post(f"/admin/utilisateurs/{person.id}/role", data={"role": "student"})

    assert theirs.get("/espace/profil").status_code == 302
    assert client_for(person).get("/admin").status_code == 403
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_id, entry.object_id) == ("user.role_changed", chief.id, str(person.id))


def test_a_closed_account_is_out_at_once_and_comes_back_when_opened(client_for: LogIn, visitor: FlaskClient) -> None:
    person = with_password(email="zoe@example.test")
    theirs, browser = client_for(person), client_for(factories.admin())

    browser.post(f"/admin/utilisateurs/{person.id}/fermeture", data={"disabled": "1"})
    assert theirs.get("/espace/profil").status_code == 302
    assert log_in(visitor, "zoe@example.test").status_code == 401

    browser.post(f"/admin/utilisateurs/{person.id}/fermeture", data={"disabled": "0"})
    assert log_in(visitor, "zoe@example.test").location == "/espace"


def test_the_last_administrator_stays_and_nobody_lowers_the_own_role(client_for: LogIn) -> None:
    chief = factories.admin()
    browser = client_for(chief)

    for data in ({"role": "student"}, {"role": "agent"}):
        answer = browser.post(f"/admin/utilisateurs/{chief.id}/role", data=data, follow_redirects=True)
        assert "dernier compte administrateur" in answer.text
    factories.admin()
    answer = browser.post(f"/admin/utilisateurs/{chief.id}/fermeture", data={"disabled": "1"}, follow_redirects=True)

    assert "votre propre compte" in answer.text.replace("\u00a0", " ")
    db.session.expire_all()
    assert (chief.role, chief.disabled_at) == (Role.ADMIN, None)


@pytest.mark.parametrize(("data", "status"), [({"role": "emperor"}, 400), ({}, 400)])
def test_an_unknown_role_is_refused(client_for: LogIn, data: dict[str, str], status: int) -> None:
    person = factories.student()

    answer = client_for(factories.admin()).post(f"/admin/utilisateurs/{person.id}/role", data=data)

    assert answer.status_code == status


def test_an_absent_person_is_a_404(client_for: LogIn) -> None:
    browser = client_for(factories.admin())

    assert browser.get("/admin/utilisateurs/999999").status_code == 404
    assert browser.get("/admin/utilisateurs/99999999999999999999999").status_code == 404


def test_an_operator_creates_lists_promotes_and_closes(site: Flask) -> None:
    run = site.test_cli_runner()
    names = ["--first-name", "Zoé", "--last-name", "Ferrand"]
    typed = f"{PASSWORD}\n{PASSWORD}\n"

    assert run.invoke(args=["users", "create", "Zoe@example.test", *names], input=typed).exit_code == 0
    again = run.invoke(args=["users", "create", "ZOE@example.test", *names], input=typed)
    assert (again.exit_code, "existe déjà" in again.output) == (1, True)
    assert run.invoke(args=["users", "role", "zoe@example.test", "admin"]).exit_code == 0
    listed = run.invoke(args=["users", "list", "--role", "admin"]).output
    assert "\tZoe@example.test\tZoé Ferrand\tadmin\topen" in listed
    refused = run.invoke(args=["users", "disable", "zoe@example.test"])
    assert (refused.exit_code, "dernier compte administrateur" in refused.output) == (1, True)
    factories.admin()
    db.session.commit()
    assert run.invoke(args=["users", "disable", "zoe@example.test"]).exit_code == 0
    assert run.invoke(args=["users", "role", "nobody@example.test", "admin"]).exit_code == 1

    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert actions == ["user.created", "user.role_changed", "user.disabled"]


def test_an_administrator_ends_the_sessions_of_a_person(site: Flask, client_for: LogIn) -> None:
    person, chief = factories.student(), factories.admin()
    browser = client_for(person)

    client_for(chief).post(f"/admin/utilisateurs/{person.id}/sessions/fin")

    assert browser.get("/espace/profil").location.startswith("/connexion")
    entry = db.session.scalars(select(AuditEntry).filter_by(action="user.sessions_ended")).one()
    assert (entry.actor_id, entry.object_id) == (chief.id, str(person.id))


def test_whoever_is_closed_out_reopened_or_logged_out_by_the_school_is_told(
    client_for: LogIn, mailbox: Mailbox
) -> None:
    person, browser = with_password(email="zoe@example.test"), client_for(factories.admin())
    path = f"/admin/utilisateurs/{person.id}"

    told = []
    for place, data in (("sessions/fin", {}), ("fermeture", {"disabled": "1"}), ("fermeture", {"disabled": "0"})):
        browser.post(f"{path}/{place}", data=data)
        told.append(subjects_to(mailbox, "zoe@example.test")[-1])

    assert told == [
        "L’école a déconnecté vos appareils",
        "Votre compte a été fermé",
        "Votre compte est de nouveau ouvert",
    ]
