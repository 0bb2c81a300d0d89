"""The EA itself, compiled from the source that customers get, against the real server: no trade is lost or doubled."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select

from calmness.extensions import db
from calmness.models.trading import AccountSymbol, Trade, TradeStatus, TradingAccount
from calmness.services.trading import trading_accounts
from tests.fixtures.once import once, shared_folder
from tests.trading.shim import compiler
from tests.trading.shim.simulation import NO_CONNECTION, URL_NOT_ALLOWED, Answer, Order, Terminal
from tests.trading.terminal import BALANCE, BUY_LIMIT, NOW, OFFSET, at, linked

Open = Callable[..., Terminal]
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled EA, one for the run."""
    return once(shared_folder(tmp_path_factory), "ea", compiler.build) / "terminal"


@pytest.fixture
def metatrader(site: Flask, program: Path, tmp_path: Path) -> Iterator[Open]:
    """Opens terminals with the EA and a key of a student's account."""
    opened: list[Terminal] = []
    _account, ea = linked(site)
    folder = tmp_path / "MQL4" / "Files"
    folder.mkdir(parents=True)

    def begin(start: datetime = NOW, **more: object) -> Terminal:
        opened.append(Terminal(program, folder, ea.client, ea.key, start, **more))  # type: ignore[arg-type]
        assert opened[-1].begin() == 0
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.end()


def past(count: int, first: int = 1) -> dict[int, Order]:
    """Closed orders of the last weeks, in no order of time, with a deposit, a deleted order and awkward comments."""
    comments = ["", 'say "no" \\ back', "сделка №7", "[tp]", "tab\tand\x01control", "é € 🙂"]
    orders = {
        ticket: Order(
            ticket,
            type=ticket % 2,
            symbol=("EURUSD", "XAUUSD", "USDJPY")[ticket % 3],
            lots=0.01 * (1 + ticket % 7),
            open_price=1 + (ticket % 97) / 1000,
            close_price=1 + (ticket % 89) / 1000,
            sl=0.95 if ticket % 4 else 0,
            profit=round((ticket * 37 % 4001 - 2000) / 100, 2),
            swap=-0.01 * (ticket % 5),
            commission=-0.07,
            open_time=at(1) + ticket * 7919 % 1_500_000,
            close_time=at(1) + ticket * 7919 % 1_500_000 + 60 + ticket % 5000,
            magic=ticket % 3 - 1,
            comment=comments[ticket % len(comments)],
        )
        for ticket in range(first, first + count)
    }
    return orders | {
        900_001: Order(900_001, BALANCE, "", 0, 0, 0, profit=5000, open_time=at(1), comment="Deposit"),
        900_002: Order(900_002, BUY_LIMIT, profit=0, open_time=at(2), close_time=at(3), comment="cancelled"),
    }


def assert_the_server_has(terminal: Terminal) -> None:
    """Each order of the broker is one row, equal in each figure."""
    db.session.commit()
    db.session.expire_all()
    rows = {int(row.ticket): row for row in db.session.scalars(select(Trade))}
    assert set(rows) == set(terminal.orders)
    for ticket, order in terminal.orders.items():
        row = rows[ticket]
        is_cash = order.type == BALANCE
        digits = {"XAUUSD": 2, "USDJPY": 3}.get(order.symbol, 5)
        price = Decimal(f"{order.open_price:.{digits}f}")
        money = [Decimal(f"{value:.2f}") for value in (order.profit, order.swap, order.commission)]
        assert (row.symbol, row.volume) == (order.symbol, Decimal(f"{order.lots:.3f}"))
        assert (row.profit, row.swap, row.commission, row.net) == (*money, sum(money))
        assert row.open_price == (None if is_cash else price)
        assert row.stop_loss == (Decimal(f"{order.sl:.{digits}f}") if order.sl else None)
        assert row.take_profit == (Decimal(f"{order.tp:.{digits}f}") if order.tp else None)
        assert row.opened_at == datetime.fromtimestamp(order.open_time - OFFSET, UTC)
        closed = order.close_time or (order.open_time if is_cash else 0)
        assert row.closed_at == (datetime.fromtimestamp(closed - OFFSET, UTC) if closed else None)
        assert row.magic == order.magic
        assert row.comment == order.comment.replace("\t", " ").replace("\x01", " ")
        if order.type <= 1:
            assert row.status is (TradeStatus.CLOSED if order.close_time else TradeStatus.OPEN)


