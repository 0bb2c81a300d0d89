"""What /proc tells about processes and ports (Linux; elsewhere these answers are empty)."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Process:
    """One line of the process table. ``started`` is in clock ticks since boot: with the pid it is unique."""

    pid: int
    state: str
    session: int
    started: int

    @property
    def alive(self) -> bool:
        """A zombie has a row in /proc, but runs no more."""
        return self.state not in "ZX"

    @property
    def command(self) -> str:
        """Command line, empty when the process is gone."""
        with contextlib.suppress(OSError):
            return (PROC / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""

    @property
    def program(self) -> str:
        """File that it executes, empty when it may not be read."""
        with contextlib.suppress(OSError):
            return str((PROC / str(self.pid) / "exe").readlink())
        return ""

    @property
    def folder(self) -> str:
        """Working directory, empty when it may not be read."""
        with contextlib.suppress(OSError):
            return str((PROC / str(self.pid) / "cwd").readlink())
        return ""


def find(pid: int) -> Process | None:
    """The process with this pid, if there is one."""
    try:
        line = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the name in brackets and may hold blanks and brackets itself.
    fields = line.rpartition(")")[2].split()
    return Process(pid=pid, state=fields[0], session=int(fields[3]), started=int(fields[19]))


def everyone() -> Iterator[Process]:
    """All processes that we can see."""
    for entry in PROC.glob("[0-9]*"):
        process = find(int(entry.name))
        if process is not None:
            yield process


def session_members(session: int) -> list[Process]:
    """Living processes of a session: a child of ours and everything it started (each child leads its own)."""
    return [process for process in everyone() if process.session == session and process.alive]


def signal_session(session: int, number: signal.Signals) -> None:
    """Send a signal to every living process of a session."""
    for process in session_members(session):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def end_session(session: int, *, patience: float) -> None:
    """Ask a session to end, and after ``patience`` seconds make it."""
    signal_session(session, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if not session_members(session):
            return
        time.sleep(0.02)
    signal_session(session, signal.SIGKILL)


def port_is_free(port: int) -> bool:
    """Whether we may listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_holder(port: int) -> Process | None:
    """Who listens on a port, when the system lets us see it."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{fields[9]}]")
    holders = [process for process in everyone() if _holds(process.pid, sockets)]
    return min(holders, key=lambda process: process.started, default=None)


def _holds(pid: int, sockets: set[str]) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    return False
