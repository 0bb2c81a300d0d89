"""The school by program: its identity, calendar, signals and pips; students' results; the system and its journal."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel
from calmness.models.audit import AuditEntry
from calmness.models.billing import InvoiceTemplate
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.signal import OrderKind, Signal, SignalStatus
from calmness.models.trading import Platform
from calmness.models.training import AdminFormationSession, Formation, ScheduleStatus, SessionStatus
from calmness.services import delivery, pips, signals
from calmness.services.trading import sharing, trading_accounts
from calmness.services.trading.sharing import Level
from tests import factories
from tests.api.conftest import ApiFor
from tests.api.team_belongings import FORMATION, IDENTITY
from tests.billing import shop
from tests.signals.desk import draft
from tests.training import school


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action)))


# Identity


def test_an_identity_is_a_new_version_and_its_logo_and_specimen_are_those_of_the_page(
    site: Flask, api_for: ApiFor
) -> None:
    shop.identity()
    admin = api_for(factories.admin())
    logo = b64encode(factories.PIXEL).decode()
    changed = IDENTITY | {"company_name": " Calmness SAS ", "siret": "732 829 320 00074", "logo": logo}

    drawn = admin("POST", "/admin/identity/specimen", json=changed)
    before = db.session.scalar(select(func.count()).select_from(InvoiceTemplate))
    saved = admin("POST", "/admin/identity/versions", json=changed)
    kept = admin("POST", "/admin/identity/versions", json=IDENTITY).get_json()
    versions = admin("GET", "/admin/identity/versions").get_json()["items"]

    assert (drawn.data[:4], drawn.mimetype, before) == (b"%PDF", "application/pdf", 1)
    assert saved.status_code == 201
    assert saved.get_json()["company_name"] == "Calmness SAS"
    assert (saved.get_json()["siret"], saved.get_json()["siren"]) == ("73282932000074", "732829320")
    assert kept["has_logo"] is True, "without a new one the logo in force stays"
    assert [(row["version"], row["active"]) for row in versions] == [(3, True), (2, False), (1, False)]
    assert admin("GET", "/admin/identity/versions/2/logo").data.startswith(b"\x89PNG")
    assert admin("GET", "/admin/identity/versions/1/logo").status_code == 204
    assert admin("GET", "/admin/identity/versions/1/specimen").data.startswith(b"%PDF")
    assert admin("GET", "/admin/identity/versions/9").status_code == 404
    assert acts().count("identity.changed") == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("iban", "FR00"), ("bic", "?"), ("siret", "1"), ("logo", b64encode(b"no picture").decode()), ("logo", "é")],
)
def test_an_identity_that_does_not_check_is_refused_at_its_field(
    site: Flask, api_for: ApiFor, field: str, value: str
) -> None:
    answer = api_for(factories.admin())("POST", "/admin/identity/versions", json=IDENTITY | {field: value})

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == f"#/{field}"
    assert db.session.scalar(select(func.count()).select_from(InvoiceTemplate)) == 0


def test_a_mention_is_worded_from_a_day_on_and_the_past_stays(site: Flask, api_for: ApiFor) -> None:
    shop.identity()
    admin, path = api_for(factories.admin()), "/admin/identity/mentions/franchise"
    today = clock.paris_today()
    body = {"wording": "TVA  non applicable, art. L. 223-3", "valid_from": f"{today + timedelta(days=30)}"}

    drawn = admin("POST", f"{path}/specimen", json={"wording": body["wording"]})
    past = admin("POST", path, json=body | {"valid_from": f"{today - timedelta(days=1)}"})
    made = admin("POST", path, json=body)
    again = admin("POST", path, json=body)
    wordings = admin("GET", path).get_json()["items"]
    listed = {row["kind"]: row for row in admin("GET", "/admin/identity/mentions").get_json()["items"]}

    assert drawn.data.startswith(b"%PDF")
    assert (past.status_code, past.get_json()["errors"][0]["pointer"]) == (422, "#/valid_from")
    assert (made.status_code, made.get_json()["wording"]) == (201, "TVA non applicable, art. L. 223-3")
    assert again.get_json() == made.get_json() == listed["franchise"]["following"]
    assert wordings[-1]["valid_from"] is None
    assert listed["franchise"]["current"]["version"] == 0
    assert admin("GET", "/admin/identity/mentions/unknown").status_code == 404
    assert acts().count("mention.worded") == 1
    assert api_for(factories.agent())("GET", path).status_code == 403


# Calendar


def test_a_formation_is_changed_unless_somebody_else_did_meanwhile(site: Flask, api_for: ApiFor) -> None:
    course = school.formation()
    admin, path = api_for(factories.admin()), f"/admin/formations/{course.id}"
    tag = {"If-Match": admin("GET", path).headers["ETag"]}

    changed = admin("PUT", path, json=FORMATION | {"objectives": "Lire un graphique."}, headers=tag)
    late = admin("PUT", path, json=FORMATION, headers=tag)
    empty = admin("PUT", path, json=FORMATION | {"units": []})

    assert changed.get_json()["objectives"] == "Lire un graphique."
    assert (changed.get_json()["units"], changed.get_json()["unit_minutes"]) == (["Une", "Deux"], 90)
    assert (late.status_code, empty.status_code) == (412, 422)
    db.session.expire_all()
    assert db.session.get_one(Formation, course.id).duration_minutes == 180
    assert "formation.changed" in acts()


def test_dates_are_looked_at_first_then_a_series_stops(site: Flask, api_for: ApiFor) -> None:
    course = school.formation()
    start = clock.now() + timedelta(days=9)
    series = school.programmed(course, school.wall(f"{start:%Y-%m-%d} 20:00"), count=3)
    coming = len([row for row in sessions() if row.status is SessionStatus.SCHEDULED])
    admin = api_for(factories.admin())
    body = {
        "formation_id": course.id,
        "starts_on": f"{start:%Y-%m-%d}",
        "starts_time": "20:00",
        "count": 3,
        "duration_minutes": 120,
        "meeting_url": school.LINK,
        "trainer_name": "Inès Caron",
        "holiday_policy": "keep",
    }

    dates = admin("POST", "/admin/schedules/preview", json=body).get_json()["items"]
    foreign = admin("POST", "/admin/schedules/preview", json=body | {"meeting_url": "https://example.test/x"})
    silent = admin("POST", f"/admin/schedules/{series.id}/stop", json={"reason": " "})
    stopped = admin("POST", f"/admin/schedules/{series.id}/stop", json={"reason": "Formateur absent"})

    assert len(dates) == 3
    assert foreign.get_json()["type"] == "/problems/foreign-meeting-link"
    assert silent.get_json()["type"] == "/problems/reason-missing"
    assert (stopped.get_json()["cancelled"], len(sessions())) == (coming, coming)
    db.session.expire_all()
    assert series.status is ScheduleStatus.ENDED
    assert {row.status for row in sessions()} == {SessionStatus.CANCELLED}


def sessions() -> list[AdminFormationSession]:
    return list(db.session.scalars(select(AdminFormationSession)))


def test_a_session_is_moved_then_cancelled_and_what_has_begun_is_not(site: Flask, api_for: ApiFor) -> None:
    course = school.formation()
    coming = school.session_of(course, clock.now() + timedelta(days=5))
    begun = school.session_of(course, clock.now() - timedelta(minutes=5))
    admin, agent = api_for(factories.admin()), api_for(factories.agent())
    path, day = f"/admin/sessions/{coming.id}", f"{clock.now() + timedelta(days=7):%Y-%m-%d}"
    moved = {"starts_on": day, "starts_time": "20:00", "duration_minutes": 90}

    forbidden = agent("POST", f"{path}/move", json=moved)
    answer = admin("POST", f"{path}/move", json=moved).get_json()
    past = admin("POST", f"/admin/sessions/{begun.id}/move", json=moved)
    cancelled = admin("POST", f"{path}/cancellation", json={"reason": "Formateur absent"}).get_json()

    assert forbidden.status_code == 403
    assert answer["start_at"].startswith(day)
    assert past.get_json()["type"] == "/problems/session-past"
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "Formateur absent")
    assert agent("GET", path).get_json()["present"] == 0
    assert {"session.moved", "session.cancelled"} <= set(acts())


# Signals


def test_a_signal_is_closed_at_its_price_and_only_a_pending_one_is_withdrawn(site: Flask, api_for: ApiFor) -> None:
    author = factories.admin()
    running = signals.publish(draft(), author=author)
    pending = signals.publish(draft(order_kind=OrderKind.LIMIT), author=author)
    admin = api_for(author)

    engaged = admin("POST", f"/admin/signals/{running.id}/cancellation", json={"reason": "Non"})
    closed = admin("POST", f"/admin/signals/{running.id}/closure", json={"price": "1.09020"}).get_json()
    again = admin("POST", f"/admin/signals/{running.id}/closure", json={"price": "1.09"})
    withdrawn = admin("POST", f"/admin/signals/{pending.id}/cancellation", json={"reason": "Entrée manquée"}).get_json()

    assert engaged.get_json()["type"] == again.get_json()["type"] == "/problems/signal-ended"
    assert (closed["result_r"], closed["result_pips"], closed["status"]) == ("1.5", "60", "closed")
    assert withdrawn["status"] == "cancelled"
    db.session.expire_all()
    assert db.session.get_one(Signal, running.id).status is SignalStatus.CLOSED
    assert api_for(factories.agent())("GET", "/admin/signals").status_code == 403


def test_a_pip_is_said_seen_and_left_to_the_table(site: Flask, api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    said = admin("PUT", "/admin/pips", json={"pattern": "us*", "pip": "0.5"})
    seen = admin("GET", "/admin/pips?symbol=US30").get_json()
    wrong = admin("PUT", "/admin/pips", json={"pattern": "EURUSD", "pip": 0})
    name = admin("PUT", "/admin/pips", json={"pattern": "*", "pip": 1})
    removed = [admin("DELETE", "/admin/pips?pattern=US*").status_code for _turn in range(2)]

    assert said.get_json()["pattern"] == "US*"
    assert (seen["items"][0]["pip"], seen["symbol"]["rule"], seen["symbol"]["pip"]) == ("0.5", "US*", "0.5")
    assert (wrong.get_json()["type"], name.get_json()["type"]) == (
        "/problems/pip-bad-size",
        "/problems/pip-bad-pattern",
    )
    assert removed == [204, 404]
    assert pips.rules() == []
    assert {"pip.changed", "pip.removed"} <= set(acts())


# Results


def test_results_are_seen_with_consent_only_and_each_look_is_written_down(site: Flask, api_for: ApiFor) -> None:
    student, agent = factories.student(), factories.agent()
    account, _key = trading_accounts.add(student, "Compte réel", Platform.MT5, "EUR")
    factories.closed_trade(account.id)
    call, path = api_for(agent), f"/admin/results/{student.id}"

    hidden = call("GET", path).status_code
    sharing.choose(student.id, Level.FIGURES)
    db.session.commit()
    figures = call("GET", path).get_json()
    sharing.choose(student.id, Level.TRADES)
    db.session.commit()
    trades = call("GET", f"{path}?days=30").get_json()

    assert (hidden, call("GET", "/admin/results/999").status_code) == (404, 404)
    assert (figures["level"], figures["trades"], figures["accounts"][0]["name"]) == ("figures", None, "Compte réel")
    assert [(row["symbol"], row["net"]) for row in trades["trades"]] == [("EURUSD", "12.5")]
    assert "comment" not in trades["trades"][0]
    assert [row["user_id"] for row in call("GET", "/admin/results").get_json()["items"]] == [student.id]
    looks = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "results.seen")).all()
    assert [(look.actor_id, look.object_id) for look in looks] == [(agent.id, str(student.id))] * 2
    assert call("GET", "/admin/results/cohorts").status_code == 403


def test_four_people_are_no_cohort(site: Flask, api_for: ApiFor) -> None:
    course = school.formation()
    for _turn in range(4):
        student = school.enrolled(course)
        account, _key = trading_accounts.add(student, "Compte", Platform.MT5, "EUR")
        factories.closed_trade(account.id)
        sharing.choose(student.id, Level.FIGURES)

    found = api_for(factories.admin())("GET", "/admin/results/cohorts?period=90").get_json()

    assert found["least"] == 5
    assert all(row["people"] is row["trades"] is row["winning_quarter"] is None for row in found["items"])


def test_the_board_of_eas_is_filtered_and_tells_no_amount(site: Flask, api_for: ApiFor) -> None:
    student = factories.student()
    trading_accounts.add(student, "Jamais vu", Platform.MT5, "EUR")
    agent = api_for(factories.agent())

    awaited = agent("GET", "/admin/ea-health?trouble=awaited").get_json()
    silent = agent("GET", "/admin/ea-health?trouble=silent").get_json()

    assert [(row["account"], row["contact"]) for row in awaited["items"]] == [("Jamais vu", "awaited")]
    assert (awaited["counts"]["awaited"], silent["items"], silent["total"]) == (1, [], 0)
    assert {"net", "balance", "profit"}.isdisjoint(awaited["items"][0])
    assert api_for(student)("GET", "/admin/ea-health").status_code == 403


# System


def test_the_first_page_of_the_team_and_the_health_of_the_system(site: Flask, api_for: ApiFor) -> None:
    factories.student(first_name="Zoé", created_at=clock.now())
    agent, admin = api_for(factories.agent()), api_for(factories.admin())

    first = agent("GET", "/admin/dashboard").get_json()
    system = admin("GET", "/admin/system").get_json()

    assert (first["payments_to_validate"], first["unread_messages"]) == (0, 0)
    assert any(row["name"].startswith("Zoé") for row in first["newcomers"])
    assert [row["revenue"]["amount"] for row in first["weeks"]] == [0] * 12
    assert first["weeks"][-1]["monday"] <= clock.paris_today().isoformat()
    assert (system["failed_tasks"], system["uncertain_messages"]) == ([], [])
    assert agent("GET", "/admin/system").status_code == 403
    register = admin("GET", "/admin/processing-register").get_json()
    assert any(row["durations"] for row in register["items"])
    assert register["overdue"] == []


def test_an_uncertain_message_goes_on_its_way_again_once(site: Flask, api_for: ApiFor) -> None:
    delivery.deliver("notification", "one", channel=Channel.EMAIL, address="eva@example.test")
    row = db.session.scalars(select(Delivery)).one()
    row.state, row.attempts = DeliveryState.UNKNOWN, 1
    db.session.commit()
    admin = api_for(factories.admin())

    shown = admin("GET", "/admin/system").get_json()["uncertain_messages"]
    sent = [admin("POST", f"/admin/system/messages/{row.id}/second-sending").status_code for _turn in range(2)]
    other = admin("POST", "/admin/system/tasks/999/retry")

    assert [message["id"] for message in shown] == [row.id]
    assert (sent, other.status_code) == ([204, 204], 204)
    assert acts().count("message.sent_again") == 1
    assert admin("GET", "/admin/system").get_json()["uncertain_messages"] == []


def test_the_journal_is_searched_by_area_object_and_day(site: Flask, api_for: ApiFor) -> None:
    admin = api_for(factories.admin())
    admin("PUT", "/admin/pips", json={"pattern": "US30", "pip": 1})
    today = clock.now().astimezone(clock.PARIS).date()

    def found(query: str) -> list[Any]:
        return [row["object_id"] for row in admin("GET", f"/admin/audit?{query}").get_json()["items"]]

    assert found("area=pip") == found("q=US30") == found(f"area=pip&from={today}&to={today}") == ["US30"]
    assert found("area=pay") == found(f"area=pip&to={today - timedelta(days=1)}") == []
    assert admin("GET", "/admin/audit?area=Pip'").status_code == 422


def test_how_an_account_is_protected_is_the_administrators_to_see(site: Flask, api_for: ApiFor) -> None:
    student = factories.student()
    api_for(student)
    path = f"/admin/users/{student.id}/security"

    found = api_for(factories.admin())("GET", path).get_json()

    assert (found["devices"], found["second_factor"], found["deletion_at"]) == (1, False, None)
    assert api_for(factories.agent())("GET", path).status_code == 403
