"""The EA of MetaTrader 5, compiled from the source that customers get, against the real server."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from calmness.extensions import db
from calmness.models.trading import AccountSymbol, Platform, Trade, TradeStatus, TradingAccount
from calmness.services.trading import trading_accounts
from tests import factories
from tests.fixtures.once import once, shared_folder
from tests.trading.shim import compiler
from tests.trading.shim.simulation import NO_CONNECTION, Answer
from tests.trading.shim.simulation5 import (
    BALANCE,
    BUY,
    IN,
    OUT,
    REVERSAL,
    SELL,
    Deal,
    PendingOrder,
    Position,
    Terminal5,
)
from tests.trading.terminal import NOW, OFFSET, at, ea

Open = Callable[..., Terminal5]


@pytest.fixture(scope="session")
def program5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled EA, one for the run."""
    make = partial(compiler.build, source=compiler.MQ5)
    return once(shared_folder(tmp_path_factory), "ea5", make) / "terminal"


@pytest.fixture
def metatrader5(site: Flask, program5: Path, tmp_path: Path) -> Iterator[Open]:
    """Opens terminals with the EA and a key of a student's account."""
    opened: list[Terminal5] = []
    _account, key = trading_accounts.add(factories.student(), "Compte MT5", Platform.MT5, "EUR")
    db.session.commit()
    folder = tmp_path / "MQL5" / "Files"
    folder.mkdir(parents=True)
    client = ea(site)

    def begin(start: datetime = NOW, **more: object) -> Terminal5:
        opened.append(Terminal5(program5, folder, client, key, start, **more))  # type: ignore[arg-type]
        assert opened[-1].begin() == 0
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.end()


def past(positions: int, first: int = 1) -> dict[int, Deal]:
    """Positions of the last weeks, each with an entry and two exits, and a deposit before them."""
    made = {1: Deal(1, 0, BALANCE, IN, at(1), volume=0, price=0, profit=5000, symbol="", comment="Deposit")}
    comments = ["", 'say "no" \\ back', "сделка №7", "[tp]", "é € 🙂"]
    for number in range(first, first + positions):
        start = at(2) + number * 97
        position, ticket = 10_000_000 + number, number * 10
        for place, (kind, entry, volume, profit) in enumerate(
            [(BUY, IN, 0.2, 0), (SELL, OUT, 0.1, number % 7 - 3), (SELL, OUT, 0.1, number % 5 - 2)]
        ):
            made[ticket + place] = Deal(
                ticket + place,
                position,
                kind,
                entry,
                start + place * 30,
                volume=volume,
                profit=float(profit),
                commission=-0.07,
                comment=comments[number % len(comments)],
            )
    return made


def rows() -> dict[str, Trade]:
    db.session.commit()
    db.session.expire_all()
    return {row.ticket: row for row in db.session.scalars(select(Trade))}


def assert_the_server_has(terminal: Terminal5) -> None:
    """Each exit is one row, and money is what the broker says, to the cent."""
    found = rows()
    exits = [deal for deal in terminal.deals.values() if deal.entry != IN]
    assert len([row for row in found.values() if row.status is TradeStatus.CLOSED]) == len(exits)
    for deal in exits:
        row = found.get(f"{deal.position}-{deal.ticket}") or found[str(deal.position)]
        assert row.profit == Decimal(f"{deal.profit:.2f}")
    ours = sum(row.net for row in found.values() if row.status is not TradeStatus.OPEN)
    costs = [
        (deal.profit, deal.swap, deal.commission, deal.fee)
        for deal in terminal.deals.values()
        if not any(found.id == deal.position for found in terminal.positions.values())
    ]
    assert ours == sum(Decimal(f"{value:.2f}") for line in costs for value in line)


