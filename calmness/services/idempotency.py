"""A request that says ``Idempotency-Key`` has its effect once; repeated, it gets the same answer for a day.

The row is written first, in the transaction of the effect: of two at once the second waits for the first, then reads
its answer. If the first fails, its row goes with it and the second acts.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, delete, select

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.api import IdempotencyKey
from calmness.models.dialect import insert_once
from calmness.services.account.sessions import hash_secret

KEPT = timedelta(hours=24)


class KeyUsedForOtherBody(DomainError):
    """The same key came with another body: one of the two is a mistake of the caller."""

    slug = "idempotency-key-reused"
    message = _l("Cette clé d’idempotence a déjà servi pour une autre demande. Prenez une nouvelle clé.")


@dataclass(frozen=True)
class Act:
    """Who wants what, once."""

    user_id: int
    method: str
    path: str
    key: str
    body_hash: str

    @property
    def key_hash(self) -> str:
        """What is kept of the key."""
        return hash_secret(self.key)


@dataclass(frozen=True)
class Answer:
    """What the first request was told."""

    status: int
    headers: dict[str, str]
    body: bytes


def begin(act: Act) -> Answer | None:
    """Claim the act: None for who is first, else the answer of the first. Raises ``KeyUsedForOtherBody``."""
    now = clock.now()
    db.session.execute(delete(IdempotencyKey).where(_same(act), IdempotencyKey.created_at < now - KEPT))
    row: dict[str, Any] = {
        "user_id": act.user_id,
        "method": act.method,
        "path": act.path,
        "key_hash": act.key_hash,
        "body_hash": act.body_hash,
        "created_at": now,
    }
    if insert_once(db.session(), IdempotencyKey, [row]):
        return None
    first = db.session.scalars(select(IdempotencyKey).where(_same(act))).one()
    if first.body_hash != act.body_hash or first.status is None:
        raise KeyUsedForOtherBody
    return Answer(first.status, dict(first.headers or {}), _seal(act).decrypt(first.body or b""))


def keep(act: Act, answer: Answer) -> None:
    """Remember what the first was told; the caller commits it with the effect."""
    row = db.session.scalars(select(IdempotencyKey).where(_same(act))).one()
    row.status, row.headers, row.body = answer.status, answer.headers, _seal(act).encrypt(answer.body)
    db.session.flush()


def forget_old() -> int:
    """Delete answers older than a day; gives how many."""
    old = delete(IdempotencyKey).where(IdempotencyKey.created_at < clock.now() - KEPT)
    return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]


def _same(act: Act) -> ColumnElement[bool]:
    return (
        (IdempotencyKey.user_id == act.user_id)
        & (IdempotencyKey.method == act.method)
        & (IdempotencyKey.path == act.path)
        & (IdempotencyKey.key_hash == act.key_hash)
    )


def _seal(act: Act) -> Fernet:
    # The raw key is in no table: who reads the database alone can't read a secret that was shown once.
    digest = hashlib.sha256(f"idempotency:{current_app.config['SECRET_KEY']}:{act.key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
