"""A year of sales, made by the rules themselves and in the order of time: declared, submitted, validated, invoiced,
now and then given back.

What happens later waits in a heap: an invoice is never older than the one before it.
"""

import heapq
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate

from sqlalchemy import select, update

from calmness.demo.size import Size
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.catalogue import Offer, OfferKind
from calmness.models.training import AdminFormationSession
from calmness.services.billing import credit_notes, discounts, purchases, subscriptions, withdrawals
from calmness.services.billing.purchases import Identity
from calmness.services.training import enrollments

REJECTED = "Le virement n’apparaît pas sur notre relevé. Vérifiez le numéro auprès de votre banque."
FULL_BY_NOW = "La formation s’est remplie entre-temps. Votre virement vous est rendu sous deux jours."
GIVEN_BACK = "Double achat\u00a0: le second est rendu."
WELCOME = "BIENVENUE10"
SETTLED_WITHIN = timedelta(hours=30)
"""How long after its order a purchase is settled at the latest; who orders later still waits."""
FOR_BEGINNERS = ("premiers-pas", "gestion-du-risque")
TOLD_WITHIN = timedelta(days=7)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(order=True)
class _Step:
    at: datetime
    rank: int
    buyer: User = field(compare=False)
    offer: Offer = field(compare=False)
    payment: Payment | None = field(default=None, compare=False)


def make(rng: random.Random, now: datetime, agent: User, camille: User, students: list[User], size: Size) -> None:
    """Play the sales."""
    offers = list(db.session.scalars(select(Offer).order_by(Offer.id)))
    by_slug = {offer.slug: offer for offer in offers}
    discounts.create(discounts.DiscountDraft(WELCOME, percent_bp=1000, amount_cents=None), by=agent)
    steps = [_Step(at, rank, camille, offer) for rank, (at, offer) in enumerate(_camilles(now, by_slug))]
    buyers = [student for student in students if student.email_verified_at and rng.random() < 0.75]
    _wish(rng, now - SETTLED_WITHIN, buyers, offers, steps, size.payments - size.waiting)
    heapq.heapify(steps)
    ends = _ends_of_sessions(now)
    while steps:
        step = heapq.heappop(steps)
        while ends and ends[0] < step.at:
            _free_places(ends.pop(0))
        if step.payment is None:
            _order(rng, step, by_slug["signaux-30-jours"], steps)
        elif step.payment.invoice is None:
            _settle(rng, step.at, step.payment, agent)
            _think_again(rng, step, steps, now)
        else:
            credit_notes.credit_whole(step.payment.invoice.number, GIVEN_BACK, by=agent, at=step.at)
    for end in ends:
        _free_places(end)
    signals = [offer for offer in offers if offer.kind is OfferKind.SIGNALS]
    for number in range(size.waiting):
        at = now - timedelta(hours=1 + 3 * number, minutes=rng.randrange(50))
        payment = _declared(at, buyers[-1 - number], rng.choice(signals))
        if payment is not None:
            purchases.submit_transaction(payment, _transaction(rng, at), at=at)
    _withdraw_from_the_last(now, camille)
    _end_subscriptions(now)


def _wish(
    rng: random.Random, latest: datetime, buyers: list[User], offers: list[Offer], steps: list[_Step], count: int
) -> None:
    """Add what people will order until there are ``count`` steps.

    Everybody buys in the days after coming, rather to begin, then at the same pace, rather signals, and a little more
    of late: sales grow with the school.
    """
    spans = [(buyer, latest - _first_order(buyer)) for buyer in buyers if _first_order(buyer) < latest]
    first = [6 if offer.slug in FOR_BEGINNERS else 2 for offer in offers]
    later = [6 if offer.kind is OfferKind.SIGNALS else 2 for offer in offers]

    def add(buyer: User, at: datetime, weights: list[int]) -> None:
        steps.append(_Step(at, len(steps), buyer, rng.choices(offers, weights=weights)[0]))

    for buyer, span in spans:
        hesitation = timedelta(days=rng.expovariate(1 / 4))
        if hesitation < span:
            add(buyer, _first_order(buyer) + hesitation, first)
    lengths = list(accumulate(span.total_seconds() for _buyer, span in spans))
    while len(steps) < count:
        buyer, span = rng.choices(spans, cum_weights=lengths)[0]
        add(buyer, latest - span * rng.random() ** 1.3, later)


def _think_again(rng: random.Random, step: _Step, steps: list[_Step], now: datetime) -> None:
    """One in eighty finds some days later that the same was bought twice."""
    at = step.at + timedelta(days=rng.randrange(2, 12))
    unlucky = rng.random() < 0.012 and not _is_camille(step.buyer)
    if unlucky and at < now and step.payment and step.payment.status is PaymentStatus.VALIDATED:
        heapq.heappush(steps, replace(step, at=at))


