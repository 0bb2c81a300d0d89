"""A program looks after MetaTrader accounts: state, clock, keys, name, archive, deletion."""

import io
import zipfile

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.trading import Trade, TradingAccount
from tests import factories
from tests.api.conftest import ApiFor
from tests.trading.terminal import NOW, linked, trade, work


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def account(site: Flask) -> TradingAccount:
    """An account whose EA sent a trade a moment ago."""
    found, ea = linked(site)
    ea.sync(trade("1"))
    work()
    return found


def test_the_state_of_the_terminal_is_told(api_for: ApiFor, account: TradingAccount) -> None:
    found = api_for(account.user)("GET", f"/me/trading/accounts/{account.id}").get_json()

    assert (found["contact"], found["numbers"]["closed"], found["numbers"]["received"]) == ("connected", 1, 1)
    assert len(found["keys"]) == 1
    assert len(found["keys"][0]["public_id"]) == 8
    assert found["broker_clock"] is None
    assert found["broker_clock_in_use"]


def test_an_account_gets_another_name_and_another_clock(api_for: ApiFor, account: TradingAccount) -> None:
    call, place = api_for(account.user), f"/me/trading/accounts/{account.id}"
    opened = db.session.scalars(select(Trade.opened_at)).one()

    named = call("PATCH", place, json={"name": "Compte prop"}).get_json()
    clock = call("PUT", f"{place}/broker-clock", json={"broker_clock": "utc+0"}).get_json()
    work()
    moved = db.session.scalars(select(Trade.opened_at)).one()
    wrong = [
        call("PATCH", place, json={"name": " "}).status_code,
        call("PUT", f"{place}/broker-clock", json={"broker_clock": "mars"}).status_code,
    ]
    measured = call("PUT", f"{place}/broker-clock", json={"broker_clock": None}).get_json()

    assert (named["name"], clock["broker_clock"], clock["broker_clock_in_use"]) == ("Compte prop", "utc+0", "utc+0")
    assert (moved - opened).total_seconds() == 7200
    assert wrong == [422, 422]
    assert measured["broker_clock"] is None


def test_an_account_is_put_away_and_brought_back_without_its_key(api_for: ApiFor, account: TradingAccount) -> None:
    call, place = api_for(account.user), f"/me/trading/accounts/{account.id}"

    away = call("PUT", f"{place}/archive", json={"archived": True}).get_json()
    listed = call("GET", "/me/trading/accounts").get_json()["items"]
    archived = call("GET", "/me/trading/accounts/archived").get_json()["items"]
    back = call("PUT", f"{place}/archive", json={"archived": False}).get_json()

    assert (away["contact"], away["keys"], listed) == ("archived", [], [])
    assert [row["id"] for row in archived] == [account.id]
    assert (back["archived_at"], back["keys"]) == (None, [])
    assert len(call("GET", "/me/trading/accounts").get_json()["items"]) == 1


def test_all_keys_end_at_once(api_for: ApiFor, account: TradingAccount) -> None:
    call, place = api_for(account.user), f"/me/trading/accounts/{account.id}"
    call("POST", f"{place}/rotate-key")
    two_keys = call("GET", place).get_json()["keys"]

    ended = call("DELETE", f"{place}/keys").get_json()

    assert (len(two_keys), ended["keys"]) == (2, [])


def test_an_account_goes_with_its_trades_when_its_name_comes_along(api_for: ApiFor, account: TradingAccount) -> None:
    call, place = api_for(account.user), f"/me/trading/accounts/{account.id}"

    unsure = [call("DELETE", place), call("DELETE", f"{place}?name=autre")]
    still_there = db.session.scalar(select(func.count()).select_from(Trade))
    gone = call("DELETE", place, query_string={"name": account.name})

    assert {answer.get_json()["type"] for answer in unsure} == {"/problems/account-name-not-typed"}
    assert (still_there, gone.status_code, call("GET", place).status_code) == (1, 204, 404)
    assert db.session.scalar(select(func.count()).select_from(Trade)) == 0


def test_the_kit_is_that_of_the_platform(api_for: ApiFor, account: TradingAccount) -> None:
    call = api_for(account.user)

    kit = call("GET", "/me/trading/ea-kit?platform=mt5")
    names = zipfile.ZipFile(io.BytesIO(kit.data)).namelist()

    assert (kit.mimetype, call("GET", "/me/trading/ea-kit?platform=mt3").status_code) == ("application/zip", 422)
    assert "MQL5/Experts/CalmnessFi_EA.mq5" in names


def test_another_ones_account_is_absent(api_for: ApiFor, account: TradingAccount) -> None:
    call, place = api_for(factories.agent()), f"/me/trading/accounts/{account.id}"

    answers = [
        call("GET", place),
        call("PATCH", place, json={"name": "à nous"}),
        call("PUT", f"{place}/archive", json={"archived": True}),
        call("PUT", f"{place}/broker-clock", json={"broker_clock": None}),
        call("DELETE", f"{place}/keys"),
        call("DELETE", place, query_string={"name": account.name}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert db.session.get_one(TradingAccount, account.id).archived_at is None
