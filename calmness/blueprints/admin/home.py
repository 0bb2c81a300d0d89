"""The staff's dashboard."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from calmness.access import requires
from calmness.permissions import Permission

bp = Blueprint("admin_home", __name__, url_prefix="/admin")


@bp.get("")
@requires(Permission.SEE_ADMIN)
def show() -> ResponseReturnValue:
    """What waits for somebody, and how the school does."""
    return render_template("admin/home.html")
