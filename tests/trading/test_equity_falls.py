"""The fall of the equity over several accounts is that of their sum, money that came or went left aside."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import AccountSnapshot, TradingAccount
from calmness.services.trading import converted_report, equity_falls
from calmness.services.trading.equity_falls import EquityFall
from calmness.services.trading.trading_report import Scope
from tests.trading.terminal import CREDIT, NOW, at, cash, linked, work
from tests.trading.test_converted_report import rates, together

ClientFor = Callable[[User], FlaskClient]
TUESDAY = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def read(account: TradingAccount, **hours: str) -> None:
    """Readings of the EA, such as ``h3="1000"`` three hours after noon of the third of November."""
    rows: list[dict[str, Any]] = [
        {
            "account_id": account.id,
            "taken_at": TUESDAY + timedelta(hours=int(hour[1:])),
            "balance": Decimal(equity),
            "equity": Decimal(equity),
        }
        for hour, equity in hours.items()
    ]
    db.session.execute(insert(AccountSnapshot), rows)
    db.session.commit()


def pair(site: Flask, currency: str = "EUR") -> tuple[TradingAccount, TradingAccount]:
    one, _ea = linked(site)
    return one, linked(site, one.user, currency, name="Autre compte", login="2")[0]


def fall(*accounts: TradingAccount) -> EquityFall:
    found = equity_falls.of_scope(
        Scope(tuple(account.id for account in accounts), "Europe/Paris", None, date(2026, 11, 20))
    )
    assert found is not None
    return found


def test_what_one_account_wins_while_the_other_loses_is_no_fall(site: Flask) -> None:
    one, two = pair(site)
    read(one, h0="1000", h1="800", h2="900")
    read(two, h0="1000", h1="1150", h2="1100")

    found = fall(one, two)

    # Together 2000, 1950, 2000: either alone fell deeper.
    assert (found.amount, found.readings, found.since) == (Decimal(50), 6, TUESDAY)
    assert found.ratio == pytest.approx(50 / 2000)
    assert (fall(one).amount, fall(two).amount) == (Decimal(200), Decimal(50))


def test_falls_of_both_add_up_and_a_silent_account_keeps_its_last_reading(site: Flask) -> None:
    one, two = pair(site)
    read(one, h0="1000", h1="900", h4="950")
    read(two, h0="500", h3="420")

    found = fall(one, two)

    assert found.amount == 180
    assert found.ratio == pytest.approx(180 / 1500)


def test_an_account_that_comes_later_is_no_gain_and_its_deposits_are_none(site: Flask) -> None:
    one, ea = linked(site)
    two, other = linked(site, one.user, name="Autre compte", login="2")
    ea.sync(cash(1, "1000.00", open_time=at(2)))
    other.sync(cash(1, "5000.00", open_time=at(3, 13)), cash(2, "300.00", open_time=at(3, 16), type=CREDIT))
    other.sync(cash(3, "-2000.00", open_time=at(3, 17)))
    work()
    read(one, h0="1000", h1="950", h3="950", h6="930")
    read(two, h2="5000", h4="5280", h5="3310")

    found = fall(one, two)

    # Own: 0, -50, -50, -50, -70 (5280 of 5300), -40, -60; at the deepest 950 + 5280 are left of 6300.
    assert found.amount == 70
    assert found.ratio == pytest.approx(50 / 1000)


def test_the_move_of_a_currency_is_no_fall(site: Flask) -> None:
    rates(d3="1.00", d4="2.00")
    euros, dollars = pair(site, "USD")
    read(euros, h0="1000", h24="1000")
    read(dollars, h0="1000", h1="900", h24="860")

    found = converted_report.equity_fall(together(euros, dollars, end=date(2026, 11, 20)))

    # 100 USD at 1 and 40 USD at 2; 1000 EUR and 860 USD are 1430 EUR then.
    assert found is not None
    assert found.amount == 120
    assert found.ratio == pytest.approx(120 / (1430 + 120))


def test_one_account_summed_up_is_the_same_as_one_alone(site: Flask) -> None:
    account, ea = linked(site)
    dice = random.Random(7)
    ea.sync(*(cash(day, str(dice.choice((-200, 300))) + ".00", open_time=at(day)) for day in range(4, 9)))
    work()
    read(account, **{f"h{hour}": str(3000 + dice.randrange(-400, 400)) for hour in range(200)})
    scope = Scope((account.id,), "Europe/Paris", date(2026, 11, 3), date(2026, 11, 20))

    alone = equity_falls.of_scope(scope)
    summed = equity_falls.of_scope(scope, lambda _account_id, units, _day: units)

    assert alone is not None
    assert summed is not None
    assert (summed.amount, summed.readings, summed.since) == (alone.amount, alone.readings, alone.since)
    assert summed.ratio == pytest.approx(alone.ratio)


def test_the_page_says_that_it_is_of_all_accounts(site: Flask, client_for: ClientFor) -> None:
    one, two = pair(site)
    read(one, h0="1000", h1="800")
    read(two, h0="1000", h1="1150")
    client = client_for(one.user)

    page, alone = (client.get(f"/espace/statistiques?periode=tout{more}") for more in ("", f"&compte={one.id}"))

    assert "2,50" in page.text
    assert "Tous les comptes ensemble, chacun à son dernier relevé." in page.text
    assert "Tous les comptes ensemble" not in alone.text
