"""Follow-up by the school: what the school may see of the caller's trading, with the proof of each answer."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import OfferOut, offer_of
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.models.catalogue import OfferKind
from calmness.permissions import Permission
from calmness.services.billing import catalogue
from calmness.services.trading import sharing
from calmness.services.trading.sharing import Level


class SharingIn(ClosedSchema):
    """How much the school may see: `none`, `figures`, or `trades` (figures and trades)."""

    level = String(required=True, validate=OneOf([level.value for level in Level]))


class SharingProofOut(Schema):
    """One yes or no: to what, when, to which words, where."""

    purpose = String(required=True)
    given = Boolean(required=True)
    at = Instant(required=True)
    version = String(required=True)
    source = String(required=True)


class SharingOut(Schema):
    """What the school may see now, and each answer, newest first. Notes, plans and pictures are never part of it."""

    level = String(required=True)
    proof = List(Nested(SharingProofOut), required=True)


class FollowUpOut(SharingOut):
    """The same, with the services of follow-up and account management that are for sale today."""

    services = List(Nested(OfferOut), required=True)


@bp.get("/me/trading/follow-up")
@bp.output(FollowUpOut)
@requires(Permission.OWN_SPACE)
def api_follow_up() -> ResponseReturnValue:
    """Services of follow-up and account management, and what is shared with the school."""
    services = [offer_of(offer) for offer in catalogue.published(OfferKind.SERVICE)]
    return _sharing() | {"services": services}


@bp.put("/me/trading/sharing")
@bp.input(SharingIn, arg_name="given")
@bp.output(SharingOut)
@requires(Permission.OWN_SPACE)
def api_share(given: dict[str, Any]) -> ResponseReturnValue:
    """Say what the school may see. Less is at once."""
    sharing.choose(current_account().id, Level(given["level"]), source="api")
    db.session.commit()
    return _sharing()


def _sharing() -> dict[str, Any]:
    user_id = current_account().id
    return {
        "level": sharing.level_of(user_id).value,
        "proof": [
            {
                "purpose": row.purpose,
                "given": row.given,
                "at": instant(row.at),
                "version": row.text_version,
                "source": row.source,
            }
            for row in sharing.proofs(user_id)
        ],
    }
