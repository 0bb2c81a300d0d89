"""Deals of MetaTrader 5 become trades: one for each exit, one for what is open, whatever the order they come in."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.metatrader.numbers import epoch
from calmness.models.account import User
from calmness.models.trading import Platform, Trade, TradeKind, TradeStatus
from calmness.services.trading import deals, trading_accounts
from tests import factories
from tests.trading.statements import mt5
from tests.trading.terminal import NOW, Terminal, at, ea, work
from tests.trading.test_imports import bring, last, say_yes

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def deal(ticket: int, kind: int, entry: int, volume: str, price: str, **more: Any) -> dict[str, Any]:
    return {
        "deal": str(ticket),
        "position": "601",
        "type": kind,
        "entry": entry,
        "symbol": "EURUSD",
        "volume": volume,
        "price": price,
        "time": at(20, 10) + ticket,
        "profit": "0",
        "commission": "0",
        "swap": "0",
        "fee": "0",
    } | more


OPENING = deal(1, 0, 0, "0.30", "1.10000", commission="-0.90")
EXITS = [
    deal(2, 1, 1, "0.10", "1.10100", profit="10", commission="-0.10"),
    deal(3, 1, 1, "0.10", "1.10200", profit="20"),
    deal(4, 1, 3, "0.10", "1.10300", profit="30", swap="-1.5", fee="-0.07"),
]


def made(*items: Any, positions: Any = ()) -> list[dict[str, Any]]:
    found, rejected = deals.trades_of(items, positions)
    assert rejected == []
    return found


def test_three_exits_are_three_trades_that_bear_the_costs_of_the_entry() -> None:
    found = made(OPENING, *EXITS)

    assert [(row["ticket"], row["profit"], row["commission"]) for row in found] == [
        ("601-2", "10", "-0.40000000"),
        ("601-3", "20", "-0.30000000"),
        ("601", "30", "-0.30000000"),
    ]
    assert (found[-1]["swap"], Decimal(found[-1]["taxes"])) == ("-1.5", Decimal("-0.07"))
    assert {row["open_time"] for row in found} == {OPENING["time"]}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_the_order_and_doubles_of_a_message_change_nothing(order: tuple[int, ...]) -> None:
    items = [OPENING, *EXITS]

    assert made(*(items[place] for place in order), EXITS[0]) == made(*items)


def test_costs_are_shared_out_to_the_last_unit() -> None:
    thirds = [deal(number, 1, 1, "0.10", "1.1") for number in (2, 3, 4)]

    found = made(OPENING | {"commission": "-0.10"}, *thirds)

    assert sum(Decimal(row["commission"]) for row in found) == Decimal("-0.10")


def test_what_is_left_stays_open_under_the_number_of_the_position() -> None:
    now = {"position": "601", "price": "1.1050", "profit": "12.5", "swap": "-0.3", "sl": "1.0900"}

    *_, rest = made(OPENING, EXITS[0], positions=[now])

    assert (rest["ticket"], rest["lots"], rest["close_time"]) == ("601", "0.2", 0)
    assert (rest["profit"], rest["swap"], rest["sl"], rest["commission"]) == ("12.5", "-0.3", "1.0900", "-0.60000000")


def test_entries_at_several_prices_have_a_weighted_price() -> None:
    (rest,) = made(OPENING, deal(2, 0, 0, "0.10", "1.14000"))

    assert (rest["lots"], Decimal(rest["open_price"])) == ("0.4", Decimal("1.11"))


def test_a_netting_reversal_closes_and_opens_the_other_way_round() -> None:
    reversal = deal(2, 1, 2, "0.50", "1.09000", profit="-30", commission="-1.00")

    closed, rest = made(OPENING, reversal)

    assert (closed["ticket"], closed["type"], closed["lots"], closed["profit"]) == ("601-2", 0, "0.3", "-30")
    assert (rest["ticket"], rest["type"], rest["lots"], Decimal(rest["open_price"])) == (
        "601",
        1,
        "0.2",
        Decimal("1.09"),
    )
    assert Decimal(closed["commission"]) + Decimal(rest["commission"]) == Decimal("-1.90")


CASH_TYPES = {
    2: "balance",
    3: "credit",
    4: "charge",
    5: "correction",
    6: "bonus",
    7: "commission",
    8: "commission",
    9: "commission",
    10: "agent_commission",
    11: "agent_commission",
    12: "interest",
    15: "dividend",
    16: "dividend",
    17: "tax",
    18: "agent_commission",
    19: "correction",
    20: "credit",
    25: "balance",
}
"""``ENUM_DEAL_TYPE`` by its numbers, the server's own above 17, and one that nobody knows yet."""


def test_the_type_of_a_deal_says_what_a_cash_row_is(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())

    answer = terminal.sync(deals=[deal(kind, kind, 0, "0", "0", profit="5", position="0") for kind in CASH_TYPES])

    assert answer["rejected_count"] == 0
    assert {ticket: row.kind.value for ticket, row in rows().items()} == {
        f"D{number}": kind for number, kind in CASH_TYPES.items()
    }
    assert {row.status for row in rows().values()} == {TradeStatus.CASH}


def test_a_dividend_without_a_comment_names_its_instrument() -> None:
    (row,) = made(deal(1, 15, 0, "0", "0", profit="5", symbol="US30", position="0"))

    assert (row["symbol"], row["comment"]) == ("", "US30")


