"""A batch of an EA, as a whole request, against a bare bulk upsert of the same rows and columns with the driver."""

import json
import time
from datetime import UTC, datetime
from random import Random
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine

from bench.__main__ import in_turn
from bench.school import application
from calmness import clock
from calmness.extensions import db
from calmness.models.trading import Trade, TradingAccount
from calmness.services.trading import sync_trades, trading_accounts
from calmness.services.trading.sync_trades import COLUMNS

BATCH = 500
ROUNDS = 25


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor): batches of new trades."""
    app = application()
    with app.app_context():
        # Other groups that ran before leave accounts of their own.
        account = db.session.query(TradingAccount).order_by(TradingAccount.id).first()
        assert account is not None
        key = trading_accounts.rotate(account)
        account_id = account.id
        db.session.commit()
        engine = db.engine
    terminal = app.test_client()
    numbers = range(-1, ROUNDS)
    bodies = [json.dumps(_body(f"s{number}")).encode() for number in numbers]
    rows = [_rows(account_id, _body(f"f{number}"), plain=engine.dialect.name == "sqlite") for number in numbers]
    product, floor = in_turn(
        lambda n: _sync(terminal, key, bodies[n + 1]), lambda n: _bare(engine, rows[n + 1]), rounds=ROUNDS
    )
    return [(f"EA sync by HTTP, {BATCH} new trades", product, floor)]


def _sync(terminal: FlaskClient, key: str, body: bytes) -> None:
    answer = terminal.post("/ea/v1/sync", data=body, headers={"X-API-Key": key})
    assert answer.get_json()["accepted"] == BATCH


def _body(name: str) -> dict[str, Any]:
    now = int(time.time())
    start = now - 86_400 * 30
    figures = Random(name)
    return {
        "v": 2,
        "ea": "2.0.0",
        "batch_id": f"bench-{name}",
        "account": {"login": "1", "server": "Bench", "currency": "EUR"},
        "clock": {"gmt": now, "server": now + 7200, "server_age_s": 1},
        "snapshot": {"balance": "1000", "equity": "1000"},
        "trades": [_message(f"{name}-{index}", start + index, figures) for index in range(BATCH)],
    }


def _message(ticket: str, opened: int, figures: Random) -> dict[str, Any]:
    price = figures.uniform(1.05, 1.12)
    return {
        "ticket": ticket,
        "type": 0,
        "symbol": figures.choice(("EURUSD", "GBPUSD", "XAUUSD", "US30.cash")),
        "lots": f"{figures.choice((0.01, 0.1, 0.25, 1.0)):.3f}",
        "open_time": opened,
        "close_time": opened + figures.randrange(60, 90_000),
        "open_price": f"{price:.5f}",
        "close_price": f"{price + figures.gauss(0, 0.002):.5f}",
        "sl": f"{price - 0.004:.5f}",
        "tp": f"{price + 0.006:.5f}",
        "profit": f"{figures.gauss(2, 60):.2f}",
        "swap": "0.00",
        "commission": "-0.70",
        "magic": 42,
        "digits": 5,
        "comment": figures.choice(("", "[sl]", "[tp]", "from #12")),
    }


def _rows(account_id: int, body: dict[str, Any], *, plain: bool) -> list[tuple[Any, ...]]:
    """The rows that the product makes of a batch, as the driver takes them."""
    parsed = sync_trades.read(account_id, body["trades"], 7200, clock.now())
    places = [COLUMNS.index(name) for name in ("seen_at", "opened_at", "closed_at")]
    rows = [list(row) for row in parsed.rows.values()]
    for row in rows:
        for place in places:
            instant = datetime.fromtimestamp(row[place], UTC)
            row[place] = instant.isoformat(" ", "microseconds")[:26] if plain else instant
    return [tuple(row) for row in rows]


def _bare(engine: Engine, rows: list[tuple[Any, ...]]) -> None:
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    names, marks = ", ".join(COLUMNS), ", ".join([mark] * len(COLUMNS))
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    statement = (
        f"INSERT INTO {Trade.__tablename__} ({names}) VALUES ({marks}) "  # noqa: S608 - names of our own
        f"ON CONFLICT (account_id, ticket) DO UPDATE SET {updates}"
    )
    with engine.begin() as connection:
        connection.connection.cursor().executemany(statement, rows)
