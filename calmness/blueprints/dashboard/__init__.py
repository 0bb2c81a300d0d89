"""The person's dashboard."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.permissions import Permission

bp = Blueprint("dashboard", __name__, url_prefix="/espace")


@bp.get("")
@requires(Permission.OWN_SPACE)
def show() -> ResponseReturnValue:
    """Cards of everything that matters now."""
    return render_template("dashboard/show.html", user=current_account())
