"""What a sale needs: a school with its legal identity, offers, payments on their way."""

from typing import Any

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate, Payment
from calmness.models.catalogue import Offer, OfferKind, PublicationStatus, VatRegime
from calmness.models.training import Formation, FormationStatus, Level
from calmness.services.billing import purchases

IDENTITY: dict[str, Any] = {
    "company_name": "Calmness Trading SAS",
    "legal_form": "SAS",
    "capital": "10 000 €",
    "address": "12 rue de la Paix",
    "postcode": "75002",
    "city": "Paris",
    "siren": "732829320",
    "siret": "73282932000074",
    "rcs": "RCS Paris 732 829 320",
    "vat_number": "FR44732829320",
    "email": "facturation@calmness.test",
    "iban": "FR1420041010050500013M02606",
    "bic": "PSSTFRPPPAR",
}


def identity(**values: str) -> InvoiceTemplate:
    """The legal identity in force."""
    template = InvoiceTemplate(version=1, is_active=True, created_at=clock.now(), **{**IDENTITY, **values})
    db.session.add(template)
    db.session.flush()
    return template


def signals_offer(**values: Any) -> Offer:
    """Thirty days of signals for 49,90 €."""
    offer = Offer(
        **{
            "slug": "signaux-30-jours",
            "kind": OfferKind.SIGNALS,
            "name": "Signaux 30 jours",
            "summary": "Tous les signaux pendant un mois.",
            "duration_days": 30,
            "price_cents": 4990,
            "vat_regime": VatRegime.STANDARD,
            "vat_rate_bp": 2000,
            "status": PublicationStatus.PUBLISHED,
            "created_at": clock.now(),
            **values,
        }
    )
    db.session.add(offer)
    db.session.flush()
    return offer


def formation_offer(**values: Any) -> Offer:
    """A formation and the offer that sells it."""
    now = clock.now()
    formation = Formation(
        slug="lire-les-marches",
        title="Lire les marchés",
        summary="Quatre semaines pour lire un graphique sans se mentir.",
        level=Level.BEGINNER,
        trainer_name="Camille Roux",
        duration_minutes=960,
        status=FormationStatus.PUBLISHED,
        created_at=now,
        updated_at=now,
    )
    db.session.add(formation)
    db.session.flush()
    return signals_offer(
        **{
            "slug": "formation-lire-les-marches",
            "kind": OfferKind.FORMATION,
            "name": "Lire les marchés",
            "formation_id": formation.id,
            "duration_days": None,
            "price_cents": 59900,
            **values,
        }
    )


IDENTITY_GIVEN = purchases.Identity(
    first_name="Élodie", last_name="O'Brien-Ñandú", address="3 rue des Lilas", postcode="69003", city="Lyon", terms=True
)


def submitted(user: User, offer: Offer, number: str) -> Payment:
    """A payment whose transaction number was given."""
    payment = purchases.declare(user, offer.slug)
    purchases.confirm_identity(payment, IDENTITY_GIVEN)
    return purchases.submit_transaction(payment, number)
