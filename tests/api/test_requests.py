"""What the API takes and how it refuses: bodies, languages, conditions, limits."""

import contextvars
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import factories
from tests.api.conftest import ApiFor
from tests.billing import shop

LOGIN = "/api/v1/auth/login"


@pytest.mark.parametrize(
    ("body", "kind", "status", "problem"),
    [
        ("{", "application/json", 400, "malformed-json"),
        (b'{"email": "\xff"}', "application/json", 400, "malformed-json"),
        ('{"email": NaN}', "application/json", 400, "malformed-json"),
        ("[" * 100_000, "application/json", 400, "json-too-deep"),
        ('{"a":' * 33 + "1" + "}" * 33, "application/json", 400, "json-too-deep"),
        ('{"email": "a\\u0000b", "password": "x"}', "application/json", 400, "forbidden-character"),
        ('{"email": "a\\ud800b", "password": "x"}', "application/json", 400, "forbidden-character"),
        ('{"a\\u0000": 1}', "application/json", 400, "forbidden-character"),
        ('{"email": 99999999999999999999}', "application/json", 422, "number-too-large"),
        ('{"email": "a", "password": "b"}', "text/plain", 415, "unsupported-media-type"),
        ("email=a&password=b", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        ('{"email": "' + "a" * 1_100_000 + '"}', "application/json", 413, "too-large"),
        ('{"email": "' + "a" * 10_000_000 + '"}', "application/json", 413, "too-large"),
        ('{"email": "a", "password": "b", "role": "admin"}', "application/json", 422, "invalid"),
    ],
)
def test_a_body_that_no_endpoint_takes_is_a_clear_refusal(
    visitor: FlaskClient, body: str | bytes, kind: str, status: int, problem: str
) -> None:
    answer = visitor.post(LOGIN, data=body, content_type=kind)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["type"] == f"/problems/{problem}"


@pytest.mark.parametrize("query", ["kind=%00", "%00=1", "kind=signals&x=%00"])
def test_a_nul_in_the_address_is_refused(visitor: FlaskClient, query: str) -> None:
    assert visitor.get(f"/api/v1/offers?{query}").get_json()["type"] == "/problems/forbidden-character"


@pytest.mark.parametrize(
    ("path", "status"),
    # The last one has rules for other methods, each of which would refuse the number.
    [("/nowhere", 404), ("/offers", 405), (f"/me/trading/imports/{2**63}", 404)],
)
def test_what_does_not_exist_is_a_problem_too(visitor: FlaskClient, path: str, status: int) -> None:
    answer = visitor.delete(f"/api/v1{path}")

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["instance"].startswith("urn:request:")


@pytest.mark.parametrize(
    ("wish", "language", "title"),
    [
        ("en", "en", "Log in"),
        ("de, en;q=0.5", "en", "Log in"),
        ("fr", "fr", "Connectez-vous"),
        ("", "fr", "Connectez-vous"),
    ],
)
def test_problems_speak_the_callers_language(visitor: FlaskClient, wish: str, language: str, title: str) -> None:
    answer = visitor.get("/api/v1/me", headers={"Accept-Language": wish} if wish else {})

    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert title.lower() in answer.get_json()["title"].lower()


def test_what_is_known_already_is_not_sent_again(visitor: FlaskClient) -> None:
    shop.signals_offer()
    first = visitor.get("/api/v1/offers")

    again = visitor.get("/api/v1/offers", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    shop.formation_offer()
    assert visitor.get("/api/v1/offers", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "change"), [("/me", {"city": "Lyon"}), ("/me/settings", {"features": {"portfolio": False}})]
)
def test_nothing_is_overwritten_unseen(api_for: ApiFor, path: str, change: dict[str, Any]) -> None:
    student = api_for(factories.student())
    seen = {"If-Match": student("GET", path).headers["ETag"]}

    assert student("PATCH", path, json=change, headers=seen).status_code == 200
    late = student("PATCH", path, json=change, headers=seen)

    assert (late.status_code, late.get_json()["type"]) == (412, "/problems/stale")


def test_limits_are_told_in_the_standard_headers(limited: Flask) -> None:
    client = limited.test_client()

    def send(method: str, path: str, **options: Any) -> TestResponse:
        return contextvars.Context().run(client.open, f"/api/v1{path}", method=method, **options)

    first, second = send("GET", "/offers"), send("GET", "/openapi.json")
    few = [send("POST", "/auth/password/forgot", json={"email": "a@example.test"}) for _turn in range(11)]

    assert first.headers["RateLimit-Policy"] == '"api";q=600;w=60'
    assert first.headers["RateLimit"].startswith('"api";r=599;t=')
    assert second.headers["RateLimit"].startswith('"api";r=598;t=')
    assert [answer.status_code for answer in few] == [202] * 10 + [429]
    assert few[-1].mimetype == "application/problem+json"
    assert int(few[-1].headers["Retry-After"]) > 0
    assert few[-1].headers["RateLimit"].startswith('"api";r=0;t=')
