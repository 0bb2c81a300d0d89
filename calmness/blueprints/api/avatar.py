"""The caller's photo, as base64 inside of the body: a request of this API is JSON and 1 MB at most."""

from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.base64_files import File, decoded
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services.account import avatars


class AvatarIn(ClosedSchema):
    """A PNG, JPEG or WebP."""

    content = File(required=True)


@bp.get("/me/avatar")
@bp.doc(responses={204: "No photo."})
@requires(Permission.OWN_SPACE)
def api_avatar() -> ResponseReturnValue:
    """The photo, a WebP of 256 x 256."""
    user = current_account()
    if not user.avatar_file:
        return "", 204
    name = user.avatar_file.removeprefix("avatars/").removesuffix(".webp")
    return Response(avatars.read(user, name, avatars.LARGE), mimetype="image/webp")


@bp.put("/me/avatar")
@bp.input(AvatarIn, arg_name="given")
@bp.output({}, status_code=204)
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
def api_set_avatar(given: dict[str, Any]) -> ResponseReturnValue:
    """Give a photo; what is stored is made anew from its pixels, without any of the file's other data."""
    content = decoded(given["content"], "content")
    avatars.save(current_account(), "", content)
    db.session.commit()
    return "", 204


@bp.delete("/me/avatar")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_end_avatar() -> ResponseReturnValue:
    """Take the photo away."""
    avatars.remove(current_account())
    db.session.commit()
    return "", 204
