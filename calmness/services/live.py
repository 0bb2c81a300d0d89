"""News for open pages. They leave after the commit, so that a page that asks again finds what it was told of.

An event is a hint, never the truth: lost ones are made good by asking (unread count on load, history by ``seq``).
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from calmness.context import cause_id
from calmness.extensions import db, socketio
from calmness.socket_manager import CUTTING, cut

LIVE = "/live"
SUPPORT = "/support"

_PENDING = "live_events"


def emit_after_commit(name: str, data: dict[str, Any], *, room: str, namespace: str = LIVE) -> None:
    """Send an event to a room once the current transaction is committed; dropped if it rolls back."""
    db.session.info.setdefault(_PENDING, []).append((name, data | {"cause_id": cause_id()}, room, namespace))


@event.listens_for(Session, "after_commit")
def _emit(session: Session) -> None:
    if session.in_nested_transaction():
        # The end of a savepoint: who asked now would not find what is told.
        return
    for name, data, room, namespace in session.info.pop(_PENDING, []):
        socketio.emit(name, data, to=room, namespace=namespace)
        if name in CUTTING:
            cut(socketio.server.manager, room, namespace)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_PENDING, None)
