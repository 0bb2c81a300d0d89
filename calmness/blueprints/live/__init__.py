"""Socket namespace ``/live``: unread badge, notices and account updates for the open pages of a person."""

from typing import Any

from apiflask import APIBlueprint
from flask_login import current_user
from flask_socketio import disconnect as disconnect_client
from flask_socketio import emit, join_room

from calmness.extensions import socketio
from calmness.permissions import STAFF_ROLES
from calmness.services import notifications, signals
from calmness.services.account import second_factor
from calmness.services.live import LIVE

bp = APIBlueprint("live", __name__, enable_openapi=False)


@socketio.on("connect", namespace=LIVE)
def connect(_auth: Any) -> bool:
    """Let a logged-in person listen to the own rooms. ``auth`` has no default: python-socketio calls a handler that
    raises TypeError again without it, which would turn a bug into an anonymous login.
    """
    if not current_user.is_authenticated or second_factor.is_lacking(current_user.user, current_user.auth_session):
        return False
    join_room(f"user:{current_user.user.id}")
    join_room(f"session:{current_user.auth_session.id}")
    if current_user.user.role in STAFF_ROLES:
        join_room("agents")
    if signals.may_read(current_user.user.id):
        join_room("signals")
    emit("unread", {"count": notifications.unread_count(current_user.user.id)})
    return True


@socketio.on("unread:get", namespace=LIVE)
def get_unread() -> dict[str, Any]:
    """Exact unread count, asked for after a reconnect; ends the socket of a session that was revoked."""
    if not current_user.is_authenticated:
        disconnect_client()
        return {"error": {"type": "auth-expired"}}
    return {"count": notifications.unread_count(current_user.user.id)}