def _withdraw_from_the_last(now: datetime, camille: User) -> None:
    """Somebody thought again this night: the refund waits for the team."""
    paid = select(Payment).where(Payment.status == PaymentStatus.VALIDATED, Payment.user_id != camille.id)
    for payment in db.session.scalars(paid.order_by(Payment.validated_at.desc()).limit(9)):
        if withdrawals.is_open(payment, now):
            withdrawals.declare(payment, by=payment.user, at=now - timedelta(hours=3))
            return


def _end_subscriptions(now: datetime) -> None:
    """As the clock would have: of what ended lately people were told, of what ended before nobody knows any longer."""
    long_over = Subscription.ends_at <= now - TOLD_WITHIN
    db.session.execute(update(Subscription).where(long_over).values(status=SubscriptionStatus.ENDED))
    subscriptions.end_due(now)
    subscriptions.remind_due(now)


def _first_order(buyer: User) -> datetime:
    return buyer.created_at + timedelta(hours=3)


def _camilles(now: datetime, offers: dict[str, Offer]) -> list[tuple[datetime, Offer]]:
    steps = (
        (418, "premiers-pas"),
        (350, "gestion-du-risque"),
        (210, "signaux-30-jours"),
        (120, "psychologie"),
        (45, "lire-le-carnet-d-ordres"),
        (41, "signaux-30-jours"),
        (11, "signaux-30-jours"),
    )
    return [(now - timedelta(days=days), offers[slug]) for days, slug in steps]


def _ends_of_sessions(now: datetime) -> list[datetime]:
    ended = select(AdminFormationSession.end_at).where(AdminFormationSession.end_at < now)
    return list(db.session.scalars(ended.order_by(AdminFormationSession.end_at)))


def _free_places(end: datetime) -> None:
    """Who has been given all units leaves a place, whichever group the last one was of."""
    enrollments.complete_due(end + timedelta(minutes=10))


def _order(rng: random.Random, step: _Step, otherwise: Offer, steps: list[_Step]) -> None:
    """Declare and submit; what the agent does about it comes hours later. Who cannot have it takes signals."""
    code = WELCOME if rng.random() < 0.06 and not _is_camille(step.buyer) else ""
    payment = _declared(step.at, step.buyer, step.offer, code) or _declared(step.at, step.buyer, otherwise)
    if payment is None:
        return
    if rng.random() < 0.03 and not _is_camille(step.buyer):
        purchases.cancel(payment, at=step.at + timedelta(minutes=20))
        return
    purchases.submit_transaction(payment, _transaction(rng, step.at), at=step.at + timedelta(hours=1))
    settled = step.at + timedelta(hours=rng.randrange(2, 26), minutes=rng.randrange(60))
    heapq.heappush(steps, _Step(settled, step.rank, step.buyer, step.offer, payment))


def _settle(rng: random.Random, at: datetime, payment: Payment, agent: User) -> None:
    formation = payment.offer.formation
    if formation and enrollments.places_left(formation) == 0:
        purchases.reject_payment(payment.id, FULL_BY_NOW, by=agent, at=at)
    elif rng.random() < 0.02 and not _is_camille(payment.user):
        purchases.reject_payment(payment.id, REJECTED, by=agent, at=at)
    else:
        purchases.validate_payment(payment.id, payment.transaction_id, by=agent, at=at)


def _is_camille(buyer: User) -> bool:
    """The demo's own student, whose story is written."""
    return buyer.email.startswith("camille@")


def _transaction(rng: random.Random, at: datetime) -> str:
    """A number as banks write them: no two look alike."""
    return f"{at:%y%m%d}" + "".join(rng.choices(LETTERS, k=10))


def _declared(at: datetime, buyer: User, offer: Offer, code: str = "") -> Payment | None:
    try:
        payment = purchases.declare(buyer, offer.slug, at=at)
    except DomainError:
        # Already a student of this formation, or no place left.
        return None
    if payment.status is not PaymentStatus.DECLARED:
        # Ordered before and not settled yet.
        return None
    if code and payment.terms_accepted_at is None:
        with suppress(discounts.DiscountUsedUp):
            discounts.apply(payment, code)
    if payment.terms_accepted_at is None:
        purchases.confirm_identity(
            payment,
            Identity(
                first_name=buyer.first_name,
                last_name=buyer.last_name,
                address=buyer.address or "14 rue des Lilas",
                postcode=buyer.postcode or "69003",
                city=buyer.city or "Lyon",
                terms=True,
                early_start=True,
            ),
            at,
        )
    return payment
