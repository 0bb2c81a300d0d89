"""Register of processing, for the controller and the CNIL."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from calmness.access import requires
from calmness.permissions import Permission
from calmness.services.billing import identity
from calmness.services.privacy import processing_register, retention

bp = Blueprint("admin_privacy", __name__, url_prefix="/admin")


@bp.get("/registre")
@requires(Permission.SEE_AUDIT)
def register() -> ResponseReturnValue:
    """What is done with people's data, why, for how long."""
    return render_template(
        "admin/system/register.html",
        treatments=processing_register.TREATMENTS,
        security=processing_register.SECURITY,
        school=identity.current(),
        overdue=retention.overdue(),
    )
