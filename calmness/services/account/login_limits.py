"""Slows guessing down, per account and per network, without locking the owner out."""

import hashlib
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update

from calmness import clock
from calmness.errors import TooManyAttempts
from calmness.extensions import db
from calmness.models.account import LoginAttempt
from calmness.models.dialect import hold
from calmness.services import delivery

WINDOW = timedelta(minutes=15)
HOUR = timedelta(hours=1)
KNOWN_FOR = timedelta(days=90)
PER_ACCOUNT_AND_NETWORK = 5
PER_ACCOUNT = 20
PER_NETWORK = 50
GUESSED_TASK = "account.password_guessed"


def begin(email_key: str, network: str) -> int:
    """Count a try before it is made, so that many at once cannot slip through. Raises ``TooManyAttempts``.

    It stands as failed until ``succeed``. The limit per account does not bind a network from which the owner has
    logged in lately: guessing from elsewhere must not lock anybody out.
    """
    now, account = clock.now(), _hash(email_key)
    hold(db.session(), f"login:{account}")
    here = LoginAttempt.network == network
    mine = LoginAttempt.account_hash == account
    _hold(WINDOW, PER_ACCOUNT_AND_NETWORK, now, mine, here)
    _hold(HOUR, PER_NETWORK, now, here)
    if not _is_known(account, network, now):
        _hold(HOUR, PER_ACCOUNT, now, mine)
    attempt = LoginAttempt(account_hash=account, network=network, at=now, succeeded=False)
    db.session.add(attempt)
    db.session.flush()
    return attempt.id


def succeed(attempt_id: int) -> None:
    """The try was right."""
    db.session.execute(update(LoginAttempt).where(LoginAttempt.id == attempt_id).values(succeeded=True))


def tell_owner(email: str, email_key: str) -> None:
    """Have the owner told when an account is guessed at, once a day.

    The address is looked up by the worker: a wrong try costs the same whether it has an account or not.
    """
    if failures_of(email_key) >= PER_ACCOUNT:
        day = clock.paris_today().isoformat()
        delivery.enqueue(GUESSED_TASK, f"guessed:{_hash(email_key)}:{day}", {"email": email.strip()[:254]})


def failures_of(account: str) -> int:
    """Failed tries on an account within the last hour, from anywhere."""
    mine = LoginAttempt.account_hash == _hash(account)
    recent = LoginAttempt.at > clock.now() - HOUR
    failed = select(func.count()).select_from(LoginAttempt).where(mine, recent, LoginAttempt.succeeded.is_(False))
    return db.session.scalar(failed) or 0


def _hold(span: timedelta, limit: int, now: datetime, *conditions: object) -> None:
    """Refuse when ``limit`` failures lie within ``span``; says when the oldest that counts falls out of it."""
    failures = db.session.scalars(
        select(LoginAttempt.at)
        .where(*conditions, LoginAttempt.succeeded.is_(False), LoginAttempt.at > now - span)  # type: ignore[arg-type]
        .order_by(LoginAttempt.at.desc())
        .limit(limit)
    ).all()
    if len(failures) < limit:
        return
    seconds = max(1, int((failures[-1] + span - now).total_seconds()) + 1)
    minutes = -(-seconds // 60)
    message = _l(
        "Trop d’essais en peu de temps. Recommencez dans %(minutes)s\u00a0min, ou choisissez un nouveau mot de passe.",
        minutes=minutes,
    )
    raise TooManyAttempts(seconds, message)


def _is_known(account: str, network: str, now: datetime) -> bool:
    return bool(
        db.session.scalar(
            select(func.count())
            .select_from(LoginAttempt)
            .where(
                LoginAttempt.account_hash == account,
                LoginAttempt.network == network,
                LoginAttempt.succeeded.is_(True),
                LoginAttempt.at > now - KNOWN_FOR,
            )
        )
    )


def _hash(email_key: str) -> str:
    return hashlib.sha256(email_key.encode("utf-8", "surrogatepass")).hexdigest()
