"""Every endpoint as visitor, owner, other student, agent and admin, on own and on foreign objects."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from calmness.access import AccessKind, access_of
from calmness.extensions import db
from calmness.models.account import Role
from calmness.permissions import may
from tests import factories
from tests.api.belongings import Belongings, belongings, body_for
from tests.api.conftest import ApiFor

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
ENDS_THE_SESSION = {"api.api_logout", "api.api_logout_all", "api.api_ask_deletion"}
WANTS_A_WAITING_ONE = {"api.api_carry_out_factor_removal"}
"""The object is there; what the act is about is absent until somebody has asked for it."""
Route = tuple[Rule, str, str]


def routes(site: Flask, values: dict[str, Any]) -> Iterator[Route]:
    """Every rule and method of the API with the path of the owner's object."""
    for rule in site.url_map.iter_rules():
        if not rule.endpoint.startswith("api."):
            continue
        assert rule.arguments <= set(values), f"{rule.rule}: name its argument in tests/api/belongings.py"
        built = rule.build({name: values[name] for name in rule.arguments})
        assert built is not None
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method, built[1].removeprefix("/api/v1")


def is_public(site: Flask, rule: Rule) -> bool:
    """Whether anybody may call it."""
    access = access_of(site.view_functions[rule.endpoint])
    return access is not None and access.kind is AccessKind.PUBLIC


def body_of(rule: Rule, method: str) -> dict[str, Any]:
    """Options of a request with a body that the schema takes."""
    return body_for(rule.endpoint) if method in UNSAFE else {}


def absent_like(value: Any) -> Any:
    """What names no object, in the form of what names one."""
    if isinstance(value, int):
        return 999_999
    return str(uuid.UUID(int=0)) if len(str(value)) == 36 else "CT-20000101-0001"


@pytest.fixture
def school(site: Flask) -> Belongings:
    """One of everything, owned by one student."""
    return belongings()


# The gate alone: what stands behind it is proved on both databases by those who are let in.
@pytest.mark.once
def test_a_visitor_reaches_the_public_endpoints_only(site: Flask, school: Belongings, visitor: FlaskClient) -> None:
    wrong = []
    for rule, method, path in routes(site, school.values):
        status = visitor.open(f"/api/v1{path}", method=method, **body_of(rule, method)).status_code
        if rule.endpoint != "api.api_refresh" and (status == 401) == is_public(site, rule):
            wrong.append((method, path, status))

    assert wrong == []


@pytest.mark.parametrize("role", ["student", "agent", "admin"])
def test_a_stranger_finds_nothing_of_the_owner_and_only_what_the_role_allows(
    site: Flask, school: Belongings, api_for: ApiFor, role: str
) -> None:
    person = getattr(factories, role)()
    call, wrong = api_for(person), []
    for rule, method, path in routes(site, school.values):
        access = access_of(site.view_functions[rule.endpoint])
        if access is None or access.permission is None or rule.endpoint in ENDS_THE_SESSION:
            continue
        answer = call(method, path, **body_of(rule, method))
        if not may(person, access.permission):
            good = answer.status_code == 403
        elif path.startswith("/me") and rule.arguments:
            good = answer.status_code == 404
        else:
            absent = set() if rule.endpoint in WANTS_A_WAITING_ONE else {404}
            good = answer.status_code not in {401, 403} | absent and answer.status_code < 500
        if not good:
            wrong.append((method, path, answer.status_code))

    assert wrong == []


def test_a_foreign_object_is_told_in_the_same_words_as_an_absent_one(
    site: Flask, school: Belongings, api_for: ApiFor
) -> None:
    call = api_for(factories.student())
    absent = {name: absent_like(value) for name, value in school.values.items()}
    different = []
    for (rule, method, foreign), (_rule, _method, missing) in zip(
        routes(site, school.values), routes(site, absent), strict=True
    ):
        if not foreign.startswith("/me") or not rule.arguments:
            continue
        answers = [call(method, path, **body_of(rule, method)) for path in (foreign, missing)]
        bodies = [answer.get_json() | {"instance": ""} for answer in answers]
        if bodies[0] != bodies[1] or {answer.status_code for answer in answers} != {404}:
            different.append((method, foreign, bodies))

    assert different == []


def test_the_owner_finds_all_of_it(site: Flask, school: Belongings, api_for: ApiFor) -> None:
    call, wrong = api_for(school.owner), []
    for rule, method, path in routes(site, school.values):
        if not path.startswith("/me") or not rule.arguments:
            continue
        status = call(method, path, **body_of(rule, method)).status_code
        # A rule may refuse what an earlier act left behind (409, 422); the person it never refuses.
        if status not in {200, 201, 202, 204, 409, 410, 422}:
            wrong.append((method, path, status))

    assert wrong == []


def test_a_role_taken_away_counts_from_the_next_request_on(site: Flask, school: Belongings, api_for: ApiFor) -> None:
    person = factories.admin()
    factories.admin()
    call = api_for(person)
    assert call("GET", "/admin/users").status_code == 200

    person.role = Role.STUDENT
    db.session.commit()

    assert call("GET", "/admin/users").status_code == 403
    assert call("GET", "/me").get_json()["role"] == "student"
