"""The application of a measure, with one student and an account of a thousand trades."""

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import insert

from calmness import clock, create_app
from calmness.extensions import db
from calmness.models.account import Role
from calmness.models.trading import Platform, Trade, TradeKind, TradeSource, TradeStatus
from calmness.services.account import accounts
from calmness.services.trading import trading_accounts

PASSWORD = "four words without relation"  # noqa: S105 - of a measure
EMAIL = "bench@calmness.test"
TRADES = 1000


@lru_cache(maxsize=1)
def application() -> Flask:
    """Migrated, with its student."""
    app = create_app({"WTF_CSRF_ENABLED": False})
    with app.app_context():
        upgrade()
        user = accounts.create(EMAIL, PASSWORD, ("Bench", "Mark"), Role.STUDENT)
        account, _key = trading_accounts.add(user, "Bench", Platform.MT4, "EUR")
        now = clock.now()
        db.session.execute(insert(Trade), [_trade(account.id, number, now) for number in range(TRADES)])
        db.session.commit()
    return app


def _trade(account_id: int, number: int, now: object) -> dict[str, object]:
    zero, price = Decimal(0), Decimal("1.08420")
    opened = now - timedelta(hours=number + 2)  # type: ignore[operator]
    return {
        "account_id": account_id,
        "ticket": f"b{number}",
        "kind": TradeKind.BUY,
        "status": TradeStatus.CLOSED,
        "symbol": "EURUSD",
        "volume": Decimal("0.10"),
        "open_price": price,
        "close_price": price,
        "profit": Decimal(number % 7 - 3),
        "swap": zero,
        "commission": zero,
        "taxes": zero,
        "net": Decimal(number % 7 - 3),
        "opened_at": opened,
        "closed_at": opened + timedelta(hours=1),
        "source": TradeSource.EA,
        "seen_at": opened,
    }
