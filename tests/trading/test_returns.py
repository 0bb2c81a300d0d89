"""Returns and risk equal to figures done by hand, and silent where there is nothing to say."""

import math
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
from calmness.services.trading import equity_falls, trading_report, trading_returns
from calmness.services.trading.trading_report import Scope
from calmness.services.trading.trading_returns import Day
from tests.trading.terminal import NOW, SELL, at, cash, linked, trade, work
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]
IN, OUT = True, False


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def scope(account: TradingAccount, start: date | None = None, end: date | None = None) -> Scope:
    return Scope((account.id,), "Europe/Paris", start, end)


@pytest.mark.once
def test_a_deposit_is_never_a_gain() -> None:
    # +10 % of 1000, 9000 paid in, +10 % of 10 100: 21 %, not 10 times the money.
    found = trading_returns.walk([(IN, 1000), (OUT, 100), (IN, 9000), (OUT, 1010)])

    assert found.time_weighted == pytest.approx(0.21)
    assert (found.fall, found.fall_ratio) == (0, 0.0)


@pytest.mark.once
def test_a_withdrawal_is_no_fall() -> None:
    # Index 1.1, then 1.1 * 0.9 = 0.99, then * 1.1 = 1.089. Falls: 10 in money, 10 % of the index.
    found = trading_returns.walk([(IN, 1000), (OUT, 100), (IN, -1000), (OUT, -10), (OUT, 9)])

    assert found.time_weighted == pytest.approx(0.089)
    assert found.fall == 10
    assert found.fall_ratio == pytest.approx(0.1)


@pytest.mark.once
@pytest.mark.parametrize(
    "movements",
    [[], [(IN, 1000)], [(OUT, 50)], [(IN, 100), (OUT, -150), (OUT, 60)], [(OUT, 5), (IN, 100), (OUT, 5)]],
    ids=["nothing", "a deposit only", "no deposit known", "below zero", "deposit too late"],
)
def test_without_a_capital_there_is_no_return(movements: list[tuple[bool, int]]) -> None:
    found = trading_returns.walk(movements)

    assert (found.time_weighted, found.fall_ratio) == (None, None)


@pytest.mark.once
def test_the_first_trade_may_be_the_fall() -> None:
    assert trading_returns.walk([(IN, 1000), (OUT, -200), (OUT, 100)]).fall == 200


def day(number: int, net: int, capital: int = 1000) -> Day:
    return Day(date(2026, 3, 2) + timedelta(days=number), net, 0, capital, 1)


@pytest.mark.once
def test_days_without_a_trade_count_as_zero_and_quiet_week_ends_do_not() -> None:
    # Monday +1 %, Wednesday -2 %, Saturday (something was closed) +3 %, next Monday 0 %.
    days = [day(0, 10), day(2, -20), day(5, 30), day(7, 0)]

    assert trading_returns.daily_returns(days) == [0.01, 0.0, -0.02, 0.0, 0.0, 0.03, 0.0]


@pytest.mark.once
def test_money_paid_in_during_the_day_is_part_of_what_it_worked_with() -> None:
    assert trading_returns.daily_returns([Day(date(2026, 3, 2), 20, 1000, 1000, 1)]) == [0.01]


@pytest.mark.once
def test_sharpe_and_sortino_by_hand() -> None:
    # Ten times (+2 %, -1 %): mean 0.5 %, squares of deviations 20 * 0.015², n - 1 = 19.
    returns = [0.02, -0.01] * 10
    deviation = math.sqrt(20 * 0.015**2 / 19)
    downside = math.sqrt(10 * 0.01**2 / 20)

    assert trading_returns.sharpe(returns) == pytest.approx(0.005 / deviation * math.sqrt(252))
    assert trading_returns.sortino(returns) == pytest.approx(0.005 / downside * math.sqrt(252))


@pytest.mark.once
@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ([0.02, -0.01] * 9, (None, None)),
        ([0.01] * 30, (None, None)),
        ([0.0] * 30, (None, None)),
        ([], (None, None)),
    ],
    ids=["18 days", "always the same", "zeros", "none"],
)
def test_ratios_say_nothing_with_too_little(returns: list[float], expected: tuple[None, None]) -> None:
    assert (trading_returns.sharpe(returns), trading_returns.sortino(returns)) == expected


