"""A program sends a statement, looks at it, confirms it and takes it back."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.statement import StatementImport
from calmness.models.trading import Platform, Trade, TradingAccount
from calmness.services.trading import journals, trading_accounts
from tests import factories
from tests.api.conftest import ApiFor, Call
from tests.trading.statements import mt4
from tests.trading.terminal import NOW, work

PAGE = mt4.statement(
    [mt4.cash(1, "1 000.00"), mt4.closed(11, "10.00"), mt4.closed(12, "-4.00"), mt4.cancelled(20)],
    closed_sum="6.00",
    cash_sum="1 000.00",
)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def account(site: Flask) -> TradingAccount:
    """An account that no EA has fed."""
    made, _key = trading_accounts.add(factories.student(), "Compte réel", Platform.MT4, "EUR")
    db.session.commit()
    return made


def send(call: Call, account_id: int, content: bytes | str = PAGE, name: str = "releve.htm", **options: Any) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    answer = call(
        "POST",
        f"/me/trading/accounts/{account_id}/imports",
        data={"statement": (io.BytesIO(raw), name)},
        **options,
    )
    work()
    return answer


def trades() -> int:
    return db.session.scalar(select(func.count()).select_from(Trade)) or 0


def test_a_statement_is_seen_confirmed_and_undone(api_for: ApiFor, account: TradingAccount) -> None:
    call = api_for(account.user)

    sent = send(call, account.id)
    place = f"/me/trading/imports/{sent.get_json()['id']}"
    read = call("GET", place).get_json()
    elsewhere = call("GET", f"{place}?broker_clock=utc%2B0").get_json()
    before = trades()
    confirmed = call("POST", f"{place}/confirmation", json={"broker_clock": "new-york"})
    work()
    taken = call("GET", place).get_json()

    assert (sent.status_code, sent.get_json()["state"], before) == (202, "received", 0)
    assert (read["state"], read["preview"]["trades"], read["preview"]["cash"]) == ("read", 2, 1)
    assert [line["ticket"] for line in read["preview"]["skipped"]] == ["20"]
    assert {row["name"]: row["equal"] for row in read["preview"]["sums"]} == {"closed": True, "cash": True}
    sample, other = read["preview"]["samples"][0], elsewhere["preview"]["samples"][0]
    assert (sample["server_opened"], sample["opened_at"]) == ("2026.03.02 10:00", "2026-03-02T08:00:00.000Z")
    assert other["opened_at"] == "2026-03-02T10:00:00.000Z"
    assert (confirmed.status_code, confirmed.get_json()["state"]) == (202, "confirmed")
    assert (taken["state"], taken["trades_added"], trades()) == ("imported", 3, 3)

    journals.write(account.user_id, db.session.scalars(select(Trade.id)).first() or 0, journals.Draft(note="lu"))
    db.session.commit()
    assert call("GET", place).get_json()["written_about"] == 1
    undone = call("POST", f"{place}/cancellation").get_json()

    assert (undone["state"], undone["trades_removed"], trades()) == ("undone", 3, 0)
    assert [row["state"] for row in call("GET", f"/me/trading/accounts/{account.id}/imports").get_json()["items"]] == [
        "undone"
    ]


def test_a_file_sent_twice_with_one_key_is_one_import(api_for: ApiFor, account: TradingAccount) -> None:
    call, key = api_for(account.user), {"Idempotency-Key": "0123456789abcdef"}

    first, again = (send(call, account.id, headers=key) for _time in range(2))
    other = send(call, account.id, PAGE + " ", headers=key)

    assert first.get_json() == again.get_json()
    assert other.get_json()["type"] == "/problems/idempotency-key-reused"
    assert db.session.scalar(select(func.count()).select_from(StatementImport)) == 1


def test_a_file_is_given_up_before_it_is_confirmed_not_after(api_for: ApiFor, account: TradingAccount) -> None:
    call = api_for(account.user)
    first, second = (f"/me/trading/imports/{send(call, account.id).get_json()['id']}" for _time in range(2))

    given_up = call("DELETE", first)
    call("POST", f"{second}/confirmation", json={"broker_clock": "new-york"})
    too_late = call("DELETE", second)
    too_early = call("POST", f"{second}/cancellation")

    assert (given_up.status_code, call("GET", first).status_code) == (204, 404)
    assert {answer.get_json()["type"] for answer in (too_late, too_early)} == {"/problems/statement-state"}


def test_what_is_no_statement_is_refused_with_the_reason(api_for: ApiFor, account: TradingAccount) -> None:
    call = api_for(account.user)

    strange = send(call, account.id, "<html><title>Bonjour</title></html>")
    program = send(call, account.id, b"MZ\x90\x00", "releve.exe")
    nothing = call("POST", f"/me/trading/accounts/{account.id}/imports", data={}, content_type="multipart/form-data")
    clock = call("POST", f"/me/trading/imports/{strange.get_json()['id']}/confirmation", json={"broker_clock": "mars"})
    told = call("GET", f"/me/trading/imports/{strange.get_json()['id']}").get_json()

    assert (told["state"], told["preview"]) == ("refused", None)
    assert told["reason"]
    assert told["reason_text"].endswith(".")
    assert (program.status_code, nothing.status_code, clock.status_code) == (422, 422, 422)
    assert trades() == 0


def test_another_ones_imports_are_absent(api_for: ApiFor, account: TradingAccount) -> None:
    place = f"/me/trading/imports/{send(api_for(account.user), account.id).get_json()['id']}"
    call = api_for(factories.student())

    answers = [
        call("GET", place),
        call("POST", f"{place}/confirmation", json={"broker_clock": "new-york"}),
        call("POST", f"{place}/cancellation"),
        call("DELETE", place),
        send(call, account.id),
        call("GET", f"/me/trading/accounts/{account.id}/imports"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert db.session.scalar(select(func.count()).select_from(StatementImport)) == 1
