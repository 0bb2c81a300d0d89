"""Trading accounts of a student and the keys of their EA.

A key reads ``ct_ea_<id>_<secret>``: the id finds the row, the secret is compared by hash in constant time. An unknown
id costs the same. The old key lives a day after a rotation, so that nobody loses a trade while pasting the new one.
"""

import hmac
import re
import secrets
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, delete, func, select, update

from calmness import clock
from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.prepared import Prepared, adopt
from calmness.models.trading import Platform, SyncBatch, Trade, TradeStatus, TradingAccount, TradingKey
from calmness.services import audit
from calmness.services.account import preferences
from calmness.services.account.sessions import hash_secret
from calmness.services.trading import screenshots, statement_files

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
OLD_KEY_LIVES = timedelta(hours=24)
USE_NOTED_EVERY = timedelta(minutes=10)
_KEY = re.compile(r"^ct_ea_([0-9A-Za-z]{8})_([0-9A-Za-z]{32})$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_NOBODY = (0, hash_secret("no key has this secret"), None, None, None, False)
_COLUMNS = tuple(TradingAccount.__table__.columns)
_NAMES = tuple(column.key for column in _COLUMNS)
_FOUND = (
    select(
        TradingKey.id,
        TradingKey.secret_hash,
        TradingKey.revoked_at,
        TradingKey.expires_at,
        TradingKey.last_used_at,
        preferences.takes_trades(TradingAccount.user_id).label("takes_trades"),
        *_COLUMNS,
    )
    .join(TradingAccount, TradingAccount.id == TradingKey.account_id)
    .where(TradingKey.public_id == bindparam("public_id"))
)
# Ten thousand EAs ask this each minute.
_READ = Prepared(lambda _dialect: _FOUND)
_HELD = Prepared(lambda _dialect: _FOUND.with_for_update(of=TradingAccount))


class KeyRefused(DomainError):
    """Unknown, expired or revoked key."""

    status = 401
    slug = "ea-key-refused"
    message = _l("Clé refusée\u00a0: copiez la clé affichée dans votre espace, rubrique MetaTrader.")


class AccountDisabled(DomainError):
    """The account was archived."""

    status = 403
    slug = "ea-account-archived"
    message = _l("Ce compte est archivé dans votre espace.")


class IntakeOff(DomainError):
    """The person has switched off all that shows trades: none are collected. On again, EA 2 sends what was missed."""

    status = 403
    slug = "ea-intake-off"
    message = _l(
        "L’historique et le portefeuille sont désactivés dans vos paramètres\u00a0: rien n’est reçu. "
        "Réactivez l’un des deux pour reprendre."
    )


class NameNotTyped(DomainError):
    """The name typed is not the account's."""

    slug = "account-name-not-typed"
    message = _l("Tapez le nom du compte tel qu’il est affiché.")
    field = "name"


def add(user: User, name: str, platform: Platform, currency: str) -> tuple[TradingAccount, str]:
    """A new account with its first key, shown this once."""
    currency = currency.strip().upper()
    if not _CURRENCY.match(currency):
        raise DomainError(_l("Entrez une devise de trois lettres, par exemple EUR."), field="currency")
    account = TradingAccount(
        user_id=user.id, name=name.strip()[:80], platform=platform, currency=currency, created_at=clock.now()
    )
    db.session.add(account)
    db.session.flush()
    return account, _new_key(account)


def rotate(account: TradingAccount) -> str:
    """A new key; the old ones end in a day."""
    now = clock.now()
    db.session.execute(
        update(TradingKey)
        .where(TradingKey.account_id == account.id, TradingKey.revoked_at.is_(None), TradingKey.expires_at.is_(None))
        .values(expires_at=now + OLD_KEY_LIVES)
    )
    audit.record("ea_key.rotated", "trading_account", account.id, actor=account.user)
    return _new_key(account)


def revoke_keys(account: TradingAccount) -> None:
    """End all keys at once."""
    db.session.execute(
        update(TradingKey)
        .where(TradingKey.account_id == account.id, TradingKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    audit.record("ea_key.revoked", "trading_account", account.id, actor=account.user)


def archive(account: TradingAccount) -> None:
    """Take the account out of the figures and refuse its EA; its trades stay."""
    account.archived_at = clock.now()
    revoke_keys(account)


def restore(account: TradingAccount) -> None:
    """Bring an archived account back; its keys stay revoked."""
    account.archived_at = None
    audit.record("trading_account.restored", "trading_account", account.id, actor=account.user)


def rename(account: TradingAccount, name: str) -> None:
    """Call it otherwise."""
    account.name = name.strip()[:80]


def remove(account: TradingAccount, typed_name: str) -> None:
    """Delete an account with all its trades, notes, files and keys. Raises ``NameNotTyped``."""
    if typed_name.strip().casefold() != account.name.casefold():
        raise NameNotTyped
    audit.record("trading_account.deleted", "trading_account", account.id, actor=account.user)
    db.session.flush()
    statement_files.forget_files(account.id)
    screenshots.forget_files(Trade.account_id == account.id)
    db.session.execute(delete(TradingAccount).where(TradingAccount.id == account.id))


def authenticate(key: str, *, holding: bool = True) -> TradingAccount:
    """The account of a key, held until the transaction ends: two terminals with one key never interleave.

    Raises ``KeyRefused``, ``AccountDisabled``, ``IntakeOff``.
    """
    match = _KEY.match(key)
    public_id, secret = match.groups() if match else ("", "")
    session = db.session()
    rows = (_HELD if holding else _READ).run(session.connection(), {"public_id": public_id})
    key_id, secret_hash, revoked_at, expires_at, used_at, takes_trades, *values = rows[0] if rows else _NOBODY
    right = hmac.compare_digest(hash_secret(secret), secret_hash)
    now = clock.now()
    if not rows or not right or revoked_at or (expires_at and expires_at < now):
        raise KeyRefused
    account = adopt(session, TradingAccount, _NAMES, values) or session.get_one(
        TradingAccount, values[_NAMES.index("id")], populate_existing=True
    )
    if account.archived_at:
        raise AccountDisabled
    if not takes_trades:
        raise IntakeOff
    if holding and (used_at is None or now - used_at > USE_NOTED_EVERY):
        db.session.execute(update(TradingKey).where(TradingKey.id == key_id).values(last_used_at=now))
    return account


def of_user(user_id: int) -> list[TradingAccount]:
    """A person's own living accounts, in order of creation."""
    return list(
        db.session.scalars(
            select(TradingAccount)
            .where(TradingAccount.user_id == user_id, TradingAccount.archived_at.is_(None))
            .order_by(TradingAccount.id)
        )
    )


def archived_of(user_id: int) -> list[TradingAccount]:
    """A person's own archived accounts."""
    return list(
        db.session.scalars(
            select(TradingAccount)
            .where(TradingAccount.user_id == user_id, TradingAccount.archived_at.is_not(None))
            .order_by(TradingAccount.id)
        )
    )


def own(user_id: int, account_id: int) -> TradingAccount:
    """A person's own account. Raises ``NotFound``."""
    account = db.session.scalar(
        select(TradingAccount).where(TradingAccount.user_id == user_id, TradingAccount.id == account_id)
    )
    if account is None:
        raise NotFound
    return account


def keys_of(account_id: int) -> list[TradingKey]:
    """Keys that still work, newest first."""
    return list(
        db.session.scalars(
            select(TradingKey)
            .where(
                TradingKey.account_id == account_id,
                TradingKey.revoked_at.is_(None),
                (TradingKey.expires_at.is_(None)) | (TradingKey.expires_at > clock.now()),
            )
            .order_by(TradingKey.id.desc())
        )
    )


def counts(account_id: int) -> dict[str, int]:
    """How many rows of each status an account has, and how many batches it sent."""
    rows = db.session.execute(
        select(Trade.status, func.count()).where(Trade.account_id == account_id).group_by(Trade.status)
    )
    found = {status.value: count for status, count in rows}
    batches = db.session.scalar(select(func.count()).select_from(SyncBatch).where(SyncBatch.account_id == account_id))
    return {status.value: found.get(status.value, 0) for status in TradeStatus} | {"batches": batches or 0}


def _new_key(account: TradingAccount) -> str:
    public_id = "".join(secrets.choice(ALPHABET) for _ in range(8))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(32))
    db.session.add(
        TradingKey(account_id=account.id, public_id=public_id, secret_hash=hash_secret(secret), created_at=clock.now())
    )
    db.session.flush()
    return f"ct_ea_{public_id}_{secret}"
