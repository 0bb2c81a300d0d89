"""A batch of an EA against a bare bulk upsert of the same rows with the driver."""

import time
from typing import Any

from bench.__main__ import in_turn
from bench.school import application
from calmness.extensions import db
from calmness.models.trading import Trade, TradingAccount
from calmness.services import sync

BATCH = 500
COLUMNS = ("account_id", "ticket", "kind", "status", "symbol", "volume", "profit", "swap", "commission", "taxes", "net")
COLUMNS += ("utc_offset_seconds", "comment", "magic", "source", "suspect", "opened_at", "closed_at", "seen_at")


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor): batches of new trades."""
    app = application()
    with app.app_context():
        account_id = db.session.query(TradingAccount.id).scalar()
        product, floor = in_turn(lambda n: _sync(account_id, n), lambda n: _bare(account_id, n), rounds=12)
    return [(f"EA sync, {BATCH} new trades", product, floor)]


def _sync(account_id: int, number: int) -> None:
    now = int(time.time())
    start = now - 86_400 * 30
    body = {
        "v": 2,
        "ea": "2.0.0",
        "batch_id": f"bench-{number}",
        "account": {"login": "1", "server": "Bench", "currency": "EUR"},
        "clock": {"gmt": now, "server": now + 7200, "server_age_s": 1},
        "snapshot": {"balance": "1000", "equity": "1000"},
        "trades": [_message(f"s{number}-{index}", start + index) for index in range(BATCH)],
    }
    sync.take(account_id, body)
    db.session.commit()


def _message(ticket: str, opened: int) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "type": 0,
        "symbol": "EURUSD",
        "lots": "0.10",
        "open_time": opened,
        "close_time": opened + 600,
        "open_price": "1.08420",
        "close_price": "1.08450",
        "profit": "3.00",
        "swap": "0",
        "commission": "-0.70",
    }


def _bare(account_id: int, number: int) -> None:
    sqlite = db.engine.dialect.name == "sqlite"
    mark = "?" if sqlite else "%s"
    at: Any = "2026-11-01 10:00:00.000000" if sqlite else "2026-11-01T10:00:00+00:00"
    names, marks = ", ".join(COLUMNS), ", ".join([mark] * len(COLUMNS))
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    statement = (
        f"INSERT INTO {Trade.__tablename__} ({names}) VALUES ({marks}) "  # noqa: S608 - names of our own
        f"ON CONFLICT (account_id, ticket) DO UPDATE SET {updates}"
    )
    rest = (0, 230_000_000, 7200, "", 0, "ea", False, at, at, at)
    rows = [
        (account_id, f"f{number}-{index}", "buy", "closed", "EURUSD", 10_000_000, 300_000_000, 0, -70_000_000, *rest)
        for index in range(BATCH)
    ]
    with db.engine.begin() as connection:
        raw = connection.connection.cursor()
        raw.executemany(statement, rows)
