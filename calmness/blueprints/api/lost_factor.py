"""The second factor is lost: a link to the mailbox, its yes, and the way to stop what somebody else began."""

from typing import Any

from apiflask import Schema
from apiflask.fields import String
from apiflask.validators import Length
from flask import request
from flask.typing import ResponseReturnValue

from calmness import network
from calmness.access import public
from calmness.blueprints.api import bp
from calmness.blueprints.api.auth import TokenIn
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.services.account import accounts, factor_removals


class LostFactorIn(ClosedSchema):
    """Address and password of who lost the second factor."""

    email = String(required=True, validate=Length(max=254))
    password = String(required=True, validate=Length(max=256))


class FactorRemovalOut(Schema):
    """When the factor is taken away, unless somebody stops it before."""

    due_at = Instant(required=True)


@bp.post("/auth/lost-factor")
@bp.input(LostFactorIn, arg_name="given")
@bp.output({}, status_code=202)
@limiter.limit("10 per hour")
@public
def api_ask_lost_factor_link(given: dict[str, Any]) -> ResponseReturnValue:
    """Have a link sent to the mailbox, with the right password; it is good for 30 minutes."""
    user = accounts.check_credentials(given["email"], given["password"], network.network_of(request.remote_addr))
    factor_removals.send_link(user)
    db.session.commit()
    return "", 202


@bp.post("/auth/lost-factor/confirmation")
@bp.input(TokenIn, arg_name="given")
@bp.output(FactorRemovalOut, status_code=202)
@limiter.limit("60 per hour")
@public
def api_confirm_lost_factor(given: dict[str, Any]) -> ResponseReturnValue:
    """The yes of the mailbox: the wait of a day begins."""
    wish = factor_removals.ask_by_link(given["token"])
    db.session.commit()
    return {"due_at": instant(wish.due_at)}, 202


@bp.post("/auth/lost-factor/stop")
@bp.input(TokenIn, arg_name="given")
@bp.output({}, status_code=204)
@limiter.limit("60 per hour")
@public
def api_stop_factor_removal(given: dict[str, Any]) -> ResponseReturnValue:
    """It was not me: nothing is taken away."""
    factor_removals.stop(given["token"])
    db.session.commit()
    return "", 204
