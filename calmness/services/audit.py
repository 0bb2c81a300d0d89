"""Journal of what staff does and of security events: appended in the transaction of the act, chained by hash."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from calmness import clock
from calmness.context import cause_id
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.services import chain

CHAIN = "audit"


@dataclass(frozen=True)
class Origin:
    """Where an act comes from, as far as it may be kept: device and truncated address."""

    session_id: str | None = None
    ip_truncated: str | None = None


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - frozen


def set_origin(origin: Origin) -> None:
    """Say where the acts of this request come from; called at the edge."""
    _origin.set(origin)


def origin() -> Origin:
    """Where the acts of this request come from."""
    return _origin.get()


def record(
    action: str, object_type: str, object_id: object, *, actor: User | None, changes: Sequence[str] = ()
) -> AuditEntry:
    """Append an entry. ``action`` reads like ``payment.validated``; ``changes`` are names of fields, never values.

    Takes the chain's lock until the transaction ends: call it after the slow part of the act.
    """
    here = origin()
    content: dict[str, Any] = {
        "at": clock.now(),
        "actor_id": actor.id if actor else None,
        "actor_role": actor.role.value if actor else "system",
        "session_id": here.session_id,
        "action": action,
        "object_type": object_type,
        "object_id": str(object_id),
        "changes": list(changes),
        "request_id": cause_id(),
        "ip_truncated": here.ip_truncated,
    }
    seq, prev_hash, link = chain.append(CHAIN, content)
    entry = AuditEntry(seq=seq, prev_hash=prev_hash, hash=link, **content)
    db.session.add(entry)
    db.session.flush()
    return entry


def first_broken(entries: Iterable[AuditEntry] | None = None) -> int | None:
    """Place of the first entry whose hash is wrong; None when the journal is whole."""
    if entries is None:
        found = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=1000))
        # The cursor of the server stays open where the reading stops early.
        with closing(found):
            return first_broken(found)
    expected_prev, expected_seq = chain.GENESIS, 1
    for entry in entries:
        content = {
            name: getattr(entry, name)
            for name in (
                "at",
                "actor_id",
                "actor_role",
                "session_id",
                "action",
                "object_type",
                "object_id",
                "changes",
                "request_id",
                "ip_truncated",
            )
        }
        link = chain.link_hash(CHAIN, expected_seq, expected_prev, content)
        if entry.seq != expected_seq or entry.prev_hash != expected_prev or entry.hash != link:
            return expected_seq
        expected_prev, expected_seq = entry.hash, expected_seq + 1
    return None
