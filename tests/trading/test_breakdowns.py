"""Breakdowns, distributions, calendar and comparison: as services and as pages."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Trade, TradingAccount
from calmness.services import journals, trading_breakdowns
from calmness.services.trading_breakdowns import Result
from tests.trading.terminal import NOW, SELL, at, cash, linked, work
from tests.trading.test_statistics import closed

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def traded(site: Flask) -> TradingAccount:
    account, ea = linked(site)
    ea.sync(
        cash(90, "1000.00", open_time=at(2, 9)),
        # Opened at 10, 8, 14 and 2 UTC; Paris is an hour ahead.
        closed(1, "30.00", 3, 11, symbol="EURUSDm"),
        closed(2, "-10.00", 4, 9, symbol="EURUSD"),
        closed(3, "20.00", 5, 15, symbol="XAUUSD", type=SELL),
        closed(4, "-5.00", 6, 3, symbol="XAUUSD"),
    )
    work()
    return account


def test_groups_by_hour_session_and_direction(site: Flask) -> None:
    account = traded(site)
    cells = trading_breakdowns.cells([account.id], lambda of: [of.account_id == account.id], "Europe/Paris")

    def nets(name: str) -> dict[Any, Decimal]:
        return {key: row.net for key, row in trading_breakdowns.by(cells, lambda cell: getattr(cell, name)).items()}

    assert nets("hour") == {11: Decimal(30), 9: Decimal(-10), 15: Decimal(20), 3: Decimal(-5)}
    assert nets("session") == {"london": Decimal(20), "overlap": Decimal(20), "asia": Decimal(-5)}
    assert nets("kind") == {"buy": Decimal(15), "sell": Decimal(20)}
    (first, second) = trading_breakdowns.by_symbol(cells)
    assert (first[0], first[1].profit_factor, second[1].win_rate) == ("EURUSD", Decimal(3), Decimal("0.5"))


def test_a_tag_of_any_part_counts_its_position_once(site: Flask) -> None:
    account, ea = linked(site)
    chain = {"open_time": at(2)}
    ea.sync(
        closed(1, "30.00", 3, comment="to #2") | chain,
        closed(2, "-50.00", 4, comment="from #1") | chain,
        closed(3, "5.00", 4, 14),
    )
    work()
    ids = {row.ticket: row.id for row in db.session.query(Trade).filter_by(account_id=account.id)}
    for ticket, tags in (("1", "cassure, plan"), ("2", "plan"), ("3", "plan")):
        journals.write(account.user_id, ids[ticket], journals.Draft(tags=tags))

    tagged = trading_breakdowns.by_tag([account.id], lambda of: [of.account_id == account.id])
    found = {name: (row.trades, row.net) for name, row in tagged}

    assert found == {"plan": (2, Decimal(-15)), "cassure": (1, Decimal(-20))}


@pytest.mark.once
@given(st.lists(st.integers(-(10**17), 10**17), min_size=1, max_size=300).map(sorted))
def test_a_histogram_counts_all_and_mixes_no_gain_with_a_loss(values: list[int]) -> None:
    bins = trading_breakdowns.histogram(values)

    assert sum(row.count for row in bins) == len(values)
    assert all(first.end == pytest.approx(second.start) for first, second in pairwise(bins))
    losses = sum(1 for value in values if value < 0)
    if len(bins) > 1:
        assert sum(row.count for row in bins if row.end <= 0) == losses
    assert len(bins) <= 2 * trading_breakdowns.BINS


@pytest.mark.once
def test_a_single_loss_among_hundreds_of_gains_has_its_own_class() -> None:
    bins = trading_breakdowns.histogram([-5 * 10**8, *(number * 10**8 for number in range(1, 300))])

    assert (bins[0].end, bins[0].count) == (0.0, 1)


@pytest.mark.once
def test_medians_streaks_r_and_pips_of_single_results() -> None:
    unit = 10**8
    found = trading_breakdowns.spread_of(
        [
            Result(3 * unit, 60, 2 * unit, 15 * unit // 10_000, "EURUSD"),
            Result(5 * unit, 3_600, None, 4 * unit, "XAUUSD"),
            Result(-unit, 59, -unit, -5 * unit // 100, "USDJPY"),
            Result(0, None, None, None, "EURUSD"),
        ]
    )

    assert (found.winning_streak, found.losing_streak) == (2, 1)
    assert (found.median_net, found.median_holding) == (Decimal("1.5"), 60)
    assert (found.mean_r, found.with_r) == (Decimal("0.5"), 2)
    # Gold's pips are others: only pairs of currencies add up.
    assert (found.forex_pips, found.with_pips) == (Decimal(10), 2)
    assert found.holdings == [1, 1, 0, 0, 1, 0, 0, 0]


def test_the_breakdown_page_has_a_table_beside_each_chart(site: Flask, client_for: ClientFor) -> None:
    account = traded(site)

    page = client_for(account.user).get("/espace/statistiques/repartition?periode=tout").text

    for words in ("Par symbole", "Par heure", "Par séance de marché", "Par sens", "Distribution des résultats"):
        assert words in page
    assert "Londres + NY" in page
    assert page.count('class="chart__bar') >= 15
    assert page.count("<table") >= 6
    assert "Aucune étiquette" in page
    empty = client_for(account.user).get("/espace/statistiques/repartition?du=2020-01-01&au=2020-02-01").text
    assert "Aucun trade clos sur cette période" in empty


def test_the_calendar_browses_months(site: Flask, client_for: ClientFor) -> None:
    account = traded(site)
    browser = client_for(account.user)

    now = browser.get("/espace/statistiques/calendrier").text
    before = browser.get("/espace/statistiques/calendrier?mois=2026-10-01").text
    silly = browser.get("/espace/statistiques/calendrier?mois=9999-99-99")

    assert "Novembre 2026" in now
    assert "mois=2026-10-01" in now
    assert "Mois suivant" not in now
    assert "mardi 3\u00a0novembre" in now
    assert "Aucun trade clos ce mois-ci." in before
    assert "mois=2026-11-01" in before
    assert silly.status_code == 200
    assert "mois=2025-11-01" in before  # twelve months end with October


def test_two_periods_stand_side_by_side(site: Flask, client_for: ClientFor) -> None:
    account = traded(site)

    page = client_for(account.user).get(
        "/espace/statistiques/comparaison?du=2026-11-05&au=2026-11-06&contre_du=2026-11-03&contre_au=2026-11-04"
    )

    assert page.status_code == 200
    row = page.text.split(">Résultat net</td>", 1)[1].split("</tr>", 1)[0]
    assert [part in row for part in ("+15,00", "+20,00", "−5,00")] == [True, True, True]
    assert client_for(account.user).get("/espace/statistiques/comparaison?du=x&contre_au=1").status_code == 200


def test_the_other_period_is_by_default_the_one_before(site: Flask, client_for: ClientFor) -> None:
    account = traded(site)

    page = client_for(account.user).get("/espace/statistiques/comparaison?du=2026-11-05&au=2026-11-06").text

    assert 'name="contre_du" value="2026-11-03"' in page
    assert 'name="contre_au" value="2026-11-04"' in page


def test_figures_are_of_ones_own_accounts_only(site: Flask, client_for: ClientFor) -> None:
    mine, theirs = traded(site), traded(site)
    browser = client_for(mine.user)

    for path in ("", "/repartition", "/calendrier", "/comparaison"):
        page = browser.get(f"/espace/statistiques{path}?compte={theirs.id}&periode=tout")
        assert page.status_code == 200
        assert f'value="{theirs.id}"' not in page.text


def test_one_account_can_be_looked_at_alone(site: Flask, client_for: ClientFor) -> None:
    account = traded(site)
    other, ea = linked(site, account.user, name="Second")
    ea.login = "70000001"
    ea.sync(closed(1, "1000.00", 3))
    work()

    page = client_for(account.user).get(f"/espace/statistiques?compte={account.id}").text

    assert "+35,00" in page
    assert f'value="{account.id}" selected' in page
    assert other.id != account.id
    assert date(2026, 11, 3).isoformat() not in page
