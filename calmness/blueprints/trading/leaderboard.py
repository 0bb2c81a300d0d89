"""The leaderboard, for students: who wants to, under another name."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import leaderboards


class PseudonymForm(FlaskForm):
    """The name to be ranked under."""

    pseudonym = StringField(_l("Pseudonyme"))


@bp.get("/classement")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def leaderboard() -> ResponseReturnValue:
    """Who is the steadiest."""
    entry = leaderboards.of_user(current_account().id)
    return _page(PseudonymForm(formdata=None, data={"pseudonym": entry.pseudonym if entry else ""}))


@bp.post("/classement")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_leaderboard_entry() -> ResponseReturnValue:
    """Join, or take another name."""
    form = PseudonymForm()
    try:
        leaderboards.join(current_account().id, form.pseudonym.data or "")
    except DomainError as error:
        db.session.rollback()
        form.pseudonym.errors = [error.message]
        return _page(form), 422
    db.session.commit()
    flash(_("Vous participez au classement sous ce pseudonyme."), "success")
    return redirect(url_for("trading.leaderboard"))


@bp.post("/classement/retrait")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_leaderboard_removal() -> ResponseReturnValue:
    """Leave at once."""
    leaderboards.leave(current_account().id)
    db.session.commit()
    flash(_("Vous n’êtes plus au classement."), "success")
    return redirect(url_for("trading.leaderboard"))


def _page(form: PseudonymForm) -> str:
    user_id = current_account().id
    return render_template(
        "trading/leaderboard.html",
        form=form,
        rows=leaderboards.ranking(),
        entry=leaderboards.of_user(user_id),
        record=leaderboards.record_of(user_id),
        minimum=leaderboards,
    )
