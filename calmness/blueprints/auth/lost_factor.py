"""Neither phone nor codes: the mailbox asks for the removal, and the warning's link stops it. Buttons, for scanners."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import public
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import SECRET_ADDRESS
from calmness.blueprints.auth.forms import EmptyForm
from calmness.blueprints.auth.second_step import start_again, started
from calmness.extensions import db, limiter
from calmness.models.account import TokenPurpose
from calmness.services import factor_removals, second_factor, tokens


@bp.post("/connexion/code/perdu")
@limiter.limit("10 per hour")
@public
def send_lost_factor_link() -> ResponseReturnValue:
    """Write to the person whose password was right a moment ago."""
    user = started()
    if user is None:
        return start_again()
    try:
        factor_removals.send_link(user)
    except (second_factor.NotOn, second_factor.RequiredByRole) as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("Un lien vient de partir vers votre adresse. Il vaut 30\u00a0minutes."), "success")
    return redirect(url_for("auth.new_second_step", secours=1))


@bp.get("/facteur-perdu/<token>")
@public
def lost_factor_link(token: str) -> ResponseReturnValue:
    """What the click will do."""
    good = tokens.owner_of(token, TokenPurpose.LOST_FACTOR) is not None
    return _page("ask", 200) if good else _page("refused", tokens.TokenRefused.status)


@bp.post("/facteur-perdu/<token>")
@limiter.limit("60 per hour")
@public
def ask_factor_removal(token: str) -> ResponseReturnValue:
    """Take the yes of the mailbox: the day begins."""
    try:
        factor_removals.ask_by_link(token)
    except (tokens.TokenRefused, second_factor.NotOn) as error:
        db.session.rollback()
        return _page("refused", error.status)
    except factor_removals.AlreadyWaiting:
        # The link is used up all the same; what it asks for is under way.
        db.session.commit()
        return _page("asked", 200)
    db.session.commit()
    return _page("asked", 200)


@bp.get("/facteur-garde/<token>")
@public
def kept_factor_link(token: str) -> ResponseReturnValue:
    """What the click will do."""
    good = tokens.owner_of(token, TokenPurpose.KEEP_FACTOR) is not None
    return _page("stop", 200) if good else _page("over", tokens.TokenRefused.status)


@bp.post("/facteur-garde/<token>")
@limiter.limit("60 per hour")
@public
def stop_factor_removal(token: str) -> ResponseReturnValue:
    """«Ce n’était pas moi»: nothing is taken away."""
    try:
        factor_removals.stop(token)
    except tokens.TokenRefused as error:
        db.session.rollback()
        return _page("over", error.status)
    db.session.commit()
    return _page("stopped", 200)


def _page(state: str, status: int) -> ResponseReturnValue:
    return render_template("auth/lost_factor.html", state=state, form=EmptyForm()), status, SECRET_ADDRESS
