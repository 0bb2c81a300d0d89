"""How an event of the namespace ``/support`` is handled: who asks, may they, one short transaction, always an answer.

A handler that raises sends no acknowledgement at all, and its client would wait for ever: so every fault becomes one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import current_app, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_socketio import leave_room
from marshmallow import RAISE, Schema, ValidationError
from sqlalchemy.exc import OperationalError

from calmness import clock
from calmness.blueprints.support.limits import buckets
from calmness.context import caused_by
from calmness.database import is_lock_timeout, set_read_only
from calmness.errors import DomainError, TooManyAttempts
from calmness.extensions import db, socketio
from calmness.services.account import second_factor, sessions
from calmness.services.live import SUPPORT
from calmness.services.support.chat_news import AGENTS
from calmness.services.support.chat_rooms import Person, Side

log = structlog.get_logger(__name__)

Answer = dict[str, Any]
Handler = Callable[["Caller", Person, dict[str, Any]], Answer]


@dataclass
class Caller:
    """A socket and on whose behalf it speaks. The right is looked up anew at each event, never kept."""

    sid: str
    auth_session_id: str | None
    visitor_hash: str | None
    expires_at: datetime | None = None
    user_id: int | None = None
    at_desk: bool = False
    rooms: dict[str, Side] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Who is counted when it goes too fast."""
        return f"user:{self.user_id}" if self.user_id is not None else f"visitor:{self.visitor_hash}"


CALLERS: dict[str, Caller] = {}
"""Sockets of this process, by their id."""


class AuthExpired(DomainError):
    """The session or token behind the socket has ended."""

    status = 401
    slug = "auth-expired"
    message = _l("Votre session a pris fin. Reconnectez-vous pour continuer.")


def person_behind(caller: Caller) -> Person:
    """The person now. Raises ``AuthExpired`` after log-out, ban, change of role, or when the token is over."""
    if caller.auth_session_id is None:
        return Person(None, caller.visitor_hash)
    now = clock.now()
    found = sessions.find_by_id(caller.auth_session_id, now)
    if found is None or (caller.expires_at is not None and caller.expires_at <= now):
        raise AuthExpired
    if second_factor.is_lacking(*found):
        raise second_factor.SecondFactorMissing
    return Person(found[0], caller.visitor_hash)


def silence(caller: Caller) -> None:
    """Take a socket whose right has ended out of everything it listens to."""
    for channel in (AGENTS, *(f"room:{public_id}" for public_id in caller.rooms), *own_channels(caller)):
        leave_room(channel, sid=caller.sid, namespace=SUPPORT)
    caller.rooms.clear()
    caller.at_desk = False


def own_channels(caller: Caller) -> list[str]:
    """Channels of the person itself."""
    return [f"person:{caller.key}", f"session:{caller.auth_session_id}"]


def on(name: str, schema: Schema, *, limit: str, only_reads: bool = False) -> Callable[[Handler], Handler]:
    """Register the handler of an event. It gets the caller, the person and the checked payload, inside one
    transaction that is committed before the answer leaves.
    """

    def register(handler: Handler) -> Handler:
        @socketio.on(name, namespace=SUPPORT)
        def receive(data: Any = None, *_more: Any) -> Answer:
            caller = CALLERS.get(request.sid)  # type: ignore[attr-defined]
            if caller is None:
                return refusal(AuthExpired())
            with caused_by(None):
                return _answer(handler, caller, schema, limit, only_reads, data)

        return handler

    return register


def refusal(error: DomainError) -> Answer:
    """A refusal as clients read it."""
    detail: dict[str, Any] = {"type": error.slug, "detail": str(error.message)}
    if isinstance(error, TooManyAttempts):
        detail["retry_after"] = error.retry_after
    return {"error": detail}


def check_pace(sender: str, kind: str) -> None:
    """Raise ``TooFast`` when a sender goes too fast."""
    if current_app.config["RATELIMIT_ENABLED"]:
        buckets.take(sender, kind)


def _answer(handler: Handler, caller: Caller, schema: Schema, limit: str, only_reads: bool, data: Any) -> Answer:
    set_read_only(only_reads)
    try:
        check_pace(caller.key, limit)
        payload = schema.load({} if data is None else data, unknown=RAISE)
        answer = handler(caller, person_behind(caller), payload)
        db.session.commit()
        return answer
    except ValidationError as error:
        fields = ", ".join(map(str, error.messages_dict)) if isinstance(error.messages, dict) else ""
        return {"error": {"type": "invalid", "detail": _("Données incorrectes\u00a0: %(fields)s.", fields=fields)}}
    except AuthExpired as error:
        silence(caller)
        return refusal(error)
    except DomainError as error:
        return refusal(error)
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        return {"error": {"type": "busy", "detail": _("Le service est très sollicité."), "retry_after": 2}}
    finally:
        # Events have no request's teardown of their own to count on: give the connection back here.
        db.session.remove()
        set_read_only(False)


@socketio.on_error(namespace=SUPPORT)
def _broken(error: Exception) -> Answer:
    log.error("socket_event_failed", exc_info=error)
    return {"error": {"type": "server-error", "detail": _("Une panne de notre côté. Recommencez dans un instant.")}}


def token_end(claims: dict[str, Any]) -> datetime:
    """When a token ends."""
    return datetime.fromtimestamp(claims["exp"], UTC)