def account_of_test() -> TradingAccount:
    db.session.commit()
    return db.session.scalars(select(TradingAccount).execution_options(populate_existing=True)).one()


def statuses(terminal: Terminal) -> list[int]:
    return [status for _gmt, status, _body in terminal.requests]


def trades_sent(terminal: Terminal) -> list[int]:
    """How many trades each request held."""
    return [len(json.loads(body)["trades"]) for _gmt, _status, body in terminal.requests]


def test_the_first_history_comes_whole_in_batches_and_then_only_what_is_new(metatrader: Open) -> None:
    terminal = metatrader(orders=past(1300))

    terminal.run(30)

    assert_the_server_has(terminal)
    account = account_of_test()
    assert (account.history_total, account.history_complete, account.utc_offset_seconds) == (1302, True, OFFSET)
    assert (account.login, account.ea_version) == ("80012345", "2.0.0")
    assert trades_sent(terminal) == [500, 500, 302]
    assert "Connecté" in terminal.shown()
    terminal.run(120)
    assert trades_sent(terminal)[3:] == [0, 0]


def test_ten_thousand_orders_come_in_twenty_batches(metatrader: Open) -> None:
    terminal = metatrader(orders=past(10_000))

    terminal.run(40)

    assert len(terminal.requests) == 21
    assert_the_server_has(terminal)


# On one database: it proves that the EA goes on in a history that long; ten thousand send the same SQL to both.
@pytest.mark.once
def test_a_hundred_thousand_orders_come_without_a_loss_or_a_double(metatrader: Open) -> None:
    terminal = metatrader(orders=past(100_000))
    terminal.run(260)

    db.session.commit()
    assert set(statuses(terminal)) == {200}
    assert len(terminal.requests) < 220
    rows = db.session.execute(select(Trade.ticket, Trade.net)).all()
    assert {int(ticket) for ticket, _net in rows} == set(terminal.orders)
    assert len(rows) == len(terminal.orders)
    money = [Decimal(f"{v:.2f}") for o in terminal.orders.values() for v in (o.profit, o.swap, o.commission)]
    assert sum(net for _ticket, net in rows) == sum(money)
    assert account_of_test().history_complete


def test_the_same_number_on_another_server_is_another_account(metatrader: Open) -> None:
    terminal = metatrader(orders=past(10))
    terminal.run(20)

    terminal.server_name = "Broker-Demo2"
    terminal.run(70)

    assert statuses(terminal)[-1] == 409
    assert "autre compte" in terminal.shown()


def test_a_restart_in_the_middle_of_the_history_goes_on_where_the_server_was(metatrader: Open) -> None:
    first = metatrader(orders=past(1300))
    first.run(2)
    assert statuses(first) == [200, 200]
    first.end(killed=True)

    second = metatrader(LATER, orders=first.orders)
    second.run(30)

    assert_the_server_has(second)


def test_a_restart_sends_nothing_again_that_is_older_than_a_month(metatrader: Open) -> None:
    summer = {
        ticket: Order(ticket, open_time=at(1, month=7) + ticket, close_time=at(2, month=7) + ticket)
        for ticket in range(1, 701)
    }
    first = metatrader(orders=summer)
    first.run(20)
    first.end()

    second = metatrader(LATER, orders=summer)
    second.run(20)

    assert trades_sent(second) == [0]
    assert len(db.session.scalars(select(Trade)).all()) == 700


def test_orders_closed_in_the_same_second_across_two_batches_all_come(metatrader: Open) -> None:
    # A margin call closes everything at once.
    crash = {ticket: Order(ticket, open_time=at(9), close_time=at(10)) for ticket in range(1, 801)}
    terminal = metatrader(orders=crash)

    terminal.run(20)

    assert trades_sent(terminal) == [500, 300]
    assert_the_server_has(terminal)


