"""A program reads the figures: by part, by day, beside each other, around a formation, of all accounts together."""

import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Trade
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature
from calmness.services.trading import journals
from calmness.services.training import enrollments
from tests import factories
from tests.api.conftest import ApiFor
from tests.trading.terminal import NOW, SELL, at, cash, linked, trade, work
from tests.trading.test_converted_report import two
from tests.training import school

PLACES = ("breakdowns", "calendar", "comparison", "training-effect", "portfolio", "leaderboard", "currency")


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with a deposit, two trades of November and one of October."""
    account, ea = linked(site)
    ea.sync(
        cash("1", "1000.00", open_time=at(1, month=9), close_time=at(1, month=9)),
        trade("2", "10.00"),
        trade("3", "-4.00", type=SELL, symbol="GBPUSD", open_time=at(23, 16), close_time=at(23, 17)),
        trade("4", "7.00", open_time=at(15, 10, month=10), close_time=at(15, 11, month=10)),
    )
    work()
    wanted = db.session.scalars(select(Trade.id).where(Trade.ticket == "2")).one()
    journals.write(account.user_id, wanted, journals.Draft(tags="range"))
    db.session.commit()
    return account.user


def test_results_come_by_part(api_for: ApiFor, owner: User) -> None:
    found = api_for(owner)("GET", "/me/trading/breakdowns").get_json()

    assert (found["currency"], len(found["account_ids"]), found["start"]) == ("EUR", 1, "2025-11-24")
    parts = {
        name: [(row["key"], row["trades"], row["net"]) for row in found[name]]
        for name in ("symbols", "weekdays", "hours", "directions", "tags")
    }
    assert parts["symbols"] == [("EURUSD", 2, "17"), ("GBPUSD", 1, "-4")]
    assert parts["weekdays"] == [("0", 1, "-4"), ("3", 1, "7"), ("4", 1, "10")]
    assert parts["directions"] == [("buy", 2, "17"), ("sell", 1, "-4")]
    assert parts["tags"] == [("range", 1, "10")]
    assert sum(trades for _hour, trades, _net in parts["hours"]) == 3
    assert sum(row["trades"] for row in found["sessions"]) == sum(row["trades"] for row in found["results"]) == 3
    assert sum(row["trades"] for row in found["holdings"]) == 3
    assert found["symbols"][0]["win_rate"] == "1"


def test_statistics_are_of_the_days_and_the_account_that_are_asked(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    account_id = db.session.scalars(select(Trade.account_id)).first()

    november = call("GET", f"/me/trading/statistics?account={account_id}&from=2026-11-01&to=2026-11-22").get_json()
    year = call("GET", "/me/trading/statistics").get_json()
    foreign = api_for(factories.student())("GET", f"/me/trading/statistics?account={account_id}")

    assert (november["period"], november["start"], november["end"]) == ("days", "2026-11-01", "2026-11-22")
    assert (november["net"], november["account_ids"]) == ("10", [account_id])
    assert november["warning"].startswith("Un seul jour")
    assert [row["day"] for row in november["curve"]] == ["2026-11-20"]
    assert (year["period"], year["net"], year["curve"][-1]["balance"]) == ("year", "13", "1013")
    assert year["exposure"] == []
    assert foreign.status_code == 404


def test_what_is_open_now_and_the_equity_are_told(api_for: ApiFor, site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(trade("9", "-12.00", close_time=0, close_price="0", sl="0.00000"))
    work()

    found = api_for(account.user)("GET", "/me/trading/statistics").get_json()

    assert [(row["symbol"], row["bought"], row["without_stop"]) for row in found["exposure"]] == [("EURUSD", "0.1", 1)]
    assert len(found["equity"]) == 1
    assert found["equity_fall"]["readings"] == 1


def test_days_bound_what_is_counted(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)

    october = call("GET", "/me/trading/breakdowns?from=2026-10-01&to=2026-10-31").get_json()
    turned = call("GET", "/me/trading/breakdowns?from=2026-10-31&to=2026-10-01").get_json()
    wrong = call("GET", "/me/trading/breakdowns?from=1812-10-01")

    assert [row["key"] for row in october["symbols"]] == ["EURUSD"]
    assert turned == october
    assert wrong.status_code == 422


def test_a_month_comes_day_by_day_with_the_year_behind_it(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)

    november = call("GET", "/me/trading/calendar").get_json()
    october = call("GET", "/me/trading/calendar?month=2026-10-20").get_json()

    assert (november["month"], november["net"], len(november["months"])) == ("2026-11-01", "6", 12)
    assert [(row["day"], row["net"], row["trades"]) for row in november["days"]] == [
        ("2026-11-20", "10", 1),
        ("2026-11-23", "-4", 1),
    ]
    assert [row["net"] for row in november["months"][:3]] == ["6", "7", "0"]
    assert (october["month"], october["net"]) == ("2026-10-01", "7")
    # No month that has not begun.
    assert call("GET", "/me/trading/calendar?month=2030-01-01").get_json()["month"] == "2026-11-01"


def test_two_periods_stand_beside_each_other(api_for: ApiFor, owner: User) -> None:
    found = api_for(owner)(
        "GET", "/me/trading/comparison?from=2026-11-01&to=2026-11-24&against_from=2026-10-01&against_to=2026-10-31"
    ).get_json()
    by_itself = api_for(owner)("GET", "/me/trading/comparison?from=2026-11-01&to=2026-11-24").get_json()

    now, before = found["periods"]
    assert (now["start"], now["net"], now["trades"], now["win_rate"]) == ("2026-11-01", "6", 2, "0.5")
    assert (before["start"], before["net"], before["trades"]) == ("2026-10-01", "7", 1)
    assert before["warning"].startswith("Un seul jour")
    assert (by_itself["periods"][1]["start"], by_itself["periods"][1]["end"]) == ("2026-10-08", "2026-10-31")


def test_currencies_are_put_together_in_the_chosen_one(site: Flask, api_for: ApiFor) -> None:
    euros, _dollars = two(site)
    call = api_for(euros.user)

    alone = call("GET", "/me/trading/calendar").get_json()
    together = call("GET", "/me/trading/calendar?convert=true").get_json()
    chosen = call("PUT", "/me/trading/currency", json={"currency": "USD"}).get_json()
    in_dollars = call("GET", "/me/trading/calendar?convert=true").get_json()
    unknown = call("PUT", "/me/trading/currency", json={"currency": "XAU"})

    assert alone["currency"] == together["currency"] == "EUR"
    assert alone["net"] != together["net"]
    assert (chosen["currency"], in_dollars["currency"]) == ("USD", "USD")
    assert in_dollars["net"] not in {alone["net"], together["net"]}
    assert unknown.status_code == 422


def test_another_ones_account_is_absent(api_for: ApiFor, owner: User) -> None:
    account_id = db.session.scalars(select(Trade.account_id)).first()
    call = api_for(factories.student())

    for place in PLACES[:3]:
        assert call("GET", f"/me/trading/{place}?account={account_id}").status_code == 404
        assert call("GET", f"/me/trading/{place}").status_code == 200
    assert call("GET", "/me/trading/breakdowns").get_json()["symbols"] == []
    assert api_for(owner)("GET", f"/me/trading/calendar?account={account_id}").get_json()["net"] == "6"


def test_a_formation_that_nobody_attended_proves_nothing(api_for: ApiFor, owner: User) -> None:
    enrollments.enroll(owner.id, school.formation().id, None, clock.now())
    db.session.commit()

    found = api_for(owner)("GET", "/me/trading/training-effect").get_json()["items"]

    assert [(row["finding"], row["before"], row["difference"]) for row in found] == [("not_attended", None, None)]
    assert found[0]["sentence"].startswith("Vous n’avez assisté")


def test_all_accounts_stand_together_by_currency(api_for: ApiFor, owner: User) -> None:
    found = api_for(owner)("GET", "/me/trading/portfolio").get_json()

    part = found["parts"][0]
    assert (part["currency"], part["net"], part["flows"]["deposits"], part["flows"]["net"]) == (
        "EUR",
        "13",
        "1000",
        "1000",
    )
    assert [row["ticket"] for row in part["flows"]["latest"]] == ["1"]
    assert (found["earned"], found["spent"], found["left_out"]) == ("13", {"amount": 0, "currency": "EUR"}, [])


def test_a_name_on_the_leaderboard_is_taken_changed_and_given_up(api_for: ApiFor, owner: User) -> None:
    call, other = api_for(owner), api_for(factories.student())
    before = call("GET", "/me/trading/leaderboard").get_json()

    joined = call("PUT", "/me/trading/leaderboard/entry", json={"pseudonym": "Vague calme"}).get_json()
    taken = other("PUT", "/me/trading/leaderboard/entry", json={"pseudonym": "vague-calme"})
    school = other("PUT", "/me/trading/leaderboard/entry", json={"pseudonym": "Calmness"})
    left = call("DELETE", "/me/trading/leaderboard/entry")

    assert (before["own"], before["minimum"]["trades"], before["record"]["trades"]) == (None, 50, 3)
    assert (joined["own"]["pseudonym"], joined["own"]["score"]) == ("Vague calme", None)
    assert taken.get_json()["type"] == "/problems/pseudonym-taken"
    assert school.get_json()["type"] == "/problems/pseudonym-refused"
    assert (left.status_code, call("GET", "/me/trading/leaderboard").get_json()["own"]) == (204, None)
    consents = {row["key"]: row for row in call("GET", "/me/consents").get_json()["items"]}
    assert [row["given"] for row in consents["leaderboard"]["proof"]] == [False, True]


def test_the_school_sees_what_is_said_and_nothing_once_it_is_taken_back(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    before = call("GET", "/me/trading/follow-up").get_json()

    more = call("PUT", "/me/trading/sharing", json={"level": "trades"}).get_json()
    nothing = call("PUT", "/me/trading/sharing", json={"level": "none"}).get_json()
    unknown = call("PUT", "/me/trading/sharing", json={"level": "all"})

    assert (before["level"], before["proof"], before["services"]) == ("none", [], [])
    assert (more["level"], {row["purpose"] for row in more["proof"]}) == (
        "trades",
        {"trading_figures", "trading_trades"},
    )
    assert (nothing["level"], len(nothing["proof"]), nothing["proof"][0]["given"]) == ("none", 4, False)
    assert {row["source"] for row in nothing["proof"]} == {"api"}
    assert unknown.status_code == 422


def test_what_is_switched_off_is_gone(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    for feature in (Feature.HISTORY, Feature.PORTFOLIO):
        preferences.set_feature(owner.id, feature, False)
    db.session.commit()

    assert {call("GET", f"/me/trading/{place}").status_code for place in PLACES} == {404}
    # What the school may see is no matter of a menu.
    assert call("GET", "/me/trading/follow-up").status_code == 200


def test_a_spreadsheet_holds_the_trades_of_the_filter(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)

    lines = call("GET", "/me/trading/trades/export?symbol=GBPUSD").get_data(as_text=True).strip().splitlines()
    book = call("GET", "/me/trading/trades/export?format=xlsx")

    assert len(lines) == 2
    assert "GBPUSD" in lines[1]
    assert book.data[:2] == b"PK"
    assert call("GET", "/me/trading/trades/export?format=pdf").status_code == 422


def test_the_columns_of_the_history_are_chosen(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    usual = call("GET", "/me/trading/columns").get_json()["columns"]

    chosen = call("PUT", "/me/trading/columns", json={"columns": ["net", "symbol"]}).get_json()["columns"]
    unknown = call("PUT", "/me/trading/columns", json={"columns": ["user_id"]})
    none = call("PUT", "/me/trading/columns", json={"columns": []}).get_json()["columns"]

    assert (chosen, unknown.status_code, none) == (["ticket", "symbol", "net"], 422, usual)
