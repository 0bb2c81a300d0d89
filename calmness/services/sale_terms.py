"""What is agreed upon in a sale: price, discount, parts, place. Copied into the payment, so that it stays as sold."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, func, or_, select

from calmness.errors import Conflict
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import Offer
from calmness.models.sale import DiscountCode
from calmness.services import catalogue, discounts

HOLDING = (PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.REJECTED, PaymentStatus.VALIDATED)


class SoldOut(Conflict):
    """Every place of the offer is taken."""

    slug = "sold-out"
    message = _l("Toutes les places de cette offre sont prises.")


class OfferChanged(Conflict):
    """The offer was changed while its buyer filled in the form: nothing was agreed upon yet."""

    slug = "offer-changed"
    message = _l("Cette offre vient de changer\u00a0: relisez le prix avant de confirmer.")


def copy(payment: Payment, offer: Offer) -> None:
    """What is sold stays as sold, whatever happens to the offer later. A discount is counted again on today's price."""
    payment.label = offer.name
    payment.list_cents, payment.currency = offer.price_cents, offer.currency
    payment.vat_regime, payment.vat_rate_bp = offer.vat_regime, offer.vat_rate_bp
    payment.duration_days = offer.duration_days
    payment.offer_version = offer.version
    payment.instalments = 1
    code = db.session.get(DiscountCode, payment.discount_id) if payment.discount_id else None
    try:
        payment.discount_cents = discounts.off(code, offer.price_cents) if code else 0
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
    if places_left(offer, besides=payment.id) == 0:
        raise SoldOut
    if payment.discount_id is not None:
        discounts.check(db.session.get_one(DiscountCode, payment.discount_id), payment)


def split(payment: Payment, count: int) -> None:
    """Pay in one go or in as many parts as the offer allows; the first one takes the cents that don't divide."""
    parts = min(max(count, 1), payment.offer.instalments, total_cents(payment))
    payment.instalments = parts
    payment.amount_cents = part_cents(total_cents(payment), parts, 1)
    name = payment.label.partition(" (échéance ")[0]
    payment.label = part_label(name, 1, parts)


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
    held = select(func.count()).where(
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
