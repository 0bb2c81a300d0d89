"""Valid objects with one call; a test states only what matters to it.

They belong to the session of the test's own context; each request commits them before it starts.
"""

from base64 import b64decode
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from factory.alchemy import SQLAlchemyModelFactory
from factory.declarations import LazyAttribute, LazyFunction, Sequence

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.trading import Trade, TradeKind, TradeSource, TradeStatus

PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
"""The smallest picture, as PNG."""

PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$not-a-real-hash"


class Factory(SQLAlchemyModelFactory):
    """Base of the factories: adds to the session of the test and flushes."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = lambda: db.session  # noqa: E731
        sqlalchemy_session_persistence = "flush"


class UserFactory(Factory):
    """A student with a verified address."""

    class Meta:
        model = User

    email = Sequence(lambda n: f"eleve{n}@example.test")
    email_key = LazyAttribute(lambda user: user.email.casefold())
    password_hash = PASSWORD_HASH
    first_name = "Élodie"
    last_name = "O'Brien-Ñandú"
    role = Role.STUDENT
    created_at = LazyFunction(lambda: clock.now() - timedelta(days=30))
    email_verified_at = LazyAttribute(lambda user: user.created_at + timedelta(hours=1))


def student(**values: Any) -> User:
    """A student."""
    return cast("User", UserFactory(**values))


def agent(**values: Any) -> User:
    """A member of the team who answers and validates."""
    return student(role=Role.AGENT, **values)


def admin(**values: Any) -> User:
    """A member of the team who may do everything."""
    return student(role=Role.ADMIN, **values)


def closed_trade(account_id: int) -> Trade:
    """A trade of an EA that won."""
    zero = Decimal(0)
    trade = Trade(
        account_id=account_id,
        ticket="7001",
        kind=TradeKind.BUY,
        status=TradeStatus.CLOSED,
        source=TradeSource.EA,
        symbol="EURUSD",
        volume=Decimal("0.10"),
        profit=Decimal("12.50"),
        swap=zero,
        commission=zero,
        taxes=zero,
        net=Decimal("12.50"),
        opened_at=clock.now() - timedelta(hours=2),
        closed_at=clock.now(),
        seen_at=clock.now(),
    )
    db.session.add(trade)
    db.session.flush()
    return trade


def deposit(account_id: int, amount: str = "1000.00") -> Trade:
    """Money paid in, or out below zero, as the broker booked it."""
    trade = closed_trade(account_id)
    trade.ticket, trade.kind, trade.status = f"D{trade.id}", TradeKind.BALANCE, TradeStatus.CASH
    trade.symbol, trade.volume = "", Decimal(0)
    trade.profit = trade.net = Decimal(amount)
    db.session.flush()
    return trade
