"""Batches of an EA: taken in part, once, in any order, whatever they hold."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness import clock
from calmness.extensions import db
from calmness.models.delivery import OutboxTask, TaskState
from calmness.models.trading import (
    AccountSnapshot,
    SyncBatch,
    Trade,
    TradeRevision,
    TradeStatus,
    TradingAccount,
    TradingStatistics,
)
from calmness.services.trading import sync, sync_trades
from calmness.services.trading.message_values import units
from tests.trading.terminal import BUY, BUY_LIMIT, NOW, OFFSET, SELL, Terminal, at, cash, linked, trade, work


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def account(site: Flask) -> TradingAccount:
    return linked(site)[0]


@pytest.fixture
def ea(site: Flask) -> Terminal:
    return linked(site)[1]


def stored(ticket: str) -> Trade:
    db.session.commit()
    return db.session.scalars(
        select(Trade).where(Trade.ticket == ticket).execution_options(populate_existing=True)
    ).one()


def count(model: type[Any] = Trade) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_batch_is_kept_to_the_last_digit(ea: Terminal) -> None:
    answer = ea.sync(
        trade(
            7, "12.34", type=SELL, symbol="XAUUSD", lots="0.015", swap="-1.05", commission="-0.70", magic=-42, digits=2,
            open_price="2031.18", close_price="2030.01", sl="2040.50", tp="2010.00", comment="from #6",
        )
    )  # fmt: skip

    row = stored("7")
    assert (answer["ok"], answer["accepted"], answer["rejected"]) == (True, 1, [])
    assert (row.kind.value, row.status.value, row.symbol, row.source.value) == ("sell", "closed", "XAUUSD", "ea")
    assert (row.volume, row.open_price, row.close_price) == (Decimal("0.015"), Decimal("2031.18"), Decimal("2030.01"))
    assert (row.stop_loss, row.initial_stop, row.take_profit) == (Decimal("2040.5"), Decimal("2040.5"), Decimal(2010))
    assert (row.profit, row.net) == (Decimal("12.34"), Decimal("10.59"))
    assert (row.opened_at, row.closed_at) == (
        datetime(2026, 11, 20, 10, tzinfo=UTC),
        datetime(2026, 11, 20, 11, tzinfo=UTC),
    )
    assert (row.magic, row.digits, row.comment, row.utc_offset_seconds) == (-42, 2, "from #6", OFFSET)


def test_what_cannot_be_read_is_refused_ticket_by_ticket(ea: Terminal) -> None:
    answer = ea.sync(
        trade("1"),
        trade("2", "NaN"),
        trade("3", lots="1e300"),
        trade("4", type=99),
        trade("5", open_time=0),
        trade("6", close_time="tomorrow"),
        trade("7", "12,50"),
        trade("8", magic=10**30),
        trade("9", swap=float("inf")),
        trade("10", type=[0]),
        trade("11", close_time=at(30)),
        trade("12", lots="-0.10"),
        trade("13", commission=None),
        {"type": BUY},
        trade("1" * 33),
        "not a trade",
        None,
        trade("14") | {"profit": True},
        trade("15"),
    )

    reasons = {item["ticket"]: item["reason"] for item in answer["rejected"] if item["ticket"]}
    assert answer["accepted"] == 2
    assert answer["rejected_count"] == 17
    assert reasons["4"] == "unknown type"
    assert reasons["5"] == reasons["11"] == "bad times"
    assert reasons["2"] == reasons["3"] == reasons["8"] == "number out of range"
    assert reasons["6"] == reasons["7"] == "no number"
    assert reasons["12"] == "bad volume"
    assert set(reasons) == {str(ticket) for ticket in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)}
    assert set(db.session.scalars(select(Trade.ticket))) == {"1", "15"}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('say "no" \\ back', 'say "no" \\ back'),
        ("сделка №7", "сделка №7"),
        ("a\x00b\tc\nd\x1b", "a b c d "),
        ("half \ud83d of a pair", "half   of a pair"),
        ("🙂 é €", "🙂 é €"),
        ("\u202egnp.exe", " gnp.exe"),
        ("x" * 300, "x" * 200),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        (None, ""),
        (12, "12"),
    ],
)
def test_comments_of_all_kinds_are_kept_readable(ea: Terminal, sent: Any, kept: str) -> None:
    ea.sync(trade(1, comment=sent, symbol="EURUSD\x00"))

    row = stored("1")
    assert row.comment == kept
    assert row.symbol == "EURUSD "


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b"[" * 100_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'{"v": 1}', 422),
        (b'{"v": 2, "trades": {}, "account": {}, "clock": {}}', 422),
        (b'{"v": 2, "batch_id": "a", "account": {"login": "1", "server": "s"}, "clock": {"gmt": 1e99}}', 422),
        (b'{"v": 2, "batch_id": "a", "account": {"login": "1", "server": "s"}, "clock": {"gmt": "x"}}', 422),
        (b'{"v": 2, "batch_id": "", "account": {"login": "1", "server": "s"}, "clock": {"gmt": 1, "server": 1}}', 422),
    ],
)
def test_a_broken_message_is_refused_whole(ea: Terminal, body: bytes, status: int) -> None:
    answer = ea.post(body)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert count(SyncBatch) == 0


def test_too_big_a_body_and_too_many_trades_are_refused_with_413(ea: Terminal) -> None:
    assert ea.post(b" " * (512 * 1024 + 1)).status_code == 413
    assert ea.post(ea.body(*(trade(ticket) for ticket in range(501)))).status_code == 413
    assert ea.sync(*(trade(ticket) for ticket in range(500)))["next_in"] == 1
    assert count() == 500


def test_the_same_batch_twice_is_one_batch(ea: Terminal) -> None:
    body = ea.body(trade(1), trade(2, "oops"))

    first, second = ea.post(body).get_json(), ea.post(body).get_json()

    assert first == second
    assert (count(), count(SyncBatch), count(AccountSnapshot)) == (1, 1, 1)


def test_the_same_trades_in_a_new_batch_write_nothing(ea: Terminal) -> None:
    ea.sync(trade(1), cash(2, "500.00"))

    assert ea.sync(trade(1), cash(2, "500.00"))["unchanged"] == 2


def test_a_ticket_twice_in_a_batch_counts_once_and_the_last_wins(ea: Terminal) -> None:
    ea.sync(trade(1, "1.00"), trade(1, "2.00"))

    assert stored("1").net == Decimal(2)


def test_a_trade_opens_changes_and_closes(ea: Terminal) -> None:
    ea.sync(trade(1, "3.00", close_time=0, close_price="1.08450", sl="1.08000"))
    row = stored("1")
    assert (row.status, row.closed_at, row.close_price) == (TradeStatus.OPEN, None, None)
    assert row.current_price == Decimal("1.0845")

    ea.sync(trade(1, "8.00", close_time=0, close_price="1.08500", sl="1.08300", tp="1.09000"))
    row = stored("1")
    assert (row.net, row.stop_loss, row.initial_stop) == (Decimal(8), Decimal("1.083"), Decimal("1.08"))

    ea.sync(trade(1, "9.00", sl="1.08300", comment="[tp]"))
    row = stored("1")
    assert (row.status, row.net, row.comment) == (TradeStatus.CLOSED, Decimal(9), "[tp]")
    assert (count(), count(TradeRevision)) == (1, 0)


def test_a_closed_trade_does_not_open_again(ea: Terminal) -> None:
    ea.sync(trade(1))

    ea.sync(trade(1, "3.00", close_time=0))

    assert (stored("1").status, stored("1").net) == (TradeStatus.CLOSED, Decimal(10))


def test_a_batch_that_comes_late_overwrites_nothing_but_brings_closings(ea: Terminal) -> None:
    early = ea.body(trade(1, "1.00"), trade(2, "2.00"), trade(3, "3.00"), gmt=None)
    early["clock"]["gmt"] -= 30
    early["snapshot"]["balance"] = "1.00"
    ea.sync(trade(1, "5.00"), trade(2, "7.00", close_time=0))

    assert ea.post(early).status_code == 200

    assert stored("1").net == Decimal(5)
    assert (stored("2").status, stored("2").net) == (TradeStatus.CLOSED, Decimal(2))
    assert stored("3").net == Decimal(3)
    assert db.session.scalars(select(TradingAccount.balance)).one() == Decimal(1000)


@pytest.mark.parametrize("days", [1, -1, 400])
def test_a_clock_of_the_pc_that_is_wrong_and_then_set_right_stops_nothing(ea: Terminal, days: int) -> None:
    ea.gmt = int((NOW + timedelta(days=days)).timestamp())
    ea.sync(trade(1, "1.00"))
    ea.gmt, ea.balance = None, "2000.00"
    ea.sync(trade(1, "2.00"))

    assert stored("1").net == Decimal(2)
    # The trades' times never come from the PC.
    assert stored("1").closed_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert db.session.scalars(select(TradingAccount.balance)).one() == Decimal(2000)


def test_a_broker_that_corrects_a_closed_trade_leaves_the_old_values(ea: Terminal) -> None:
    ea.sync(trade(1, "10.00", swap="0.00"))
    ea.sync(trade(1, "10.00", swap="-2.50"))

    revision = db.session.scalars(select(TradeRevision)).one()
    assert revision.trade_id == stored("1").id
    assert {name: Decimal(value) for name, value in revision.values.items()} == {"swap": Decimal(0), "net": Decimal(10)}
    assert stored("1").net == Decimal("7.5")
    work()
    assert db.session.scalars(select(TradingStatistics.net)).one() == Decimal("7.5")


def test_a_partial_close_is_two_tickets_and_no_money_is_lost(ea: Terminal) -> None:
    ea.sync(trade(1, "6.00", close_time=0, lots="0.300"))

    ea.sync(
        trade(1, "4.00", lots="0.100", comment="to #2", commission="-0.20"),
        trade(2, "7.00", lots="0.200", comment="from #1", close_time=0, commission="-0.40"),
    )
    ea.sync(trade(2, "9.00", lots="0.200", comment="from #1", commission="-0.40", close_time=at(20, 15)))
    work()

    assert (stored("1").volume, stored("2").volume) == (Decimal("0.1"), Decimal("0.2"))
    day = db.session.scalars(select(TradingStatistics)).one()
    assert (day.exits, day.trades, day.net, day.volume) == (2, 1, Decimal("12.4"), Decimal("0.3"))


def test_deposits_withdrawals_and_credit_are_never_results(ea: Terminal) -> None:
    ea.sync(
        cash(1, "5000.00", open_time=at(19, 9)),
        cash(2, "-200.00", open_time=at(20, 9)),
        cash(3, "300.00", type=7, open_time=at(20, 9)),
        trade(4, "25.00"),
    )
    work()

    first, second = db.session.scalars(select(TradingStatistics).order_by(TradingStatistics.day))
    assert (first.trades, first.net, first.deposits, first.balance_end) == (0, Decimal(0), Decimal(5000), Decimal(5000))
    assert (second.trades, second.net, second.wins) == (1, Decimal(25), 1)
    assert (second.deposits, second.withdrawals, second.balance_end) == (Decimal(0), Decimal(-200), Decimal(4825))
    assert {stored(ticket).status for ticket in "123"} == {TradeStatus.CASH}


def test_pending_orders_and_deleted_ones_are_never_results(ea: Terminal) -> None:
    ea.sync(trade(1, "0.00", type=BUY_LIMIT, close_time=0), trade(2, "0.00", type=BUY_LIMIT))
    work()

    assert (stored("1").status, stored("2").status) == (TradeStatus.PENDING, TradeStatus.CANCELLED)
    assert count(TradingStatistics) == 0


def test_an_order_closed_by_another_is_no_trade_of_its_own(ea: Terminal) -> None:
    ea.sync(trade(1, "5.00"), trade(2, "0.00", lots="0.000", comment="close hedge by #1"))
    work()

    assert db.session.scalars(select(TradingStatistics.trades)).one() == 1


def test_an_open_trade_that_vanished_counts_when_its_closing_comes(ea: Terminal) -> None:
    ea.sync(trade(1, close_time=0), trade(2, close_time=0))
    ea.sync(snapshot={"balance": "1", "equity": "1", "open_tickets": ["2"]})
    assert (stored("1").suspect, stored("2").suspect) == (True, False)

    ea.sync(trade(1, "4.00"), snapshot={"balance": "1", "equity": "1", "open_tickets": ["2"]})
    work()

    assert not stored("1").suspect
    assert db.session.scalars(select(TradingStatistics.net)).one() == Decimal(4)


def test_a_list_of_open_tickets_of_any_length_and_kind_is_read(ea: Terminal) -> None:
    ea.sync(trade(1, close_time=0), snapshot={"balance": "NaN", "open_tickets": [*range(2, 60_000), {}, None, "1"]})

    assert not stored("1").suspect


def test_each_time_is_read_with_the_offset_of_its_own_season(ea: Terminal) -> None:
    july = int(datetime(2026, 7, 15, 10, tzinfo=UTC).timestamp()) + 3 * 3600

    ea.sync(trade(1, open_time=july, close_time=july + 60))

    assert stored("1").opened_at == datetime(2026, 7, 15, 10, tzinfo=UTC)
    assert stored("1").utc_offset_seconds == 3 * 3600


def test_a_broker_on_utc_is_measured(ea: Terminal) -> None:
    body = ea.body(trade(1, open_time=at(20, 10) - OFFSET, close_time=at(20, 11) - OFFSET))
    body["clock"]["server"] = body["clock"]["gmt"]

    ea.post(body)

    assert stored("1").opened_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_at_the_week_end_the_old_offset_stays(ea: Terminal) -> None:
    ea.sync(trade(1))
    body = ea.body(trade(2))
    body["clock"] |= {"server": body["clock"]["gmt"] - 40_000, "server_age_s": 47_200}

    ea.post(body)

    assert db.session.scalars(select(TradingAccount.utc_offset_seconds)).one() == OFFSET
    assert stored("2").closed_at == stored("1").closed_at


def test_huge_counts_of_the_head_are_left_out(ea: Terminal) -> None:
    body = ea.body(trade(1), history={"total": 10**30, "complete": True})
    body["account"] |= {"leverage": 10**30, "company": "B\x00roker", "mode": ["x"]}

    assert ea.post(body).status_code == 200
    assert db.session.scalars(select(TradingAccount.leverage)).one() is None


def test_the_cursor_goes_forward_only(ea: Terminal) -> None:
    assert ea.sync(trade(9, close_time=at(21)))["cursor_ticket"] == "9"
    assert ea.sync(trade(3, close_time=at(20)))["cursor_ticket"] == "9"


def test_one_piece_of_work_for_all_batches_before_it(ea: Terminal) -> None:
    for ticket in range(3):
        ea.sync(trade(ticket))
    work()
    assert db.session.scalars(select(TradingStatistics.trades)).one() == 3

    # Within the same second as the work that was done.
    ea.sync(trade(3))
    work()
    assert db.session.scalars(select(TradingStatistics.trades)).one() == 4


@given(st.decimals(min_value=-(10**9) + 1, max_value=10**9 - 1, places=8, allow_nan=False))
@pytest.mark.once
def test_units_are_exact_for_every_amount(value: Decimal) -> None:
    assert units(f"{value:f}") == int(value * 10**8)


@given(st.one_of(st.floats(), st.integers(), st.text(), st.booleans(), st.none(), st.lists(st.integers())))
@pytest.mark.once
def test_units_are_a_bounded_number_or_a_refusal(value: Any) -> None:
    try:
        found = units(value)
    except ValueError:
        return
    assert abs(found) < 10**17


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(trade(1))


@pytest.mark.once
@given(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
def test_a_trade_of_any_shape_is_read_or_refused_with_a_reason(wrong: dict[str, Any]) -> None:
    item = json.loads(json.dumps(trade(1) | wrong))

    parsed = sync_trades.read(1, [item], None, NOW)

    assert len(parsed.rows) + len(parsed.rejected) == 1
    for row in parsed.rows.values():
        assert row.net == row.profit + row.swap + row.commission + row.taxes
        assert all(abs(value) < 2**63 for value in row if type(value) is int)
        assert json.loads(json.dumps(row.comment, ensure_ascii=False).encode()) == row.comment
    for refusal in parsed.rejected:
        assert refusal["reason"]


def test_an_ea_that_believes_more_than_the_server_has_is_asked_to_come_back(ea: Terminal) -> None:
    ea.sync(trade(1), cursor={"time": 0, "next": at(20, 11)})
    calm = ea.sync(trade(1), cursor={"time": at(20, 11), "next": at(20, 11)})
    lost = ea.sync(trade(2, close_time=at(23)), cursor={"time": at(22), "next": at(23)})
    again = ea.sync(trade(2, close_time=at(23)), cursor={"time": at(22), "next": at(23)})

    assert not calm["resync"]
    # Asked as often as it takes: the answer may have been lost.
    assert (lost["resync"], again["resync"]) == (True, True)
    assert lost["cursor_time"] == again["cursor_time"] == at(20, 11)
    assert stored("2").status is TradeStatus.CLOSED


def test_a_cursor_moves_beyond_cash_and_what_was_refused(ea: Terminal) -> None:
    ea.sync(cash(1, "50.00", open_time=at(21)), trade(2, "NaN"), cursor={"time": 0, "next": at(21)})

    assert not ea.sync(cursor={"time": at(21), "next": at(21)})["resync"]


@pytest.mark.parametrize("cursor", [None, [], {"time": "x", "next": None}, {"time": -1, "next": 10**30}])
def test_a_cursor_that_cannot_be_read_asks_for_nothing(ea: Terminal, cursor: Any) -> None:
    assert ea.sync(trade(1), cursor=cursor)["resync"] is False


def test_passes_are_drawn_to_a_second_of_the_minute_of_each_account() -> None:
    landed = []
    for account_id in range(1, 121):
        moment = NOW
        for _ in range(8):
            pause = sync.next_in(account_id, moment)
            assert 55 <= pause <= 65
            moment += timedelta(seconds=pause)
        landed.append(moment.second)

    # All began in the same second; each second of the minute has its two.
    assert sorted(landed) == sorted([*range(60), *range(60)])


def test_an_account_where_nothing_moves_has_one_snapshot_in_ten_minutes(
    ea: Terminal, time_machine: TimeMachineFixture
) -> None:
    for minute in range(20):
        time_machine.move_to(NOW + timedelta(minutes=minute), tick=False)
        ea.gmt = int(clock.now().timestamp())
        ea.sync()
    assert count(AccountSnapshot) == 2

    ea.balance = "1000.01"
    ea.sync()

    assert count(AccountSnapshot) == 3


def test_prices_that_move_are_no_news_for_the_figures(ea: Terminal) -> None:
    ea.sync(trade(1, "3.00", close_time=0))
    work()

    ea.sync(trade(1, "4.00", close_time=0, close_price="1.08600"))

    assert not db.session.scalars(select(OutboxTask).where(OutboxTask.state == TaskState.PENDING)).all()
    assert stored("1").net == Decimal(4)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)]
)
def test_a_body_may_come_compressed(ea: Terminal, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    raw = pack(json.dumps(ea.body(trade(1, comment="é € 🙂"))).encode())

    answer = ea.client.post("/ea/v1/sync", data=raw, headers={"X-API-Key": ea.key, "Content-Encoding": encoding})

    assert answer.get_json()["accepted"] == 1
    assert stored("1").comment == "é € 🙂"


@pytest.mark.parametrize(
    ("raw", "encoding", "status"),
    [
        (gzip.compress(b" " * (512 * 1024 + 1)), "gzip", 413),
        (zlib.compress(b"0" * 50_000_000), "deflate", 413),
        (gzip.compress(b'{"v": 2}')[:-9], "gzip", 400),
        (b"{}", "gzip", 400),
        (b"{}", "br", 415),
    ],
    ids=["too big", "bomb", "cut", "not packed", "unknown"],
)
def test_a_compressed_body_is_never_a_bomb(ea: Terminal, raw: bytes, encoding: str, status: int) -> None:
    answer = ea.client.post("/ea/v1/sync", data=raw, headers={"X-API-Key": ea.key, "Content-Encoding": encoding})

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert count(SyncBatch) == 0
