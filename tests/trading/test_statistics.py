"""Figures equal to sums done by hand, and to a slow and simple oracle for any trades."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.trading import Trade, TradingAccount, TradingStatistics
from calmness.services import sync, sync_trades, trading_breakdowns, trading_overview, trading_statistics
from tests import factories
from tests.trading.terminal import NOW, SELL, Terminal, at, cash, linked, trade, work

ClientFor = Callable[[User], FlaskClient]
NO_BREAK, NARROW, MINUS = "\u00a0", "\u202f", "\u2212"


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def closed(ticket: int, profit: str, day: int, hour: int = 12, minutes: int = 60, **more: Any) -> dict[str, Any]:
    """A trade closed on a day of November, held so many minutes."""
    end = at(day, hour)
    return trade(ticket, profit, open_time=end - minutes * 60, close_time=end, **more)


def by_hand(ea: Terminal) -> None:
    """Seven trades, a deposit and a withdrawal.

    Nets in order: +100, -40, 0, +60, -30, -50, +20. Wins 180, losses -120, net 60, seven trades.
    Cumulated: 100, 60, 60, 120, 90, 40, 60: the deepest fall is 120 - 40 = 80.
    """
    ea.sync(
        cash(90, "1000.00", open_time=at(2, 9)),
        closed(1, "102.00", 3, commission="-2.00"),
        closed(2, "-38.50", 3, 13, swap="-1.50", type=SELL, symbol="XAUUSD"),
        closed(3, "2.00", 4, commission="-2.00", symbol="XAUUSD"),
        closed(4, "60.00", 5, minutes=30),
        cash(91, "-500.00", open_time=at(5, 18)),
        closed(5, "-30.00", 6, 10),
        closed(6, "-50.00", 6, 11),
        closed(7, "20.00", 9, minutes=150),
        trade(8, "-999.00", close_time=0),
    )
    work()


def test_figures_equal_the_sums_done_by_hand(site: Flask) -> None:
    account, ea = linked(site)
    by_hand(ea)

    found = trading_statistics.figures([account.id])
    course = trading_statistics.course([account.id])

    assert (found.trades, found.wins, found.losses, found.breakeven) == (7, 3, 3, 1)
    assert (found.net, found.gross_profit, found.gross_loss) == (Decimal(60), Decimal(180), Decimal(-120))
    assert found.win_rate == Decimal(3) / 7
    assert found.profit_factor == Decimal("1.5")
    assert found.expectancy == Decimal(60) / 7
    assert found.payoff == Decimal("1.5")
    assert (found.best, found.worst) == (Decimal(100), Decimal(-50))
    assert found.mean_holding == (5 * 60 + 30 + 150) * 60 // 7
    assert found.exits == 7
    assert found.win_rate_without_zeros == Decimal("0.5")
    assert (found.mean_win, found.mean_loss) == (Decimal(60), Decimal(-40))
    assert asdict(course) == {"max_drawdown": Decimal(80), "winning_streak": 1, "losing_streak": 2}


def test_a_period_counts_its_own_days_only(site: Flask) -> None:
    account, ea = linked(site)
    by_hand(ea)

    found = trading_statistics.figures([account.id], date(2026, 11, 4), date(2026, 11, 6))

    assert (found.trades, found.net) == (4, Decimal(-20))
    assert trading_statistics.course([account.id], datetime(2026, 11, 6, tzinfo=UTC)).losing_streak == 2


def test_by_symbol_weekday_and_the_balance_of_each_day(site: Flask) -> None:
    account, ea = linked(site)
    by_hand(ea)

    cells = trading_breakdowns.cells([account.id], lambda of: [of.account_id == account.id], "Europe/Paris")
    assert [(name, row.trades, row.wins, row.net) for name, row in trading_breakdowns.by_symbol(cells)] == [
        ("EURUSD", 5, 3, Decimal(100)),
        ("XAUUSD", 2, 0, Decimal(-40)),
    ]
    # The 3rd of November 2026 is a Tuesday; the deposit of Monday the 2nd is a day without trades.
    weekdays = trading_breakdowns.by(cells, lambda cell: cell.weekday)
    assert {day: (row.trades, row.net) for day, row in weekdays.items()} == {
        0: (1, Decimal(20)),
        1: (2, Decimal(60)),
        2: (1, Decimal(0)),
        3: (1, Decimal(60)),
        4: (2, Decimal(-80)),
    }
    curve = trading_statistics.balance_curve([account.id])
    assert [(day.day, value) for day, value in curve] == [
        (2, Decimal(1000)),
        (3, Decimal(1060)),
        (4, Decimal(1060)),
        (5, Decimal(620)),
        (6, Decimal(540)),
        (9, Decimal(560)),
    ]


def test_the_calendar_shows_each_day_and_leaves_deposits_out(site: Flask) -> None:
    account, ea = linked(site)
    by_hand(ea)
    view = trading_overview.overview(account.user)
    assert view is not None

    cells = trading_overview.month_cells(view, str, str)

    shown = {number: (value, tone) for number, value, tone, _title in cells if number}
    assert len([cell for cell in cells if cell[0]]) == 30
    assert Decimal(shown["3"][0]) == 60
    assert shown["3"][1] == shown["5"][1] == shown["9"][1] == "gain"
    assert shown["6"][1] == "loss"
    assert shown["2"] == ("", "none")


def test_a_day_is_a_day_of_the_owners_zone(site: Flask) -> None:
    paris, ea_paris = linked(site)
    tokyo, ea_tokyo = linked(site, factories.student(time_zone="Asia/Tokyo"))
    for ea in (ea_paris, ea_tokyo):
        # 23 h 30 in Paris on the 19th, 7 h 30 in Tokyo on the 20th.
        ea.sync(trade(1, open_time=at(19, 20), close_time=at(19, 22, 30)))
    work()

    days = {row.account_id: row.day for row in db.session.scalars(select(TradingStatistics))}
    assert days == {paris.id: date(2026, 11, 19), tokyo.id: date(2026, 11, 20)}


def test_a_trade_that_arrives_late_moves_all_days_after_it(site: Flask) -> None:
    account, ea = linked(site)
    by_hand(ea)

    ea.sync(closed(9, "-200.00", 4, 9))
    work()

    assert trading_statistics.balance_curve([account.id])[-1][1] == Decimal(360)
    # Cumulated now: 100, 60, -140, -140, -80, -110, -160, -140.
    assert trading_statistics.course([account.id]).max_drawdown == Decimal(260)


def test_a_trade_that_moves_to_an_earlier_day_leaves_nothing_behind(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(closed(1, "5.00", 10))
    work()
    ea.sync(closed(1, "5.00", 9))
    work()

    assert [row.day for row in trading_statistics.day_rows([account.id])] == [date(2026, 11, 9)]


@pytest.mark.parametrize(
    ("profits", "expected"),
    [
        ([], ("–", "–", "–", "–")),
        (["5", "7"], ("100,0", "∞", "+6,00", "–")),
        (["-5", "-7"], ("0,0", "0,00", f"{MINUS}6,00", "–")),
        (["0", "0"], ("0,0", "–", "0,00", "–")),
        (["9", "-3"], ("50,0", "3,00", "+3,00", "3,00")),
    ],
    ids=["none", "winners only", "losers only", "zeros only", "both"],
)
def test_the_page_says_true_things_at_the_edges(
    site: Flask, client_for: ClientFor, profits: list[str], expected: tuple[str, ...]
) -> None:
    account, ea = linked(site)
    ea.sync(*(closed(ticket, profit, 10, 8 + ticket) for ticket, profit in enumerate(profits)))
    work()

    page = client_for(account.user).get("/espace/statistiques")

    assert page.status_code == 200
    for text, label in zip(expected, ("Taux de réussite", "Facteur de profit", "Espérance", "Payoff"), strict=True):
        assert text in page.text.split(label, 1)[1][:400], label


def test_without_an_account_the_page_says_what_to_do(client_for: ClientFor) -> None:
    student = client_for(factories.student())

    for path in ("statistiques", "historique", "portefeuille", "metatrader"):
        page = student.get(f"/espace/{path}")
        assert page.status_code == 200
        assert 'href="/espace/metatrader' in page.text


def test_an_account_in_yen_and_one_in_cents_are_never_added_to_euros(site: Flask, client_for: ClientFor) -> None:
    student = factories.student()
    for currency, profit, balance in (
        ("EUR", "10.55", "1000.00"),
        ("JPY", "25000", "900000"),
        ("USC", "1234", "50000"),
    ):
        _account, ea = linked(site, student, currency, balance=balance)
        ea.login = currency
        ea.sync(closed(1, profit, 10))
    work()
    browser = client_for(student)

    euros = browser.get("/espace/statistiques?devise=EUR").text
    yen = browser.get("/espace/statistiques?devise=JPY").text
    cents = browser.get("/espace/statistiques?devise=USC").text
    portfolio = browser.get("/espace/portefeuille").text
    history = browser.get("/espace/historique").text

    assert f"+10,55{NO_BREAK}€" in euros
    assert f"+25{NARROW}000{NO_BREAK}¥" in yen
    assert f"+1{NARROW}234,00{NO_BREAK}USC" in cents
    for page in (portfolio, history):
        for text in (f"+10,55{NO_BREAK}€", f"+25{NARROW}000{NO_BREAK}¥", f"+1{NARROW}234,00{NO_BREAK}USC"):
            assert text in page
    assert "Devise" in euros
    assert browser.get("/espace/statistiques?devise=XXX&periode=nothing").status_code == 200


def test_an_archived_account_leaves_the_figures(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(closed(1, "7.77", 10))
    work()
    browser = client_for(account.user)
    assert "7,77" in browser.get("/espace/statistiques").text

    browser.post(f"/espace/metatrader/{account.id}/archive")

    assert "7,77" not in browser.get("/espace/statistiques").text


def test_the_capital_chart_marks_full_months_of_the_readers_zone(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site)
    ea.sync(*(trade(n, open_time=at(2, month=n), close_time=at(3, month=n)) for n in range(1, 12)))
    work()

    page = client_for(account.user).get("/espace/statistiques").text

    marks = page.split('class="chart__marks"', 1)[1].split("</g>", 1)[0]
    assert "mars 2026" in marks
    assert marks.count("<text") in range(3, 8)


moments = st.integers(min_value=0, max_value=60 * 24 * 20).map(
    lambda minutes: NOW - timedelta(days=30, minutes=minutes)
)
nets = st.integers(min_value=-(10**13), max_value=10**13)
kinds = st.sampled_from(["buy", "sell", "balance", "credit"])


@given(rows=st.lists(st.tuples(moments, nets, kinds), max_size=40), split=st.integers(0, 40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_add_up_to_the_trades_however_they_came(
    site: Flask, rows: list[tuple[datetime, int, str]], split: int
) -> None:
    user = factories.student()
    account, _ea = linked(site, user)
    made = {str(number): _row(account.id, number, *row) for number, row in enumerate(rows)}

    for part in (list(made)[:split], list(made)[split:]):
        written = sync_trades.write(account.id, {ticket: made[ticket] for ticket in part}, NOW)
        if written.since is not None:
            sync.mark_dirty(account, written.since, written.until)
        trading_statistics.recompute(account.id)

    found = trading_statistics.figures([account.id])
    results = [(moment, net) for moment, net, kind in rows if kind in {"buy", "sell"}]
    assert found.trades == len(results)
    assert found.wins + found.losses + found.breakeven == found.trades
    assert found.net * 10**8 == sum(net for _moment, net in results)
    assert found.gross_profit + found.gross_loss == found.net
    days = trading_statistics.day_rows([account.id])
    flows = sum((day.deposits + day.withdrawals for day in days), Decimal(0))
    # Credit is the broker's money: it is in no balance.
    assert (flows + found.net) * 10**8 == sum(net for _moment, net, kind in rows if kind != "credit")
    if days:
        assert days[-1].balance_end == flows + found.net
    db.session.execute(delete(Trade).where(Trade.account_id == account.id))
    db.session.execute(delete(TradingAccount).where(TradingAccount.id == account.id))


def _row(account_id: int, number: int, moment: datetime, net: int, kind: str) -> sync_trades.TradeRow:
    instant, is_cash = int(moment.timestamp()), kind in {"balance", "credit"}
    (parsed,) = sync_trades.read(account_id, [cash(number, "1") if is_cash else trade(number)], 0, NOW).rows.values()
    return parsed._replace(kind=kind, net=net, profit=net, opened_at=instant, closed_at=instant)


@pytest.mark.once
@given(st.lists(st.integers(min_value=-5, max_value=5), max_size=30))
def test_the_course_equals_a_slow_oracle(results: list[int]) -> None:
    fall, streaks = trading_statistics.fall_of(results), trading_breakdowns.streaks_of(results)

    curve = [sum(results[:end]) for end in range(len(results) + 1)]
    falls = [high - low for place, high in enumerate(curve) for low in curve[place:]]
    signs = "".join("+" if net > 0 else "-" if net < 0 else "0" for net in results)
    assert fall * 10**8 == max(falls)
    assert streaks == (
        max(map(len, signs.replace("0", "-").split("-"))),
        max(map(len, signs.replace("0", "+").split("+"))),
    )