def test_what_the_broker_took_back_counts_no_more(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())
    terminal.sync(deals=[OPENING, *EXITS])

    gone = [item | {"type": item["type"] + 13, "profit": "0", "commission": "0"} for item in (OPENING, *EXITS)]
    answer = terminal.sync(deals=gone)

    assert answer["rejected_count"] == 0
    assert {ticket: (row.kind, row.net, row.suspect) for ticket, row in rows().items()} == dict.fromkeys(
        ["601-2", "601-3", "601"], (TradeKind.BUY, Decimal(0), True)
    )


def test_an_exit_that_was_taken_back_leaves_the_rest_of_its_position(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())
    terminal.sync(deals=[OPENING, *EXITS[:2]])

    terminal.sync(deals=[OPENING, EXITS[0] | {"type": 14, "profit": "0"}, EXITS[1]])

    found = {ticket: (row.volume, row.suspect) for ticket, row in rows().items()}
    assert found == {
        "601-2": (Decimal(0), True),
        "601-3": (Decimal("0.1"), False),
        "601": (Decimal("0.2"), False),
    }


def test_a_cancelled_deal_of_no_position_is_neither_cash_nor_trade() -> None:
    assert made(deal(1, 13, 0, "0.10", "1.1", position="0")) == []


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([EXITS[0]], "opening deal missing"),
        ([OPENING, EXITS[0] | {"profit": "NaN"}], "number out of range"),
        ([OPENING, EXITS[0] | {"volume": "1e300"}], "number out of range"),
        ([OPENING | {"volume": "0"}], "bad volume"),
        ([OPENING | {"type": None}], "unknown type"),
        (["deal"], "string indices must be integers, not 'str'"),
    ],
)
def test_a_position_with_a_bad_deal_waits_and_says_why(items: list[Any], reason: str) -> None:
    found, rejected = deals.trades_of(items, [])

    assert found == []
    assert [line["reason"] for line in rejected] == [reason]


def terminal_of(site: Flask, user: User) -> Terminal:
    _account, key = trading_accounts.add(user, "Compte MT5", Platform.MT5, "EUR")
    db.session.commit()
    return Terminal(ea(site), key)


def rows() -> dict[str, Trade]:
    db.session.commit()
    db.session.expire_all()
    return {row.ticket: row for row in db.session.scalars(select(Trade))}


def test_a_position_lives_through_its_exits_without_a_double(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())

    terminal.sync(deals=[OPENING], snapshot={"balance": "1", "equity": "1", "open_tickets": ["601"]})
    assert rows()["601"].status is TradeStatus.OPEN
    terminal.sync(deals=[OPENING, EXITS[0]])
    assert (rows()["601-2"].status, rows()["601"].volume) == (TradeStatus.CLOSED, Decimal("0.2"))
    answer = terminal.sync(deals=[OPENING, *EXITS])
    again = terminal.sync(deals=[OPENING, *EXITS])

    assert {ticket: row.status for ticket, row in rows().items()} == dict.fromkeys(
        ["601-2", "601-3", "601"], TradeStatus.CLOSED
    )
    assert sum(row.net for row in rows().values()) == Decimal("57.43")
    assert (answer["accepted"], again["unchanged"]) == (3, 3)


def test_a_reversal_turns_the_open_row_round(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())
    terminal.sync(deals=[OPENING])

    terminal.sync(deals=[OPENING, deal(2, 1, 2, "0.50", "1.09000", profit="-30")])

    assert (rows()["601"].kind, rows()["601-2"].kind) == (TradeKind.SELL, TradeKind.BUY)


def test_too_many_deals_are_refused_as_a_whole(site: Flask) -> None:
    terminal = terminal_of(site, factories.student())
    body = terminal.body(deals=[{}] * (deals.MAX_DEALS + 1))

    assert terminal.post(body).status_code == 413
    assert terminal.post(terminal.body(deals={})).status_code == 422


def test_a_report_imported_after_a_sync_adds_nothing(site: Flask, client_for: ClientFor) -> None:
    user = factories.student()
    terminal = terminal_of(site, user)
    terminal.sync(deals=[_as_sent(row) for row in (mt5.DEPOSIT, *mt5.SINGLE_DEALS, *mt5.IN_THREE_DEALS)])
    before = {ticket: (row.net, row.closed_at) for ticket, row in rows().items()}
    assert len(before) == 5
    student = client_for(user)

    bring(student, trading_accounts.of_user(user.id)[0].id, mt5.workbook(mt5.rows()), "rapport.xlsx")
    say_yes(student)
    work()

    assert (last().trades_added, last().trades_known) == (0, 5)
    assert {ticket: (row.net, row.closed_at) for ticket, row in rows().items()} == before


def _as_sent(row: list[Any]) -> dict[str, Any]:
    """A deal of a report as the EA sends it."""
    kinds, entries = {"buy": 0, "sell": 1, "balance": 2}, {"": 0, "in": 0, "out": 1}
    position = 501 if row[7] in (501, 502) else 601 if row[7] else 0
    return deal(row[1], kinds[row[3]], entries[row[4]], str(row[5] or 0), str(row[6] or 0)) | {
        "position": str(position),
        "symbol": row[2],
        "time": epoch(row[0]),
        "commission": str(row[8]),
        "fee": str(row[9]),
        "swap": str(row[10]),
        "profit": str(row[11]),
        "comment": row[13],
    }
