"""What the endpoints do: the same as the pages, by the same rules."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.trading import Platform, Trade
from calmness.models.training import AdminSessionAttendance
from calmness.services import enrollments, journals, preferences, sync_trades, trading_accounts
from calmness.services.preferences import Feature
from tests import factories
from tests.api.belongings import belongings
from tests.api.conftest import ApiFor
from tests.billing import shop
from tests.training import school

SIGNAL = {
    "instrument": "eurusd",
    "direction": "buy",
    "order_kind": "market",
    "entry": "1.08420",
    "stop": "1.08000",
    "targets": ["1.09"],
    "reasoning": "Tendance",
    "horizon": "Intraday",
    "conflict_notice": "Aucun",
}


def test_a_person_arranges_the_dashboard_and_two_tabs_do_not_undo_each_other(api_for: ApiFor) -> None:
    student = api_for(factories.student())
    seen = student("GET", "/me/widgets")
    tag = {"If-Match": seen.headers["ETag"]}

    saved = student("PUT", "/me/widgets", json={"widgets": ["trades", "capital", "trades"]}, headers=tag)

    assert saved.get_json()["widgets"] == ["trades", "capital"]
    assert student("GET", "/me/widgets").get_json()["available"] == seen.get_json()["available"]
    assert student("PUT", "/me/widgets", json={"widgets": []}, headers=tag).status_code == 412
    assert student("PUT", "/me/widgets", json={"widgets": ["unknown"]}).status_code == 422


def test_a_student_enters_a_session_and_is_present(api_for: ApiFor) -> None:
    user, course = factories.student(), school.formation()
    enrollments.enroll(user.id, course.id, None, clock.now() - timedelta(days=1))
    now = school.session_of(course, clock.now() + timedelta(minutes=5))
    later = school.session_of(course, clock.now() + timedelta(days=5))
    student, (now_id, later_id, course_id) = api_for(user), (now.id, later.id, course.id)

    listed = student("GET", f"/me/formations/{course_id}/sessions").get_json()["items"]
    assert [(row["id"], row["open"], row["presence"]) for row in listed] == [
        (now_id, True, None),
        (later_id, False, None),
    ]
    assert "meeting_url" not in listed[0]
    entered = student("POST", f"/me/sessions/{now_id}/check-in").get_json()
    early = student("POST", f"/me/sessions/{later_id}/check-in")

    assert (entered["presence"], entered["meeting_url"]) == ("present", school.LINK)
    assert (early.status_code, early.get_json()["type"]) == (409, "/problems/door-not-open-yet")
    assert student("GET", "/me/formations").get_json()["items"][0]["next_session"]["id"] in {now_id, later_id}
    assert db.session.scalars(select(AdminSessionAttendance.session_id)).all() == [now_id]


def test_the_key_of_an_account_is_shown_once_and_opens_it(api_for: ApiFor, visitor: FlaskClient) -> None:
    student = api_for(factories.student())
    body = {"name": "Compte réel", "platform": "mt5", "currency": "eur"}
    created = student("POST", "/me/trading/accounts", json=body)
    account = created.get_json()

    assert created.status_code == 201
    assert account["currency"] == "EUR"
    assert visitor.get("/ea/v1/ping", headers={"X-API-Key": account["api_key"]}).status_code == 200
    assert "api_key" not in student("GET", "/me/trading/accounts").get_json()["items"][0]
    rotated = student("POST", f"/me/trading/accounts/{account['id']}/rotate-key")
    assert rotated.status_code == 201
    assert visitor.get("/ea/v1/ping", headers={"X-API-Key": rotated.get_json()["api_key"]}).status_code == 200


def test_trades_are_filtered_and_go_on_by_a_cursor_bound_to_the_filter(api_for: ApiFor) -> None:
    owner = belongings().owner
    other, _key = trading_accounts.add(owner, "Second", Platform.MT4, "USD")
    student = api_for(owner)

    def found(query: str) -> list[str]:
        return [row["ticket"] for row in student("GET", f"/me/trading/trades?{query}").get_json()["items"]]

    assert found("") == found("symbol=EURUSD&result=win&status=closed") == found("search=7001") == ["7001"]
    today = clock.now().date().isoformat()
    assert found("result=loss") == found(f"account={other.id}") == found("to=2020-01-01") == []
    assert found(f"from={(clock.now() - timedelta(days=2)).date()}") == ["7001"]
    assert student("GET", f"/me/trading/trades?from={today}T00:00").status_code == 422
    assert student("GET", "/me/trading/trades?cursor=made-up").get_json()["type"] == "/problems/bad-cursor"
    row = student("GET", "/me/trading/trades").get_json()["items"][0]
    assert (row["net"], row["volume"]) == ("12.5", "0.1")


def test_pages_of_trades_go_on_after_a_row_whatever_came_on_top_of_it(api_for: ApiFor) -> None:
    user = factories.student()
    account, _key = trading_accounts.add(user, "Compte", Platform.MT4, "EUR")
    student = api_for(user)

    def bring(ticket: str, day: int, kind: int = 0) -> None:
        times = {"open_time": 1_780_000_000 + day * 86_400, "close_time": 1_780_003_600 + day * 86_400}
        message = {"ticket": ticket, "type": kind, "symbol": "EURUSD", "lots": "0.1", "profit": "5"} | times
        rows = sync_trades.read(account.id, [message], 0, clock.now()).rows
        sync_trades.write(account.id, rows, clock.now())
        db.session.commit()

    for number in range(4):
        bring(str(number), number, kind=number % 2)
    first = student("GET", "/me/trading/trades?limit=2").get_json()
    bring("9", 9)
    second = student("GET", f"/me/trading/trades?limit=2&cursor={first['next']}").get_json()

    assert [row["ticket"] for row in first["items"] + second["items"]] == ["3", "2", "1", "0"]
    assert second["next"] is None
    sold = student("GET", "/me/trading/trades?direction=sell").get_json()["items"]
    assert [row["ticket"] for row in sold] == ["3", "1"]
    assert student("GET", f"/me/trading/trades?limit=2&direction=sell&cursor={first['next']}").status_code == 400


@pytest.mark.parametrize("query", ["tag=cassure", "mistake=FOMO", "session=asia", "direction=sell"])
def test_trades_are_filtered_like_the_page(api_for: ApiFor, query: str) -> None:
    user = factories.student()
    account, _key = trading_accounts.add(user, "Compte", Platform.MT4, "EUR")
    noon, night = 1_779_969_600, 1_779_933_600
    for ticket, kind, opened in (("1", 0, noon), ("2", 1, night)):
        message = {"ticket": ticket, "type": kind, "symbol": "EURUSD", "lots": "0.1", "profit": "5"}
        times = {"open_time": opened, "close_time": opened + 60}
        sync_trades.write(account.id, sync_trades.read(account.id, [message | times], 0, clock.now()).rows, clock.now())
    trade_id = db.session.scalars(select(Trade.id).where(Trade.account_id == account.id, Trade.ticket == "2")).one()
    journals.write(user.id, trade_id, journals.Draft(tags="cassure", mistakes=("FOMO",)))
    db.session.commit()

    found = api_for(user)("GET", f"/me/trading/trades?{query}").get_json()["items"]

    assert [row["ticket"] for row in found] == ["2"]


def test_pages_of_a_searched_list_follow_each_other(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())
    for _turn in range(5):
        factories.student()
    seen: list[int] = []
    query = "limit=2&role=student"
    while query:
        page = admin("GET", f"/admin/users?{query}").get_json()
        seen += [row["id"] for row in page["items"]]
        query = f"limit=2&role=student&cursor={page['next']}" if page["next"] else ""

    assert len(seen) == len(set(seen)) == 5
    cursor = admin("GET", "/admin/users?limit=2&role=student").get_json()["next"]
    assert admin("GET", f"/admin/users?limit=2&cursor={cursor}").get_json()["type"] == "/problems/bad-cursor"


def test_figures_of_accounts_are_exact_texts(api_for: ApiFor) -> None:
    student = api_for(factories.student())
    empty = student("GET", "/me/trading/statistics").get_json()

    assert (empty["trades"], empty["net"], empty["win_rate"], empty["currency"]) == (0, "0", None, None)
    assert student("GET", "/me/trading/statistics?period=forever").status_code == 422


@pytest.mark.parametrize(
    ("feature", "path"),
    [
        (Feature.HISTORY, "/me/trading/trades"),
        (Feature.HISTORY, "/me/trading/statistics"),
        (Feature.SIGNALS, "/me/signals"),
    ],
)
def test_a_feature_switched_off_does_not_exist(api_for: ApiFor, feature: Feature, path: str) -> None:
    user = factories.student()
    student = api_for(user)
    assert student("GET", path).status_code == 200

    preferences.set_feature(user.id, feature, on=False)

    assert student("GET", path).status_code == 404


def test_living_signals_are_for_subscribers_and_ended_ones_for_all(api_for: ApiFor, visitor: FlaskClient) -> None:
    owner = belongings().owner

    subscriber, stranger = api_for(owner), api_for(factories.student())

    assert [row["status"] for row in subscriber("GET", "/me/signals").get_json()["items"]] == ["active", "closed"]
    assert [row["status"] for row in stranger("GET", "/me/signals").get_json()["items"]] == ["closed"]
    record = visitor.get("/api/v1/signals/track-record").get_json()
    assert (record["published"], record["closed"], record["wins"], record["total_r"]) == (2, 1, 1, "1.5")


def test_an_admin_publishes_a_signal_with_exact_prices(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    published = admin("POST", "/admin/signals", json=SIGNAL).get_json()
    wrong = admin("POST", "/admin/signals", json=SIGNAL | {"stop": "1.2"})

    assert (published["instrument"], published["entry"], published["targets"]) == ("EURUSD", "1.0842", ["1.09"])
    assert wrong.get_json()["errors"][0]["pointer"] == "#/stop"
    assert admin("GET", "/admin/signals").get_json()["items"][0]["id"] == published["id"]


def test_an_admin_writes_a_formation_and_programmes_it(api_for: ApiFor) -> None:
    admin, agent = api_for(factories.admin()), api_for(factories.agent())
    sheet: dict[str, Any] = {
        "title": "Gérer son risque",
        "summary": "Trois soirées.",
        "level": "debutant",
        "trainer_name": "Inès Caron",
        "units": ["Risque", "Taille", "Journal"],
        "unit_minutes": 90,
        "status": "published",
    }
    made = admin("POST", "/admin/formations", json=sheet)
    assert (made.status_code, made.get_json()["units"]) == (201, sheet["units"])
    start = (clock.now() + timedelta(days=7)).date()
    plan = {
        "formation_id": made.get_json()["id"],
        "starts_on": start.isoformat(),
        "starts_time": "19:00",
        "weekdays": [school.WEEKDAYS[start.weekday()]],
        "count": 3,
        "duration_minutes": 90,
        "holiday_policy": "keep",
        "meeting_url": school.LINK,
        "trainer_name": "Inès Caron",
    }

    programmed = admin("POST", "/admin/schedules", json=plan)
    foreign = admin("POST", "/admin/schedules", json=plan | {"meeting_url": "https://evil.test/zoom.us"})

    assert programmed.status_code == 201
    assert programmed.get_json()["starts_local"] == f"{start}T19:00"
    assert foreign.get_json()["type"] == "/problems/foreign-meeting-link"
    span = f"from={start}&to={start + timedelta(days=30)}"
    assert len(agent("GET", f"/admin/sessions?{span}").get_json()["items"]) == 3
    assert [row["enrolled"] for row in admin("GET", "/admin/formations").get_json()["items"]] == [0]
    assert len(admin("GET", "/admin/schedules").get_json()["items"]) == 1


def test_an_agent_records_presence_of_expected_people_only(api_for: ApiFor) -> None:
    found, agent = belongings(), api_for(factories.agent())
    path, stranger = f"/admin/sessions/{found.values['session_id']}/attendance", factories.student()

    saved = agent("PUT", path, json={"items": [{"user_id": found.owner.id, "status": "late"}]})
    refused = agent("PUT", path, json={"items": [{"user_id": stranger.id, "status": "present"}]})

    assert [(row["user_id"], row["status"]) for row in saved.get_json()["items"]] == [(found.owner.id, "late")]
    assert refused.get_json()["type"] == "/problems/not-expected-at-session"


def test_audience_figures_and_their_export(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    overview = admin("GET", "/admin/analytics/overview?period=7d").get_json()
    lines = admin("GET", "/admin/analytics/export?format=csv&period=7d")
    wrong = admin("GET", "/admin/analytics/traffic?period=custom&from=2026-02-01&to=2026-01-01")

    assert len(overview["cards"]) == 8
    assert overview["period"]["name"] == "7d"
    assert wrong.get_json()["type"] == "/problems/malformed-period"
    assert lines.mimetype == "text/csv"
    cells = [cell for row in csv.reader(io.StringIO(lines.text), delimiter=";") for cell in row]
    assert [cell for cell in cells if cell[:1] in {"=", "+", "@"}] == []
    assert admin("GET", "/admin/analytics/export?format=xlsx").data.startswith(b"PK")


def test_the_journal_tells_who_did_what(api_for: ApiFor) -> None:
    agent = factories.agent()
    shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    api_for(agent)("POST", f"/admin/payments/{payment.id}/validate", json={"transaction_id": "AB1234"})

    entries = api_for(factories.admin())("GET", "/admin/audit?q=payment").get_json()["items"]

    assert entries[0]["actor_id"] == agent.id
    assert entries[0]["action"].startswith("payment.")
    assert len(entries[0]["hash"]) == 64
    assert Decimal(entries[0]["seq"]) > 0
