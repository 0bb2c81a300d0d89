"""News for open pages. They leave after the commit, so that a page that asks again finds what it was told of.

An event is a hint, never the truth: lost ones are made good by asking (unread count on load, history by ``seq``).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from calmness import transaction_end
from calmness.context import cause_id
from calmness.extensions import socketio
from calmness.socket_manager import CUTTING, cut

LIVE = "/live"
SUPPORT = "/support"

_NEWS = "news"


def emit_after_commit(name: str, data: dict[str, Any], *, room: str, namespace: str = LIVE) -> None:
    """Send an event to a room once the current transaction is committed; dropped if it rolls back."""
    transaction_end.after_commit(_NEWS, partial(_emit, name, data | {"cause_id": cause_id()}, room, namespace))


def emit_number_after_commit(name: str, count: Callable[[], int], *, room: str) -> None:
    """Send a number to a room like ``emit_after_commit``: counted once, at the end of the transaction."""

    def tell() -> None:
        emit_after_commit(name, {"count": count()}, room=room)

    transaction_end.before_commit(_NEWS, tell, once=(name, room))


def keep_quiet() -> None:
    """Drop what would be sent after the commit: for a load of what happened long ago."""
    transaction_end.forget(_NEWS)


def _emit(name: str, data: dict[str, Any], room: str, namespace: str) -> None:
    socketio.emit(name, data, to=room, namespace=namespace)
    if name in CUTTING:
        cut(socketio.server.manager, room, namespace)
