"""``/api/v1/me``: the own account, choices and notices."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from calmness.extensions import db
from calmness.models.account import SessionKind, User
from calmness.services import jwt_tokens, notifications, sessions
from calmness.services.preferences import NoticeKind
from tests import factories


class Client:
    """A program with the token of a person."""

    def __init__(self, browser: FlaskClient, user: User) -> None:
        opened, _secret = sessions.open_session(
            user, kind=SessionKind.API, persistent=True, ip_truncated=None, device_label="Test"
        )
        self.headers = {"Authorization": f"Bearer {jwt_tokens.issue_access(opened)}"}
        self.browser = browser

    def get(self, path: str) -> TestResponse:
        return self.browser.get(f"/api/v1/{path}", headers=self.headers)

    def patch(self, path: str, body: dict[str, Any]) -> TestResponse:
        return self.browser.patch(f"/api/v1/{path}", json=body, headers=self.headers)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> TestResponse:
        return self.browser.open(f"/api/v1/{path}", method=method, json=body, headers=self.headers)

    def post(self, path: str) -> TestResponse:
        return self.browser.post(f"/api/v1/{path}", headers=self.headers)


def notices(user: User, count: int) -> None:
    for number in range(count):
        notifications.notify(user.id, NoticeKind.PAYMENT, f"n{number}", title=f"Notice {number}", message_kind=None)


def test_what_is_given_changes_and_the_rest_stays(visitor: FlaskClient) -> None:
    client = Client(visitor, factories.student(city="Nantes"))

    answer = client.patch("me", {"first_name": " Zoé\n", "siren": "552 100 554", "time_zone": "America/Cayenne"})

    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["first_name"], body["siren"], body["time_zone"]) == ("Zoé", "552100554", "America/Cayenne")
    assert body["city"] == "Nantes"
    assert body["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [
        {"role": "admin"},
        {"email": "other@example.test"},
        {"first_name": "\u202e"},
        {"siren": "123456789"},
        {"vat_number": "FR00"},
        {"time_zone": "Mars/Olympus"},
        {"country": "EU"},
        {"locale": "de"},
    ],
)
def test_what_may_not_change_is_refused_with_its_place(visitor: FlaskClient, body: dict[str, str]) -> None:
    user = factories.student()
    client = Client(visitor, user)

    answer = client.patch("me", body)

    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == f"#/{next(iter(body))}"


def test_choices_change_one_by_one_and_compulsory_notices_stay(visitor: FlaskClient) -> None:
    client = Client(visitor, factories.student())
    wanted = {"features": {"signals": False}, "notices": {"session": {"email": False}, "security": {"email": False}}}

    body = client.patch("me/settings", wanted).get_json()

    assert body["features"]["signals"] is False
    assert body["features"]["history"] is True
    assert body["notices"]["session"]["email"] is False
    assert body["notices"]["security"]["email"] is True
    assert client.get("me/settings").get_json() == body


@pytest.mark.parametrize("body", [{"features": {"rockets": True}}, {"notices": {"session": {"fax": True}}}, {"x": 1}])
def test_unknown_choices_are_refused(visitor: FlaskClient, body: dict[str, Any]) -> None:
    assert Client(visitor, factories.student()).patch("me/settings", body).status_code == 422


def test_a_list_is_walked_by_cursor_without_gap_or_double(visitor: FlaskClient) -> None:
    user = factories.student()
    notices(user, 7)
    client = Client(visitor, user)

    titles, cursor = [], ""
    while True:
        page = client.get(f"me/notifications?limit=3{cursor}").get_json()
        titles += [notice["title"] for notice in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"

    assert titles == [f"Notice {number}" for number in range(6, -1, -1)]


def test_a_cursor_of_somebody_else_or_made_up_is_refused(visitor: FlaskClient) -> None:
    owner, stranger = factories.student(), factories.student()
    notices(owner, 3)
    cursor = Client(visitor, owner).get("me/notifications?limit=1").get_json()["next"]
    other = Client(visitor, stranger)

    answers = [other.get(f"me/notifications?cursor={value}").status_code for value in (cursor, "nonsense", "")]

    assert answers == [400, 400, 400]


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1"])
def test_a_limit_outside_its_bounds_is_refused(visitor: FlaskClient, limit: str) -> None:
    assert Client(visitor, factories.student()).get(f"me/notifications?limit={limit}").status_code == 422


def test_reading_one_and_all_keeps_the_count_exact(visitor: FlaskClient) -> None:
    user = factories.student()
    notices(user, 3)
    client = Client(visitor, user)
    first = client.get("me/notifications").get_json()["items"][0]["id"]

    client.post(f"me/notifications/{first}/read")
    client.post(f"me/notifications/{first}/read")
    assert client.get("me/notifications/unread-count").get_json() == {"count": 2}

    client.post("me/notifications/read-all")
    assert client.get("me/notifications/unread-count").get_json() == {"count": 0}


def test_somebody_elses_notice_does_not_exist(visitor: FlaskClient) -> None:
    owner = factories.student()
    notices(owner, 1)
    theirs = notifications.listing(owner.id, limit=1)[0][0].id
    client = Client(visitor, factories.student())

    answers = [client.post(f"me/notifications/{number}/read") for number in (theirs, theirs + 1, 10**30)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert notifications.unread_count(owner.id) == 1
    db.session.commit()
