"""Quiet hours: what can wait leaves when they end, in the person's own zone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, User
from calmness.models.delivery import Delivery
from calmness.services import notifications
from calmness.services.account import preferences, quiet_hours
from calmness.services.account.preferences import NoticeKind
from calmness.services.account.quiet_hours import QuietHours
from tests import factories
from tests.api.conftest import access_token_of

LogIn = Callable[[User], FlaskClient]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "at", "leaves"),
    [
        ("Europe/Paris", ("22:00", "08:00"), "2026-11-27T21:30", "2026-11-28T07:00"),
        ("Europe/Paris", ("22:00", "08:00"), "2026-11-28T03:00", "2026-11-28T07:00"),
        ("Europe/Paris", ("22:00", "08:00"), "2026-11-28T07:00", None),
        ("Europe/Paris", ("22:00", "08:00"), "2026-11-28T20:59", None),
        ("Europe/Paris", ("22:00", "08:00"), "2026-07-27T20:00", "2026-07-28T06:00"),
        ("Europe/Paris", ("22:00", "08:00"), "2027-03-27T22:00", "2027-03-28T06:00"),
        ("Asia/Tokyo", ("13:00", "14:00"), "2026-11-27T04:30", "2026-11-27T05:00"),
        ("Asia/Tokyo", ("13:00", "14:00"), "2026-11-27T05:00", None),
    ],
)
def test_when_a_message_leaves(site: Flask, zone: str, hours: tuple[str, str], at: str, leaves: str | None) -> None:
    user = factories.student(time_zone=zone)
    quiet_hours.choose(user.id, *hours)

    found = quiet_hours.until(user, NoticeKind.SIGNAL, Channel.TELEGRAM, instant(at))

    assert found == (instant(leaves) if leaves else None)


def test_only_what_rings_and_can_wait_waits(site: Flask) -> None:
    user, now = factories.student(), instant("2026-11-27T23:00")
    quiet_hours.choose(user.id, "22:00", "08:00")
    preferences.set_notice(user.id, NoticeKind.SIGNAL, Channel.EMAIL, True)
    db.session.add(
        ChannelIdentity(user_id=user.id, channel=Channel.TELEGRAM, external_id="1", created_at=now, verified_at=now)
    )
    db.session.flush()

    with time_machine.travel(now, tick=False):
        for kind in (NoticeKind.SIGNAL, NoticeKind.SESSION):
            notifications.notify(user.id, kind, kind.value, title="x")
        sent_at = clock.now()

    rows = db.session.execute(select(Delivery.key, Delivery.channel, Delivery.due_at)).all()
    due = {(key.split(":")[0], channel): due_at for key, channel, due_at in rows}
    assert due["signal", Channel.TELEGRAM] == instant("2026-11-28T07:00")
    assert due["signal", Channel.EMAIL] == sent_at
    assert due["session", Channel.TELEGRAM] == sent_at


def test_the_page_keeps_what_was_typed_and_says_what_is_wrong(client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)

    wrong = browser.post("/espace/parametres", data={"quiet_start": "22:00", "quiet_end": ""})
    assert wrong.status_code == 422
    assert 'value="22:00"' in wrong.text
    assert "deux heures différentes" in wrong.text
    db.session.rollback()
    assert all(preferences.features_of(user.id).values())

    browser.post("/espace/parametres", data={"quiet_start": "22:00", "quiet_end": "08:00"})
    db.session.rollback()
    assert quiet_hours.of_user(user.id) == QuietHours("22:00", "08:00")
    assert 'value="08:00"' in browser.get("/espace/parametres").text

    browser.post("/espace/parametres", data={"quiet_start": "", "quiet_end": ""})
    db.session.rollback()
    assert quiet_hours.of_user(user.id) is None


def test_a_program_sets_and_clears_them(site: Flask) -> None:
    user = factories.student()
    bearer = {"Authorization": f"Bearer {access_token_of(user)}"}
    client = site.test_client()
    hours = {"start": "23:00", "end": "07:30"}

    def change(value: object) -> dict[str, Any]:
        answer = client.patch("/api/v1/me/settings", json={"quiet_hours": value}, headers=bearer)
        return {"status": answer.status_code, **answer.get_json()}

    assert change(hours)["quiet_hours"] == hours
    assert client.get("/api/v1/me/settings", headers=bearer).get_json()["quiet_hours"] == hours
    assert change({"start": "7:00", "end": "x"})["status"] == 422
    assert change({"start": "07:00", "end": "07:00"})["type"] == "/problems/wrong-quiet-hours"
    assert change(None)["quiet_hours"] is None
