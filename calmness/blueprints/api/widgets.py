"""The cards of the caller's dashboard."""

from typing import Any

from apiflask import Schema
from apiflask.fields import List, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.conditional import require_unchanged
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.dashboard.widgets import WIDGETS
from calmness.extensions import db
from calmness.permissions import Permission
from calmness.services.dashboard import layouts


class WidgetsIn(ClosedSchema):
    """Names of cards in the wanted order, each once; those left out are hidden."""

    widgets = List(String(validate=OneOf(list(WIDGETS))), required=True, validate=Length(max=len(WIDGETS)))


class WidgetsOut(Schema):
    """The dashboard: its cards in order, and all cards that exist."""

    widgets = List(String(), required=True)
    available = List(String(), required=True)


@bp.get("/me/widgets")
@bp.output(WidgetsOut)
@requires(Permission.OWN_SPACE)
def api_widgets() -> ResponseReturnValue:
    """Cards of one's own dashboard."""
    return _widgets(current_account().id)


@bp.put("/me/widgets")
@bp.input(WidgetsIn, arg_name="wanted")
@bp.output(WidgetsOut)
@requires(Permission.OWN_SPACE)
def api_arrange_widgets(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Arrange the dashboard."""
    user_id = current_account().id
    require_unchanged(WidgetsOut, _widgets(user_id))
    layouts.arrange(user_id, wanted["widgets"], known=tuple(WIDGETS))
    db.session.commit()
    return _widgets(user_id)


def _widgets(user_id: int) -> dict[str, Any]:
    chosen = [name for name in layouts.of_user(user_id).widgets if name in WIDGETS]
    return {"widgets": chosen, "available": list(WIDGETS)}
