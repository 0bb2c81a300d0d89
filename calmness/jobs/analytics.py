"""Reading the stream of views, and keeping the rollups fresh."""

import os
import socket
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from flask import current_app
from redis import Redis, ResponseError

from calmness.extensions import db, work_queue
from calmness.jobs.handlers import periodic
from calmness.services.analytics import analytics_ingest, analytics_rollups
from calmness.tracker import STREAM, forget_old_salts

log = structlog.get_logger(__name__)

GROUP = "analytics"
BATCH = 500
ROUNDS = 20
CLAIM_AFTER_MS = 60_000


@periodic("analytics.ingest", every_seconds=5)
def ingest() -> None:
    """Read what has come, acknowledge after the commit, compute the days that changed."""
    if not work_queue.has_redis:
        return
    redis, zone = work_queue.redis, ZoneInfo(current_app.config["ANALYTICS_TIMEZONE"])
    consumer = f"{socket.gethostname()}:{os.getpid()}"
    _group(redis)
    for _ in range(ROUNDS):
        entries = _read(redis, consumer)
        if not entries:
            break
        hits = [hit for entry_id, fields in entries if fields and (hit := _hit(entry_id, fields)) is not None]
        analytics_ingest.take(hits, zone)
        db.session.commit()
        redis.xack(STREAM, GROUP, *(entry_id for entry_id, _fields in entries))
    for day in analytics_ingest.dirty_days():
        analytics_ingest.clean(day)
        analytics_rollups.rebuild(day, day)
        db.session.commit()


@periodic("analytics.salts", every_seconds=3600)
def end_salts() -> None:
    """Delete salts of past days."""
    forget_old_salts()
    db.session.commit()


def _group(redis: Redis) -> None:
    try:
        redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _read(redis: Any, consumer: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """What a reader that died left, else what is new."""
    claimed = redis.xautoclaim(STREAM, GROUP, consumer, min_idle_time=CLAIM_AFTER_MS, count=BATCH)
    left = [(entry_id, fields) for entry_id, fields in claimed[1] if entry_id is not None]
    if left:
        return left
    answer = redis.xreadgroup(GROUP, consumer, {STREAM: ">"}, count=BATCH)
    return answer[0][1] if answer else []


def _hit(entry_id: bytes, fields: dict[bytes, bytes]) -> analytics_ingest.Hit | None:
    return analytics_ingest.parse(entry_id.decode(), fields.get(b"j", b"").decode())