@pytest.mark.once
def test_calmar_needs_a_quarter() -> None:
    short = trading_returns.ratios([day(0, 10), day(88, 10)], 0.1, 0.05)
    enough = trading_returns.ratios([day(0, 10), day(89, 10)], 0.1, 0.05)

    assert short.calmar is None
    assert enough.calmar == pytest.approx((1.1 ** (365 / 90) - 1) / 0.05)


def fixture(site: Flask) -> TradingAccount:
    """A year's worth of nothing but what is needed.

    1000 in; +100 (1100); -55 (1045); 955 in (2000); -200 (1800); +360 (2160). Index 1.1, 1.045, 0.9405, 1.1286.
    Deepest fall: money 255 (from +100 to -155), index 1 - 0.9405 / 1.1 = 14.5 %. Net 205.
    """
    account, ea = linked(site)
    ea.sync(
        cash(90, "1000.00", open_time=at(2, 9)),
        closed(1, "100.00", 3),
        closed(2, "-55.00", 4),
        cash(91, "955.00", open_time=at(5, 9)),
        cash(92, "500.00", type=7, open_time=at(5, 10)),
        closed(3, "-200.00", 5, 13),
        closed(4, "360.00", 9),
    )
    work()
    return account


def test_a_report_equals_the_figures_done_by_hand(site: Flask) -> None:
    found = trading_report.report(scope(fixture(site)))

    assert found.figures.net == Decimal(205)
    assert found.max_drawdown == Decimal(255)
    assert found.walk.time_weighted == pytest.approx(0.1286)
    assert found.walk.fall_ratio == pytest.approx(1 - 0.9405 / 1.1)
    assert found.recovery_factor == Decimal(205) / Decimal(255)
    assert found.spread.median_net == Decimal("22.5")
    assert [point for _day, point in trading_returns.drawdown_curve(found.days)] == pytest.approx(
        [0, -0.05, 1 - 0.145 - 1, 0]
    )


def test_a_period_begins_with_the_balance_of_the_day_before(site: Flask) -> None:
    account = fixture(site)

    found = trading_report.report(scope(account, date(2026, 11, 5), date(2026, 11, 5)))

    assert found.walk.time_weighted == pytest.approx(-0.1)
    assert [(row.balance_start, row.flows) for row in found.days] == [(1045 * 10**8, 955 * 10**8)]


def test_the_fall_of_the_equity_comes_from_readings_and_leaves_deposits_out(site: Flask) -> None:
    account = fixture(site)
    readings = [(2, 10, 1000), (3, 14, 1100), (4, 9, 880), (4, 15, 1045), (5, 11, 2500), (6, 9, 2300), (10, 9, 2660)]
    db.session.execute(
        insert(AccountSnapshot),
        [
            {
                "account_id": account.id,
                "taken_at": datetime(2026, 11, on, hour, tzinfo=UTC),
                "balance": Decimal(1000),
                "equity": Decimal(equity),
            }
            for on, hour, equity in readings
        ],
    )
    fall = equity_falls.of_scope(scope(account, end=date(2026, 11, 12)))

    # Without the 955 paid in and the credit of 500, which is in an equity: 1000, 1100, 880, 1045, 1045, 845, 1205. From
    # 1100 to 845: 255. In percent of the money at the peak's level: 220 / 1100 on the 4th, 255 / 2555 on the 6th.
    assert fall is not None
    assert (fall.amount, fall.readings) == (Decimal(255), 7)
    assert fall.ratio == pytest.approx(0.2)
    assert fall.since == datetime(2026, 11, 2, 10, tzinfo=UTC)


def test_without_an_ea_nothing_is_said_of_the_equity(site: Flask) -> None:
    account = fixture(site)

    assert equity_falls.of_scope(scope(account, end=date(2026, 11, 12))) is None


