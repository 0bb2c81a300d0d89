"""A signals desk: drafts that are right, and people who pay to read them."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import InvoiceTemplate
from calmness.models.catalogue import Offer
from calmness.models.signal import Direction, OrderKind
from calmness.services.billing import purchases
from calmness.services.signals import Draft
from tests import factories
from tests.billing import shop


def draft(**values: Any) -> Draft:
    """A buy of EURUSD that risks 40 pips for 60."""
    return Draft(
        **{
            "instrument": "eurusd",
            "direction": Direction.BUY,
            "order_kind": OrderKind.MARKET,
            "entry": Decimal("1.08420"),
            "stop": Decimal("1.08020"),
            "targets": (Decimal("1.09020"),),
            "reasoning": "Rejet net du support hebdomadaire.",
            "horizon": "Intraday",
            "conflict_notice": "L’auteur ne détient pas de position sur cet instrument.",
            "author_title": "Formateur",
            **values,
        }
    )


def form(**values: Any) -> dict[str, Any]:
    """What an admin types for the same signal."""
    return {
        "instrument": "EURUSD",
        "direction": "buy",
        "order_kind": "market",
        "entry": "1.08420",
        "stop": "1.08020",
        "targets": "1.09020",
        "reasoning": "Rejet net du support hebdomadaire.",
        "horizon": "Intraday",
        "author_title": "Formateur",
        "conflict_notice": "Aucune position.",
        **values,
    }


def subscriber(number: str = "AB1234", **values: Any) -> User:
    """Somebody who bought thirty days of signals just now."""
    if db.session.scalar(select(InvoiceTemplate.id)) is None:
        shop.identity()
    offer = db.session.scalar(select(Offer)) or shop.signals_offer()
    user = factories.student(**values)
    payment = shop.submitted(user, offer, number)
    purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.commit()
    return user
