"""A MetaTrader terminal as the server sees it: batches of an EA by HTTP."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import User
from calmness.models.trading import Platform, TradingAccount
from calmness.services.trading import trading_accounts
from tests import factories

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
"""A Tuesday; the tests of this area are set there."""
OFFSET = 7200
BUY, SELL, BUY_LIMIT, BALANCE, CREDIT = 0, 1, 2, 6, 7

_numbers = itertools.count(1)


def at(day: int, hour: int = 12, minute: int = 0, *, month: int = 11) -> int:
    """An instant of 2026 as the broker's server writes it in winter: two hours ahead of UTC."""
    return int(datetime(2026, month, day, hour, minute, tzinfo=UTC).timestamp()) + OFFSET


def trade(ticket: int | str, profit: str = "10.00", **more: Any) -> dict[str, Any]:
    """A closed buy of a tenth lot of EURUSD; any field can be given."""
    return {
        "ticket": str(ticket),
        "type": BUY,
        "symbol": "EURUSD",
        "lots": "0.100",
        "open_time": at(20, 10),
        "close_time": at(20, 11),
        "open_price": "1.08420",
        "close_price": "1.08520",
        "sl": "0.00000",
        "tp": "0.00000",
        "profit": profit,
        "swap": "0.00",
        "commission": "0.00",
        "magic": 0,
        "digits": 5,
        "comment": "",
    } | more


def cash(ticket: int | str, amount: str, **more: Any) -> dict[str, Any]:
    """A deposit, or a withdrawal below zero."""
    empty = {
        "type": BALANCE,
        "symbol": "",
        "lots": "0.000",
        "open_price": "0.00",
        "close_price": "0.00",
        "close_time": 0,
    }
    return trade(ticket, amount, **(empty | more))


@dataclass
class Terminal:
    """An EA with its key."""

    client: FlaskClient
    key: str
    login: str = "80012345"
    currency: str = "EUR"
    balance: str = "1000.00"
    gmt: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self, *trades: Any, **more: Any) -> dict[str, Any]:
        """A batch as EA 2 writes it."""
        gmt = int(NOW.timestamp()) if self.gmt is None else self.gmt
        return {
            "v": 2,
            "ea": "2.0.0",
            "platform": "mt4",
            "batch_id": f"batch-{next(_numbers)}",
            "account": {
                "login": self.login,
                "server": "Broker-Live",
                "company": "Broker Ltd",
                "currency": self.currency,
                "leverage": 30,
                "mode": "real",
            },
            "clock": {"gmt": gmt, "server": gmt + OFFSET, "server_age_s": 1},
            "snapshot": {"balance": self.balance, "equity": self.balance, "margin": "0", "free": self.balance},
            "history": {"total": len(trades), "complete": True},
            "trades": list(trades),
            **self.extra,
            **more,
        }

    def post(self, body: Any, *, key: str | None = None) -> TestResponse:
        """Send a body: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"X-API-Key": self.key if key is None else key, "Content-Type": "application/json"}
        return self.client.post("/ea/v1/sync", data=raw, headers=headers)

    def sync(self, *trades: Any, **more: Any) -> dict[str, Any]:
        """Send trades, expect them taken; the answer."""
        answer = self.post(self.body(*trades, **more))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found


def linked(
    site: Flask, user: User | None = None, currency: str = "EUR", name: str = "Compte réel", **more: Any
) -> tuple[TradingAccount, Terminal]:
    """An account of a student and its terminal."""
    account, key = trading_accounts.add(user or factories.student(), name, Platform.MT4, currency)
    db.session.commit()
    terminal = Terminal(ea(site), key, currency=currency, **more)
    return account, terminal


def ea(site: Flask) -> FlaskClient:
    """A client that sends no form token and keeps no cookie."""
    client = site.test_client(use_cookies=False)
    client.csrf = False  # type: ignore[attr-defined]
    return client


def work() -> None:
    """Do what the worker would do now, and look at the database anew."""
    drain_everything()
    db.session.commit()
    db.session.expire_all()
