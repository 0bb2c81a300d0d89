"""A copy of everything that the house holds of the caller."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.account.privacy import export_response
from calmness.blueprints.api import bp
from calmness.blueprints.api.once import once
from calmness.blueprints.api.serialisers import instant
from calmness.models.privacy import DataExport
from calmness.permissions import Permission
from calmness.services.privacy import data_exports


class ExportOut(Schema):
    """A copy: `asked`, then `ready` for a week, then `expired`."""

    id = Integer(required=True)
    state = String(required=True)
    asked_at = String(required=True)
    ready_at = String(required=True, allow_none=True)
    expires_at = String(required=True, allow_none=True)
    size_bytes = Integer(required=True, allow_none=True)


class ExportsOut(Schema):
    """The newest copies; there is one a day at most."""

    items = List(Nested(ExportOut), required=True)


@bp.post("/me/export")
@once
@bp.output(ExportOut, status_code=202)
@requires_fresh
@requires(Permission.OWN_SPACE)
def api_ask_export() -> ResponseReturnValue:
    """Have a copy of everything made, once a day; needs a recent proof of identity."""
    return _export(data_exports.ask(current_account()))


@bp.get("/me/export")
@bp.output(ExportsOut)
@requires(Permission.OWN_SPACE)
def api_exports() -> ResponseReturnValue:
    """Own copies, newest first."""
    return {"items": [_export(row) for row in data_exports.of_user(current_account().id)]}


@bp.get("/me/export/<int:export_id>/file")
@requires_fresh
@requires(Permission.OWN_SPACE)
def api_export_file(export_id: int) -> ResponseReturnValue:
    """The archive of an own copy that is ready; needs a recent proof of identity."""
    return export_response(data_exports.own_file(current_account(), export_id))


def _export(row: DataExport) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "asked_at": instant(row.asked_at),
        "ready_at": instant(row.ready_at),
        "expires_at": instant(row.expires_at),
        "size_bytes": row.size_bytes,
    }
