"""Wake-ups of workers through RQ. Nothing is stored here: rows of the database are the queue."""

import time
from collections.abc import Iterable
from typing import Any

import structlog
from flask import Flask
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

log = structlog.get_logger(__name__)

WAKE_TTL_SECONDS = 5
LOOK_SECONDS = 0.03
JOB_TIMEOUT_SECONDS = 300
PERIODIC = "periodic"
"""Queue of the periodic jobs, beside those of the lanes: workers take a job from each queue in turn, and a drain would
wait for its lane's own turn behind every one of them."""


class WorkQueue:
    """RQ's queues behind one small door. In a request, Redis gets 300 ms and no retry: the sweep does the rest."""

    def __init__(self) -> None:
        self._redis: Redis | None = None
        self._enabled = False

    def init_app(self, app: Flask) -> None:
        """Bind to ``REDIS_URL``. Without it, or with ``WAKE_WORKERS`` off, waking is a no-op."""
        url = app.config["REDIS_URL"]
        self._enabled = bool(url) and app.config["WAKE_WORKERS"]
        self._redis = (
            Redis.from_url(url, socket_timeout=0.3, socket_connect_timeout=0.3, retry=Retry(NoBackoff(), 0), protocol=2)
            if url
            else None
        )
        app.extensions["work_queue"] = self

    @property
    def redis(self) -> Redis:
        """Client with short time-outs for use in requests. Raises RuntimeError when no Redis is configured."""
        if self._redis is None:
            raise RuntimeError("REDIS_URL is not configured")
        return self._redis

    @property
    def has_redis(self) -> bool:
        """Whether a Redis is configured at all."""
        return self._redis is not None

    def wake(self, lane: str) -> None:
        """Ask a worker to drain a lane. One wake-up at a time waits in the queue; a lost one is found by the clock."""
        if not self._enabled:
            return
        try:
            # Both in one step: a drain that waits now looks once more after it has said that it waits no longer.
            with self.redis.pipeline(transaction=True) as asking:
                asking.set(_wake(lane), "1", nx=True, ex=WAKE_TTL_SECONDS)
                asking.exists(_waiting(lane))
                first, somebody_waits = asking.execute()
            if first and not somebody_waits:
                self._enqueue(lane, "calmness.jobs.drain", lane)
        except RedisError as error:
            log.warning("wake_up_lost", lane=lane, error=type(error).__name__)

    def run_periodic(self, name: str, every_seconds: int) -> None:
        """Ask a worker to run a periodic job, at most once in ``every_seconds`` however many clocks ask."""
        if not self._enabled:
            return
        try:
            if self.redis.set(f"ct:periodic:{name}", "1", nx=True, px=int(every_seconds * 950)):
                self._enqueue(PERIODIC, "calmness.jobs.run_periodic", name)
        except RedisError as error:
            log.warning("periodic_lost", job=name, error=type(error).__name__)

    def forget_wake(self, lane: str) -> None:
        """Called by a drain before it reads the rows: whoever commits from now on must wake again."""
        try:
            self.redis.delete(_wake(lane))
        except RedisError as error:
            log.warning("wake_key_kept", lane=lane, error=type(error).__name__)

    def wait_for_more(self, lane: str, seconds: float, lanes: Iterable[str]) -> bool:
        """Wait for more work in a lane that was just emptied; True when some came.

        A drain is a process of its own, made for it: of a lane that gets a piece each moment, making it would cost more
        than the work. So it also takes back the job of its own lane that came while it worked and that no other worker
        was free for, unless anything else waits: that ends the wait at once, and the job is left to its place in the
        queue. A wake-up without a job relied on this drain and is always answered.
        """
        if not self._enabled:
            return False
        until = time.monotonic() + seconds
        try:
            self.redis.set(_waiting(lane), "1", px=int(seconds * 4000))
            try:
                while not any(self._look(lane, lanes)) and time.monotonic() < until:
                    time.sleep(LOOK_SECONDS)
            finally:
                self.redis.delete(_waiting(lane))
            is_woken, drains, others_wait = self._look(lane, lanes)
            if drains:
                return not others_wait and self._take_back(lane, drains)
            return is_woken
        except RedisError as error:
            log.warning("wait_cut_short", lane=lane, error=type(error).__name__)
            return False

    def others_wait(self, lane: str, lanes: Iterable[str]) -> bool:
        """Whether anything but the lane's own drain asks for a worker. Yes when that can't be known."""
        if not self._enabled:
            return True
        try:
            return self._look(lane, lanes)[2]
        except RedisError:
            return True

    def _look(self, lane: str, lanes: Iterable[str]) -> tuple[bool, list[str], bool]:
        """(whether more came in a lane, jobs that would drain it, whether anything else waits for a worker)."""
        with self.redis.pipeline(transaction=False) as asking:
            asking.exists(_wake(lane))
            asking.lrange(_queue(lane), 0, -1)
            for name in (*lanes, PERIODIC):
                if name != lane:
                    asking.llen(_queue(name))
            is_woken, drains, *others = asking.execute()
        return bool(is_woken), [drain.decode() for drain in drains], any(others)

    def _take_back(self, lane: str, drains: Iterable[str]) -> bool:
        """Take jobs out of a lane's queue, unless a worker was faster. Whether there was one."""
        taken = [name for name in drains if self.redis.lrem(_queue(lane), 1, name)]
        for name in taken:
            self.redis.delete(Job.key_for(name))
        return bool(taken)

    def _enqueue(self, queue: str, function: str, argument: Any) -> None:
        Queue(queue, connection=self.redis, serializer=JSONSerializer).enqueue(
            function, argument, job_timeout=JOB_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=3600
        )


def _wake(lane: str) -> str:
    return f"ct:wake:{lane}"


def _waiting(lane: str) -> str:
    return f"ct:waiting:{lane}"


def _queue(lane: str) -> str:
    return f"{Queue.redis_queue_namespace_prefix}{lane}"
