"""The links of a change of address: a button, because scanners of mail open links."""

from flask import render_template
from flask.typing import ResponseReturnValue

from calmness.access import public
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import SECRET_ADDRESS
from calmness.blueprints.auth.forms import EmptyForm
from calmness.extensions import db, limiter
from calmness.models.account import TokenPurpose
from calmness.services.account import email_changes, tokens


@bp.get("/changement-adresse/<token>")
@public
def email_link(token: str) -> ResponseReturnValue:
    """What the click will do."""
    match email_changes.purpose_of(token):
        case TokenPurpose.RELEASE_EMAIL:
            return _page("release", 200)
        case TokenPurpose.CHANGE_EMAIL:
            return _page("confirm", 200)
        case _:
            return _page("refused", tokens.TokenRefused.status)


@bp.post("/changement-adresse/<token>")
@limiter.limit("60 per hour")
@public
def confirm_email_link(token: str) -> ResponseReturnValue:
    """Take the yes of this mailbox."""
    try:
        done = email_changes.confirm(token)
    except tokens.TokenRefused as error:
        return _page("refused", error.status)
    except email_changes.AddressTaken as error:
        # That the change has ended must outlive the error.
        db.session.commit()
        return _page("taken", error.status)
    db.session.commit()
    return _page("done" if done else "waiting", 200)


def _page(state: str, status: int) -> ResponseReturnValue:
    return render_template("auth/email_change.html", state=state, form=EmptyForm()), status, SECRET_ADDRESS
