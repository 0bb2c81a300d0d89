"""The end of an account, thirty days after it was asked for: what the law asks for stays, the rest goes.

Which rows go stands in ``personal_data``. The person's row stays without a name, so that invoices and journal keep
their reference; the name on an invoice is a copy inside of it. The work is done in small transactions, each of which
may be the last before a crash: the next run goes on.
"""

import secrets
from datetime import timedelta
from typing import Any

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import Table, delete, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from calmness import clock
from calmness.errors import Conflict, DomainError
from calmness.extensions import Model, db
from calmness.files import store
from calmness.models.account import Channel, Role, TokenPurpose, User
from calmness.models.billing import Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.privacy import AccountDeletion, DeletionCause
from calmness.models.sale import ChannelPass, ChannelPassState
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.permissions import STAFF_ROLES
from calmness.services import audit, delivery
from calmness.services.account import api_tokens, avatars, sessions, tokens
from calmness.services.billing import channel_access, purchases
from calmness.services.privacy import erased_list, grace, personal_data
from calmness.services.privacy.personal_data import Fate

log = structlog.get_logger(__name__)

GRACE = timedelta(days=30)
ASKED_MAIL = "privacy.deletion_asked"
ERASED_MAIL = "privacy.account_erased"
PORTION = 500
NO_PASSWORD = "!"  # noqa: S105 - matches no hash


class StaffAccount(Conflict):
    """Somebody of the team goes by leaving the team first, so that no acts are left without an owner."""

    slug = "staff-account"
    message = _l("Ce compte appartient à l’équipe\u00a0: un administrateur doit d’abord lui retirer son rôle.")


class PaymentInReview(Conflict):
    """A transfer waits for an agent: the invoice needs the person's name."""

    slug = "payment-in-review"
    message = _l("Un de vos virements est en cours de vérification\u00a0: attendez sa facture, ou annulez cet achat.")


def ask(user: User) -> AccountDeletion:
    """Begin the thirty days: every session, token and link of the person ends now. Asked twice, it is one wish.

    Raises ``StaffAccount``, ``PaymentInReview``.
    """
    if user.role in STAFF_ROLES:
        raise StaffAccount
    if _in_review(user.id):
        raise PaymentInReview
    wish = grace.of_user(user.id)
    if wish is not None:
        return wish
    now = clock.now()
    wish = AccountDeletion(user_id=user.id, asked_at=now, due_at=now + GRACE)
    db.session.add(wish)
    db.session.flush()
    sessions.revoke_all(user.id, "deletion_asked")
    api_tokens.revoke_all(user.id)
    tokens.end_all(user.id, *TokenPurpose)
    delivery.deliver(
        ASKED_MAIL,
        f"deletion:{wish.id}:asked",
        channel=Channel.EMAIL,
        user_id=user.id,
        address=user.email,
        params={"due_on": wish.due_at.date().isoformat()},
    )
    audit.record("privacy.deletion_asked", "user", user.id, actor=user)
    return wish


def erase_due() -> int:
    """Erase everybody whose thirty days are over. Commits by itself; gives how many were finished."""
    now = clock.now()
    waiting = db.session.scalars(
        select(AccountDeletion.id).where(
            AccountDeletion.due_at <= now, AccountDeletion.cancelled_at.is_(None), AccountDeletion.erased_at.is_(None)
        )
    ).all()
    db.session.rollback()
    return sum(_erased(wish_id) for wish_id in waiting)


def _erased(wish_id: int) -> bool:
    """Erase one; what is refused waits for the next hour and keeps nobody else waiting."""
    try:
        return erase(wish_id)
    except (DomainError, SQLAlchemyError) as error:
        db.session.rollback()
        log.exception("erasure_failed", wish_id=wish_id, error=type(error).__name__)
        return False


