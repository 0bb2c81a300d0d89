"""A history without a deposit has a return all the same when the broker's balance tells where it began."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Platform, TradeSource, TradingAccount, TradingStatistics
from calmness.services.trading import opening_balances, sync, trading_report, trading_statistics
from calmness.services.trading.trading_report import Scope
from tests import factories
from tests.trading.terminal import CREDIT, NOW, at, cash, linked, trade, work
from tests.trading.test_old_ea import message, send
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def scope(*accounts: TradingAccount, start: date | None = None) -> Scope:
    return Scope(tuple(account.id for account in accounts), "Europe/Paris", start)


def opening(account: TradingAccount) -> Decimal:
    return db.session.scalars(select(TradingAccount.opening_balance).where(TradingAccount.id == account.id)).one()


def test_the_start_is_the_balance_less_all_that_is_known(site: Flask) -> None:
    # 1100 now, +100 known: it began with 1000. +50 is 5 %, then -50 of 1050, then +100 of 1000.
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(1, "50.00", 3), closed(2, "-50.00", 4), closed(3, "100.00", 5))
    work()

    found = trading_report.report(scope(account))

    assert opening(account) == 1000
    assert found.walk.time_weighted == pytest.approx(1.05 * (1 - 50 / 1050) * 1.1 - 1)
    assert found.walk.fall_ratio == pytest.approx(50 / 1050)
    assert [day.balance_start for day in found.days] == [0, 1050 * 10**8, 1000 * 10**8]
    assert [day.capital for day in found.days] == [1000 * 10**8, 1050 * 10**8, 1000 * 10**8]
    assert trading_statistics.balance_curve([account.id])[-1][1] == 1100


def test_a_period_in_the_middle_rests_on_the_same_base(site: Flask) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(1, "50.00", 3), closed(2, "-50.00", 4), closed(3, "100.00", 5))
    work()

    found = trading_report.report(scope(account, start=date(2026, 11, 4)))

    assert found.walk.time_weighted == pytest.approx((1 - 50 / 1050) * 1.1 - 1)


def test_a_history_that_begins_with_a_deposit_needs_no_guess(site: Flask) -> None:
    account, ea = linked(site, balance="5000.00")
    ea.sync(cash(9, "1000.00", open_time=at(2)), closed(1, "100.00", 3))
    work()

    assert opening(account) == 0
    assert trading_report.report(scope(account)).walk.time_weighted == pytest.approx(0.1)


@pytest.mark.parametrize("balance", ["40.00", "99.50", "100.40"], ids=["less", "cents less", "cents more"])
def test_a_balance_that_explains_nothing_gives_no_base(site: Flask, balance: str) -> None:
    account, ea = linked(site, balance=balance)
    ea.sync(closed(1, "100.00", 3))
    work()

    assert opening(account) == 0
    assert trading_report.report(scope(account)).walk.time_weighted is None


def test_older_rows_that_come_later_take_the_base_away(site: Flask) -> None:
    account, ea = linked(site, balance="1150.00")
    ea.sync(closed(3, "100.00", 5))
    work()
    began_with = opening(account)
    ea.sync(closed(2, "50.00", 4))
    work()
    then_with = opening(account)

    ea.sync(cash(1, "1000.00", open_time=at(2)))
    work()

    assert (began_with, then_with, opening(account)) == (Decimal(1050), Decimal(1000), Decimal(0))
    assert trading_report.report(scope(account)).walk.time_weighted == pytest.approx(1.05 * (1 + 100 / 1050) - 1)
    assert trading_statistics.balance_curve([account.id])[-1][1] == 1150


def test_nothing_is_derived_before_all_of_the_history_is_here(site: Flask) -> None:
    # Oldest first: the 900 that are still to come would look like what was there before.
    account, ea = linked(site, balance="2000.00")
    ea.sync(closed(1, "100.00", 3), history={"total": 2, "complete": False})
    work()
    meanwhile = opening(account)
    ea.sync(closed(2, "900.00", 4), history={"total": 2, "complete": False})
    work()

    ea.sync(history={"total": 2, "complete": True})
    work()

    assert (meanwhile, opening(account)) == (Decimal(0), Decimal(1000))


def test_a_history_of_ea_1_has_a_return(site: Flask) -> None:
    account, ea = linked(site)
    send(ea, message(profit="100.70", balance="1100.00"))
    work()

    assert opening(account) == 1000
    assert trading_report.report(scope(account)).walk.time_weighted == pytest.approx(0.1)


def test_a_credit_of_the_broker_is_no_part_of_the_base(site: Flask) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(cash(9, "300.00", type=CREDIT, open_time=at(2)), closed(1, "100.00", 3))
    work()

    assert opening(account) == 1000


def test_the_first_balance_explains_what_a_statement_brought(site: Flask) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(1, "100.00", 3), snapshot={})
    work()
    unknown = opening(account)

    ea.sync()
    work()

    assert (unknown, opening(account)) == (Decimal(0), Decimal(1000))


def test_a_statement_younger_than_the_last_contact_does_not_move_the_base(site: Flask) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(1, "100.00", 3))
    work()
    younger = factories.closed_trade(account.id)
    younger.source, younger.closed_at = TradeSource.IMPORT, NOW + timedelta(hours=5)
    sync.mark_dirty(db.session.get_one(TradingAccount, account.id), NOW, None)
    db.session.commit()
    work()

    assert opening(account) == 1000


def test_costs_of_an_open_entry_have_left_the_balance_of_metatrader_5(site: Flask) -> None:
    account, ea = linked(site, balance="1097.00")
    account.platform = Platform.MT5
    db.session.commit()
    ea.sync(closed(1, "100.00", 3), trade(2, "0.00", close_time=0, commission="-3.00"))
    work()

    assert opening(account) == 1000


def test_a_second_account_enters_when_its_own_history_begins(site: Flask) -> None:
    # 1000 make +10 %; then 9000 more are there, and +1010 of 10 100 is 10 % again.
    first, ea = linked(site, balance="1100.00")
    other, second_ea = linked(site, first.user, name="Second", login="2", balance="10010.00")
    ea.sync(closed(1, "100.00", 3))
    second_ea.sync(closed(1, "1010.00", 5))
    work()

    found = trading_report.report(scope(first, other))

    assert opening(other) == 9000
    assert found.walk.time_weighted == pytest.approx(0.21)
    assert [day.flows for day in found.days] == [1000 * 10**8, 9000 * 10**8]


def test_counting_again_from_nothing_finds_the_same(site: Flask) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(2, "-50.00", 4), closed(3, "100.00", 5))
    work()
    ea.sync(closed(1, "50.00", 3))
    work()
    before = [(row.day, row.balance_end) for row in trading_statistics.day_rows([account.id])]
    db.session.execute(delete(TradingStatistics))

    trading_statistics.rebuild(account.id)

    assert [(row.day, row.balance_end) for row in trading_statistics.day_rows([account.id])] == before
    assert opening(account) == 1000


def test_the_page_says_where_the_base_comes_from(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site, balance="1100.00")
    ea.sync(closed(1, "100.00", 3))
    work()

    page = client_for(account.user).get("/espace/statistiques")

    assert "1\u202f000,00\u00a0€ le 3\u00a0novembre 2026" in page.text
    assert "déduit du solde du courtier (1\u202f100,00\u00a0€)" in page.text
    assert "solde de départ inconnu" not in page.text
    told = opening_balances.told([db.session.get_one(TradingAccount, account.id)])
    assert [(row.amount, row.since) for row in told] == [(Decimal(1000), datetime(2026, 11, 3, 12, tzinfo=UTC))]
