"""What the student says a cash row is counts, survives every sync, and moves the figures."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.metatrader import cash as metatrader_cash
from calmness.models.account import User
from calmness.models.cash import IS_COST, IS_CREDIT, IS_OWN_MONEY, MOVES_BALANCE
from calmness.models.trading import CashKind, Trade, TradingAccount
from calmness.services.trading import (
    cash_movements,
    leaderboards,
    portfolios,
    trading_days,
    trading_report,
    trading_statistics,
)
from calmness.services.trading.trading_report import Scope
from tests import factories
from tests.trading.terminal import CREDIT, NOW, Terminal, at, cash, linked, work
from tests.trading.test_old_ea import message, send
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]
FEE = cash(2, "-50.00", open_time=at(4), comment="Monthly fee")


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def row(ticket: str) -> Trade:
    return db.session.scalars(
        select(Trade).where(Trade.ticket == ticket).execution_options(populate_existing=True)
    ).one()


def say(ticket: str, kind: CashKind | None) -> None:
    cash_movements.correct(row(ticket), kind)
    db.session.commit()
    work()


def figures_of(account: TradingAccount) -> tuple[Any, ...]:
    """(net, time-weighted return, trades)."""
    found = trading_report.report(Scope((account.id,), "Europe/Paris"))
    return found.figures.net, found.walk.time_weighted, found.figures.trades


def with_fee(site: Flask) -> tuple[TradingAccount, Terminal]:
    """1000 paid in, +100, a fee of 50 that the broker booked as money taken out, +105 of what is left."""
    account, ea = linked(site, balance="1155.00")
    ea.sync(cash(1, "1000.00", open_time=at(2)), closed(7, "100.00", 3), FEE, closed(8, "105.00", 5))
    work()
    return account, ea


def test_a_fee_is_part_of_the_result_once_it_is_said_to_be_one(site: Flask) -> None:
    account, _ea = with_fee(site)
    before = figures_of(account)

    say("2", CashKind.FEE)

    # 1.1 * (1 - 50 / 1100) * 1.1 = 1.155; as a withdrawal it was 1.1 * 1.1.
    assert before == (Decimal(205), pytest.approx(0.21), 2)
    assert figures_of(account) == (Decimal(155), pytest.approx(0.155), 2)
    days = trading_report.merged_days(Scope((account.id,), "Europe/Paris"), 0)
    assert [(day.on.day, day.net // 10**8, day.flows // 10**8, day.exits) for day in days] == [
        (2, 0, 1000, 0),
        (3, 100, 0, 1),
        (4, -50, 0, 0),
        (5, 105, 0, 1),
    ]
    assert trading_statistics.balance_curve([account.id])[-1] == (date(2026, 11, 5), Decimal(1155))


def test_the_day_of_a_fee_counts_among_the_days_of_risk(site: Flask) -> None:
    account, _ea = with_fee(site)

    say("2", CashKind.FEE)

    found = trading_report.report(Scope((account.id,), "Europe/Paris"))
    assert found.ratios.days == 3
    assert found.max_drawdown == 50
    assert found.walk.fall_ratio == pytest.approx(50 / 1100)


def test_what_was_said_survives_every_later_sync(site: Flask) -> None:
    account, ea = with_fee(site)
    say("2", CashKind.FEE)

    ea.sync(FEE | {"comment": "Monthly fee, corrected", "profit": "-60.00"})
    work()

    assert (row("2").cash_kind, row("2").net) == (CashKind.FEE, Decimal(-60))
    assert figures_of(account)[0] == 145


def test_it_can_be_left_to_the_broker_again(site: Flask) -> None:
    account, _ea = with_fee(site)
    say("2", CashKind.FEE)

    say("2", None)

    assert figures_of(account) == (Decimal(205), pytest.approx(0.21), 2)


def test_money_of_the_old_ea_that_is_said_to_be_a_credit_leaves_the_balance(site: Flask) -> None:
    account, ea = linked(site)
    send(ea, message(ticket="5", symbol="", type="sell", volume="0.00", profit="500.70"))
    work()
    as_money = trading_statistics.balance_curve([account.id])[-1][1]

    say("5", CashKind.CREDIT)

    assert as_money == 500
    assert trading_statistics.balance_curve([account.id])[-1][1] == 0


def test_a_credit_that_is_said_to_be_a_deposit_enters_the_capital(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(cash(1, "1000.00", type=CREDIT, open_time=at(2)), closed(7, "100.00", 3), snapshot={})
    work()
    before = figures_of(account)[1]

    say("1", CashKind.DEPOSIT)

    assert before is None
    assert figures_of(account) == (Decimal(100), pytest.approx(0.1), 1)


def test_counting_again_from_nothing_finds_the_same(site: Flask) -> None:
    account, _ea = with_fee(site)
    say("2", CashKind.CORRECTION)
    columns = trading_days.DAY_COLUMNS
    before = [[getattr(day, name) for name in columns] for day in trading_statistics.day_rows([account.id])]

    trading_statistics.rebuild(account.id)

    again = [[getattr(day, name) for name in columns] for day in trading_statistics.day_rows([account.id])]
    assert again == before


def test_the_portfolio_tells_costs_apart_from_money_taken_out(site: Flask) -> None:
    account, _ea = with_fee(site)
    say("2", CashKind.FEE)

    flows = portfolios.of_user(account.user_id)[0].flows

    told = [flows.deposits, flows.withdrawals, flows.other, flows.costs]
    assert told == [Decimal(amount) for amount in (1000, 0, 0, -50)]


def test_what_the_old_ea_could_not_name_stands_apart_until_it_is_named(site: Flask) -> None:
    account, ea = linked(site)
    send(ea, message(ticket="5", symbol="", type="sell", volume="0.00", profit="500.70"))
    before = portfolios.of_user(account.user_id)[0].flows

    say("5", CashKind.DEPOSIT)

    after = portfolios.of_user(account.user_id)[0].flows
    told = [before.deposits, before.other, after.deposits, after.other]
    assert told == [Decimal(amount) for amount in (0, 500, 500, 0)]


def test_what_metatrader_5_says_of_a_row_moves_the_figures_by_itself(site: Flask) -> None:
    account, ea = linked(site, balance="1155.00")
    ea.sync(
        cash(1, "1000.00", open_time=at(2)),
        closed(7, "100.00", 3),
        FEE | {"type": metatrader_cash.COMMISSION, "comment": ""},
        closed(8, "105.00", 5),
    )
    work()

    assert figures_of(account) == (Decimal(155), pytest.approx(0.155), 2)
    assert cash_movements.kind_of(row("2")) is CashKind.FEE
    flows = portfolios.of_user(account.user_id)[0].flows
    assert [flows.deposits, flows.withdrawals, flows.costs] == [Decimal(amount) for amount in (1000, 0, -50)]


def test_the_student_still_has_the_last_word(site: Flask) -> None:
    account, ea = linked(site, balance="1155.00")
    ea.sync(
        cash(1, "1000.00", open_time=at(2)),
        closed(7, "100.00", 3),
        FEE | {"type": metatrader_cash.CHARGE},
        closed(8, "105.00", 5),
    )
    work()

    say("2", CashKind.WITHDRAWAL)

    assert figures_of(account) == (Decimal(205), pytest.approx(0.21), 2)


@pytest.mark.parametrize(
    ("kind", "amount", "meant"),
    [
        (metatrader_cash.BALANCE, "-5.00", CashKind.WITHDRAWAL),
        (metatrader_cash.CREDIT, "-5.00", CashKind.CREDIT),
        (metatrader_cash.CHARGE, "5.00", CashKind.FEE),
        (metatrader_cash.CORRECTION, "-5.00", CashKind.CORRECTION),
        (metatrader_cash.BONUS, "5.00", CashKind.BONUS),
        (metatrader_cash.BONUS, "-5.00", CashKind.WITHDRAWAL),
        (metatrader_cash.COMMISSION, "-5.00", CashKind.FEE),
        (metatrader_cash.AGENT_COMMISSION, "5.00", CashKind.REFERRAL),
        (metatrader_cash.INTEREST, "5.00", CashKind.INTEREST),
        (metatrader_cash.DIVIDEND, "-5.00", CashKind.DIVIDEND),
        (metatrader_cash.TAX, "-5.00", CashKind.FEE),
    ],
)
def test_the_broker_s_own_kind_is_believed_and_not_its_comment(
    site: Flask, kind: int, amount: str, meant: CashKind
) -> None:
    _account, ea = linked(site)
    ea.sync(cash(1, amount, type=kind, comment="" if kind == metatrader_cash.BALANCE else "Swap dividend"))

    found = row("1")

    assert cash_movements.kind_of(found) is meant
    assert cash_movements.guess(found) is meant


def test_sql_and_python_agree_on_what_each_kind_does(site: Flask) -> None:
    _account, ea = linked(site)
    kinds = range(metatrader_cash.BALANCE, metatrader_cash.TAX + 1)
    ea.sync(*(cash(kind, "5.00", type=kind) for kind in kinds))

    found = db.session.execute(select(Trade, IS_COST, IS_CREDIT, IS_OWN_MONEY, MOVES_BALANCE)).all()

    assert len(found) == len(kinds)
    for trade, is_cost, is_credit, is_own_money, moves_balance in found:
        kind = cash_movements.kind_of(trade)
        told = (cash_movements.is_cost(kind), kind is CashKind.CREDIT)
        assert (is_cost, is_credit, is_own_money, moves_balance) == (*told, not any(told), not told[1])


def test_the_page_asks_nothing_of_what_the_broker_said(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(cash(1, "-5.00", type=metatrader_cash.TAX, comment="Dividend tax"))

    page = client_for(account.user).get(f"/espace/metatrader/{account.id}/mouvements")

    assert "Frais, commission ou taxe" in page.text
    assert "D’après le type du mouvement chez le courtier." in page.text
    assert "Le libellé fait penser à" not in page.text


@pytest.mark.parametrize(
    ("comment", "amount", "kind"),
    [
        ("Ex Dividend US30", "12.00", CashKind.DIVIDEND),
        ("Adjustment Neg. Balance", "3.00", CashKind.CORRECTION),
        ("Commission December", "-5.00", CashKind.FEE),
        ("Welcome bonus", "100.00", CashKind.BONUS),
        ("Bonus removed", "-100.00", CashKind.WITHDRAWAL),
        ("Internal transfer from 8001", "100.00", CashKind.TRANSFER),
        ("", "100.00", CashKind.DEPOSIT),
        ("coffee", "-100.00", CashKind.WITHDRAWAL),
    ],
)
def test_the_words_of_the_broker_propose_a_kind_and_decide_nothing(
    site: Flask, comment: str, amount: str, kind: CashKind
) -> None:
    _account, ea = linked(site)
    ea.sync(cash(1, amount, comment=comment))

    found = row("1")

    assert cash_movements.guess(found) is kind
    assert cash_movements.kind_of(found) is (CashKind.DEPOSIT if Decimal(amount) > 0 else CashKind.WITHDRAWAL)


def test_the_page_takes_a_kind_and_shows_it(site: Flask, client_for: ClientFor) -> None:
    account, _ea = with_fee(site)
    client, place = client_for(account.user), f"/espace/metatrader/{account.id}/mouvements"
    before = client.get(place)
    trade_id = row("2").id

    answer = client.post(f"/espace/metatrader/mouvements/{trade_id}", data={"kind": "fee"})
    page = client.get(place)

    assert "Le libellé fait penser à\u00a0: Frais, commission ou taxe." in before.text
    assert answer.headers["Location"].endswith(f"mouvements#mouvement-{trade_id}")
    assert "compté dans le résultat" in page.text
    assert "Le libellé fait penser à" not in page.text
    assert row("2").cash_kind is CashKind.FEE


def test_money_that_went_out_is_no_deposit(site: Flask, client_for: ClientFor) -> None:
    account, _ea = with_fee(site)

    answer = client_for(account.user).post(f"/espace/metatrader/mouvements/{row('2').id}", data={"kind": "deposit"})

    assert answer.status_code == 422
    assert "ne va pas avec le sens" in answer.text
    assert row("2").cash_kind is None


@pytest.mark.parametrize(("ticket", "status"), [("7", 404), ("2", 422)], ids=["a trade", "no such kind"])
def test_a_trade_is_no_cash_row_and_a_kind_is_one_of_the_list(
    site: Flask, client_for: ClientFor, ticket: str, status: int
) -> None:
    account, _ea = with_fee(site)

    answer = client_for(account.user).post(f"/espace/metatrader/mouvements/{row(ticket).id}", data={"kind": "gift"})

    assert answer.status_code == status


def test_nobody_else_corrects_it(site: Flask, client_for: ClientFor) -> None:
    _account, _ea = with_fee(site)

    answer = client_for(factories.student()).post(f"/espace/metatrader/mouvements/{row('2').id}", data={"kind": "fee"})

    assert answer.status_code == 404
    assert row("2").cash_kind is None


def test_many_rows_have_pages(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(*(cash(number, "1.00", open_time=at(3)) for number in range(1, cash_movements.PAGE + 4)))

    first = cash_movements.of_account(account.id)
    second = cash_movements.of_account(account.id, first.following or 0)
    page = client_for(account.user).get(f"/espace/metatrader/{account.id}/mouvements")

    assert (len(first.rows), len(second.rows), second.following) == (cash_movements.PAGE, 3, None)
    assert not {trade.id for trade in first.rows} & {trade.id for trade in second.rows}
    assert "Plus anciens" in page.text


def test_an_account_without_any_says_so(site: Flask, client_for: ClientFor) -> None:
    account, _ea = linked(site)

    assert (
        "Aucun mouvement d’argent" in client_for(account.user).get(f"/espace/metatrader/{account.id}/mouvements").text
    )


def test_a_deposit_that_is_called_a_dividend_wins_no_place_on_the_leaderboard(site: Flask) -> None:
    account, ea = linked(site, balance="1610.00")
    ea.sync(
        cash(91, "1000.00", open_time=at(2)),
        *(closed(number, "10.00", number) for number in (3, 4, 5, 6)),
        cash(92, "500.00", open_time=at(4)),
        cash(93, "-30.00", open_time=at(5)),
        closed(9, "100.00", 9),
    )
    work()
    say("92", CashKind.DIVIDEND)
    say("93", CashKind.FEE)

    days = {row.day.day: row for row in trading_statistics.day_rows([account.id])}

    assert (days[4].net, days[4].booked, days[5].net, days[5].booked) == tuple(map(Decimal, (510, 500, -20, -30)))
    assert leaderboards.return_of(days[4]) == pytest.approx(10 / 1010)
    assert leaderboards.return_of(days[5]) == pytest.approx(-20 / 1520)
