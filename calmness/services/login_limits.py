"""Slows guessing down, per account and per network, without locking the owner out."""

import hashlib
from datetime import timedelta

from sqlalchemy import func, select

from calmness import clock
from calmness.errors import TooManyAttempts
from calmness.extensions import db
from calmness.models.account import LoginAttempt

WINDOW = timedelta(minutes=15)
HOUR = timedelta(hours=1)
PER_ACCOUNT_AND_NETWORK = 5
PER_ACCOUNT = 20
PER_NETWORK = 50


def check(email_key: str, network: str) -> None:
    """Raises ``TooManyAttempts`` when this network or this account has failed too often lately."""
    now = clock.now()
    account = _hash(email_key)
    failed = LoginAttempt.succeeded.is_(False)
    same = _count(
        failed, LoginAttempt.account_hash == account, LoginAttempt.network == network, LoginAttempt.at > now - WINDOW
    )
    if same >= PER_ACCOUNT_AND_NETWORK:
        raise TooManyAttempts(int(WINDOW.total_seconds()))
    if _count(failed, LoginAttempt.account_hash == account, LoginAttempt.at > now - HOUR) >= PER_ACCOUNT:
        raise TooManyAttempts(300)
    if _count(failed, LoginAttempt.network == network, LoginAttempt.at > now - HOUR) >= PER_NETWORK:
        raise TooManyAttempts(600)


def note(email_key: str, network: str, *, succeeded: bool) -> None:
    """Record a try. The address is kept as a hash only."""
    db.session.add(LoginAttempt(account_hash=_hash(email_key), network=network, at=clock.now(), succeeded=succeeded))
    db.session.flush()


def _count(*conditions: object) -> int:
    return db.session.scalar(select(func.count()).select_from(LoginAttempt).where(*conditions)) or 0  # type: ignore[arg-type]


def _hash(email_key: str) -> str:
    return hashlib.sha256(email_key.encode()).hexdigest()