def test_an_answer_lost_after_the_server_wrote_doubles_nothing(metatrader: Open) -> None:
    terminal = metatrader(orders=past(1100), lost_answers=frozenset({2}))
    terminal.run(60)

    assert_the_server_has(terminal)
    assert statuses(terminal)[:3] == [200, -1, 200]


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (NO_CONNECTION, range(5, 11)),
        (Answer(500), range(5, 11)),
        (Answer(503, headers="Retry-After: 2\r\n"), range(5, 11)),
        (Answer(429, headers="content-type: text/plain\r\nRETRY-AFTER: 45\r\n"), range(45, 47)),
        (Answer(1003), range(5, 11)),
    ],
    ids=["refused", "500", "503", "429", "mt5 code"],
)
def test_a_network_that_fails_costs_a_pause_and_no_trade(metatrader: Open, answer: Answer, pause: range) -> None:
    terminal = metatrader(orders=past(40), fault=lambda number: answer if number == 1 else None)

    terminal.run(70)

    (first, _status, _body), (second, status, _again) = terminal.requests[:2]
    assert (second - first).seconds in pause
    assert status == 200
    assert_the_server_has(terminal)


def test_the_pauses_grow_while_the_network_is_down(metatrader: Open) -> None:
    terminal = metatrader(orders=past(5), fault=lambda number: NO_CONNECTION if number <= 5 else None)

    terminal.run(800)

    times = [gmt for gmt, _status, _body in terminal.requests[:6]]
    gaps = [(after - before).seconds for before, after in pairwise(times)]
    assert gaps == sorted(gaps)
    assert gaps[0] <= 10
    assert gaps[-1] >= 300
    assert "Réseau indisponible" in terminal.said()
    assert_the_server_has(terminal)


def test_a_batch_that_is_too_big_is_halved(metatrader: Open) -> None:
    terminal = metatrader(orders=past(600), fault=lambda number: Answer(413) if number == 1 else None)

    terminal.run(40)

    assert trades_sent(terminal)[:2] == [500, 250]
    assert_the_server_has(terminal)


def test_an_order_opens_changes_closes_in_parts_and_a_broker_corrects_it(metatrader: Open) -> None:
    terminal = metatrader(orders=past(20))
    terminal.run(30)
    opened = Order(501, lots=0.3, open_time=terminal.server_time, profit=1.5, sl=1.08)
    limit = Order(502, BUY_LIMIT, open_time=terminal.server_time, profit=0)
    terminal.put(opened, limit)
    terminal.run(60)
    assert_the_server_has(terminal)

    terminal.put(Order(501, lots=0.3, open_time=opened.open_time, profit=4.0, sl=1.0835, tp=1.09))
    terminal.run(60)
    assert_the_server_has(terminal)

    terminal.put(
        Order(501, lots=0.1, open_time=opened.open_time, profit=2.0, comment="to #503").closed(
            terminal.server_time, 2.0
        ),
        Order(503, lots=0.2, open_time=opened.open_time, profit=4.0, comment="from #501"),
        limit.closed(terminal.server_time, 0, comment="cancelled"),
    )
    terminal.run(60)
    assert_the_server_has(terminal)

    terminal.put(
        Order(503, lots=0.2, open_time=opened.open_time, comment="from #501").closed(terminal.server_time, 6.0)
    )
    terminal.put(terminal.orders[7].closed(terminal.orders[7].close_time, 999.99))
    terminal.run(60)
    # The correction of an old trade comes with the daily look back.
    terminal.skip(24 * 3600, 24 * 3600)
    terminal.run(70)
    assert_the_server_has(terminal)


def test_the_timer_goes_on_at_the_week_end_and_a_stale_clock_measures_nothing(metatrader: Open) -> None:
    saturday = datetime(2026, 11, 28, 9, tzinfo=UTC)
    terminal = metatrader(saturday, orders=past(10), market=False)
    terminal.skip(server=-10 * 3600)

    terminal.run(600)

    assert 9 <= len(terminal.requests) <= 11
    assert set(statuses(terminal)) == {200}
    account = account_of_test()
    assert account.utc_offset_seconds is None
    assert account.last_sync_at is not None
    assert (account.last_sync_at - saturday).total_seconds() > 500
    assert_the_server_has(terminal)


def test_a_history_tab_that_is_opened_wider_later_brings_the_older_trades(metatrader: Open) -> None:
    terminal = metatrader(orders=past(300), hidden_before=at(10))
    terminal.run(70)
    db.session.commit()
    assert len(db.session.scalars(select(Trade)).all()) < 302

    terminal.hidden_before = 0
    terminal.run(130)

    assert_the_server_has(terminal)


