"""An administrator manages accounts by program, under the rules of the pages."""

from flask import Flask
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import AuthSession
from calmness.models.audit import AuditEntry
from tests import factories
from tests.account.people import with_factor
from tests.api.conftest import ApiFor


def test_roles_closures_and_sessions_act_at_once_and_stand_in_the_journal(site: Flask, api_for: ApiFor) -> None:
    admin, person = factories.admin(), factories.student()
    call, theirs = api_for(admin), api_for(person)
    path = f"/admin/users/{person.id}"

    ended = call("DELETE", f"{path}/sessions")
    out = theirs("GET", "/me").status_code
    raised = call("PUT", f"{path}/role", json={"role": "agent"}).get_json()
    closed = call("PUT", f"{path}/closure", json={"disabled": True}).get_json()
    opened = call("PUT", f"{path}/closure", json={"disabled": False}).get_json()
    own = call("PUT", f"/admin/users/{admin.id}/role", json={"role": "student"})

    assert (ended.status_code, out) == (204, 401)
    assert (raised["role"], closed["disabled"], opened["disabled"]) == ("agent", True, False)
    assert own.get_json()["type"] in {"/problems/own-account", "/problems/last-admin"}
    acts = db.session.scalars(select(AuditEntry.action).where(AuditEntry.actor_id == admin.id)).all()
    assert set(acts) >= {"user.sessions_ended", "user.role_changed", "user.disabled", "user.enabled"}


def test_a_lost_factor_goes_by_two_administrators(site: Flask, api_for: ApiFor) -> None:
    person, _key = with_factor(email="zoe@example.test")
    first, second = api_for(factories.admin()), api_for(factories.admin())
    path = f"/admin/users/{person.id}/factor-removal"

    reasonless = first("PUT", path, json={"reason": ""})
    asked = first("PUT", path, json={"reason": "vue en personne à l’école"})
    alone = first("POST", f"{path}/execution")
    withdrawn = first("DELETE", path)
    first("PUT", path, json={"reason": "vue en personne à l’école"})
    done = second("POST", f"{path}/execution")

    assert (reasonless.status_code, asked.status_code) == (422, 202)
    assert (alone.status_code, alone.get_json()["type"]) == (409, "/problems/second-admin-needed")
    assert (withdrawn.status_code, done.status_code) == (204, 204)


def test_a_stale_session_of_an_administrator_confirms_first(site: Flask, api_for: ApiFor) -> None:
    admin, person = factories.admin(), factories.student()
    call = api_for(admin)
    db.session.scalars(select(AuthSession).filter_by(user_id=admin.id)).one().fresh_at = None
    db.session.commit()

    refused = call("PUT", f"/admin/users/{person.id}/role", json={"role": "admin"})

    assert refused.get_json()["type"] == "/problems/step-up-required"
