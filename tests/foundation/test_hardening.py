"""What browsers are told, what they tell back, and whom to tell about a hole."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness import clock
from calmness.cli_keys import rotated
from config import JwtKey

OLD_REPORT = {
    "csp-report": {
        "document-uri": "https://calmness.example/verification/a-secret-token?x=1",
        "blocked-uri": "https://evil.example/payload.js?stolen=1",
        "effective-directive": "script-src",
    }
}
NEW_REPORT = [
    {
        "type": "csp-violation",
        "body": {
            "documentURL": "https://calmness.example/espace/profil",
            "blockedURL": "inline",
            "effectiveDirective": "style-src-attr",
        },
    }
]


@pytest.mark.parametrize("report", [OLD_REPORT, NEW_REPORT])
def test_a_stopped_script_is_told_without_form_token_and_noted_without_secrets(
    visitor: FlaskClient, caplog: pytest.LogCaptureFixture, report: Any
) -> None:
    visitor.csrf = False  # type: ignore[attr-defined]

    answer = visitor.post("/hooks/csp", data=json.dumps(report), content_type="application/csp-report")

    said = caplog.text
    assert answer.status_code == 204
    assert "csp_violation" in said
    assert "a-secret-token" not in said
    assert "stolen" not in said


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 204),
        ("[1, null, {}]", 204),
        ('{"csp-report": []}', 204),
        ('{"csp-report": {"blocked-uri": "http://[", "document-uri": 7}}', 204),
        ("[" * 7_000, 204),
        ("a" * 9_000, 413),
    ],
)
def test_nonsense_as_report_is_harmless(visitor: FlaskClient, body: str, status: int) -> None:
    visitor.csrf = False  # type: ignore[attr-defined]

    assert visitor.post("/hooks/csp", data=body).status_code == status


def test_the_policy_says_where_to_report_and_asks_for_trusted_types(visitor: FlaskClient) -> None:
    headers = visitor.get("/").headers

    policy = headers["Content-Security-Policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "report-uri /hooks/csp" in policy
    assert "report-to csp" in policy
    assert headers["Reporting-Endpoints"] == 'csp="/hooks/csp"'
    assert "upgrade-insecure-requests" not in policy
    assert "Strict-Transport-Security" not in headers


def test_over_https_browsers_are_told_to_stay_there(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.config, "BASE_URL", "https://calmness.example")

    headers = site.test_client().get("/").headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "upgrade-insecure-requests" in headers["Content-Security-Policy"]


def test_security_txt_names_a_contact_and_ends_within_a_year(visitor: FlaskClient) -> None:
    answer = visitor.get("/.well-known/security.txt")

    lines = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert answer.mimetype == "text/plain"
    assert lines["Contact"] == "http://localhost/contact"
    assert lines["Canonical"] == "http://localhost/.well-known/security.txt"
    left = datetime.fromisoformat(lines["Expires"]) - clock.now()
    assert timedelta(days=100) < left < timedelta(days=365)


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "localhost@evil.test", "notlocalhost"])
def test_a_host_that_is_not_ours_gets_nothing(visitor: FlaskClient, host: str) -> None:
    answer = visitor.get("/", headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


def test_a_new_signing_key_comes_first_and_old_ones_go_when_no_token_needs_them(site: Flask) -> None:
    day = date(2026, 11, 26)
    lifetime = timedelta(days=30)
    known = [JwtKey("k20261101-aaaa", "a"), JwtKey("k20260901-bbbb", "b"), JwtKey("first", "c")]

    following = rotated(known, day, lifetime)
    much_later = rotated(following, day + timedelta(days=31), lifetime)

    assert following[0].kid.startswith("k20261126-")
    assert len(following[0].secret) >= 32
    assert [key.kid for key in following[1:]] == ["k20261101-aaaa", "k20260901-bbbb"]
    assert [key.kid for key in much_later[1:]] == [following[0].kid]


def test_the_operator_gets_one_line_to_put_into_the_environment(site: Flask) -> None:
    said = site.test_cli_runner().invoke(args=["keys", "rotate"]).output

    name, _equals, value = said.strip().partition("=")
    assert name == "JWT_KEYS"
    assert value.endswith(",test:a-token-key-for-tests-that-is-long-enough")
    assert value.startswith("k20")


def test_trace_gives_nothing_back(visitor: FlaskClient) -> None:
    answer = visitor.open("/connexion", method="TRACE", headers={"X-Mine": "given"})

    assert (answer.status_code, "given" in answer.text) == (405, False)
