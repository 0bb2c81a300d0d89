"""Sockets of a session that ended are cut by the server, on every node: a client that ignores the event hears nothing.

The event travels through the message queue like any other; each node that gets it disconnects the sockets it holds.
"""

from typing import Any

import socketio

SESSION_REVOKED = "session:revoked"
SESSION_RENEWED = "session:renewed"
"""The secret has changed: who has the new cookie comes back, who has a copy of the old one does not."""
CUTTING = frozenset({SESSION_REVOKED, SESSION_RENEWED})


class QueueManager(socketio.RedisManager):
    """Rooms shared by all nodes through Redis."""

    def _handle_emit(self, message: dict[str, Any]) -> None:
        super()._handle_emit(message)
        if message["event"] in CUTTING:
            cut(self, message["room"], message["namespace"])


def manager_for(redis_url: str) -> QueueManager | None:
    """The manager of this process; None leaves it to the library, for a single process without Redis."""
    if not redis_url:
        return None
    options = {"socket_connect_timeout": 1, "health_check_interval": 15}
    return QueueManager(redis_url, channel="calmness", redis_options=options)


def cut(manager: Any, room: str, namespace: str) -> None:
    """Disconnect the sockets of a room that this process holds."""
    for sid, _connection in list(manager.get_participants(namespace, room)):
        manager.server.disconnect(sid, namespace=namespace, ignore_queue=True)
