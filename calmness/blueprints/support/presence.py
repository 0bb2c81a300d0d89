"""Who is there: told to the rooms, renewed by the process that holds the sockets, checked against the sessions."""

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from calmness.blueprints.support.wire import CALLERS, AuthExpired, Caller, person_behind
from calmness.database import set_read_only
from calmness.extensions import db, socketio
from calmness.services.live import SUPPORT
from calmness.services.support import chat_presence
from calmness.services.support.chat_rooms import Side

log = structlog.get_logger(__name__)

BEAT_SECONDS = 15
_beating = False


def renew(caller: Caller) -> None:
    """Note a socket where it is."""
    owned = [public_id for public_id, side in caller.rooms.items() if side is Side.OWNER]
    helped = [public_id for public_id, side in caller.rooms.items() if side is Side.STAFF]
    if owned:
        chat_presence.arrive(caller.sid, Side.OWNER, None, owned)
    if helped or caller.at_desk:
        chat_presence.arrive(caller.sid, Side.STAFF, caller.user_id, helped)


def gone(caller: Caller) -> None:
    """Forget a socket, and tell its rooms."""
    rooms = dict(caller.rooms)
    chat_presence.leave(caller.sid, Side.OWNER, None, [key for key, side in rooms.items() if side is Side.OWNER])
    if caller.at_desk or Side.STAFF in rooms.values():
        helped = [key for key, side in rooms.items() if side is Side.STAFF]
        chat_presence.leave(caller.sid, Side.STAFF, caller.user_id, helped)
    for public_id in rooms:
        tell(public_id)


def state(public_id: str) -> dict[str, object]:
    """Who is in a room, as both sides are told."""
    here, agents = chat_presence.in_room(public_id), chat_presence.agents_present()
    return {
        "room": public_id,
        "owner": bool(here and here.owner),
        "staff": bool(agents),
        "agents": sorted(here.agent_ids) if here else [],
    }


def tell(public_id: str) -> None:
    """Tell a room who is in it."""
    socketio.emit("presence", state(public_id), to=f"room:{public_id}", namespace=SUPPORT)


def start_beat() -> None:
    """Start the beat of this process, once, where real sockets live: it renews presence and ends what was revoked."""
    global _beating
    if _beating or current_app.config["SOCKETIO_ASYNC_MODE"] != "gevent":
        return
    _beating = True
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    socketio.start_background_task(_beat, app)


def beat(app: Flask) -> None:
    """One turn over the sockets of this process."""
    for caller in list(CALLERS.values()):
        with app.app_context():
            set_read_only(True)
            try:
                person_behind(caller)
            except AuthExpired:
                socketio.server.disconnect(caller.sid, namespace=SUPPORT)
            else:
                renew(caller)
            finally:
                set_read_only(False)


def _beat(app: Flask) -> None:
    while True:
        socketio.sleep(BEAT_SECONDS)
        try:
            beat(app)
        except SQLAlchemyError as error:
            log.warning("presence_beat_failed", error=type(error).__name__)
            db.session.remove()
