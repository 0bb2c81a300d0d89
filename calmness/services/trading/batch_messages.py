"""What a batch of an EA says: its head read and checked, its lists as they came. Nothing is written here."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from calmness.errors import DomainError
from calmness.services.trading.message_values import clean

MAX_TRADES = 500


class RefusedBatch(DomainError):
    """A message of which nothing can be taken."""


class NotJson(RefusedBatch):
    """The body is no JSON, was cut or is not packed as it says."""

    status = 400
    slug = "ea-not-json"
    message = _l("Le message n’est pas du JSON.")


class MalformedBatch(RefusedBatch):
    """The shape or the version of the message is wrong."""

    slug = "ea-malformed"
    message = _l("Message illisible\u00a0: mettez l’Expert Advisor à jour.")


class TooManyTrades(RefusedBatch):
    """More trades than a batch may hold."""

    status = 413
    slug = "ea-batch-too-big"
    message = _l("Lot trop gros\u00a0: 500 trades au plus.")


@dataclass(frozen=True)
class Head:
    """What a batch says beside its trades."""

    batch_id: str
    ea: str
    login: str
    server_name: str
    gmt: datetime
    server_epoch: int
    tick_age: int
    account: dict[str, Any]
    snapshot: dict[str, Any]
    history: dict[str, Any]
    cursor: int
    """Last closing that the EA believes to be here, by the server's wall clock; zero when it says none."""
    cursor_next: int
    """Last closing of which it believes so once this batch is taken."""


def read(body: Any) -> tuple[Head, list[Any]]:
    """Head and trades of a batch. Raises ``MalformedBatch``, ``TooManyTrades``."""
    if not isinstance(body, dict) or body.get("v") != 2:
        raise MalformedBatch
    trades, account, times = body.get("trades", []), body.get("account"), body.get("clock")
    if not isinstance(trades, list) or not isinstance(account, dict) or not isinstance(times, dict):
        raise MalformedBatch
    if len(trades) > MAX_TRADES:
        raise TooManyTrades
    try:
        head = Head(
            batch_id=clean(body["batch_id"], 64),
            ea=clean(body.get("ea"), 16),
            login=clean(account["login"], 32),
            server_name=clean(account["server"], 100),
            gmt=datetime.fromtimestamp(int(times["gmt"]), UTC),
            server_epoch=int(times["server"]),
            tick_age=int(times.get("server_age_s", 0)),
            account=account,
            snapshot=_part(body, "snapshot"),
            history=_part(body, "history"),
            cursor=epoch(_part(body, "cursor").get("time")),
            cursor_next=epoch(_part(body, "cursor").get("next")),
        )
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise MalformedBatch from error
    if not head.batch_id or not head.login:
        raise MalformedBatch
    return head, trades


def rows(body: dict[str, Any], name: str, most: int) -> list[Any]:
    """A list of the message that may be absent. Raises ``MalformedBatch``, ``TooManyTrades``."""
    found = body.get(name, [])
    if not isinstance(found, list):
        raise MalformedBatch
    if len(found) > most:
        raise TooManyTrades
    return found


def epoch(value: Any) -> int:
    """Seconds since 1970 of a message; zero for what is none."""
    return value if type(value) is int and 0 < value < 2**40 else 0


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
