"""Offers with their versions, and discount codes: what the school sells, at which price."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Dict, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.conditional import require_unchanged
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.inputs import Percent, Whole, Written, basis_points
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant, percent
from calmness.extensions import db
from calmness.models.catalogue import Offer, OfferKind, PublicationStatus, VatRegime
from calmness.models.sale import DiscountCode
from calmness.permissions import Permission
from calmness.services.billing import catalogue, discounts, sale_terms

DEAREST = 9_999_900
STATUSES = [status.value for status in PublicationStatus]


class OfferIn(ClosedSchema):
    """An offer whole. The price includes VAT; a rate counts under the regime ``standard`` alone."""

    name = Written(160, required=True)
    summary = String(load_default="", validate=Length(max=300))
    price_cents = Whole(1, DEAREST, required=True)
    vat_regime = String(required=True, validate=OneOf([regime.value for regime in VatRegime]))
    vat_rate = Percent("0", "100", load_default=None, allow_none=True)
    duration_days = Whole(1, 3650, load_default=None, allow_none=True)
    places = Whole(0, 100_000, load_default=None, allow_none=True)
    instalments = Whole(1, 12, load_default=1)
    deposit_percent = Percent("0.01", "99", load_default=None, allow_none=True)
    balance_days = Whole(1, 365, load_default=30)
    max_quantity = Whole(1, 100, load_default=1)
    valid_from = Day(load_default=None, allow_none=True)
    valid_until = Day(load_default=None, allow_none=True)
    status = String(load_default="draft", validate=OneOf(STATUSES))


class NewOfferIn(OfferIn):
    """An offer that does not exist yet: its kind and the formation that it sells never change afterwards."""

    kind = String(required=True, validate=OneOf([kind.value for kind in OfferKind]))
    formation_id = Whole(1, MAX_ID, load_default=None, allow_none=True)


class PublicationIn(ClosedSchema):
    """On the shelf or not."""

    status = String(required=True, validate=OneOf(STATUSES))


class AdminOfferOut(Schema):
    """An offer as the staff sees it; ``places_left`` is null where places are not counted."""

    id = Integer(required=True)
    slug = String(required=True)
    kind = String(required=True)
    name = String(required=True)
    summary = String(required=True)
    formation_id = Integer(required=True, allow_none=True)
    price = Nested(AmountOut, required=True)
    vat_regime = String(required=True)
    vat_rate = String(required=True)
    duration_days = Integer(required=True, allow_none=True)
    places = Integer(required=True, allow_none=True)
    places_left = Integer(required=True, allow_none=True)
    instalments = Integer(required=True)
    deposit_percent = String(required=True, allow_none=True)
    balance_days = Integer(required=True)
    max_quantity = Integer(required=True)
    valid_from = Date(required=True, allow_none=True)
    valid_until = Date(required=True, allow_none=True)
    status = String(required=True)
    version = Integer(required=True)


class AdminOffersOut(Schema):
    """All offers, drafts and archived ones too."""

    items = List(Nested(AdminOfferOut), required=True)
    next = String(required=True, allow_none=True)


class OfferVersionOut(Schema):
    """What an offer was from an instant on, and who made it so."""

    version = Integer(required=True)
    at = Instant(required=True)
    by_id = Integer(required=True, allow_none=True)
    content = Dict(required=True)


class OfferVersionsOut(Schema):
    """Versions, newest first."""

    items = List(Nested(OfferVersionOut), required=True)
    next = String(required=True, allow_none=True)


class DiscountCodeIn(ClosedSchema):
    """A code that takes off a percentage or an amount, of one offer or of all (``offer_id`` null)."""

    code = String(required=True, validate=Length(min=3, max=40))
    percent = Percent("0.01", "99.99", load_default=None, allow_none=True)
    amount_cents = Whole(1, DEAREST, load_default=None, allow_none=True)
    offer_id = Whole(1, MAX_ID, load_default=None, allow_none=True)
    valid_from = Day(load_default=None, allow_none=True)
    valid_until = Day(load_default=None, allow_none=True)
    max_uses = Whole(1, 10**6, load_default=None, allow_none=True)
    max_per_person = Whole(1, 1000, load_default=1, allow_none=True)


class DiscountStateIn(ClosedSchema):
    """Open, or closed."""

    active = Boolean(required=True)


class DiscountCodeOut(Schema):
    """A code with how often it was used."""

    id = Integer(required=True)
    code = String(required=True)
    percent = String(required=True, allow_none=True)
    amount = Nested(AmountOut, required=True, allow_none=True)
    offer_id = Integer(required=True, allow_none=True)
    valid_from = Date(required=True, allow_none=True)
    valid_until = Date(required=True, allow_none=True)
    max_uses = Integer(required=True, allow_none=True)
    max_per_person = Integer(required=True, allow_none=True)
    active = Boolean(required=True)
    uses = Integer(required=True)


class DiscountCodesOut(Schema):
    """All codes, newest first."""

    items = List(Nested(DiscountCodeOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/offers")
@bp.output(AdminOffersOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_admin_offers() -> ResponseReturnValue:
    """All offers, in the order of the shelf."""
    return {"items": [_offer(row) for row in catalogue.every()], "next": None}


@bp.post("/admin/offers")
@once
@bp.input(NewOfferIn, arg_name="given")
@bp.output(AdminOfferOut, status_code=201)
@requires(Permission.MANAGE_CATALOGUE)
def api_create_offer(given: dict[str, Any]) -> ResponseReturnValue:
    """Put something new on the shelf."""
    kind, formation_id = OfferKind(given.pop("kind")), given.pop("formation_id")
    return _offer(catalogue.create(kind, _draft(given), by=current_account(), formation_id=formation_id))


@bp.get("/admin/offers/<int:offer_id>")
@bp.output(AdminOfferOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_admin_offer(offer_id: int) -> ResponseReturnValue:
    """One offer."""
    return _offer(catalogue.get(offer_id))


@bp.put("/admin/offers/<int:offer_id>")
@bp.input(OfferIn, arg_name="given")
@bp.output(AdminOfferOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_change_offer(offer_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Save a new version; purchases already made keep their price."""
    require_unchanged(AdminOfferOut, _offer(catalogue.get(offer_id)))
    changed = catalogue.change(offer_id, _draft(given), by=current_account())
    db.session.commit()
    return _offer(changed)


