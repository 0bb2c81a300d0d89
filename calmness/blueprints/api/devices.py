"""Where the caller is logged in: see, end."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, List, Nested, String
from flask.typing import ResponseReturnValue
from flask_login import current_user

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.locale import language
from calmness.models.account import AuthSession
from calmness.permissions import Permission
from calmness.places import place_name
from calmness.services.account import sessions


class DeviceOut(Schema):
    """A browser (`page`) or a program (`api`) that is logged in. ``place`` is looked up on this site's own server."""

    id = String(required=True)
    kind = String(required=True)
    label = String(required=True)
    place = String(required=True)
    network = String(required=True, allow_none=True)
    this = Boolean(required=True)
    second_factor = Boolean(required=True)
    created_at = Instant(required=True)
    last_seen_at = Instant(required=True)
    expires_at = Instant(required=True)


class DevicesOut(Schema):
    """Own devices, last used first."""

    items = List(Nested(DeviceOut), required=True)


@bp.get("/me/devices")
@bp.output(DevicesOut)
@requires(Permission.OWN_SPACE)
def api_devices() -> ResponseReturnValue:
    """Where one is logged in."""
    return {"items": [_device(row) for row in sessions.living_of(current_account().id)]}


@bp.delete("/me/devices/<device_id>")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_end_device(device_id: str) -> ResponseReturnValue:
    """End one, on pages, API and sockets at once."""
    sessions.revoke_own(current_account(), device_id)
    db.session.commit()
    return "", 204


@bp.delete("/me/devices")
@bp.output({}, status_code=204)
@requires(Permission.OWN_SPACE)
def api_end_other_devices() -> ResponseReturnValue:
    """End all but the one that asks."""
    sessions.revoke_others(current_account(), keep=current_user.auth_session.id)
    db.session.commit()
    return "", 204


def _device(row: AuthSession) -> dict[str, Any]:
    mine = current_user.device
    return {
        "id": row.id,
        "kind": row.kind.value,
        "label": row.device_label,
        "place": place_name(row.ip_truncated, language()),
        "network": row.ip_truncated,
        "this": mine is not None and mine.id == row.id,
        "second_factor": row.mfa_at is not None,
        "created_at": instant(row.created_at),
        "last_seen_at": instant(row.last_seen_at),
        "expires_at": instant(row.expires_at),
    }
