"""Mails of the demo, readable in the browser. Not registered in production."""

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from calmness.access import public
from calmness.channels.mailbox import kept

bp = Blueprint("mailbox", __name__)


@bp.get("/courrier")
@public
def index() -> ResponseReturnValue:
    """All mails kept, newest first; only where no mail server is set."""
    if current_app.config["MAIL_SERVER"]:
        abort(404)
    return render_template("site/mailbox.html", mails=kept(current_app.config["INSTANCE_DIR"] / "mail"))