def test_a_key_that_is_refused_is_said_and_a_new_one_is_tried_at_once(metatrader: Open) -> None:
    terminal = metatrader(orders=past(10))
    terminal.run(5)
    account = account_of_test()
    trading_accounts.revoke_keys(account)
    newer = trading_accounts.rotate(account)
    db.session.commit()

    terminal.run(70)
    assert statuses(terminal)[-1] == 401
    assert "Clé refusée" in terminal.shown()
    terminal.end()
    again = metatrader(LATER, orders=terminal.orders)
    again.end()
    again.key = newer
    assert again.begin() == 0
    again.run(20)

    assert statuses(again)[-1] == 200
    assert_the_server_has(again)


def test_an_address_that_is_not_allowed_is_told_in_both_languages(metatrader: Open) -> None:
    terminal = metatrader(orders=past(1), fault=lambda _number: URL_NOT_ALLOWED)

    terminal.run(5)

    assert "Autorisez https://school.example" in terminal.shown()
    assert "Allow this URL" in terminal.said()


def test_another_account_in_the_same_terminal_is_refused_and_told(metatrader: Open) -> None:
    terminal = metatrader(orders=past(5))
    terminal.run(5)

    terminal.login = 99
    terminal.run(70)

    assert statuses(terminal)[-1] == 409
    assert "autre compte" in terminal.shown()


@pytest.mark.once
def test_the_ea_does_not_start_without_a_key(program: Path, tmp_path: Path) -> None:
    terminal = Terminal(program, tmp_path, None, "", NOW)  # type: ignore[arg-type]

    assert terminal.begin() == 32767
    assert "Collez la clé" in terminal.shown()
    terminal.end()


def test_a_server_that_lost_what_it_had_confirmed_gets_it_again(metatrader: Open) -> None:
    terminal = metatrader(orders=past(1300))
    terminal.run(70)
    sent = len(terminal.requests)
    forget_after(datetime(2026, 11, 8, tzinfo=UTC))

    terminal.run(70)

    assert_the_server_has(terminal)
    assert len(terminal.requests) > sent + 1
    assert "redemande l’historique" in terminal.said()
    calm = len(terminal.requests)
    terminal.run(130)
    assert trades_sent(terminal)[calm:] == [0, 0]


def forget_after(moment: datetime) -> None:
    """What a backup of that moment would bring back."""
    account = account_of_test()
    db.session.execute(delete(Trade).where(Trade.closed_at > moment))
    account.cursor_time, account.cursor_ticket = int(moment.timestamp()) + OFFSET, ""
    db.session.commit()


def symbols_told(terminal: Terminal) -> list[list[str]]:
    """Symbols whose contract each request told."""
    return [[row["symbol"] for row in json.loads(body).get("symbols", [])] for _gmt, _status, body in terminal.requests]


def test_the_contract_of_each_symbol_is_told_once_and_again_when_no_answer_came(metatrader: Open) -> None:
    one = Order(1, open_time=at(3), close_time=at(3, 13))
    terminal = metatrader(
        orders={
            1: one,
            2: replace(one, ticket=2, symbol="XAUUSD"),
            3: replace(one, ticket=3, symbol="GONE"),
            4: replace(one, ticket=4, symbol="", type=BALANCE, close_time=0),
        },
        fault=lambda number: NO_CONNECTION if number == 1 else None,
    )

    terminal.run(180)
    terminal.put(replace(one, ticket=5, symbol="USDJPY", open_time=terminal.server_time, close_time=0))
    terminal.run(70)

    told = symbols_told(terminal)
    assert sorted(told[0]) == sorted(told[1]) == ["EURUSD", "XAUUSD"]
    assert [symbols for symbols in told[2:] if symbols] == [["USDJPY"]]
    rows = db.session.scalars(select(AccountSymbol).order_by(AccountSymbol.symbol)).all()
    assert [(row.symbol, row.digits, row.point, row.contract_size) for row in rows] == [
        ("EURUSD", 5, Decimal("0.00001"), Decimal(100_000)),
        ("USDJPY", 3, Decimal("0.001"), Decimal(100_000)),
        ("XAUUSD", 2, Decimal("0.01"), Decimal(100)),
    ]
