"""Screenshots beside a trade: put, seen and deleted by their owner alone."""

from flask import Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import StringField

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.journal import trade_page
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import screenshots, trade_history


class PictureForm(FlaskForm):
    """A screenshot."""

    picture = FileField(_l("Image"))
    caption = StringField(_l("Légende"))


@bp.post("/historique/<int:trade_id>/captures")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_screenshot(trade_id: int) -> ResponseReturnValue:
    """Put a screenshot beside an own trade."""
    user_id, form = current_account().id, PictureForm()
    found, given = trade_history.own(user_id, trade_id), form.picture.data
    content = given.read(screenshots.MAX_BYTES + 1) if given else b""
    try:
        screenshots.add(user_id, trade_id, content, form.caption.data or "")
    except DomainError as error:
        db.session.rollback()
        form.picture.errors = [error.message]
        return trade_page(trade_history.own(user_id, found.id), picture_form=form), 422
    db.session.commit()
    flash(_("La capture est enregistrée."), "success")
    return redirect(url_for("trading.trade", trade_id=trade_id, _anchor="captures"))


@bp.get("/historique/captures/<int:screenshot_id>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def screenshot(screenshot_id: int) -> ResponseReturnValue:
    """The picture, for its owner."""
    content, kind = screenshots.content_of(screenshots.own(current_account().id, screenshot_id))
    return Response(content, mimetype=kind)


@bp.post("/historique/captures/<int:screenshot_id>/retrait")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_screenshot_removal(screenshot_id: int) -> ResponseReturnValue:
    """Delete a screenshot and its file."""
    row = screenshots.own(current_account().id, screenshot_id)
    trade_id = row.trade_id
    screenshots.remove(row)
    db.session.commit()
    flash(_("La capture est supprimée."), "success")
    return redirect(url_for("trading.trade", trade_id=trade_id, _anchor="captures"))
