"""Who is there, in Redis alone: an entry that is not renewed is gone after a minute, whatever killed its process.

Without Redis nobody knows, and the answer is None: callers then act as for somebody who is away.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from redis import RedisError

from calmness.extensions import work_queue
from calmness.services.support.chat_rooms import Side

log = structlog.get_logger(__name__)

FRESH_SECONDS = 60
_AGENTS = "ct:chat:agents"


@dataclass(frozen=True)
class Here:
    """Who has a room open."""

    owner: bool
    agent_ids: frozenset[int]


def room_key(public_id: str) -> str:
    """Name of a room's set."""
    return f"ct:chat:here:{public_id}"


def arrive(sid: str, side: Side, user_id: int | None, public_ids: Iterable[str]) -> None:
    """Note, or renew, that a socket is there and which rooms it has open."""
    now = time.time()
    try:
        with work_queue.redis.pipeline(transaction=False) as pipe:
            if side is Side.STAFF:
                pipe.zadd(_AGENTS, {f"{user_id}:{sid}": now})
            for public_id in public_ids:
                member = f"{side.value}:{user_id if side is Side.STAFF else ''}:{sid}"
                pipe.zadd(room_key(public_id), {member: now})
                pipe.expire(room_key(public_id), FRESH_SECONDS * 2)
            pipe.execute()
    except (RedisError, RuntimeError) as error:
        log.debug("presence_unknown", error=type(error).__name__)


def leave(sid: str, side: Side, user_id: int | None, public_ids: Iterable[str]) -> None:
    """Note that a socket is gone, or has closed its rooms."""
    try:
        with work_queue.redis.pipeline(transaction=False) as pipe:
            if side is Side.STAFF:
                pipe.zrem(_AGENTS, f"{user_id}:{sid}")
            for public_id in public_ids:
                pipe.zrem(room_key(public_id), f"{side.value}:{user_id if side is Side.STAFF else ''}:{sid}")
            pipe.execute()
    except (RedisError, RuntimeError) as error:
        log.debug("presence_unknown", error=type(error).__name__)


def in_room(public_id: str) -> Here | None:
    """Who has a room open now; None when nobody can tell."""
    members = _fresh(room_key(public_id))
    if members is None:
        return None
    agents = {int(member.split(":")[1]) for member in members if member.startswith(f"{Side.STAFF.value}:")}
    return Here(any(member.startswith(f"{Side.OWNER.value}:") for member in members), frozenset(agents))


def agents_present() -> frozenset[int] | None:
    """Numbers of the people of the team who have the inbox open; None when nobody can tell."""
    members = _fresh(_AGENTS)
    return None if members is None else frozenset(int(member.split(":")[0]) for member in members)


def _fresh(key: str) -> list[str] | None:
    oldest = time.time() - FRESH_SECONDS
    try:
        with work_queue.redis.pipeline(transaction=False) as pipe:
            pipe.zremrangebyscore(key, "-inf", oldest)
            pipe.zrange(key, 0, -1)
            members = pipe.execute()[1]
    except (RedisError, RuntimeError) as error:
        log.debug("presence_unknown", error=type(error).__name__)
        return None
    return [member.decode() if isinstance(member, bytes) else member for member in members]
