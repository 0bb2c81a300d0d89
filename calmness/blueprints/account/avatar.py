"""Photo of a person: give it, take it away, show it."""

from flask import Response, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.account import bp
from calmness.blueprints.account.profile import profile_form, profile_page
from calmness.extensions import db, limiter
from calmness.models.account import User
from calmness.permissions import Permission
from calmness.services.account import avatars
from calmness.uploads import UploadRefused


@bp.post("/profil/photo")
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
def create_avatar() -> ResponseReturnValue:
    """Take a photo; what is stored is made anew from its pixels."""
    given = request.files.get("file")
    try:
        avatars.save(current_account(), (given and given.filename) or "", given.read() if given else b"")
    except UploadRefused as error:
        db.session.rollback()
        return profile_page(profile_form(), photo_error=error.message), error.status
    db.session.commit()
    flash(_("Votre photo est enregistrée."), "success")
    return redirect(url_for("account.profile"))


@bp.post("/profil/photo/fin")
@requires(Permission.OWN_SPACE)
def end_avatar() -> ResponseReturnValue:
    """Take the photo away."""
    avatars.remove(current_account())
    db.session.commit()
    flash(_("Votre photo est retirée."), "success")
    return redirect(url_for("account.profile"))


@bp.get("/photos/<name>-<int:side>.webp")
@requires(Permission.OWN_SPACE)
def avatar(name: str, side: int) -> ResponseReturnValue:
    """A photo, to its owner and to the team. Another photo has another name: the browser may keep it."""
    response = Response(avatars.read(current_account(), name, side), mimetype="image/webp")
    response.headers["Cache-Control"] = "private, max-age=86400, immutable"
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


@bp.app_template_global("avatar_url")
def avatar_url(user: User | None, side: int = avatars.SMALL) -> str:
    """Address of a person's photo; empty when there is none."""
    key = user.avatar_file if user is not None else None
    if not key or "account.avatar" not in current_app.view_functions:
        return ""
    return url_for("account.avatar", name=key.removeprefix("avatars/").removesuffix(".webp"), side=side)
