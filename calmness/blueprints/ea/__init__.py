"""What EAs call. A key of one trading account opens it, and nothing else."""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, current_app, g, json, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge, TooManyRequests

from calmness import clock
from calmness.access import requires_ea_key
from calmness.blueprints.ea.limit import MinuteLimit
from calmness.error_handlers import problem
from calmness.errors import DomainError
from calmness.extensions import db, limiter
from calmness.services.trading import batch_messages, legacy_sync, sync, trading_accounts

bp = Blueprint("ea", __name__)
MAX_BYTES = 512 * 1024
LEGACY_MAX_BYTES = 16 * 1024
ENCODINGS = ("identity", "gzip", "deflate")
PER_MINUTE, LEGACY_PER_MINUTE = 120, 600
_ANY_HEAD = 32 + zlib.MAX_WBITS


# A question to Redis and the extension's search for limits took a sixth of a pass.
limiter.exempt(bp)
_messages = MinuteLimit()


def _refuse_too_many(most: int) -> None:
    """Limits count by key, not by address: a hosting company has many terminals behind one.

    Each view asks by itself: APIFlask fails to describe the API beside a plain blueprint with a ``before_request``.
    """
    if not current_app.config["RATELIMIT_ENABLED"]:
        return
    key = f"{most}:{request.headers.get('X-API-Key', '')}"
    wait = _messages.count(hashlib.sha256(key.encode()).hexdigest(), most)
    if wait:
        raise TooManyRequests(retry_after=wait)


def unpacked(raw: bytes) -> bytes:
    """A body that came as gzip or as zlib (what MetaTrader calls ZIP), never more than a plain one may be.

    Raises ``zlib.error``, ValueError when it was cut, ``RequestEntityTooLarge``.
    """
    stream = zlib.decompressobj(_ANY_HEAD)
    body = stream.decompress(raw, MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise RequestEntityTooLarge
    if not stream.eof:
        raise ValueError("cut")
    return body


@contextmanager
def _refusals_counted(account_id: int) -> Iterator[None]:
    """A message that is refused whole leaves nothing but its number on the support's board."""
    try:
        yield
    except batch_messages.RefusedBatch:
        db.session.rollback()
        sync.note_refused(account_id, clock.now())
        db.session.commit()
        raise


@bp.get("/ea/v1/ping")
@requires_ea_key
def ping() -> ResponseReturnValue:
    """Whether the key works, and which version is the latest."""
    _refuse_too_many(PER_MINUTE)
    account = trading_accounts.authenticate(request.headers.get("X-API-Key", ""), holding=False)
    return {
        "ok": True,
        "server_time": int(clock.now().timestamp()),
        "min_version": "2.0.0",
        "latest_version": sync.LATEST_VERSION,
        "account_hint": (account.login or "")[-4:],
    }


@bp.post("/ea/v1/sync")
@requires_ea_key
def create_sync() -> ResponseReturnValue:
    """Take a batch."""
    _refuse_too_many(PER_MINUTE)
    request.max_content_length = MAX_BYTES
    raw = request.get_data(cache=False)
    account = trading_accounts.authenticate(request.headers.get("X-API-Key", ""))
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ENCODINGS:
        return problem(415, "ea-encoding", _("Cette compression n’est pas lue\u00a0: gzip ou deflate."))
    with _refusals_counted(account.id):
        try:
            # Python's decoder takes NaN and Infinity as numbers: they are refused ticket by ticket.
            body = json.loads(raw if encoding == "identity" else unpacked(raw))
        except (ValueError, RecursionError, zlib.error) as error:
            raise batch_messages.NotJson from error
        try:
            taken = sync.take(account, body)
        except sync.OtherAccount:
            # The notice to the student must outlive the refusal.
            db.session.commit()
            raise
    db.session.commit()
    # Ten thousand quiet minutes of EAs a minute would bury all other lines of the log. The batch is in the database.
    g.is_routine = not taken.has_news
    return taken.answer


@bp.post("/api/auth/user/trading/ea/sync/")
@requires_ea_key
def create_legacy_sync() -> ResponseReturnValue:
    """Take the one-trade message of EA 1.00. It reads no answer: nothing that can be read is refused."""
    _refuse_too_many(LEGACY_PER_MINUTE)
    request.max_content_length = LEGACY_MAX_BYTES
    raw = request.get_data(cache=False)
    try:
        account = trading_accounts.authenticate(request.headers.get("X-API-Key", ""))
    except DomainError as error:
        return {"error": str(error.message)}, error.status
    with _refusals_counted(account.id):
        trade_id, created = legacy_sync.take(account, raw)
    db.session.commit()
    return {"success": True, "trade_id": trade_id, "created": created, "message": "Trade synchronisé"}