@bp.put("/admin/offers/<int:offer_id>/status")
@bp.input(PublicationIn, arg_name="given")
@bp.output(AdminOfferOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_publish_offer(offer_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Publish an offer or take it off the shelf: a new version, all else unchanged."""
    changed = catalogue.set_status(offer_id, PublicationStatus(given["status"]), by=current_account())
    db.session.commit()
    return _offer(changed)


@bp.get("/admin/offers/<int:offer_id>/versions")
@bp.output(OfferVersionsOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_offer_versions(offer_id: int) -> ResponseReturnValue:
    """What an offer was, newest first."""
    rows = catalogue.versions(catalogue.get(offer_id).id)
    items = [
        {"version": row.version, "at": instant(row.at), "by_id": row.by_id, "content": row.content} for row in rows
    ]
    return {"items": items, "next": None}


@bp.get("/admin/discounts")
@bp.output(DiscountCodesOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_discounts() -> ResponseReturnValue:
    """All discount codes with their uses."""
    return {"items": [_code(row, uses) for row, uses in discounts.every()], "next": None}


@bp.post("/admin/discounts")
@once
@bp.input(DiscountCodeIn, arg_name="given")
@bp.output(DiscountCodeOut, status_code=201)
@requires(Permission.MANAGE_CATALOGUE)
def api_create_discount(given: dict[str, Any]) -> ResponseReturnValue:
    """Make a code."""
    percent_bp = basis_points(given.pop("percent"))
    draft = discounts.DiscountDraft(**given, percent_bp=percent_bp)
    return _code(discounts.create(draft, by=current_account()), 0)


@bp.put("/admin/discounts/<int:discount_id>/state")
@bp.input(DiscountStateIn, arg_name="given")
@bp.output(DiscountCodeOut)
@requires(Permission.MANAGE_CATALOGUE)
def api_open_discount(discount_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Open or close a code; purchases that bear it keep it."""
    code = discounts.set_active(discount_id, given["active"], by=current_account())
    db.session.commit()
    return next(_code(row, uses) for row, uses in discounts.every() if row.id == code.id)


def _draft(given: dict[str, Any]) -> catalogue.OfferDraft:
    rate, deposit = given.pop("vat_rate"), given.pop("deposit_percent")
    changed = {
        "vat_regime": VatRegime(given["vat_regime"]),
        "status": PublicationStatus(given["status"]),
        "vat_rate_bp": basis_points(rate) or 0,
        "deposit_bp": basis_points(deposit),
    }
    return catalogue.OfferDraft(**(given | changed))


def _offer(offer: Offer) -> dict[str, Any]:
    same = (
        "id",
        "slug",
        "name",
        "summary",
        "formation_id",
        "duration_days",
        "places",
        "instalments",
        "balance_days",
        "max_quantity",
        "valid_from",
        "valid_until",
        "version",
    )
    return {name: getattr(offer, name) for name in same} | {
        "kind": offer.kind.value,
        "price": amount(offer.price_cents, offer.currency),
        "vat_regime": offer.vat_regime.value,
        "vat_rate": percent(offer.vat_rate_bp),
        "places_left": sale_terms.places_left(offer),
        "deposit_percent": percent(offer.deposit_bp) if offer.deposit_bp else None,
        "status": offer.status.value,
    }


def _code(code: DiscountCode, uses: int) -> dict[str, Any]:
    same = ("id", "code", "offer_id", "valid_from", "valid_until", "max_uses", "max_per_person")
    return {name: getattr(code, name) for name in same} | {
        "percent": percent(code.percent_bp) if code.percent_bp else None,
        "amount": amount(code.amount_cents) if code.amount_cents else None,
        "active": code.is_active,
        "uses": uses,
    }