def test_a_whole_history_comes_in_batches_and_then_only_what_changed(metatrader5: Open) -> None:
    terminal = metatrader5(deals=past(700))
    terminal.run(120)

    assert_the_server_has(terminal)
    account = db.session.scalars(select(TradingAccount)).one()
    assert (account.history_total, account.history_complete) == (2101, True)
    assert all(len(body) < 512 * 1024 for _gmt, _status, body in terminal.requests)
    sent = len(terminal.requests)
    terminal.deal(
        Deal(50_000, 77, BUY, IN, terminal.server_time - 20),
        Deal(50_001, 77, SELL, OUT, terminal.server_time, profit=9),
    )
    terminal.run(70)
    assert_the_server_has(terminal)
    assert len(terminal.requests) <= sent + 3
    assert terminal.requests[-1][2].count(b'"deal"') <= 2


def test_a_position_opens_is_closed_in_part_and_closed(metatrader5: Open) -> None:
    terminal = metatrader5()
    terminal.deal(Deal(10, 601, BUY, IN, at(24, 14), volume=0.3, commission=-0.9))
    terminal.positions = {601: Position(601)}
    terminal.run(70)
    assert (rows()["601"].status, rows()["601"].profit) == (TradeStatus.OPEN, Decimal("3.5"))

    terminal.deal(Deal(11, 601, SELL, OUT, terminal.server_time, volume=0.1, profit=5))
    terminal.run(70)
    assert (rows()["601-11"].status, rows()["601"].volume) == (TradeStatus.CLOSED, Decimal("0.2"))

    terminal.deal(Deal(12, 601, SELL, OUT, terminal.server_time, volume=0.2, profit=7, swap=-0.5))
    terminal.positions = {}
    terminal.run(70)
    assert_the_server_has(terminal)
    assert set(rows()) == {"601", "601-11"}


def test_cash_is_what_the_type_of_its_deal_says(metatrader5: Open) -> None:
    amounts = {2: 5000.0, 4: -1.5, 6: 50.0, 9: -3.25, 10: 4.0, 12: 0.75, 15: 12.0, 17: -2.0}
    terminal = metatrader5(
        deals={
            kind: Deal(kind, 0, kind, IN, at(2) + kind, volume=0, price=0, profit=amount, symbol="")
            for kind, amount in amounts.items()
        }
    )
    terminal.run(70)

    assert {row.kind.value: row.net for row in rows().values()} == {
        "balance": Decimal(5000),
        "charge": Decimal("-1.5"),
        "bonus": Decimal(50),
        "commission": Decimal("-3.25"),
        "agent_commission": Decimal(4),
        "interest": Decimal("0.75"),
        "dividend": Decimal(12),
        "tax": Decimal(-2),
    }


def test_a_deal_that_the_broker_takes_back_comes_with_all_of_its_position(metatrader5: Open) -> None:
    terminal = metatrader5()
    terminal.deal(
        Deal(10, 601, BUY, IN, at(24, 14), volume=0.3),
        Deal(11, 601, SELL, OUT, at(24, 14, 5), volume=0.1, profit=5),
        Deal(12, 601, SELL, OUT, at(24, 14, 6), volume=0.2, profit=7),
    )
    terminal.run(70)

    terminal.deal(terminal.deals[11].changed(type=14, profit=0))
    terminal.positions = {601: Position(601)}
    terminal.skip(24 * 3600, 24 * 3600)
    terminal.run(80)

    assert (rows()["601-11"].suspect, rows()["601-12"].profit) == (True, Decimal(7))


def test_a_netting_account_reverses_in_one_deal(metatrader5: Open) -> None:
    terminal = metatrader5()
    terminal.deal(Deal(10, 601, BUY, IN, at(24, 14), volume=0.3))
    terminal.deal(Deal(11, 601, SELL, REVERSAL, at(24, 14, 5), volume=0.5, profit=-3))
    terminal.positions = {601: Position(601)}
    terminal.run(70)

    assert (rows()["601-11"].kind.value, rows()["601-11"].volume) == ("buy", Decimal("0.3"))
    assert (rows()["601"].kind.value, rows()["601"].volume) == ("sell", Decimal("0.2"))


