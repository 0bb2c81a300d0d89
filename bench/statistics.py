"""Statistics of a hundred thousand trades: from scratch, as a page asks for them, and after one more trade.

Floors do the least that has to be done with the bare driver: read the same rows and add them up, or write one row and
read its day. The seconds promised (1 s, 20 ms) are told beside, by the last two rows.
"""

from collections import defaultdict
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection

from bench.__main__ import in_turn
from bench.school import application
from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.dialect import upsert_stored
from calmness.models.trading import Platform, Trade, TradingAccount
from calmness.services import (
    sync,
    sync_trades,
    trading_accounts,
    trading_breakdowns,
    trading_report,
    trading_statistics,
)
from calmness.services.trading_report import Scope

TRADES = 100_000
CHAINED = 20
"""Every twentieth position is closed in two parts."""
A_DAY = 120
ROUNDS = 5
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD", "GER40", "BTCUSD")
PROMISED, PROMISED_FOR_ONE = 1.0, 0.020


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor or of the promise)."""
    with application().app_context():
        user = db.session.query(User).first()
        assert user is not None
        account, _key = trading_accounts.add(user, "Hundred thousand", Platform.MT4, "EUR")
        account_id = account.id
        _fill(account_id)
        db.session.commit()
        scratch = in_turn(lambda _n: _scratch(account_id), lambda _n: _read(account_id), ROUNDS)
        page = in_turn(lambda _n: _page(account_id), lambda _n: _read(account_id), ROUNDS)
        one = in_turn(lambda n: _one_more(account_id, n), lambda n: _bare_one(account_id, n), 25)
    return [
        (f"Figures of {TRADES} trades, from scratch", *scratch),
        (f"Figures of {TRADES} trades, for a page", *page),
        ("One more trade, figures after it", *one),
        ("  for a page, against the second promised", page[0], PROMISED),
        ("  one more, against the 20 ms promised", one[0], PROMISED_FOR_ONE),
    ]


def _fill(account_id: int) -> None:
    chance, now = Random(3), clock.now()
    messages: list[dict[str, Any]] = [_message("deposit", 6, 0, 0, "100000", chance) | {"symbol": "", "lots": "0"}]
    start = int((now - timedelta(days=TRADES // A_DAY + 2)).timestamp())
    messages[0] |= {"open_time": start, "close_time": 0}
    ticket = 0
    while len(messages) <= TRADES:
        ticket += 2
        opened = start + len(messages) * 86_400 // A_DAY
        message = _message(str(ticket), 0, opened, chance.randrange(60, 40_000), f"{chance.gauss(1, 40):.2f}", chance)
        if ticket % (2 * CHAINED) == 0:
            rest = message | {"ticket": str(ticket + 1), "comment": f"from #{ticket}"}
            messages.append(rest | {"close_time": message["close_time"] + 60})
            message["comment"] = f"to #{ticket + 1}"
        messages.append(message)
    for first in range(0, len(messages), 5_000):
        parsed = sync_trades.read(account_id, messages[first : first + 5_000], 0, now)
        assert not parsed.rejected
        rows = list(parsed.rows.values())
        upsert_stored(
            db.session(),
            Trade,
            sync_trades.COLUMNS,
            rows,
            key=("account_id", "ticket"),
            update_columns=sync_trades.FOLLOWING,
        )


def _message(ticket: str, kind: int, opened: int, held: int, profit: str, chance: Random) -> dict[str, Any]:
    price = chance.uniform(1.05, 1.12)
    return {
        "ticket": ticket,
        "type": kind,
        "symbol": chance.choice(SYMBOLS),
        "lots": "0.10",
        "open_time": opened,
        "close_time": opened + held,
        "open_price": f"{price:.5f}",
        "close_price": f"{price + chance.gauss(0, 0.002):.5f}",
        "sl": f"{price - 0.004:.5f}",
        "profit": profit,
        "commission": "-0.70",
        "comment": "",
    }


def _scratch(account_id: int) -> None:
    trading_statistics.rebuild(account_id)
    db.session.commit()


def _page(account_id: int) -> None:
    scope = Scope((account_id,), "Europe/Paris")
    found = trading_report.report(scope)
    cells = trading_breakdowns.cells(scope.account_ids, scope.positions, scope.zone)
    assert found.figures.trades == sum(cell.trades for cell in cells) > TRADES * 0.9
    db.session.rollback()


def _read(account_id: int) -> None:
    """The trades' results in order, added up by month and followed for their deepest fall, with the bare driver."""
    months: dict[str, int] = defaultdict(int)
    total = peak = fall = 0
    for closed_at, net in _driver(
        db.session.connection(), "SELECT closed_at, net FROM trade WHERE account_id = {} ORDER BY closed_at", account_id
    ):
        months[str(closed_at)[:7]] += net
        total += net
        peak = max(peak, total)
        fall = max(fall, peak - total)
    assert months
    assert fall
    db.session.rollback()


def _one_more(account_id: int, number: int) -> None:
    row = _new_row(account_id, f"9{number + 5:06d}")
    account = db.session.get_one(TradingAccount, account_id, with_for_update=True)
    written = sync_trades.write(account_id, {row.ticket: row}, clock.now())
    assert written.since is not None
    sync.mark_dirty(account, written.since, written.until)
    trading_statistics.recompute(account_id)
    db.session.commit()


def _bare_one(account_id: int, number: int) -> None:
    row = _new_row(account_id, f"8{number + 5:06d}")
    columns = sync_trades.COLUMNS
    upsert_stored(db.session(), Trade, columns, [row], key=("account_id", "ticket"), update_columns=columns[4:])
    sum(
        net
        for (net,) in _driver(
            db.session.connection(),
            "SELECT net FROM trade WHERE account_id = {} ORDER BY closed_at DESC LIMIT 120",
            account_id,
        )
    )
    db.session.commit()


def _new_row(account_id: int, ticket: str) -> sync_trades.TradeRow:
    now = clock.now()
    message = _message(ticket, 0, int(now.timestamp()) - 120, 60, "12.00", Random(ticket))
    return sync_trades.read(account_id, [message], 0, now).rows[ticket]


def _driver(connection: Connection, statement: str, account_id: int) -> Any:
    cursor = connection.connection.cursor()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    cursor.execute(statement.format(mark), (account_id,))
    return cursor.fetchall()
