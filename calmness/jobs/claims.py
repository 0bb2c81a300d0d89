"""Whose claims are whose: each process that drains a lane claims under its own name, ``host:pid``."""

import os
import socket
import threading

from calmness.extensions import db
from calmness.services import delivery

_stopping = threading.Event()


def own_name() -> str:
    """Name under which this process claims."""
    return f"{socket.gethostname()}:{os.getpid()}"


def stop_soon() -> None:
    """Ask the drain of this process to end after the piece of work in hand."""
    _stopping.set()


def stopping() -> bool:
    """Whether somebody asked to stop."""
    return _stopping.is_set()


def give_back_of_the_dead() -> int:
    """Give back what processes of this machine held when they were killed. Gives how many rows.

    A number that the kernel has given to a new process meanwhile looks alive: there the lease decides.
    """
    host = socket.gethostname()
    dead = [name for name in delivery.holders() if name.startswith(f"{host}:") and not _lives(name)]
    given_back = sum(delivery.release(name) for name in dead)
    db.session.commit()
    return given_back


def _lives(name: str) -> bool:
    pid = name.rpartition(":")[2]
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True
