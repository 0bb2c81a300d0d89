"""What is for sale."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import public
from calmness.blueprints.api import bp
from calmness.blueprints.api.serialisers import amount
from calmness.models.catalogue import Offer, OfferKind
from calmness.services.billing import catalogue


class OffersIn(Schema):
    """Which offers."""

    kind = String(validate=OneOf([kind.value for kind in OfferKind]))


class AmountOut(Schema):
    """Integer cents with their currency."""

    amount = Integer(required=True)
    currency = String(required=True)


class OfferOut(Schema):
    """An offer; its price includes VAT."""

    id = Integer(required=True)
    slug = String(required=True)
    kind = String(required=True)
    name = String(required=True)
    summary = String(required=True)
    formation = String(allow_none=True)
    duration_days = Integer(allow_none=True)
    price = Nested(AmountOut, required=True)
    max_quantity = Integer(required=True)
    instalments = Integer(required=True)
    deposit_percent = String(required=True, allow_none=True)
    vat_regime = String(required=True)
    vat_rate = String(required=True)


class OffersOut(Schema):
    """A list of offers."""

    items = List(Nested(OfferOut), required=True)
    next = Integer(required=True, allow_none=True)


@bp.get("/offers")
@bp.input(OffersIn, location="query", arg_name="wanted")
@bp.output(OffersOut)
@public
def api_offers(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Offers for sale today, in the order of the shelf."""
    kind = OfferKind(wanted["kind"]) if "kind" in wanted else None
    return {"items": [offer_of(offer) for offer in catalogue.published(kind)], "next": None}


def offer_of(offer: Offer) -> dict[str, Any]:
    """An offer as the API writes it."""
    return {
        "id": offer.id,
        "slug": offer.slug,
        "kind": offer.kind.value,
        "name": offer.name,
        "summary": offer.summary,
        "formation": offer.formation.slug if offer.formation else None,
        "duration_days": offer.duration_days,
        "price": amount(offer.price_cents, offer.currency),
        "max_quantity": offer.max_quantity,
        "instalments": offer.instalments,
        "deposit_percent": f"{offer.deposit_bp / 100:.2f}" if offer.deposit_bp else None,
        "vat_regime": offer.vat_regime.value,
        "vat_rate": f"{offer.vat_rate_bp / 100:.2f}",
    }
