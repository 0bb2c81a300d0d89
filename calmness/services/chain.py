"""Chains of SHA-256 over appended facts: a link names the one before, so a change anywhere shows.

Canonical bytes: JSON with sorted keys, UTF-8, no spaces, decimals as text, instants as ISO 8601 in UTC with
microseconds. ``prev`` and ``seq`` are inside. Triggers stop mistakes; only an anchor outside of the database shows
a chain that was rewritten whole.
"""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from calmness.extensions import db
from calmness.models.audit import ChainHead
from calmness.models.dialect import locked

GENESIS = bytes(32)
VERSION = 1


def canonical(content: dict[str, Any]) -> bytes:
    """Bytes that are hashed. Raises TypeError for a value that has no canonical form."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False
    ).encode()


def link_hash(name: str, seq: int, prev_hash: bytes, content: dict[str, Any]) -> bytes:
    """Hash of a link, from its place in the chain and its content."""
    whole = {"v": VERSION, "chain": name, "seq": seq, "prev": prev_hash.hex(), "content": content}
    return hashlib.sha256(canonical(whole)).digest()


def append(name: str, content: dict[str, Any]) -> tuple[int, bytes, bytes]:
    """Add a link: (seq, previous hash, hash). Holds the chain's head until the transaction ends: call it last.

    The head is written with the row that the caller adds, in one flush.
    """
    head = locked(db.session(), ChainHead, {"name": name}, {"seq": 0, "hash": GENESIS})
    previous = head.hash
    head.seq += 1
    head.hash = link_hash(name, head.seq, previous, content)
    if not db.session.autoflush:
        # The next link would read the head of before.
        db.session.flush()
    return head.seq, previous, head.hash


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    raise TypeError(f"no canonical form for {type(value).__name__}")
