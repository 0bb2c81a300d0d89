"""RQ worker: ``python worker.py [queue ...]``. Without arguments it serves all lanes. Periodic jobs belong to
whoever serves ``default``.

No scheduler of RQ runs here: retries and times live in the rows (see ``calmness.services.delivery``).
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from typing import Any

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import RoundRobinWorker

from calmness import create_app
from calmness.database import writing
from calmness.extensions import db
from calmness.jobs import claims, housekeeping
from calmness.models.delivery import Lane
from calmness.pdf import facturx, render  # noqa: F401 - once here, not in the child of each job
from calmness.services import delivery
from calmness.work_queue import PERIODIC

PR_SET_PDEATHSIG = 1
HEARTBEAT_SECONDS = 10.0

app = create_app()


class LaneWorker(RoundRobinWorker):
    """Runs jobs inside the application's context, lane after lane in turn: a full one never starves the next.

    Its child dies with it: an orphan could act after a new claim.

    Asked to stop, it passes the word on to its child, which finishes the piece in hand and gives the rest back:
    a long lane would otherwise hold up the end.
    """

    def setup_work_horse_signals(self) -> None:
        """In the child: SIGTERM asks for a soft stop, to whomever it was sent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: claims.stop_soon())

    def handle_warm_shutdown_request(self) -> None:
        """In the parent, at the first SIGTERM or SIGINT."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """First lines of the forked child."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with app.app_context():
            # Connections opened before the fork belong to the parent.
            db.engine.dispose(close=False)
            super().main_work_horse(job, queue)


def _beat(stop: threading.Event, name: str) -> None:
    while True:
        with app.app_context(), writing():
            delivery.note_heartbeat(name, "worker")
            db.session.commit()
        if stop.wait(HEARTBEAT_SECONDS):
            break
    with app.app_context(), writing():
        delivery.forget_heartbeat(name)
        db.session.commit()


def _finish_what_was_left(*_killed: Any) -> None:
    """What a killed worker or a killed child held goes on now, not when the clock comes by."""
    with app.app_context(), writing():
        housekeeping.sweep()
        db.session.remove()


def main(arguments: list[str]) -> None:
    """Serve the lanes named, all by default, until SIGTERM."""
    _finish_what_was_left()
    lanes = [Lane(name) for name in arguments] or list(Lane)
    name = f"worker:{socket.gethostname()}:{os.getpid()}"
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=(stop, name), daemon=True)
    beating.start()
    connection: Any = Redis.from_url(
        app.config["REDIS_URL"], health_check_interval=15, retry=Retry(ExponentialBackoff(cap=2), 10), protocol=2
    )
    names = [lane.value for lane in lanes] + ([PERIODIC] if Lane.DEFAULT in lanes else [])
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]
    worker = LaneWorker(
        queues,
        connection=connection,
        serializer=JSONSerializer,
        name=name,
        work_horse_killed_handler=_finish_what_was_left,
    )
    worker.work(with_scheduler=False, logging_level="WARNING")
    stop.set()
    beating.join()


if __name__ == "__main__":
    main(sys.argv[1:])
