"""The history of a million trades: a page against a bare page of as many rows, totals against a bare sum."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import select, text

from bench.__main__ import in_turn
from bench.pages import BARE, COLUMNS, ROWS
from bench.school import PASSWORD, application
from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.dialect import upsert_stored
from calmness.models.trading import Platform, Trade, TradingAccount
from calmness.services import accounts, trade_history, trade_totals, trading_accounts
from calmness.services.sync_trades import COLUMNS as STORED
from calmness.services.sync_trades import FOLLOWING, TradeRow
from calmness.services.trade_history import Filter

TRADES, CHUNK, ROUNDS = 1_000_000, 20_000, 9
EMAIL = "million@calmness.test"
SUM = text("SELECT count(*), sum(net) FROM trade WHERE account_id = :account_id AND status = 'closed'")


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds of the product, seconds of the floor)."""
    app = application()
    account_id = _fill(app)
    student = app.test_client()
    student.post("/connexion", data={"email": EMAIL, "password": PASSWORD})
    with app.app_context():
        engine = db.engine
        middle = db.session.scalars(
            select(Trade).where(Trade.account_id == account_id).order_by(Trade.closed_at).offset(TRADES // 2).limit(1)
        ).one()
        place = f"{middle.id}.{int(middle.closed_at.timestamp()) * 1_000_000}" if middle.closed_at else ""
    newest = select(*COLUMNS).where(Trade.account_id == account_id).order_by(Trade.closed_at.desc()).limit(ROWS)

    def bare_page() -> str:
        with engine.connect() as connection:
            return render_template_string(BARE, rows=connection.execute(newest).all())

    bare = Flask("bare")
    bare.add_url_rule("/", "page", bare_page)
    floor = bare.test_client()
    pages = {
        "first page": "",
        "page in the middle": f"?after={place}",
        "last page": "?last=1",
        "by result": "?sort=net",
        "by lots": "?sort=volume",
        "by holding time": "?sort=duration",
        "one symbol, winners": "?symbol=XAUUSD&result=win",
    }
    found = [
        (f"history of {TRADES:,} trades, {name}", *_pages(student, floor, f"/espace/historique{query}"))
        for name, query in pages.items()
    ]
    return [*found, (f"totals of {TRADES:,} trades, counted", *_totals(app, account_id))]


def _pages(student: FlaskClient, floor: FlaskClient, address: str) -> tuple[float, float]:
    assert student.get(address).status_code == 200
    return in_turn(lambda _n: student.get(address), lambda _n: floor.get("/"), rounds=ROUNDS)


def _totals(app: Flask, account_id: int) -> tuple[float, float]:
    with app.app_context():
        user = db.session.scalars(select(User).where(User.email == EMAIL)).one()

        def count(_n: int) -> None:
            # Another stamp each time, as after a new trade.
            trade_totals.touch(account_id)
            assert sum(part.rows for part in trade_history.totals(user, Filter(status="closed"))) == TRADES

        def bare(_n: int) -> None:
            db.session.execute(SUM, {"account_id": account_id}).one()

        measured = in_turn(count, bare, rounds=ROUNDS)
        db.session.rollback()
    return measured


def _fill(app: Flask) -> int:
    with app.app_context():
        known = db.session.scalar(
            select(TradingAccount.id).join(User, User.id == TradingAccount.user_id).where(User.email == EMAIL)
        )
        if known:
            return known
        user = accounts.create(EMAIL, PASSWORD, ("Bench", "Million"), Role.STUDENT)
        account, _key = trading_accounts.add(user, "Million", Platform.MT4, "EUR")
        rows = _rows(account.id, int(clock.now().timestamp()))
        while chunk := list(islice(rows, CHUNK)):
            upsert_stored(db.session(), Trade, STORED, chunk, key=("account_id", "ticket"), update_columns=FOLLOWING)
        trade_totals.touch(account.id)
        db.session.commit()
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE trade"))
        return account.id


def _rows(account_id: int, now: int) -> Iterator[TradeRow]:
    figures = Random(1)
    for number in range(TRADES):
        opened = now - (TRADES - number) * 90
        closed = opened + figures.randrange(60, 90_000)
        price = round(figures.uniform(1.05, 1.12), 5)
        net = round(figures.gauss(2, 60) * 100) * 1_000_000
        values: dict[str, Any] = dict.fromkeys(STORED) | {
            "account_id": account_id,
            "ticket": f"m{number}",
            "seen_at": now,
            "kind": figures.choice(("buy", "sell")),
            "status": "closed",
            "symbol": figures.choice(("EURUSD", "GBPUSD", "XAUUSD", "US30.cash", "USDJPY")),
            "volume": figures.choice((1, 10, 25, 100)) * 1_000_000,
            "open_price": round(price * 1e8),
            "close_price": round(price * 1e8) + net // 1000,
            "profit": net,
            "swap": 0,
            "commission": 0,
            "taxes": 0,
            "net": net,
            "digits": 5,
            "open_time_server": opened + 7200,
            "close_time_server": closed + 7200,
            "utc_offset_seconds": 7200,
            "opened_at": opened,
            "closed_at": closed,
            "comment": "",
            "magic": 0,
            "source": "ea",
            "suspect": False,
        }
        yield TradeRow(**values)
