"""Curves and risk of accounts in several currencies: each amount at the rate of its day, equal to figures by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from time_machine import TimeMachineFixture

from calmness.banking.ecb import Rate
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import AccountSnapshot, Trade, TradingAccount
from calmness.services.trading import converted_report, exchange_rates, journals, trading_breakdowns, trading_report
from calmness.services.trading.converted_report import Converter
from calmness.services.trading.trading_breakdowns import Cell
from calmness.services.trading.trading_report import Scope
from tests import factories
from tests.trading.terminal import NOW, at, cash, linked, trade, work
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]
UNIT = 10**8
PAGES = ("", "/repartition", "/calendrier", "/comparaison")


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def rates(**dollars: str) -> None:
    """Dollars for a euro by day of November, such as ``d3="1.25"``."""
    exchange_rates.store(Rate(date(2026, 11, int(day[1:])), "USD", Decimal(value)) for day, value in dollars.items())
    db.session.commit()


def two(site: Flask, user: User | None = None) -> tuple[TradingAccount, TradingAccount]:
    """An account in euros and one in dollars.

    2 November (1.25): 1000 EUR and 1250 USD are paid in, together 2000 EUR. 3 November (1.25): +100 EUR, that is 5 %.
    4 November (1.00): the 1250 USD are worth 1250 EUR now, which is no gain; +117.50 USD on 2350 EUR are 5 % again.
    5 November (1.00): -246.75 EUR of 2467.50 are 10 % down.
    """
    rates(d2="1.25", d3="1.25", d4="1.00", d5="1.00")
    euros, ea = linked(site, user, balance="853.25")
    dollars, other = linked(site, euros.user, "USD", name="Compte en dollars", login="2", balance="1367.50")
    ea.sync(cash(1, "1000.00", open_time=at(2)), closed(2, "100.00", 3), closed(3, "-246.75", 5))
    other.sync(cash(1, "1250.00", open_time=at(2)), closed(2, "117.50", 4))
    work()
    return euros, dollars


def together(
    *accounts: TradingAccount, currency: str = "EUR", start: date | None = None, end: date | None = None
) -> Converter:
    scope = Scope(tuple(account.id for account in accounts), "Europe/Paris", start, end)
    return converted_report.converter(scope, currency, {account.id: account.currency for account in accounts})


def test_the_report_equals_the_figures_done_by_hand(site: Flask) -> None:
    to = together(*two(site))

    found = converted_report.report(to)

    assert found.figures.net == Decimal("-29.25")
    assert (found.figures.trades, found.figures.wins, found.figures.losses) == (3, 2, 1)
    assert (found.figures.best, found.figures.worst) == (Decimal("117.50"), Decimal("-246.75"))
    assert found.walk.time_weighted == pytest.approx(1.05 * 1.05 * 0.9 - 1)
    assert found.walk.fall_ratio == pytest.approx(0.1)
    assert found.max_drawdown == Decimal("246.75")
    assert found.spread.median_net == 100
    assert (to.missing, to.oldest, to.newest) == (set(), date(2026, 11, 2), date(2026, 11, 5))


def test_days_value_the_money_that_lies_there_again(site: Flask) -> None:
    days = converted_report.merged_days(together(*two(site)))

    assert [(day.on.day, day.balance_start, day.flows, day.net) for day in days] == [
        (2, 0, 2000 * UNIT, 0),
        (3, 2000 * UNIT, 0, 100 * UNIT),
        (4, 2350 * UNIT, 0, int(117.5 * UNIT)),
        (5, int(2467.5 * UNIT), 0, -int(246.75 * UNIT)),
    ]


def test_a_move_of_the_currency_alone_is_neither_gain_nor_fall(site: Flask) -> None:
    rates(d2="1.00", d3="2.00", d4="1.00")
    dollars, ea = linked(site, currency="USD")
    ea.sync(cash(1, "1000.00", open_time=at(2)), closed(2, "10.00", 3), closed(3, "10.10", 4))
    work()

    found = converted_report.report(together(dollars))

    assert found.walk.time_weighted == pytest.approx(1.01 * 1.01 - 1)
    assert found.walk.fall_ratio == 0
    assert found.figures.net == Decimal("15.10")


@pytest.mark.parametrize("start", [None, date(2026, 11, 4)])
def test_one_currency_alone_gives_the_same_as_without_a_conversion(site: Flask, start: date | None) -> None:
    euros, _dollars = two(site)
    to = together(euros, start=start)

    found, plain = converted_report.report(to), trading_report.report(to.scope)

    assert found == plain
    assert converted_report.results_by_day(to) == trading_report.results_by_day(to.scope)


def test_a_period_in_the_middle_begins_with_what_was_there(site: Flask) -> None:
    found = converted_report.report(together(*two(site), start=date(2026, 11, 4)))

    assert found.walk.time_weighted == pytest.approx(1.05 * 0.9 - 1)
    assert found.opening == 2350 * UNIT


def test_the_base_of_an_account_without_deposit_is_converted_too(site: Flask) -> None:
    rates(d3="1.25")
    euros, ea = linked(site, balance="1100.00")
    dollars, other = linked(site, euros.user, "USD", name="Compte en dollars", login="2", balance="1375.00")
    ea.sync(closed(2, "100.00", 3))
    other.sync(closed(2, "125.00", 3, 13))
    work()

    found = converted_report.report(together(euros, dollars))

    # 1000 EUR make 10 %; 1000 EUR more enter; 100 of 2100.
    assert found.walk.time_weighted == pytest.approx(1.1 * (1 + 100 / 2100) - 1)
    assert found.days[0].flows == 2000 * UNIT


def test_what_finds_no_rate_is_left_out_of_its_day_and_named(site: Flask) -> None:
    euros, ea = linked(site)
    francs, other = linked(site, euros.user, "CHF", name="Compte en francs", login="2")
    ea.sync(cash(1, "1000.00", open_time=at(2)), closed(2, "100.00", 3))
    other.sync(cash(1, "5000.00", open_time=at(2)), closed(2, "-4000.00", 3))
    work()
    to = together(euros, francs)

    found = converted_report.report(to)

    assert to.missing == {"CHF"}
    assert (found.figures.net, found.figures.trades) == (Decimal(100), 1)
    assert found.walk.time_weighted == pytest.approx(0.1)


def test_cents_are_hundredths_and_their_pips_and_multiples_stay(site: Flask) -> None:
    rates(d2="1.25", d3="1.25")
    cents, ea = linked(site, currency="USC")
    ea.sync(cash(1, "125000.00", open_time=at(2)), closed(2, "12500.00", 3, sl="1.08320"))
    work()

    found = converted_report.report(together(cents))

    assert found.figures.net == 100
    assert found.walk.time_weighted == pytest.approx(0.1)
    assert found.spread.mean_r == 1


def test_the_curve_of_the_readings_takes_the_rate_of_each_day(site: Flask) -> None:
    euros, dollars = two(site)
    readings: list[dict[str, Any]] = [
        {"account_id": account.id, "taken_at": datetime(2026, 11, day, 12, tzinfo=UTC), "balance": equity}
        for account, day, equity in ((euros, 3, "1100"), (dollars, 3, "1250"), (dollars, 4, "1300"))
    ]
    db.session.execute(
        insert(AccountSnapshot),
        [row | {"balance": Decimal(row["balance"]), "equity": Decimal(row["balance"])} for row in readings],
    )

    points = converted_report.equity_by_day(together(euros, dollars, end=date(2026, 11, 10)))

    assert points == [(date(2026, 11, 3), Decimal(2100)), (date(2026, 11, 4), Decimal(2400))]


def test_open_positions_of_two_currencies_are_one_exposure(site: Flask) -> None:
    rates(d24="1.25")
    euros, ea = linked(site)
    dollars, other = linked(site, euros.user, "USD", name="Compte en dollars", login="2")
    ea.sync(trade(5, "10.00", close_time=0))
    other.sync(trade(5, "25.00", close_time=0, symbol="EURUSDm"))

    rows = converted_report.exposure(together(euros, dollars))

    assert [(row.symbol, row.trades, row.floating) for row in rows] == [("EURUSD", 2, Decimal(30))]


def told(groups: Any) -> dict[Any, tuple[int, int, Decimal]]:
    return {name: (group.trades, group.wins, group.net) for name, group in dict(groups).items()}


def test_every_breakdown_takes_the_rate_of_the_day_of_closing(site: Flask) -> None:
    euros, dollars = two(site)
    ids = dict(db.session.execute(select(Trade.account_id, Trade.id).where(Trade.ticket == "2")).all())
    journals.write(euros.user_id, ids[euros.id], journals.Draft(tags="plan"))
    journals.write(euros.user_id, ids[dollars.id], journals.Draft(tags="plan, cassure"))
    # The dollars are sold for half on the day after: only closings of that day may feel it.
    rates(d6="2.00")
    to = together(euros, dollars)

    cells = converted_report.cells(to)

    assert told(trading_breakdowns.by_symbol(cells)) == {"EURUSD": (3, 2, Decimal("-29.25"))}
    assert told(trading_breakdowns.by(cells, lambda cell: cell.weekday)) == {
        1: (1, 1, Decimal(100)),
        2: (1, 1, Decimal("117.50")),
        3: (1, 0, Decimal("-246.75")),
    }
    assert told(trading_breakdowns.by(cells, lambda cell: (cell.hour, cell.session, cell.kind))) == {
        (12, "london", "buy"): (3, 2, Decimal("-29.25"))
    }
    assert told(converted_report.by_tag(to)) == {
        "plan": (2, 2, Decimal("217.50")),
        "cassure": (1, 1, Decimal("117.50")),
    }
    spread = converted_report.spread(to)
    assert (spread.winning_streak, spread.losing_streak, spread.median_net) == (2, 1, Decimal(100))
    assert sum(bar.count for bar in spread.results) == sum(spread.holdings) == 3
    assert to.missing == set()


def test_breakdowns_of_one_currency_are_those_without_a_conversion(site: Flask) -> None:
    euros, _dollars = two(site)
    to = together(euros)

    plain = trading_breakdowns.cells(to.scope.account_ids, to.scope.positions, to.scope.zone)

    def key(cell: Cell) -> Any:
        return cell[:5]

    assert told(trading_breakdowns.by(converted_report.cells(to), key)) == told(trading_breakdowns.by(plain, key))


def test_a_breakdown_leaves_out_what_finds_no_rate_and_names_it(site: Flask) -> None:
    euros, ea = linked(site)
    francs, other = linked(site, euros.user, "CHF", name="Compte en francs", login="2")
    ea.sync(closed(2, "100.00", 3))
    other.sync(closed(2, "-4000.00", 3))
    work()
    journals.write(
        euros.user_id, db.session.scalars(select(Trade.id).where(Trade.net < 0)).one(), journals.Draft(tags="plan")
    )
    to = together(euros, francs)

    assert told(trading_breakdowns.by_symbol(converted_report.cells(to))) == {"EURUSD": (1, 1, Decimal(100))}
    assert converted_report.by_tag(to) == []
    assert to.missing == {"CHF"}


def test_the_pages_show_all_currencies_together(site: Flask, client_for: ClientFor) -> None:
    euros, _dollars = two(site)
    client = client_for(euros.user)

    pages = {path: client.get(f"/espace/statistiques{path}?devise=toutes&periode=tout").text for path in PAGES}

    assert "−29,25\u00a0€" in pages[""]
    assert "Chaque montant au taux de référence de son jour" in pages[""]
    assert all("Toutes, en EUR" in text for text in pages.values())
    assert "−29,25\u00a0€" in pages["/repartition"]
    assert "−29,25\u00a0€" in pages["/calendrier"]


def test_a_page_that_adds_nothing_up_keeps_to_one_currency(site: Flask, client_for: ClientFor) -> None:
    euros, _dollars = two(site)

    page = client_for(euros.user).get("/espace/statistiques/formations?devise=toutes&periode=tout")

    assert page.status_code == 200
    assert "Toutes, en EUR" not in page.text


def test_a_missing_rate_is_told_on_the_page(site: Flask, client_for: ClientFor) -> None:
    user = factories.student()
    _euros, ea = linked(site, user)
    _francs, other = linked(site, user, "CHF", name="Compte en francs", login="2")
    ea.sync(cash(1, "1000.00", open_time=at(2)), closed(2, "100.00", 3))
    other.sync(closed(2, "-4000.00", 3))
    work()

    client = client_for(user)
    pages = [client.get(f"/espace/statistiques{path}?devise=toutes&periode=tout") for path in ("", "/repartition")]

    assert all("Laissé de côté, faute de taux de référence\u00a0: CHF." in page.text for page in pages)
