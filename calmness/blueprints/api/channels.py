"""Ways out to the caller beside mail: what is linked, a WhatsApp number by its code, unlinking.

Telegram and Discord are linked in a browser: there the person says yes on the provider's own page.
"""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.account.whatsapp import require_offered
from calmness.blueprints.api import bp
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.models.account import ChannelIdentity
from calmness.permissions import Permission
from calmness.services import contacts, whatsapp_numbers


class ChannelOut(Schema):
    """A linked channel."""

    id = Integer(required=True)
    channel = String(required=True)
    name = String(required=True)
    verified_at = String(required=True, allow_none=True)


class ChannelsOut(Schema):
    """What is linked today, newest first."""

    items = List(Nested(ChannelOut), required=True)


class NumberIn(ClosedSchema):
    """A number, such as `+33 6 12 34 56 78`."""

    number = String(required=True, validate=Length(min=1, max=40))


class NumberOut(Schema):
    """The number that waits for its six digits, and until when."""

    number = String(required=True)
    expires_at = String(required=True)


class DigitsIn(ClosedSchema):
    """The six digits that arrived."""

    code = String(required=True, validate=Length(min=1, max=20))


@bp.get("/me/channels")
@bp.output(ChannelsOut)
@requires(Permission.OWN_SPACE)
def api_channels() -> ResponseReturnValue:
    """Linked channels."""
    return _channels()


@bp.delete("/me/channels/<int:identity_id>")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_end_channel(identity_id: int) -> ResponseReturnValue:
    """Unlink a channel."""
    contacts.unlink(current_account(), identity_id)
    db.session.commit()
    return "", 204


@bp.post("/me/channels/whatsapp")
@bp.input(NumberIn, arg_name="given")
@bp.output(NumberOut, status_code=202)
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
def api_ask_whatsapp_code(given: dict[str, Any]) -> ResponseReturnValue:
    """Send six digits to a number; 404 where the school has no WhatsApp."""
    require_offered()
    waiting = whatsapp_numbers.ask(current_account(), given["number"])
    db.session.commit()
    return {"number": f"+{waiting.address}", "expires_at": instant(waiting.expires_at)}, 202


@bp.post("/me/channels/whatsapp/confirmation")
@bp.input(DigitsIn, arg_name="given")
@bp.output(ChannelsOut)
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
def api_confirm_whatsapp_number(given: dict[str, Any]) -> ResponseReturnValue:
    """Take the digits: the number is linked. Five tries, ten minutes."""
    require_offered()
    whatsapp_numbers.confirm(current_account(), given["code"])
    db.session.commit()
    return _channels()


def _channels() -> dict[str, Any]:
    return {"items": [_channel(row) for row in contacts.identities_of(current_account().id)]}


def _channel(row: ChannelIdentity) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel.value,
        "name": row.display_name,
        "verified_at": instant(row.verified_at),
    }
