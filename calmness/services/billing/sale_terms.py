"""What is agreed upon in a sale: price, discount, parts, place. Copied into the payment, so that it stays as sold."""

from decimal import ROUND_HALF_UP, Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, or_, select

from calmness.errors import Conflict, DomainError
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import Offer
from calmness.models.sale import DiscountCode
from calmness.services.billing import catalogue, discounts

HOLDING = (PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.REJECTED, PaymentStatus.VALIDATED)


class SoldOut(Conflict):
    """Every place of the offer is taken."""

    slug = "sold-out"
    message = _l("Toutes les places de cette offre sont prises.")


class OfferChanged(Conflict):
    """The offer was changed while its buyer filled in the form: nothing was agreed upon yet."""

    slug = "offer-changed"
    message = _l("Cette offre vient de changer\u00a0: relisez le prix avant de confirmer.")


class QuantityNotSold(DomainError):
    """So many are not sold at once, or the order is too far for it."""

    slug = "quantity-not-sold"
    field = "quantity"
    message = _l("Cette offre ne se vend pas en cette quantité.")


def copy(payment: Payment, offer: Offer) -> None:
    """What is sold stays as sold, whatever happens to the offer later. A discount is counted again on today's price."""
    payment.label = offer.name
    payment.quantity = min(payment.quantity or 1, offer.max_quantity)
    payment.list_cents, payment.currency = offer.price_cents * payment.quantity, offer.currency
    payment.vat_regime, payment.vat_rate_bp = offer.vat_regime, offer.vat_rate_bp
    payment.duration_days = offer.duration_days * payment.quantity if offer.duration_days else None
    payment.offer_version = offer.version
    payment.instalments, payment.deposit_cents, payment.balance_days = 1, 0, offer.balance_days
    code = db.session.get(DiscountCode, payment.discount_id) if payment.discount_id else None
    try:
        payment.discount_cents = discounts.off(code, payment.list_cents) if code else 0
    except discounts.DiscountTooLarge:
        payment.discount_id, payment.discount_cents = None, 0
    payment.amount_cents = total_cents(payment)


def total_cents(payment: Payment) -> int:
    """The whole price of a contract after its discount."""
    return payment.list_cents - payment.discount_cents if payment.list_cents else payment.amount_cents


def agree(payment: Payment) -> None:
    """Hold the place and the price for who accepts the conditions now. Raises ``OfferChanged``, ``SoldOut``."""
    offer = db.session.scalars(
        select(Offer)
        .where(Offer.id == payment.offer_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    if offer.version != payment.offer_version or not catalogue.is_for_sale(offer):
        raise OfferChanged
    places = places_left(offer, besides=payment.id)
    if places is not None and places < payment.quantity:
        raise SoldOut
    if payment.discount_id is not None:
        discounts.check(db.session.get_one(DiscountCode, payment.discount_id), payment)


def split(payment: Payment, count: int) -> None:
    """Pay in one go, in as many parts as the offer allows, or a deposit and then the balance where it asks for one.

    The first of several parts takes the cents that don't divide.
    """
    total, name = total_cents(payment), payment.contract_label
    deposit = deposit_cents(payment.offer, total) if count > 1 else 0
    payment.deposit_cents = deposit
    if deposit:
        payment.instalments, payment.amount_cents, payment.label = 2, deposit, f"{name[:170]} (acompte)"
        return
    parts = min(max(count, 1), payment.offer.instalments, total)
    payment.instalments = parts
    payment.amount_cents = part_cents(total, parts, 1)
    payment.label = part_label(name, 1, parts)


def deposit_cents(offer: Offer, total: int) -> int:
    """Deposit on a price: half up, never nothing nor all. 0 where the offer asks for none."""
    if offer.deposit_bp is None or total < 2:
        return 0
    part = (Decimal(total) * offer.deposit_bp / 10000).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return min(max(int(part), 1), total - 1)


def set_quantity(payment: Payment, quantity: int) -> None:
    """Buy some of it, at today's price, before anything is agreed upon (again). Raises ``QuantityNotSold``."""
    if payment.status is not PaymentStatus.DECLARED or payment.first_id is not None:
        raise QuantityNotSold
    if not 1 <= quantity <= payment.offer.max_quantity:
        raise QuantityNotSold
    payment.quantity, payment.terms_accepted_at = quantity, None
    copy(payment, payment.offer)
    db.session.flush()


def part_cents(total: int, count: int, place: int) -> int:
    """Amount of one part, from 1 to ``count``; together they are the total to the cent."""
    part = total // count
    return total - part * (count - 1) if place == 1 else part


def part_label(name: str, place: int, count: int) -> str:
    """Name of a part on its invoice."""
    return f"{name[:170]} (échéance {place} sur {count})" if count > 1 else name


def places_left(offer: Offer, besides: int | None = None) -> int | None:
    """How many may still buy an offer; None without a limit. Who has accepted the conditions holds a place."""
    if offer.places is None:
        return None
    held = select(func.coalesce(func.sum(Payment.quantity), 0)).where(
        Payment.offer_id == offer.id,
        Payment.first_id.is_(None),
        or_(
            Payment.status.in_(HOLDING),
            and_(Payment.status == PaymentStatus.DECLARED, Payment.terms_accepted_at.is_not(None)),
        ),
    )
    if besides is not None:
        held = held.where(Payment.id != besides)
    return max(0, offer.places - (db.session.scalar(held) or 0))


def refresh(payment: Payment) -> bool:
    """Take over the offer as it is today, before anything was agreed upon. False when it is no longer for sale."""
    if payment.terms_accepted_at is not None or not catalogue.is_for_sale(payment.offer):
        return False
    copy(payment, payment.offer)
    db.session.flush()
    return True
