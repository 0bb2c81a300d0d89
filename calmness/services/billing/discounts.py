"""Discount codes: how much they take off, for whom, how often. A code is counted under its locked row."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from calmness import clock
from calmness.banking import plain
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import Offer
from calmness.models.sale import DiscountCode
from calmness.services import audit


class DiscountUnknown(DomainError):
    """No such code, or it is not open: told in the same words, so that nobody guesses codes."""

    slug = "discount-unknown"
    field = "code"
    message = _l("Ce code n’est pas valable pour cette offre.")


class DiscountUsedUp(Conflict):
    """The code was used as often as it may."""

    slug = "discount-used-up"
    field = "code"
    message = _l("Ce code a déjà servi autant de fois que prévu.")


class DiscountTooLarge(DomainError):
    """Nothing would be left to pay: a transfer of nothing does not exist."""

    slug = "discount-too-large"
    field = "code"
    message = _l("Ce code dépasse le prix de cette offre.")


class DiscountTaken(Conflict):
    """Another code is called like this."""

    slug = "discount-exists"
    field = "code"
    message = _l("Un code porte déjà ce nom.")


DISCOUNT_ERRORS = (DiscountUnknown, DiscountUsedUp, DiscountTooLarge)


@dataclass(frozen=True)
class DiscountDraft:
    """What an admin fills in."""

    code: str
    percent_bp: int | None
    amount_cents: int | None
    offer_id: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    max_uses: int | None = None
    max_per_person: int | None = 1


def off(code: DiscountCode, price_cents: int) -> int:
    """Cents that a code takes off a price: half up. Raises ``DiscountTooLarge`` when nothing would be left."""
    if code.percent_bp is not None:
        part = (Decimal(price_cents) * code.percent_bp / 10000).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        cents = int(part)
    else:
        cents = code.amount_cents or 0
    if cents >= price_cents:
        raise DiscountTooLarge
    return cents


def apply(payment: Payment, text: str) -> DiscountCode:
    """Lower what is to pay. Raises ``DiscountUnknown``, ``DiscountUsedUp``, ``DiscountTooLarge``."""
    code = db.session.scalar(select(DiscountCode).where(DiscountCode.code == plain(text)))
    if code is None or payment.status is not PaymentStatus.DECLARED or payment.first_id is not None:
        raise DiscountUnknown
    check(code, payment)
    payment.discount_id, payment.discount_cents = code.id, off(code, payment.list_cents)
    payment.amount_cents = payment.list_cents - payment.discount_cents
    payment.instalments, payment.deposit_cents, payment.terms_accepted_at = 1, 0, None
    payment.label = payment.contract_label
    db.session.flush()
    return code


def remove(payment: Payment) -> None:
    """Pay the whole price again."""
    if payment.status is not PaymentStatus.DECLARED or payment.first_id is not None:
        raise DiscountUnknown
    payment.discount_id, payment.discount_cents, payment.amount_cents = None, 0, payment.list_cents
    payment.instalments, payment.deposit_cents, payment.terms_accepted_at = 1, 0, None
    payment.label = payment.contract_label
    db.session.flush()


def check(code: DiscountCode, payment: Payment) -> None:
    """Whether a payment may bear a code now, counted under its lock."""
    code = db.session.scalars(
        select(DiscountCode)
        .where(DiscountCode.id == code.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    today = clock.paris_today()
    in_time = (code.valid_from or today) <= today <= (code.valid_until or today)
    if not code.is_active or not in_time or code.offer_id not in {None, payment.offer_id}:
        raise DiscountUnknown
    if code.max_uses is not None and _used(code, payment) >= code.max_uses:
        raise DiscountUsedUp
    if code.max_per_person is not None and _used(code, payment, payment.user_id) >= code.max_per_person:
        raise DiscountUsedUp


def every() -> list[tuple[DiscountCode, int]]:
    """Codes with how often each was used, newest first."""
    used = (
        select(Payment.discount_id, func.count().label("uses"))
        .where(Payment.discount_id.is_not(None), Payment.status != PaymentStatus.CANCELLED)
        .group_by(Payment.discount_id)
        .subquery()
    )
    rows = db.session.execute(
        select(DiscountCode, func.coalesce(used.c.uses, 0))
        .outerjoin(used, used.c.discount_id == DiscountCode.id)
        .order_by(DiscountCode.id.desc())
    )
    return [(code, int(uses)) for code, uses in rows]


def create(draft: DiscountDraft, *, by: User) -> DiscountCode:
    """Make a code. Raises ``DiscountTaken``."""
    key = plain(draft.code)[:40]
    if len(key) < 3:
        raise DomainError(_l("Un code compte au moins trois lettres ou chiffres."), field="code")
    if (draft.percent_bp is None) == (draft.amount_cents is None):
        raise DomainError(_l("Donnez un pourcentage ou un montant, pas les deux."), field="percent")
    if draft.offer_id is not None and db.session.get(Offer, draft.offer_id) is None:
        raise DomainError(_l("Cette offre n’existe pas."), field="offer_id")
    if db.session.scalar(select(DiscountCode.id).where(DiscountCode.code == key)):
        raise DiscountTaken
    code = DiscountCode(
        code=key,
        percent_bp=draft.percent_bp,
        amount_cents=draft.amount_cents,
        offer_id=draft.offer_id,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        max_uses=draft.max_uses,
        max_per_person=draft.max_per_person,
        is_active=True,
        created_at=clock.now(),
        created_by_id=by.id,
    )
    db.session.add(code)
    db.session.flush()
    audit.record("discount.created", "discount_code", code.id, actor=by)
    return code


def set_active(code_id: int, active: bool, *, by: User) -> DiscountCode:
    """Open or close a code; purchases that bear it keep it."""
    code = db.session.get(DiscountCode, code_id)
    if code is None:
        raise NotFound
    code.is_active = active
    db.session.flush()
    audit.record("discount.changed", "discount_code", code.id, actor=by, changes=("is_active",))
    return code


def _used(code: DiscountCode, besides: Payment, user_id: int | None = None) -> int:
    query = select(func.count()).where(
        Payment.discount_id == code.id, Payment.id != besides.id, Payment.status != PaymentStatus.CANCELLED
    )
    if user_id is not None:
        query = query.where(Payment.user_id == user_id)
    return db.session.scalar(query) or 0
