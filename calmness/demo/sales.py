"""A year of sales, made by the rules themselves: declared, submitted, validated, invoiced, in the order of time."""

import random
from datetime import datetime, timedelta

from sqlalchemy import select

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment
from calmness.models.catalogue import Offer, OfferKind
from calmness.services import billing
from calmness.services.billing import Identity

PAYMENTS = 900
WAITING = 6


def make(rng: random.Random, now: datetime, agent: User, camille: User, students: list[User]) -> None:
    """Play the sales."""
    offers = list(db.session.scalars(select(Offer).order_by(Offer.id)))
    by_slug = {offer.slug: offer for offer in offers}
    plan = _camilles(now, camille, by_slug)
    buyers = [student for student in students if student.email_verified_at and rng.random() < 0.75]
    while len(plan) < PAYMENTS + 60:
        buyer = rng.choice(buyers)
        age = (now - buyer.created_at) * rng.random() ** 1.4
        at = max(now - age, buyer.created_at + timedelta(hours=3))
        offer = rng.choices(offers, weights=[6 if row.kind is OfferKind.SIGNALS else 2 for row in offers])[0]
        plan.append((min(at, now - timedelta(hours=30)), buyer, offer))
    plan.sort(key=lambda step: (step[0], step[1].id))
    made = 0
    for at, buyer, offer in plan:
        if made == PAYMENTS:
            break
        made += _sale(rng, at, buyer, offer, agent, made)
    for number in range(WAITING):
        at = now - timedelta(hours=1 + 3 * number, minutes=rng.randrange(50))
        payment = _declared(at, rng.choice(buyers), rng.choice(offers))
        if payment is not None:
            billing.submit_transaction(payment, f"VIR{at:%Y%m%d}{number:06d}", at=at)


def _camilles(now: datetime, camille: User, offers: dict[str, Offer]) -> list[tuple[datetime, User, Offer]]:
    steps = (
        (418, "premiers-pas"),
        (350, "gestion-du-risque"),
        (210, "signaux-30-jours"),
        (120, "psychologie"),
        (45, "lire-le-carnet-d-ordres"),
        (41, "signaux-30-jours"),
        (11, "signaux-30-jours"),
    )
    return [(now - timedelta(days=days), camille, offers[slug]) for days, slug in steps]


def _sale(rng: random.Random, at: datetime, buyer: User, offer: Offer, agent: User, number: int) -> int:
    payment = _declared(at, buyer, offer)
    if payment is None:
        return 0
    fate = rng.random()
    if fate < 0.03 and not buyer.email.startswith("camille@"):
        billing.cancel(payment)
        return 1
    billing.submit_transaction(payment, f"VIR{at:%Y%m%d}{number:06d}", at=at + timedelta(hours=1))
    if fate < 0.05 and not buyer.email.startswith("camille@"):
        reason = "Le virement n’apparaît pas sur notre relevé. Vérifiez le numéro auprès de votre banque."
        billing.reject_payment(payment.id, reason, by=agent, at=at + timedelta(hours=20))
        return 1
    billing.validate_payment(
        payment.id, payment.transaction_id, by=agent, at=at + timedelta(hours=rng.randrange(2, 26))
    )
    return 1


def _declared(at: datetime, buyer: User, offer: Offer) -> Payment | None:
    try:
        payment = billing.declare(buyer, offer.slug, at=at)
    except DomainError:
        # Already a student of this formation.
        return None
    if payment.terms_accepted_at is None:
        billing.confirm_identity(
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
        )
    return payment
