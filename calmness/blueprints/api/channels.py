"""Ways out to the caller beside mail: what is linked, how to link one, unlinking.

Telegram is linked by opening an address that this API gives. Discord is linked in a browser where the person is logged
in: the yes that Discord sends back is good for the session that asked, so that nobody links somebody else's account.
"""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length
from flask import current_app
from flask.typing import ResponseReturnValue

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.account import discord, whatsapp
from calmness.blueprints.account.whatsapp import require_offered
from calmness.blueprints.api import bp
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.errors import NotFound
from calmness.extensions import db, limiter
from calmness.models.account import Channel, ChannelCode, ChannelIdentity, TokenPurpose
from calmness.permissions import Permission
from calmness.services.account import contacts, tokens, whatsapp_numbers

LIVES = tokens.LIFETIMES[TokenPurpose.LINK_TELEGRAM]


class ChannelOut(Schema):
    """A linked channel."""

    id = Integer(required=True)
    channel = String(required=True)
    name = String(required=True)
    verified_at = String(required=True, allow_none=True)


class NumberIn(ClosedSchema):
    """A number, such as `+33 6 12 34 56 78`."""

    number = String(required=True, validate=Length(min=1, max=40))


class NumberOut(Schema):
    """The number that waits for its six digits, and until when."""

    number = String(required=True)
    expires_at = String(required=True)


class ChannelsOut(Schema):
    """What is linked today, newest first. ``offered``: what the school has set up; ``waiting``: a WhatsApp number whose
    digits are on their way.
    """

    items = List(Nested(ChannelOut), required=True)
    offered = List(String(), required=True)
    waiting = Nested(NumberOut, required=True, allow_none=True)


class LinkOut(Schema):
    """The address to open; ``expires_at``: until when it is good, null for a page of this site."""

    url = String(required=True)
    expires_at = String(required=True, allow_none=True)


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


@bp.post("/me/channels/telegram")
@bp.output(LinkOut, status_code=201)
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
def api_link_telegram() -> ResponseReturnValue:
    """An address of Telegram that ties the chat it is opened in to the account: one use. 404 where there is no bot."""
    bot = current_app.config["TELEGRAM_BOT_NAME"]
    if not bot:
        raise NotFound
    token = contacts.telegram_link_token(current_account().id)
    db.session.commit()
    return {"url": f"https://t.me/{bot}?start={token}", "expires_at": instant(clock.now() + LIVES)}


@bp.post("/me/channels/discord")
@bp.output(LinkOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_link_discord() -> ResponseReturnValue:
    """The page of this site where a person who is logged in begins; 404 where the school has no Discord."""
    if not discord.is_offered():
        raise NotFound
    return {"url": current_app.config["BASE_URL"].rstrip("/") + contacts.PROFILE, "expires_at": None}


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
    return _number(waiting), 202


@bp.delete("/me/channels/whatsapp")
@bp.output(ChannelsOut)
@requires(Permission.OWN_SPACE)
def api_cancel_whatsapp_code() -> ResponseReturnValue:
    """Wait for no digits any longer."""
    require_offered()
    whatsapp_numbers.cancel(current_account())
    db.session.commit()
    return _channels()


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
    user_id = current_account().id
    offered = {
        Channel.TELEGRAM: bool(current_app.config["TELEGRAM_BOT_NAME"]),
        Channel.DISCORD: discord.is_offered(),
        Channel.WHATSAPP: whatsapp.is_offered(),
    }
    waiting = whatsapp_numbers.pending_of(user_id)
    return {
        "items": [_channel(row) for row in contacts.identities_of(user_id)],
        "offered": [channel.value for channel, is_offered in offered.items() if is_offered],
        "waiting": _number(waiting) if waiting else None,
    }


def _number(waiting: ChannelCode) -> dict[str, Any]:
    return {"number": f"+{waiting.address}", "expires_at": instant(waiting.expires_at)}


def _channel(row: ChannelIdentity) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel.value,
        "name": row.display_name,
        "verified_at": instant(row.verified_at),
    }
