"""The portfolio: what stands where, what is at stake, where money came from."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from time_machine import TimeMachineFixture

from calmness.banking.ecb import Rate
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import TradingAccount
from calmness.services.trading import exchange_rates, portfolios
from tests import factories
from tests.trading.terminal import CREDIT, NOW, SELL, at, cash, linked, trade, work

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with two accounts in euros, one in yen, a hedge, and deposits."""
    student = factories.student()
    first, ea = linked(site, student)
    ea.sync(
        cash("1", "5000.00", open_time=at(1)),
        cash("2", "-1200.00", open_time=at(2)),
        cash("3", "300.00", open_time=at(3), type=CREDIT),
        trade("4", "25.00", close_time=0, lots="0.500", open_price="1.10000"),
        trade("5", "-5.00", close_time=0, lots="0.200", open_price="1.20000", type=SELL),
        trade("6", "7.00", close_time=0, lots="1.000", symbol="XAUUSD"),
        trade("7", "40.00", close_time=at(4)),
    )
    second, other = linked(site, student, name="Second")
    other.sync(trade("8", "1.00", close_time=at(5)))
    third, yen = linked(site, student, name="Yens", currency="JPY")
    yen.sync(cash("9", "100000.00", open_time=at(1)))
    work()
    for account, equity, margin in ((first, 3000, 150), (second, 1000, 0), (third, 100_000, 0)):
        row = db.session.get_one(TradingAccount, account.id)
        row.balance, row.equity, row.margin = Decimal(equity), Decimal(equity), Decimal(margin)
    db.session.commit()
    return student


def exactly(*values: int | str) -> list[Decimal]:
    return [Decimal(value) for value in values]


def test_currencies_stand_apart_and_each_knows_its_sums(owner: User) -> None:
    euros, yen = portfolios.of_user(owner.id)

    assert [euros.equity, euros.balance, euros.margin] == exactly(4000, 4000, 150)
    assert euros.margin_level == Decimal(4000) / 150
    assert [(share.account.name, share.share) for share in euros.shares][1] == ("Second", Decimal("0.25"))
    assert [euros.currency, yen.currency] == ["EUR", "JPY"]
    assert [yen.equity] == exactly(100_000)
    assert yen.margin_level is None
    assert portfolios.earned([euros, yen], "EUR", date(2026, 11, 24)) == (euros.figures.net, ["JPY"])
    assert portfolios.in_currency(Decimal(5), "EUR", "EUR", date(2026, 11, 24)) == 5
    assert portfolios.in_currency(Decimal(5), "JPY", "EUR", date(2026, 11, 24)) is None


def test_a_result_in_another_currency_is_converted_when_its_rate_is_known(owner: User) -> None:
    parts, today = portfolios.of_user(owner.id), date(2026, 11, 24)
    exchange_rates.store([Rate(date(2026, 11, 20), "JPY", Decimal(160))])

    assert portfolios.in_currency(Decimal(1600), "JPY", "EUR", today) == 10
    assert portfolios.earned(parts, "EUR", today) == (parts[0].figures.net, [])


def test_deposits_withdrawals_and_credits_are_told_apart(owner: User) -> None:
    flows = portfolios.of_user(owner.id)[0].flows

    assert [flows.deposits, flows.withdrawals, flows.other, flows.net] == exactly(5000, -1200, 300, 3800)
    assert [row.ticket for row in flows.latest] == ["3", "2", "1"]


def test_a_hedge_is_netted_by_symbol_and_by_currency(owner: User) -> None:
    euros = portfolios.of_user(owner.id)[0]

    exposures = {row.symbol: [row.bought, row.sold, row.lots, row.floating] for row in euros.symbols}
    assert exposures["EURUSD"] == exactly("0.5", "0.2", "0.3", 20)
    assert exposures["XAUUSD"] == exactly(1, 0, 1, 7)
    # 50 000 euros bought at 1.10, 20 000 sold at 1.20; gold is no currency.
    assert euros.legs == [("USD", Decimal(-31_000)), ("EUR", Decimal(30_000))]
    assert [euros.floating] == exactly(27)
    assert euros.position_count == 3


def test_the_page_shows_it_without_closed_trades_among_positions(client_for: ClientFor, owner: User) -> None:
    page = client_for(owner).get("/espace/portefeuille").text

    assert "Comptes en JPY" in page
    assert "+27,00" in page
    assert re.search(r"niveau de marge 2\u202f667", page)
    assert "75,0\u00a0%" in page
    assert page.count("Positions ouvertes") >= 2
    assert "Crédits et mouvements non précisés" in page


def test_nobody_sees_another_persons_portfolio(client_for: ClientFor, owner: User) -> None:
    page = client_for(factories.admin()).get("/espace/portefeuille").text

    assert "Aucun compte relié" in page
    assert "Second" not in page
