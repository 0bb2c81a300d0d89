"""One line a request, by its rule: a path may hold a token, and an address is a person's."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.models.account import User
from tests import factories


def test_a_request_is_logged_by_rule_with_its_id_and_without_its_token(
    site: Flask, visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="calmness.health"):
        answer = visitor.get("/verification/a-secret-token", headers={"X-Request-ID": "from-the-proxy-1"})

    (line,) = [record.msg for record in caplog.records if record.name == "calmness.health"]
    assert isinstance(line, dict)
    assert line["event"] == "request"
    assert line["route"] == "/verification/<token>"
    assert line["status"] == answer.status_code
    assert line["cause_id"] == answer.headers["X-Request-ID"] == "from-the-proxy-1"
    assert "a-secret-token" not in json.dumps(line, default=str)


def test_what_watches_over_the_house_is_not_logged(
    site: Flask, visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="calmness.health"):
        visitor.get("/healthz")

    assert [record for record in caplog.records if record.name == "calmness.health"] == []


def test_a_refusal_names_its_person_by_number(
    client_for: Callable[[User], FlaskClient], visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    user = factories.student()
    browser = client_for(user)

    with caplog.at_level("INFO", logger="calmness.health"):
        browser.get("/admin/utilisateurs")
        visitor.get("/espace/profil")

    lines: list[Any] = [record.msg for record in caplog.records if record.name == "calmness.health"]
    assert [(line["status"], line["user_id"]) for line in lines] == [(403, user.id), (302, None)]
    assert user.email not in json.dumps(lines, default=str)
