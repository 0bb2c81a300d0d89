"""Sockets of a session that ended are cut by the server, on every node: a client that ignores the event hears nothing.

The event travels through the message queue like any other; each node that gets it disconnects the sockets it holds.
"""

from typing import Any

import socketio

SESSION_REVOKED = "session:revoked"


class QueueManager(socketio.RedisManager):
    """Rooms shared by all nodes through Redis."""

    def _handle_emit(self, message: dict[str, Any]) -> None:
        super()._handle_emit(message)
        if message["event"] == SESSION_REVOKED:
            _cut(self, message["room"], message["namespace"])


class LocalManager(socketio.Manager):
    """Rooms of the one process there is, without Redis."""

    def emit(self, event: str, data: Any, namespace: str, room: str | None = None, **options: Any) -> None:
        """Send an event to a room."""
        super().emit(event, data, namespace, room=room, **options)
        if event == SESSION_REVOKED:
            _cut(self, room, namespace)


def manager_for(redis_url: str) -> socketio.Manager:
    """The manager of this process."""
    if not redis_url:
        return LocalManager()
    options = {"socket_connect_timeout": 1, "health_check_interval": 15}
    return QueueManager(redis_url, channel="calmness", redis_options=options)


def _cut(manager: Any, room: str | None, namespace: str) -> None:
    for sid, _connection in list(manager.get_participants(namespace, room)):
        manager.server.disconnect(sid, namespace=namespace, ignore_queue=True)