def test_restarts_and_lost_answers_lose_and_double_nothing(metatrader5: Open) -> None:
    terminal = metatrader5(
        deals=past(400), fault=lambda number: NO_CONNECTION if number == 2 else None, lost_answers=frozenset({3})
    )
    terminal.run(6)
    terminal.end(killed=True)

    again = metatrader5(datetime.fromtimestamp(NOW.timestamp() + 60, UTC), deals=past(400))
    again.run(200)

    assert_the_server_has(again)


def test_a_deal_that_the_broker_corrects_later_comes_with_the_daily_look_back(metatrader5: Open) -> None:
    terminal = metatrader5(deals=past(20))
    terminal.run(70)

    terminal.deal(terminal.deals[101].changed(swap=-4.2))
    terminal.skip(24 * 3600, 24 * 3600)
    terminal.run(80)

    assert_the_server_has(terminal)


def test_waiting_and_cancelled_orders_are_no_results(metatrader5: Open) -> None:
    terminal = metatrader5()
    terminal.waiting = {5: PendingOrder(5, at(24, 14)), 6: PendingOrder(6, at(24, 14), at(24, 15), state=2)}
    terminal.run(70)

    assert {ticket: row.status for ticket, row in rows().items()} == {
        "5": TradeStatus.PENDING,
        "6": TradeStatus.CANCELLED,
    }


def test_the_server_may_ask_for_patience(metatrader5: Open) -> None:
    busy = Answer(429, headers="Retry-After: 120\r\n")
    terminal = metatrader5(deals=past(5), fault=lambda number: busy if number == 1 else None)
    terminal.run(60)
    assert len(terminal.requests) == 1

    terminal.run(80)
    assert_the_server_has(terminal)


def test_another_account_in_the_terminal_is_refused_and_said(metatrader5: Open) -> None:
    terminal = metatrader5(deals=past(3))
    terminal.run(20)

    terminal.login = 999
    terminal.run(70)

    assert terminal.requests[-1][1] == 409
    assert "autre compte" in terminal.shown()


def test_a_server_that_lost_what_it_had_confirmed_gets_it_again(metatrader5: Open) -> None:
    terminal = metatrader5(deals=past(400))
    terminal.run(120)
    account = db.session.scalars(select(TradingAccount)).one()
    db.session.execute(delete(Trade).where(Trade.closed_at > NOW - timedelta(days=22)))
    account.cursor_time, account.cursor_ticket = int((NOW - timedelta(days=22)).timestamp()) + OFFSET, ""
    db.session.commit()
    assert 0 < len(rows()) < 801

    terminal.run(70)

    assert_the_server_has(terminal)
    assert "redemande l’historique" in terminal.said()


def test_the_contract_of_each_symbol_is_told_once(metatrader5: Open) -> None:
    deals = past(3)
    gold = [
        Deal(90_001, 50_000_000, BUY, IN, at(3), symbol="XAUUSD"),
        Deal(90_002, 50_000_000, SELL, OUT, at(3, 13), symbol="XAUUSD", profit=5),
        Deal(90_003, 50_000_001, BUY, IN, at(4), symbol="GONE"),
        Deal(90_004, 50_000_001, SELL, OUT, at(4, 13), symbol="GONE", profit=5),
    ]
    terminal = metatrader5(deals=deals | {deal.ticket: deal for deal in gold})

    terminal.run(200)

    told = [json.loads(body).get("symbols", []) for _gmt, _status, body in terminal.requests]
    assert sorted(row["symbol"] for symbols in told for row in symbols) == ["EURUSD", "XAUUSD"]
    rows = db.session.scalars(select(AccountSymbol).order_by(AccountSymbol.symbol)).all()
    assert [(row.symbol, row.digits, row.point, row.contract_size) for row in rows] == [
        ("EURUSD", 5, Decimal("0.00001"), Decimal(100_000)),
        ("XAUUSD", 2, Decimal("0.01"), Decimal(100)),
    ]
