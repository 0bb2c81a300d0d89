"""What a restore must not undo: ended sessions, closed accounts, revoked keys, withdrawn consents, erased people.

An old database says that they are good. So every session and link of it ends; the rest is read from the database that
is replaced, and erased accounts also from a list beside the database, for the day when that one is lost.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, or_, select, update

from calmness import clock
from calmness.extensions import Model, db
from calmness.models.account import AuthSession, Consent, OneTimeToken, User
from calmness.models.api import ApiToken
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.privacy import AccountDeletion
from calmness.models.trading import TradingKey
from calmness.services import audit
from calmness.services.privacy import consents, erased_list, erasure

REASON = "restored"
FACTORS = ("totp_secret", "recovery_code", "passkey")


@dataclass
class Known:
    """What the replaced database knew. Accounts are told by number and birth: numbers may be given anew."""

    erased: set[tuple[int, str]] = field(default_factory=set)
    disabled: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    withdrawn: set[tuple[int, str]] = field(default_factory=set)
    passwords: dict[tuple[int, str], str] = field(default_factory=dict)
    factors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add_erased(self, accounts: set[tuple[int, str]]) -> None:
        """More erased accounts, from the list."""
        self.erased |= accounts


def collect() -> Known:
    """Read what a restore must not undo from the database in place."""
    newest: dict[tuple[int, str], bool] = {}
    for user_id, purpose, given in db.session.execute(
        select(Consent.user_id, Consent.purpose, Consent.given).order_by(Consent.id)
    ):
        newest[user_id, purpose] = given
    gone = db.session.execute(select(User.id, User.created_at).where(User.deleted_at.is_not(None)))
    # A key that was replaced lives on for a day: after a restore it would for ever.
    ended_keys = select(TradingKey.public_id).where(
        or_(TradingKey.revoked_at.is_not(None), TradingKey.expires_at.is_not(None))
    )
    known = Known(
        erased={(number, erased_list.birth(created_at)) for number, created_at in gone},
        disabled=set(db.session.scalars(select(User.id).where(User.disabled_at.is_not(None)))),
        keys=set(db.session.scalars(ended_keys)),
        withdrawn={key for key, given in newest.items() if not given},
    )
    for number, created_at, hashed in db.session.execute(select(User.id, User.created_at, User.password_hash)):
        known.passwords[number, erased_list.birth(created_at)] = hashed
    for name in FACTORS:
        rows = db.session.execute(select(Model.metadata.tables[name])).mappings()
        known.factors[name] = [dict(row) for row in rows]
    db.session.rollback()
    return known


def apply(known: Known) -> None:
    """End what an old state opens again. Commits by itself."""
    now = clock.now()
    quiet = {"synchronize_session": False}
    for statement in (
        update(AuthSession).where(AuthSession.revoked_at.is_(None)).values(revoked_at=now, revoke_reason=REASON),
        update(ApiToken).where(ApiToken.revoked_at.is_(None)).values(revoked_at=now),
        update(OneTimeToken).where(OneTimeToken.used_at.is_(None)).values(used_at=now),
        update(TradingKey)
        .where(TradingKey.public_id.in_(known.keys), TradingKey.revoked_at.is_(None))
        .values(revoked_at=now),
        update(User).where(User.id.in_(known.disabled), User.disabled_at.is_(None)).values(disabled_at=now),
        # They may have left between backup and restore: the staff decides about a second time.
        update(Delivery)
        .where(
            Delivery.state.in_([DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING]),
            Delivery.due_at <= now,
        )
        .values(state=DeliveryState.UNKNOWN, lease_until=None),
    ):
        db.session.execute(statement, execution_options=quiet)
    _keep_credentials(known)
    for user_id, purpose in sorted(known.withdrawn):
        user = db.session.get(User, user_id)
        if user is not None and purpose in consents.PURPOSES and consents.PURPOSES[purpose].withdrawn:
            consents.withdraw(user, purpose)
    audit.record("system.restored", "database", "-", actor=None)
    db.session.commit()
    for number, birth in sorted(known.erased):
        _erase_again(number, birth, now)


def _keep_credentials(known: Known) -> None:
    """Password and factors stay those of today: a stolen password that was changed must not work again."""
    here = {
        (number, erased_list.birth(created_at)): number
        for number, created_at in db.session.execute(select(User.id, User.created_at))
    }
    same = {key: number for key, number in here.items() if key in known.passwords}
    for key, number in same.items():
        db.session.execute(update(User).where(User.id == number).values(password_hash=known.passwords[key]))
    numbers = set(same.values())
    for name, rows in known.factors.items():
        table = Model.metadata.tables[name]
        for number in numbers:
            db.session.execute(delete(table).where(table.c.user_id == number))
        kept = [row for row in rows if row["user_id"] in numbers]
        if kept:
            db.session.execute(insert(table), kept)


def _erase_again(number: int, birth: str, now: datetime) -> None:
    user = db.session.get(User, number)
    if user is None or user.deleted_at is not None or erased_list.birth(user.created_at) != birth:
        return
    wish = db.session.scalar(
        select(AccountDeletion).where(
            AccountDeletion.user_id == number,
            AccountDeletion.cancelled_at.is_(None),
            AccountDeletion.erased_at.is_(None),
        )
    )
    if wish is None:
        wish = AccountDeletion(user_id=number, asked_at=now - erasure.GRACE, due_at=now)
        db.session.add(wish)
    wish.due_at = max(wish.asked_at + timedelta(seconds=1), min(wish.due_at, now))
    db.session.commit()
    erasure.erase(wish.id, again=True)
