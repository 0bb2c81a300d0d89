"""The kind of a cash row, and figures of several currencies together, by JSON."""

import pytest
from flask import Flask
from time_machine import TimeMachineFixture

from tests.api.conftest import ApiFor
from tests.trading.terminal import NOW, linked, work
from tests.trading.test_cash_kinds import row, with_fee
from tests.trading.test_converted_report import two
from tests.trading.test_statistics import closed


def test_the_api_says_and_shows_it(site: Flask, api_for: ApiFor) -> None:
    account, _ea = with_fee(site)
    call, place = api_for(account.user), f"/me/trading/trades/{row('2').id}/cash-kind"

    said = call("PUT", place, json={"kind": "fee"})
    listed = call("GET", "/me/trading/trades?status=cash").get_json()["items"]
    wrong = call("PUT", place, json={"kind": "deposit"})
    taken_back = call("PUT", place, json={"kind": None})

    assert (said.status_code, said.get_json()["cash_kind"]) == (200, "fee")
    assert {item["ticket"]: item["cash_kind"] for item in listed} == {"1": None, "2": "fee"}
    assert (wrong.status_code, wrong.get_json()["type"].rsplit("/", 1)[-1]) == (422, "cash-wrong-side")
    assert taken_back.get_json()["cash_kind"] is None


def test_figures_of_all_currencies_come_converted(
    site: Flask, api_for: ApiFor, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(NOW, tick=False)
    euros, _dollars = two(site)

    found = api_for(euros.user)("GET", "/me/trading/statistics?convert=true&period=all").get_json()

    assert (found["currency"], found["net"], found["trades"]) == ("EUR", "-29.25", 3)
    assert found["time_weighted_return"] == pytest.approx(1.05 * 1.05 * 0.9 - 1)
    assert [point["balance"] for point in found["curve"]] == ["2000", "2100", "2467.5", "2220.75"]
    assert [(row["symbol"], row["net"]) for row in found["symbols"]] == [("EURUSD", "-29.25")]
    assert found["missing_rates"] == []


def test_each_symbol_says_its_pips_or_none(site: Flask, api_for: ApiFor, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)
    account, ea = linked(site)
    ea.sync(
        closed(1, "1.00", 3, symbol="XAUUSD", open_price="2400.00", close_price="2403.50"),
        closed(2, "1.00", 3, symbol="AAPL", open_price="200.00", close_price="201.00"),
    )
    work()

    found = api_for(account.user)("GET", "/me/trading/statistics?period=all").get_json()

    assert {row["symbol"]: row["pips"] for row in found["symbols"]} == {"XAUUSD": "35", "AAPL": None}
    assert found["forex_pips"] is None