def test_what_is_open_is_told_by_instrument_and_side(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(
        trade(1, "10.00", close_time=0, lots="0.30", sl="1.08000"),
        trade(2, "-4.00", close_time=0, lots="0.10", type=SELL, symbol="EURUSDm"),
        trade(3, "-2.00", close_time=0, lots="1.00", symbol="GER40"),
        closed(4, "5.00", 9),
    )
    work()

    index, pair = trading_report.exposure([account.id])

    assert (index.symbol, index.bought, index.without_stop) == ("GER40", Decimal(1), 1)
    assert (pair.symbol, pair.bought, pair.sold, pair.lots) == (
        "EURUSD",
        Decimal("0.3"),
        Decimal("0.1"),
        Decimal("0.2"),
    )
    assert (pair.floating, pair.without_stop, pair.trades) == (Decimal(6), 1, 2)
    card = client_for(account.user).get("/espace/statistiques").text.split("Exposition", 1)[1]
    assert "GER40" in card
    assert "+6,00" in card


def test_the_curve_of_the_equity_takes_the_last_reading_of_a_day(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    other, second = linked(site, account.user)
    second.login = "70000001"
    ea.sync()
    second.sync()
    readings = [(account, 9, 8, 990), (account, 9, 20, 1010), (other, 9, 12, 500), (account, 10, 12, 1030)]
    for owner, on, hour, equity in readings:
        taken_at = datetime(2026, 11, on, hour, tzinfo=UTC)
        db.session.add(
            AccountSnapshot(account_id=owner.id, taken_at=taken_at, balance=Decimal(1000), equity=Decimal(equity))
        )
    db.session.commit()
    both = Scope((account.id, other.id), "Europe/Paris", end=date(2026, 11, 15))

    assert trading_report.equity_by_day(both) == [
        (date(2026, 11, 9), Decimal(1510)),
        (date(2026, 11, 10), Decimal(1530)),
    ]
    assert 'id="releves-t"' in client_for(account.user).get("/espace/statistiques").text


def figure_after(page: Any, label: str) -> str:
    text: str = page.text.split(f">{label}</dt>", 1)[1].split("</dd>", 1)[0]
    return text


@pytest.mark.parametrize(
    ("trades", "said", "silent"),
    [
        ([], "il n’y a rien à dire encore", {"Payoff": "aucun trade clos", "Ratio de Sharpe": "aucun trade clos"}),
        (
            [closed(1, "5.00", 9), closed(2, "7.00", 10)],
            "Aucun trade perdant",
            {"Payoff": "il faut des gains et des pertes", "Facteur de récupération": "aucun repli"},
        ),
        (
            [closed(1, "5.00", 9), closed(2, "-7.00", 9, 13)],
            "Un seul jour de trading",
            {"R moyen": "aucun stop connu", "Rendement pondéré par le temps": "solde de départ inconnu"},
        ),
        (
            [cash(9, "1000", open_time=at(2)), closed(1, "5.00", 9), closed(2, "-7.00", 10, 13)],
            "la chance pèse plus que la méthode",
            {"Ratio de Sharpe": "moins de 20 jours de bourse", "Ratio de Calmar": "moins de 90 jours"},
        ),
    ],
    ids=["no trade", "only winners", "one day", "few trades"],
)
def test_the_page_says_why_it_has_nothing_to_say(
    site: Flask, client_for: ClientFor, trades: list[Any], said: str, silent: dict[str, str]
) -> None:
    account, ea = linked(site)
    ea.sync(*trades, snapshot={})
    work()

    page = client_for(account.user).get("/espace/statistiques")

    assert page.status_code == 200
    assert said in page.text
    for label, reason in silent.items():
        assert f"rien à dire\u00a0: {reason}" in figure_after(page, label), label


def test_each_figure_tells_how_it_is_computed_on_hover_and_in_the_page(site: Flask, client_for: ClientFor) -> None:
    page = client_for(fixture(site).user).get("/espace/statistiques").text

    for definition in ("Produit, sortie après sortie, de (1 + résultat net ÷ solde juste avant)", "écart-type (n − 1)"):
        assert page.count(definition) == 2
    assert 'title="Gain moyen divisé par perte moyenne."' in page
    assert "12,86" in page.split("Rendement pondéré par le temps", 1)[1][:400]
