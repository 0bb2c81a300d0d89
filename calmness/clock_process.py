"""The clock: wakes lanes that have due rows and asks for periodic jobs. Two clocks at once do no harm."""

import os
import signal
import socket
import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from calmness.extensions import db, work_queue
from calmness.jobs.handlers import PERIODIC
from calmness.services import delivery

log = structlog.get_logger(__name__)

TICK_SECONDS = 1.0
HEARTBEAT_TICKS = 10


def run(app: Flask) -> None:
    """Tick every second until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ticks = 0
    with app.app_context():
        while not stop.wait(TICK_SECONDS):
            tick(beat=ticks % HEARTBEAT_TICKS == 0)
            ticks += 1
        leave()


def own_name() -> str:
    """Name of this process on the health pages."""
    return f"clock:{socket.gethostname()}:{os.getpid()}"


def leave() -> None:
    """Take the sign of life away."""
    try:
        delivery.forget_heartbeat(own_name())
        db.session.commit()
    except SQLAlchemyError as error:
        log.warning("heartbeat_left", error=type(error).__name__)


def tick(*, beat: bool) -> None:
    """One turn: wake what is due, ask for periodic jobs, give a sign of life now and then."""
    try:
        if beat:
            delivery.note_heartbeat(own_name(), "clock")
        lanes = delivery.lanes_with_work()
        db.session.commit()
    except SQLAlchemyError as error:
        # The database is away or busy: the next tick finds the same rows.
        log.warning("tick_failed", error=type(error).__name__)
        db.session.rollback()
        return
    finally:
        db.session.remove()
    for lane in lanes:
        work_queue.wake(lane.value)
    for name, job in PERIODIC.items():
        work_queue.run_periodic(name, job.every_seconds)
