"""Screenshots beside own trades: sent as a file, drawn again without metadata, seen by their owner alone."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import Length
from flask import Response
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.bodies import takes_file
from calmness.blueprints.api.fields import Bytes, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db, limiter
from calmness.features import requires_feature
from calmness.models.journal import TradeScreenshot
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import screenshots, trade_history


class PictureIn(ClosedSchema):
    """A PNG, JPEG or WebP of 8 MB at most, and what to write under it."""

    picture = Bytes(required=True)
    caption = String(load_default="", validate=Length(max=200))


class PictureOut(Schema):
    """A picture as it is kept."""

    id = Integer(required=True)
    width = Integer(required=True)
    height = Integer(required=True)
    size_bytes = Integer(required=True)
    caption = String(required=True)
    created_at = Instant(required=True)


class PicturesOut(Schema):
    """Pictures beside a trade, oldest first; eight at most."""

    items = List(Nested(PictureOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/me/trading/trades/<int:trade_id>/pictures")
@requires_feature(Feature.HISTORY)
@bp.output(PicturesOut)
@requires(Permission.OWN_SPACE)
def api_pictures(trade_id: int) -> ResponseReturnValue:
    """Pictures beside an own trade."""
    user_id = current_account().id
    trade = trade_history.own(user_id, trade_id)
    return {"items": [_picture(row) for row in screenshots.of_trade(user_id, trade.id)], "next": None}


@bp.post("/me/trading/trades/<int:trade_id>/pictures")
@once
@requires_feature(Feature.HISTORY)
@bp.input(PictureIn, location="form_and_files", arg_name="given")
@bp.output(PictureOut, status_code=201)
@limiter.limit("120 per hour")
@requires(Permission.OWN_SPACE)
@takes_file(screenshots.MAX_BYTES)
def api_add_picture(trade_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Put a picture beside an own trade, as `multipart/form-data`; what is kept is made anew from its pixels."""
    user_id = current_account().id
    trade = trade_history.own(user_id, trade_id)
    with given["picture"].stream as stream:
        content = stream.read(screenshots.MAX_BYTES + 1)
    return _picture(screenshots.add(user_id, trade.id, content, given["caption"]))


@bp.get("/me/trading/pictures/<int:screenshot_id>")
@requires_feature(Feature.HISTORY)
@requires(Permission.OWN_SPACE)
def api_picture(screenshot_id: int) -> ResponseReturnValue:
    """The picture itself: PNG, or JPEG where a JPEG was sent."""
    content, kind = screenshots.content_of(screenshots.own(current_account().id, screenshot_id))
    return Response(content, mimetype=kind)


@bp.delete("/me/trading/pictures/<int:screenshot_id>")
@requires_feature(Feature.HISTORY)
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_remove_picture(screenshot_id: int) -> ResponseReturnValue:
    """Delete a picture and its file."""
    screenshots.remove(screenshots.own(current_account().id, screenshot_id))
    db.session.commit()
    return "", 204


def _picture(row: TradeScreenshot) -> dict[str, Any]:
    return {
        "id": row.id,
        "width": row.width,
        "height": row.height,
        "size_bytes": row.size,
        "caption": row.caption,
        "created_at": instant(row.created_at),
    }
