"""With history and portfolio both switched off nothing would show trades, and none are collected."""

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.delivery import OutboxTask
from calmness.models.trading import SyncBatch, Trade, TradingAccount
from calmness.services import preferences
from calmness.services.preferences import Feature
from tests.trading.terminal import NOW, Terminal, linked, trade
from tests.trading.test_old_ea import PATH, message


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def switch(account: TradingAccount, **features: bool) -> None:
    for name, on in features.items():
        preferences.set_feature(account.user_id, Feature(name), on)
    db.session.commit()


def counts() -> tuple[int, ...]:
    return tuple(
        db.session.scalar(select(func.count()).select_from(model)) or 0 for model in (Trade, SyncBatch, OutboxTask)
    )


def refused(terminal: Terminal) -> list[int]:
    """What each way in answers: EA 2, its test of the key, EA 1.00."""
    headers = {"X-API-Key": terminal.key}
    return [
        terminal.post(terminal.body(trade(1, "10.00"))).status_code,
        terminal.client.get("/ea/v1/ping", headers=headers).status_code,
        terminal.client.post(PATH, data=message().encode(), headers=headers).status_code,
    ]


def test_both_off_nothing_is_taken_and_no_work_is_made(site: Flask) -> None:
    account, terminal = linked(site)
    switch(account, history=False, portfolio=False)
    before = counts()

    answer = terminal.post(terminal.body(trade(1, "10.00")))

    assert answer.status_code == 403
    assert answer.get_json()["type"] == "/problems/ea-intake-off"
    assert "désactivés dans vos paramètres" in answer.get_json()["title"] + answer.get_json().get("detail", "")
    assert refused(terminal) == [403, 403, 403]
    assert counts() == before


@pytest.mark.parametrize("left", ["history", "portfolio"])
def test_one_of_them_on_suffices(site: Flask, left: str) -> None:
    account, terminal = linked(site)
    switch(account, **{name: name == left for name in ("history", "portfolio")})

    assert refused(terminal) == [200, 200, 200]


def test_on_again_the_terminal_goes_on_where_it_was(site: Flask) -> None:
    account, terminal = linked(site)
    switch(account, history=False, portfolio=False)
    assert terminal.post(terminal.body(trade(1, "10.00"))).status_code == 403

    switch(account, history=True)
    terminal.sync(trade(1, "10.00"), trade(2, "5.00"))

    assert db.session.scalar(select(func.count()).select_from(Trade)) == 2