def erase(wish_id: int, *, again: bool = False) -> bool:
    """Carry a wish out, or go on with it. Commits by itself; False when it is not due, cancelled or done.

    ``again``: a restore brought an erased person back; nobody is told a second time.
    """
    wish = db.session.scalar(
        select(AccountDeletion)
        .where(AccountDeletion.id == wish_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    now = clock.now()
    if wish is None or wish.cancelled_at or wish.erased_at or (wish.started_at is None and wish.due_at > now):
        db.session.rollback()
        return False
    user_id = wish.user_id
    if wish.started_at is None:
        if not again and _in_review(user_id):
            # Its invoice needs the name: tomorrow, then.
            db.session.rollback()
            return False
        wish.started_at = now
        user = db.session.get_one(User, user_id)
        _take_the_name_away(user, cause=None if again else wish.cause)
        erased_list.note(user.id, user.created_at)
        audit.record("privacy.erasure_started", "user", user_id, actor=None)
        db.session.commit()
    wipe(user_id)
    finished = db.session.execute(
        update(AccountDeletion)
        .where(AccountDeletion.id == wish_id, AccountDeletion.erased_at.is_(None))
        .values(erased_at=clock.now())
    )
    audit.record("privacy.account_erased", "user", user_id, actor=None)
    db.session.commit()
    log.info("account_erased", user_id=user_id)
    return int(finished.rowcount) == 1  # type: ignore[attr-defined]


def wipe(user_id: int) -> None:
    """Delete or blank a person's rows, children first, in portions; then their files. Harmless to repeat."""
    for source in reversed(Model.metadata.sorted_tables):
        place = personal_data.TABLES[source.name]
        if place.fate is Fate.DELETED:
            while _delete_portion(source, user_id, place.file):
                pass
        elif place.fate is Fate.BLANKED and place.blank:
            key = tuple(source.primary_key.columns)
            mine = personal_data.rows_of(source.name, user_id, *key)
            db.session.execute(update(source).where(_among(key, mine)).values(**place.blank))
            db.session.commit()


def _delete_portion(source: Table, user_id: int, file: str) -> int:
    key = tuple(source.primary_key.columns)
    columns = (*key, source.c[file]) if file else key
    rows = db.session.execute(personal_data.rows_of(source.name, user_id, *columns).limit(PORTION)).all()
    if rows:
        values = [tuple(row[: len(key)]) for row in rows]
        found = key[0].in_([value[0] for value in values]) if len(key) == 1 else tuple_(*key).in_(values)
        db.session.execute(delete(source).where(found))
    db.session.commit()
    for row in rows:
        if file and row[-1]:
            store().delete(row[-1])
    return len(rows)


def _among(key: tuple[Any, ...], mine: Any) -> Any:
    return key[0].in_(mine) if len(key) == 1 else tuple_(*key).in_(mine)


def _in_review(user_id: int) -> bool:
    waiting = select(Payment.id).where(
        Payment.user_id == user_id, Payment.status == PaymentStatus.TRANSACTION_SUBMITTED
    )
    return db.session.scalar(waiting.limit(1)) is not None


def _take_the_name_away(user: User, *, cause: DeletionCause | None) -> None:
    """End what the person still has, say good-bye, and leave a row without a name and without a photo.

    Without a ``cause`` nobody is told.
    """
    _end_what_runs(user)
    address, first_name, locale = user.email, user.first_name, user.locale
    sessions.revoke_all(user.id, "erased")
    api_tokens.revoke_all(user.id)
    tokens.end_all(user.id, *TokenPurpose)
    if cause:
        delivery.deliver(
            ERASED_MAIL,
            f"erased:{user.id}",
            channel=Channel.EMAIL,
            address=address,
            params={"first_name": first_name, "locale": locale, "cause": cause.value},
        )
    avatars.remove(user)
    first, last = personal_data.ERASED_NAME.split(" ", 1)
    blank: dict[str, Any] = {
        "email": f"efface-{user.id}@compte.invalid",
        "email_key": f"efface-{user.id}-{secrets.token_hex(8)}",
        "password_hash": NO_PASSWORD,
        "first_name": first,
        "last_name": last,
        "role": Role.STUDENT,
        "country": "FR",
        "time_zone": "Europe/Paris",
        "deleted_at": clock.now(),
    }
    nothing = ("phone", "address", "postcode", "city", "company", "siren", "vat_number", "gender", "age_bracket")
    for name in (*nothing, "avatar_file", "last_seen_at", "email_verified_at"):
        blank[name] = None
    for name, value in blank.items():
        setattr(user, name, value)
    db.session.flush()


def _end_what_runs(user: User) -> None:
    for payment in db.session.scalars(
        select(Payment).where(
            Payment.user_id == user.id, Payment.status.in_([PaymentStatus.DECLARED, PaymentStatus.REJECTED])
        )
    ).all():
        purchases.cancel(payment, reason=personal_data.ERASED_NAME)
    now = clock.now()
    db.session.execute(
        update(Subscription)
        .where(Subscription.user_id == user.id, Subscription.status == SubscriptionStatus.ACTIVE)
        .values(status=SubscriptionStatus.CANCELLED)
    )
    db.session.execute(
        update(UserFormationEnrollment)
        .where(
            UserFormationEnrollment.user_id == user.id,
            UserFormationEnrollment.status.in_([EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED]),
        )
        .values(status=EnrollmentStatus.WITHDRAWN, ended_at=now)
    )
    # The way to the person's Telegram goes with the account: keep its number on the stay until that is over.
    for stay in db.session.scalars(
        select(ChannelPass).where(ChannelPass.user_id == user.id, ChannelPass.state != ChannelPassState.GONE)
    ):
        stay.telegram_user_id = channel_access.telegram_user(stay)
