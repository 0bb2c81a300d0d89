"""The key of an EA: shown once, kept as a hash, rotated with an overlap, revoked at once, bound to one account."""

import contextvars
import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from time_machine import TimeMachineFixture
from werkzeug.test import TestResponse

from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.audit import AuditEntry
from calmness.models.trading import Trade, TradingAccount, TradingKey
from calmness.services.trading import trading_accounts
from tests import factories
from tests.trading import terminal
from tests.trading.terminal import NOW, linked, trade

ClientFor = Callable[[User], FlaskClient]
KEY = re.compile(r"ct_ea_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}")
FORM = {"name": "Compte réel", "platform": "mt4", "currency": "eur"}


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def test_the_key_is_shown_once_and_kept_as_a_hash(site: Flask, client_for: ClientFor) -> None:
    student = client_for(factories.student())

    made = student.post("/espace/metatrader", data=FORM)

    (key,) = set(KEY.findall(made.text))
    assert made.status_code == 201
    assert "no-store" in made.headers["Cache-Control"]
    account = db.session.scalars(select(TradingAccount)).one()
    assert key not in student.get(f"/espace/metatrader/{account.id}").text
    row = db.session.scalars(select(TradingKey)).one()
    assert key.rsplit("_", 1)[1] not in repr(vars(row))
    assert len(row.secret_hash) == 64
    assert account.currency == "EUR"
    assert terminal.Terminal(terminal.ea(site), key).sync(trade(1))["accepted"] == 1


def test_what_was_typed_stays_when_the_currency_is_refused(client_for: ClientFor) -> None:
    student = client_for(factories.student())

    refused = student.post("/espace/metatrader", data=FORM | {"name": "O'Brien-Ñandú <b>", "currency": "euros"})

    assert refused.status_code == 422
    assert "trois lettres" in refused.text
    assert 'value="O&#39;Brien-Ñandú &lt;b&gt;"' in refused.text
    assert 'value="euros"' in refused.text
    assert db.session.scalar(select(func.count()).select_from(TradingAccount)) == 0


@pytest.mark.parametrize(
    "wrong",
    ["", "ct_ea_", "x" * 47, "ct_ea_AAAAAAAA_" + "A" * 32, "' OR 1=1 --", "ct_ea_ééééééé_" + "A" * 32],
    ids=["none", "short", "shape", "unknown", "sql", "letters"],
)
def test_a_wrong_key_is_refused_on_all_ways_in(site: Flask, wrong: str) -> None:
    client = terminal.ea(site)
    headers = {"X-API-Key": wrong.encode().decode("latin-1")}

    answers = [
        client.post("/ea/v1/sync", data=b"{}", headers=headers),
        client.get("/ea/v1/ping", headers=headers),
        client.post("/api/auth/user/trading/ea/sync/", data=b"{}", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].content_type == "application/problem+json"
    assert "Clé refusée" in answers[0].get_json()["title"]
    assert set(answers[2].get_json()) == {"error"}


def test_a_key_with_a_right_start_and_a_wrong_secret_is_refused(site: Flask) -> None:
    _account, ea = linked(site)
    last = "1" if ea.key[-1] != "1" else "2"

    assert ea.post(ea.body(trade(1)), key=ea.key[:-1] + last).status_code == 401
    assert ea.post(ea.body(trade(1)), key=ea.key.swapcase()).status_code == 401


def test_after_a_rotation_both_keys_work_for_a_day(
    site: Flask, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    account, ea = linked(site)
    student = client_for(account.user)
    (newer,) = set(KEY.findall(student.post(f"/espace/metatrader/{account.id}/cle").text))

    assert ea.post(ea.body(trade(1))).status_code == 200
    assert ea.post(ea.body(trade(2)), key=newer).status_code == 200
    time_machine.move_to(NOW + timedelta(hours=24, seconds=1), tick=False)
    assert ea.post(ea.body(trade(3))).status_code == 401
    assert ea.post(ea.body(trade(3)), key=newer).status_code == 200
    assert db.session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "ea_key.rotated"))


