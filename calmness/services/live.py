"""News for open pages. They leave after the commit, so that a page that asks again finds what it was told of.

An event is a hint, never the truth: lost ones are made good by asking (unread count on load, history by ``seq``).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from calmness.context import cause_id
from calmness.extensions import db, socketio
from calmness.socket_manager import CUTTING, cut

LIVE = "/live"
SUPPORT = "/support"

_PENDING = "live_events"
_NUMBERS = "live_numbers"


def emit_after_commit(name: str, data: dict[str, Any], *, room: str, namespace: str = LIVE) -> None:
    """Send an event to a room once the current transaction is committed; dropped if it rolls back."""
    db.session.info.setdefault(_PENDING, []).append((name, data | {"cause_id": cause_id()}, room, namespace))


def emit_number_after_commit(name: str, count: Callable[[], int], *, room: str) -> None:
    """Send a number to a room like ``emit_after_commit``: counted once, at the end of the transaction."""
    db.session.info.setdefault(_NUMBERS, {})[name, room] = count


def keep_quiet() -> None:
    """Drop what would be sent after the commit: for a load of what happened long ago."""
    _drop(db.session())


@event.listens_for(Session, "before_commit")
def _count(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for (name, room), count in session.info.pop(_NUMBERS, {}).items():
        emit_after_commit(name, {"count": count()}, room=room)


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
        _drop(session)


def _drop(session: Session) -> None:
    session.info.pop(_PENDING, None)
    session.info.pop(_NUMBERS, None)
