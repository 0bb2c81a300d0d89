"""The one-trade message of EA 1.00, which customers still have installed, with its faults."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.extensions import db
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingAccount, TradingStatistics
from tests.trading.terminal import NOW, Terminal, linked, trade, work

PATH = "/api/auth/user/trading/ea/sync/"
MESSAGE = (
    '{"ticket":"%(ticket)s","symbol":"%(symbol)s","type":"%(type)s","volume":%(volume)s,"open_price":1.08420,'
    '"close_price":%(close_price)s,"stop_loss":null,"take_profit":null,"current_price":1.08520,"profit":%(profit)s,'
    '"swap":0.00,"commission":-0.70,"open_time":"2026.11.20 12:00:00","close_time":%(close_time)s,'
    '"comment":"%(comment)s","magic_number":%(magic)s,"account_balance":%(balance)s,"account_equity":1010.00,'
    '"account_margin":0.00,"account_free_margin":1010.00,"ea_version":"1.00"}'
)


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def message(**values: str) -> str:
    """A message as EA 1.00 writes it: nothing is escaped."""
    return MESSAGE % {
        "ticket": "1",
        "symbol": "EURUSD",
        "type": "buy",
        "volume": "0.10",
        "close_price": "1.08520",
        "profit": "10.00",
        "close_time": '"2026.11.20 13:00:00"',
        "comment": "",
        "magic": "0",
        "balance": "1000.00",
        **values,
    }


def send(ea: Terminal, raw: str | bytes, status: int = 200) -> dict[str, object]:
    body = raw.encode() if isinstance(raw, str) else raw
    answer = ea.client.post(PATH, data=body, headers={"X-API-Key": ea.key})
    assert answer.status_code == status, answer.text
    found: dict[str, object] = answer.get_json()
    return found


def only_trade() -> Trade:
    db.session.commit()
    return db.session.scalars(select(Trade).execution_options(populate_existing=True)).one()


def test_a_message_is_taken_and_its_times_are_read_with_the_rule_of_brokers(site: Flask) -> None:
    account, ea = linked(site)

    first, again = send(ea, message()), send(ea, message())
    work()

    row = only_trade()
    assert (first["success"], first["created"], first["trade_id"]) == (True, True, row.id)
    assert (again["created"], again["trade_id"]) == (False, row.id)
    assert row.closed_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert (row.status, row.net, row.source.value) == (TradeStatus.CLOSED, Decimal("9.3"), "ea_legacy")
    assert (account.ea_version, account.balance) == ("1.00", Decimal(1000))
    assert db.session.scalars(select(TradingStatistics.net)).one() == Decimal("9.3")


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        (b'say "no"', 'say "no"'),
        (b"C:\\temp\\new", "C:\\temp\\new"),
        ("clôturé".encode("cp1252"), "clôturé"),
        ("сделка".encode(), "сделка"),
        (b'","magic_number":7,"x":"', '","magic_number":7,"x":"'),
        (b"a\tb\x01", "a b "),
    ],
)
def test_its_broken_comments_are_repaired(site: Flask, comment: bytes, kept: str) -> None:
    _account, ea = linked(site)

    send(ea, message(comment="@@").encode().replace(b"@@", comment))

    assert only_trade().comment == kept
    assert only_trade().magic == 0


def test_a_deposit_that_comes_as_a_sale_is_no_result(site: Flask) -> None:
    _account, ea = linked(site)

    send(ea, message(symbol="", type="sell", volume="0.00", profit="5000.00"))
    work()

    assert (only_trade().kind, only_trade().status) == (TradeKind.CASH_UNKNOWN, TradeStatus.CASH)
    assert db.session.scalars(select(TradingStatistics.trades)).one() == 0


def test_a_deleted_pending_order_that_comes_as_a_sale_is_left_out(site: Flask) -> None:
    _account, ea = linked(site)

    send(ea, message(type="sell", profit="0.00").replace('"commission":-0.70', '"commission":0.00'))
    work()

    assert only_trade().suspect
    assert db.session.scalars(select(TradingStatistics.trades)).one() == 0


def test_an_open_trade_closes(site: Flask) -> None:
    _account, ea = linked(site)
    send(ea, message(close_time="null", close_price="null"))
    assert only_trade().status is TradeStatus.OPEN

    send(ea, message())

    assert only_trade().status is TradeStatus.CLOSED


def test_what_the_new_ea_wrote_the_old_one_does_not_write_over(site: Flask) -> None:
    _account, ea = linked(site)
    ea.sync(trade(1, "33.00"))

    send(ea, message())

    assert (only_trade().net, only_trade().source.value) == (Decimal(33), "ea")


def test_the_new_ea_takes_over_what_the_old_one_wrote(site: Flask) -> None:
    _account, ea = linked(site)
    send(ea, message())

    ea.sync(trade(1, "33.00"))

    assert (only_trade().net, only_trade().source.value) == (Decimal(33), "ea")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "[]",
        "null",
        message(profit="NaN"),
        message(profit="1e300"),
        message(magic="1" + "0" * 40),
        message(magic='"x"'),
        message(balance='"much"'),
        message(close_time='"2026-11-20T13:00:00"'),
        message(close_time='"0001.01.01 00:00:00"'),
        message(close_time="12"),
        message(volume="[1]"),
        message(ticket=""),
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_nothing(site: Flask, raw: str) -> None:
    _account, ea = linked(site)

    send(ea, raw, status=422)

    assert db.session.scalar(select(func.count()).select_from(Trade)) == 0
    assert db.session.scalars(select(TradingAccount.last_sync_at)).one() is None


def test_a_body_that_no_ea_sends_is_too_large(site: Flask) -> None:
    _account, ea = linked(site)

    send(ea, b" " * 20_000, status=413)