def test_a_revocation_ends_all_keys_at_once(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    other = trading_accounts.rotate(account)

    client_for(account.user).post(f"/espace/metatrader/{account.id}/revocation")

    assert ea.post(ea.body(trade(1))).status_code == 401
    assert ea.post(ea.body(trade(1)), key=other).status_code == 401


def test_an_archived_account_takes_nothing(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    client_for(account.user).post(f"/espace/metatrader/{account.id}/archive")

    assert ea.post(ea.body(trade(1))).status_code == 401
    assert db.session.scalar(select(func.count()).select_from(Trade)) == 0


def test_the_first_number_binds_the_key_and_another_is_refused_and_told(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(trade(1))
    ea.login = "99999999"

    answers = [ea.post(ea.body(trade(2))), ea.post(ea.body(trade(2)))]

    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].get_json()["type"] == "/problems/ea-other-account"
    db.session.expire_all()
    assert (account.login, account.server) == ("80012345", "Broker-Live")
    assert db.session.scalars(select(Trade.ticket)).all() == ["1"]
    notice = db.session.scalars(select(UserNotification).where(UserNotification.user_id == account.user_id)).one()
    assert "99999999" in notice.body
    assert "Compte réel" in notice.body


def test_the_brokers_currency_wins_over_the_form(site: Flask) -> None:
    account, ea = linked(site, currency="EUR")
    ea.currency = "JPY"

    ea.sync(trade(1))

    db.session.expire_all()
    assert account.currency == "JPY"


def test_a_key_opens_nothing_else(site: Flask) -> None:
    _account, ea = linked(site)

    assert ea.client.get("/api/v1/me", headers={"X-API-Key": ea.key}).status_code == 401
    assert ea.client.get("/espace/historique", headers={"X-API-Key": ea.key}).status_code == 302


def test_ping_tells_whether_the_key_works(site: Flask) -> None:
    _account, ea = linked(site)
    ea.sync(trade(1))

    answer = ea.client.get("/ea/v1/ping", headers={"X-API-Key": ea.key}).get_json()

    assert (answer["ok"], answer["account_hint"], answer["server_time"]) == (True, "2345", int(NOW.timestamp()))


def test_the_use_of_a_key_is_noted(site: Flask) -> None:
    _account, ea = linked(site)
    ea.sync(trade(1))

    assert db.session.scalars(select(TradingKey.last_used_at)).one() == NOW


def test_each_key_has_its_own_limit(site: Flask, limited: Flask) -> None:
    first, second = linked(site)[1], linked(site)[1]
    client = limited.test_client(use_cookies=False)
    body = json.dumps(first.body())

    def post(key: str) -> TestResponse:
        return contextvars.Context().run(client.post, "/ea/v1/sync", data=body, headers={"X-API-Key": key})

    answers = [post(first.key) for _turn in range(121)]

    assert {answer.status_code for answer in answers[:120]} == {200}
    assert answers[120].status_code == 429
    assert answers[120].content_type == "application/problem+json"
    assert 1 <= int(answers[120].headers["Retry-After"]) <= 61
    # A stranger who knows the start of a key uses up nothing of its owner's.
    assert post(second.key[:-4] + "zzzz").status_code == 401
    assert post(second.key).status_code == 200


def test_the_old_ea_may_send_five_times_as_many_for_it_sends_one_for_each_trade(site: Flask, limited: Flask) -> None:
    ea = linked(site)[1]
    client = limited.test_client(use_cookies=False)

    def post() -> TestResponse:
        path = "/api/auth/user/trading/ea/sync/"
        return contextvars.Context().run(client.post, path, data=b"no trade", headers={"X-API-Key": ea.key})

    answers = {post().status_code for _turn in range(130)}

    assert 429 not in answers
