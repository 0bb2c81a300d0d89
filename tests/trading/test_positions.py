"""A position closed in parts counts once, and figures kept up to date equal figures made from scratch."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.instruments import pip_size
from calmness.models.derived import R_MULTIPLE, RISK_LIMIT
from calmness.models.positions import POSITIONS, TradingPosition
from calmness.models.trading import MarketSession, Trade, TradingAccount, TradingStatistics
from calmness.services.account import profiles
from calmness.services.trading import (
    market_sessions,
    sync,
    sync_trades,
    trading_breakdowns,
    trading_statistics,
    zone_offsets,
)
from calmness.services.trading.trade_positions import quotient
from tests import factories
from tests.trading.terminal import NOW, SELL, at, linked, trade, work


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def part(ticket: int | str, profit: str, day: int, comment: str = "", **more: Any) -> dict[str, Any]:
    """A part of a position opened on the 2nd of November; day 0: still open."""
    return trade(
        ticket, profit, open_time=at(2), close_time=at(day, 15) if day else 0, comment=comment, lots="0.100", **more
    )


CHAIN = (part(1, "30.00", 3, "to #2"), part(2, "-10.00", 4, "to #3"), part(3, "-5.00", 5, "from #2"))


def positions(account: TradingAccount) -> list[TradingPosition]:
    return list(
        db.session.scalars(
            select(TradingPosition)
            .where(TradingPosition.account_id == account.id)
            .order_by(TradingPosition.closed_at, TradingPosition.ticket)
        )
    )


def nets(account: TradingAccount) -> list[Decimal]:
    return [row.net for row in positions(account)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_chain_three_deep_is_one_winning_trade_in_whatever_order_it_came(site: Flask, order: tuple[int, ...]) -> None:
    account, ea = linked(site)
    for place in order:
        ea.sync(CHAIN[place])
        work()

    (row,) = positions(account)
    found = trading_statistics.figures([account.id])
    assert (row.parts, row.volume, row.net, row.tickets.split("\n")) == (
        3,
        Decimal("0.3"),
        Decimal(15),
        ["1", "2", "3"],
    )
    assert row.held_seconds == int(timedelta(days=3, hours=3).total_seconds())
    assert (found.trades, found.wins, found.exits, found.net, found.expectancy) == (1, 1, 3, Decimal(15), Decimal(15))
    assert trading_statistics.course([account.id]).winning_streak == 1
    assert trading_statistics.course([account.id]).max_drawdown == Decimal(15)


def test_money_counts_on_the_day_of_each_exit_and_the_trade_when_all_is_over(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(CHAIN[0], part(2, "0.00", 0, "from #1"))
    work()

    found = trading_statistics.figures([account.id])
    assert (found.trades, found.exits, found.net, found.win_rate) == (0, 1, Decimal(30), None)

    ea.sync(part(2, "-10.00", 6, "from #1"))
    work()

    days = trading_statistics.day_rows([account.id])
    assert [(row.day.day, row.net, row.trades) for row in days] == [(3, Decimal(30), 0), (6, Decimal(-10), 1)]
    assert nets(account) == [Decimal(20)]


@pytest.mark.parametrize("comment", ["from #1", "", "[plan]"])
def test_the_rest_that_arrives_after_its_part_takes_the_trade_back(site: Flask, comment: str) -> None:
    account, ea = linked(site)
    ea.sync(CHAIN[0])
    work()
    assert nets(account) == [Decimal(30)]

    ea.sync(part(2, "4.00", 0, comment))
    work()

    assert nets(account) == []
    assert [row.trades for row in trading_statistics.day_rows([account.id])] == [0]


def test_a_chain_holds_over_a_ticket_that_is_missing(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(CHAIN[0], CHAIN[2])
    work()

    assert nets(account) == [Decimal(25)]


@pytest.mark.parametrize(
    "other",
    [
        part(2, "-10.00", 4, "close hedge by #1", type=SELL),
        part(2, "-10.00", 4, "from #1", type=SELL),
        part(2, "-10.00", 4, "from #1", open_price="1.08421"),
        part(2, "-10.00", 4, "from #1", symbol="GBPUSD"),
        part(2, "-10.00", 4),
        part(2, "-10.00", 4, "from #11"),
        part(2, "-10.00", 4, "from #1") | {"open_time": at(2, 12, 1)},
    ],
    ids=["hedge", "other side", "other price", "other symbol", "same second", "other number", "other minute"],
)
def test_what_only_looks_alike_stays_two_trades(site: Flask, other: dict[str, Any]) -> None:
    account, ea = linked(site)
    ea.sync(part(1, "30.00", 3), other)
    work()

    assert nets(account) == [Decimal(30), Decimal(-10)]


def test_exits_of_metatrader_5_are_one_position_and_a_reversal_is_another(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(
        part("601-2", "10.00", 3),
        part("601-3", "20.00", 4, open_price="1.08440"),
        part("601", "-40.00", 6, type=SELL) | {"open_time": at(5)},
        part("602", "7.00", 4),
    )
    work()

    assert nets(account) == [Decimal(30), Decimal(7), Decimal(-40)] or nets(account) == [
        Decimal(7),
        Decimal(30),
        Decimal(-40),
    ]


def test_the_same_tickets_at_another_broker_are_other_trades(site: Flask) -> None:
    student = factories.student()
    first, ea = linked(site, student)
    second, other = linked(site, student)
    other.login = "70000001"
    ea.sync(CHAIN[0], CHAIN[2])
    other.sync(CHAIN[1])
    work()

    assert (nets(first), nets(second)) == ([Decimal(25)], [Decimal(-10)])
    assert trading_statistics.figures([first.id, second.id]).trades == 2


def test_a_part_edited_a_week_later_changes_its_position(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(*CHAIN, part(9, "1.00", 6), snapshot={})
    work()

    ea.sync(part(1, "30.00", 3, "to #2", swap="-20.00"), snapshot={})
    work()

    assert nets(account) == [Decimal(-5), Decimal(1)]
    found = trading_statistics.figures([account.id])
    assert (found.wins, found.losses, found.net) == (1, 1, Decimal(-4))
    assert trading_statistics.balance_curve([account.id])[-1][1] == Decimal(-4)


def test_a_comment_edited_later_chains_what_was_apart(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(part(1, "30.00", 3), part(2, "-40.00", 9))
    work()
    assert trading_statistics.figures([account.id]).wins == 1

    ea.sync(part(2, "-40.00", 9, "from #1"))
    work()

    assert nets(account) == [Decimal(-10)]
    assert [row.trades for row in trading_statistics.day_rows([account.id])] == [0, 1]


def test_a_rest_taken_away_gives_its_part_back_its_own_day(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(CHAIN[0], CHAIN[1])
    work()

    db.session.execute(delete(Trade).where(Trade.account_id == account.id, Trade.ticket == "2"))
    sync.mark_dirty(account, datetime(2026, 11, 4, 14, tzinfo=UTC), None)
    trading_statistics.recompute(account.id)

    assert [(row.day.day, row.trades, row.wins) for row in trading_statistics.day_rows([account.id])] == [(3, 1, 1)]


@pytest.mark.parametrize(
    ("symbol", "opened", "closed", "pips"),
    [
        ("EURUSD", "1.08420", "1.08550", "13"),
        ("EURUSDm", "1.08420", "1.08400", "-2"),
        ("USDJPY", "151.400", "151.655", "25.5"),
        ("XAUUSD", "2318.40", "2320.00", "16"),
        ("GOLD", "2318.40", "2320.00", "16"),
        ("XAGUSD", "28.10", "28.30", "20"),
        ("GER40.cash", "18460.0", "18472.5", "12.5"),
        ("BTCUSD", "61000.00", "61250.00", "250"),
        ("USOIL", "70.10", "70.35", "25"),
    ],
)
def test_a_pip_is_that_of_the_instrument(site: Flask, symbol: str, opened: str, closed: str, pips: str) -> None:
    account, ea = linked(site)
    ea.sync(part(1, "5.00", 3, symbol=symbol, open_price=opened, close_price=closed))
    work()

    (row,) = positions(account)
    assert row.moved is not None
    size = pip_size(symbol)
    assert size is not None
    assert row.moved / size == Decimal(pips)


@pytest.mark.parametrize(
    ("more", "multiple"),
    [
        ({"sl": "1.08370"}, "2"),
        ({"sl": "1.08370", "close_price": "1.08395"}, "-0.5"),
        ({"sl": "1.08370", "type": SELL}, None),
        ({"sl": "1.08470", "type": SELL}, "-2"),
        ({"sl": "1.08420"}, None),
        ({"sl": "0.00000"}, None),
        ({"sl": "1.08419999", "close_price": "99.0"}, None),
    ],
    ids=["two", "half lost", "wrong side", "sold", "at the entry", "no stop", "a hair away"],
)
def test_r_is_counted_from_the_first_stop_or_not_at_all(
    site: Flask, more: dict[str, Any], multiple: str | None
) -> None:
    account, ea = linked(site)
    ea.sync(part(1, "5.00", 3, **more))
    work()

    (row,) = positions(account)
    assert row.r_multiple == (None if multiple is None else Decimal(multiple))
    assert row.stop_seen_late is (more["sl"] != "0.00000")


def test_the_stop_of_a_chain_is_the_one_first_seen_while_it_was_open(
    site: Flask, time_machine: TimeMachineFixture
) -> None:
    account, ea = linked(site)
    time_machine.move_to(datetime(2026, 11, 2, 12, 30, tzinfo=UTC), tick=False)
    ea.gmt = int(datetime(2026, 11, 2, 12, 30, tzinfo=UTC).timestamp())
    ea.sync(part(1, "0.00", 0, sl="1.08370"))
    time_machine.move_to(NOW, tick=False)
    ea.gmt = int(NOW.timestamp())
    ea.sync(part(1, "5.00", 3, "to #2", sl="1.08400"), part(2, "5.00", 4, "from #1", sl="1.08410"))
    work()

    (row,) = positions(account)
    assert (row.r_multiple, row.stop_seen_late) == (Decimal(2), False)


def test_prices_of_parts_are_weighted_by_their_volume(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(
        part(1, "5.00", 3, "to #2", close_price="1.08450") | {"lots": "0.300"},
        part(2, "5.00", 4, "from #1", close_price="1.08530") | {"lots": "0.100"},
    )
    work()

    (row,) = positions(account)
    assert row.moved == Decimal("0.0005")


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        # Winter: London 8 h is 8 UTC, New York 8 h is 13 UTC. Tokyo has no summer time.
        ("2026-01-14T07:59", MarketSession.ASIA),
        ("2026-01-14T08:00", MarketSession.LONDON),
        ("2026-01-14T12:59", MarketSession.LONDON),
        ("2026-01-14T13:00", MarketSession.OVERLAP),
        ("2026-01-14T17:00", MarketSession.NEW_YORK),
        ("2026-01-14T22:00", MarketSession.NONE),
        ("2026-01-14T00:00", MarketSession.ASIA),
        # From the 8th to the 29th of March only America has changed: New York opens at 12 UTC.
        ("2026-03-16T11:59", MarketSession.LONDON),
        ("2026-03-16T12:00", MarketSession.OVERLAP),
        ("2026-03-16T16:30", MarketSession.OVERLAP),
        ("2026-03-16T17:00", MarketSession.NEW_YORK),
        # Summer: London 8 h is 7 UTC.
        ("2026-07-14T07:00", MarketSession.LONDON),
        ("2026-07-14T16:00", MarketSession.NEW_YORK),
        # From the 25th of October to the 1st of November only Europe has changed back.
        ("2026-10-28T12:00", MarketSession.OVERLAP),
        ("2026-10-28T07:30", MarketSession.ASIA),
    ],
)
@pytest.mark.once
def test_markets_are_at_work_by_their_own_clocks(moment: str, session: MarketSession) -> None:
    assert market_sessions.session_of(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is session


def test_another_time_zone_makes_the_days_anew(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(trade(1, open_time=at(19, 20), close_time=at(19, 22, 30)))
    work()
    assert [row.day.day for row in trading_statistics.day_rows([account.id])] == [19]

    profiles.change(account.user, {"time_zone": "Asia/Tokyo"})
    work()

    assert [row.day.day for row in trading_statistics.day_rows([account.id])] == [20]
    (cell,) = trading_breakdowns.cells([account.id], lambda of: [of.account_id == account.id], "Asia/Tokyo")
    assert (cell.weekday, cell.hour) == (4, 5)


@given(
    opened=st.integers(1, 10**17),
    closed=st.integers(1, 10**17),
    stop=st.integers(1, 10**17),
    kind=st.sampled_from("bs"),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_divides_as_python_does(site: Flask, opened: int, closed: int, stop: int, kind: str) -> None:
    sign = 1 if kind == "b" else -1
    risk, moved = (opened - stop) * sign, (closed - opened) * sign
    wanted = quotient(moved, risk) if 0 < risk < RISK_LIMIT else None
    row = {"kind": "buy" if sign > 0 else "sell", "status": "closed", "open_price": opened}
    given_row = row | {"close_price": closed, "initial_stop": stop}
    columns = ", ".join(
        f"CAST(:{name} AS {'TEXT' if type(value) is str else 'BIGINT'}) AS {name}" for name, value in given_row.items()
    )

    query = f"SELECT {R_MULTIPLE.text} FROM (SELECT {columns}) AS given"  # noqa: S608 - names and types of this test
    found = db.session.scalar(text(query), given_row)

    assert found == wanted


def test_a_trade_that_comes_years_late_leaves_the_days_after_it_alone(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(trade(1, "10.00", open_time=at(9, 10), close_time=at(9, 11)), snapshot={})
    work()
    # A mark that only counting the day again would take away.
    (day,) = trading_statistics.day_rows([account.id])
    day.wins = 7
    db.session.commit()

    ea.sync(trade(2, "-4.00", open_time=at(3, 10, month=2), close_time=at(3, 11, month=2)), snapshot={})
    work()

    rows = trading_statistics.day_rows([account.id])
    assert [(row.day.month, row.net, row.wins, row.balance_end) for row in rows] == [
        (2, Decimal(-4), 0, Decimal(-4)),
        (11, Decimal(10), 7, Decimal(6)),
    ]


@given(
    moment=st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Tokyo"]),
)
@pytest.mark.once
def test_between_two_changes_of_clock_an_offset_is_a_number(moment: datetime, zone: str) -> None:
    instant = moment.replace(tzinfo=UTC)
    first, last = instant - timedelta(days=400), instant + timedelta(days=400)

    found = [
        offsets for start, offsets in zone_offsets.stretches((zone, "Europe/London"), first, last) if start <= instant
    ]

    there = instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert there == timedelta(seconds=found[-1][0])


def test_hours_are_right_in_a_zone_half_an_hour_off(site: Flask) -> None:
    account, ea = linked(site)
    ea.sync(
        trade(1, open_time=at(19, 18, 29), close_time=at(19, 22)),
        trade(2, open_time=at(19, 18, 30), close_time=at(19, 22)),
    )
    work()

    cells = trading_breakdowns.cells([account.id], lambda of: [of.account_id == account.id], "Asia/Kolkata")

    assert sorted((cell.weekday, cell.hour) for cell in cells) == [(3, 23), (4, 0)]


tickets = st.sampled_from(["1", "2", "3", "4", "7", "7-1", "7-2"])
comments = st.sampled_from(["", "to #2", "from #1", "to #3", "from #2", "to #4", "from #3", "close hedge by #1"])
events = st.lists(
    st.lists(
        st.tuples(
            tickets,
            comments,
            st.sampled_from(["buy", "buy", "buy", "sell"]),
            st.sampled_from([0, 0, 0, 60]),
            st.one_of(st.none(), st.integers(1, 14)),
            st.integers(-3, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=9,
)


@given(batches=events)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_figures_kept_up_to_date_equal_figures_made_from_scratch(site: Flask, batches: list[list[Any]]) -> None:
    account, _ea = linked(site)
    for batch in batches:
        rows = {ticket: _row(account.id, ticket, *values) for ticket, *values, gone in batch if not gone}
        gone = [ticket for ticket, *_values, gone in batch if gone]
        written = sync_trades.write(account.id, rows, NOW)
        if written.since is not None:
            sync.mark_dirty(account, written.since, written.until)
        # What an undone import takes away, with the mark that it leaves.
        mine = (Trade.account_id == account.id, Trade.ticket.in_(gone), Trade.closed_at.is_not(None))
        moments = [moment for moment in db.session.scalars(select(Trade.closed_at).where(*mine)) if moment]
        db.session.execute(delete(Trade).where(*mine))
        if moments:
            sync.mark_dirty(account, min(moments), None)
        trading_statistics.recompute(account.id)

    kept = _all(account.id)
    trading_statistics.rebuild(account.id)
    assert kept == _all(account.id)
    db.session.execute(delete(TradingAccount).where(TradingAccount.id == account.id))


def _row(
    account_id: int, ticket: str, comment: str, kind: str, later: int, day: int | None, net: int
) -> sync_trades.TradeRow:
    message = part(ticket, str(net), 3, comment)
    (parsed,) = sync_trades.read(account_id, [message], 0, NOW).rows.values()
    opened = int((NOW - timedelta(days=20)).timestamp()) + later
    return parsed._replace(
        kind=kind,
        opened_at=opened,
        closed_at=None if day is None else opened + day * 86_400,
        status="open" if day is None else "closed",
    )


def _all(account_id: int) -> list[Any]:
    db.session.expire_all()
    tables: tuple[Any, ...] = (POSITIONS, TradingStatistics.__table__)
    return [
        sorted(tuple(row) for row in db.session.execute(select(table).where(table.c.account_id == account_id)))
        for table in tables
    ]
