"""One child process of the house: it leads its own session, is logged by line, comes back when it falls."""

from __future__ import annotations

import collections
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from supervisor import leftovers, processes

BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_AFTER = 30.0
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)
_HOUSE_PID = os.getpid()


class Log:
    """The one log: lines of all children with a prefix. A terminal that stands still holds up no child."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=10_000)
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def line(self, source: str, text: str) -> None:
        """Add one line. When nobody reads and the buffer is full, the line is lost and the child goes on."""
        try:
            self._lines.put_nowait(f"{source:<7} | {text}\n")
        except queue.Full:
            return

    def close(self) -> None:
        """Write what is left, for two seconds at most."""
        try:
            self._lines.put(None, timeout=1)
        except queue.Full:
            return
        self._writer.join(timeout=2)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._out.write(line)
                self._out.flush()
            except (OSError, ValueError):
                continue  # `make run | head`: the reader has left, the house stays


@dataclass
class Child:
    """What to run and how it fares. ``quiet`` holds its output back and shows the end when it falls."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    folder: Path
    quiet: bool = False
    before_start: Callable[[Child], None] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    falls: int = 0
    due_at: float | None = None
    tail: collections.deque[str] = field(default_factory=lambda: collections.deque(maxlen=20))

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its session; 0 when it does not run."""
        return self.process.pid if self.process is not None else 0

    def start(self, log: Log, records: Path) -> None:
        """Start it. Only the main thread may: the kernel ends the child with the THREAD that started it."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started by the main thread only")
        if self.before_start is not None:
            self.before_start(self)
        self.tail.clear()
        self.due_at = None
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_leave_with_the_house,
        )
        leftovers.remember(records, self.name, self.pid)
        threading.Thread(target=self._read, args=(self.process.stdout, log), name=self.name, daemon=True).start()

    def fell(self, code: int, log: Log) -> None:
        """Take note of its end and plan its return."""
        if self.process is not None:
            self.process.returncode = code  # reaped by the house: Popen must not wait for it again
        processes.signal_session(self.pid, signal.SIGKILL)  # what it had started must not work on beside its successor
        self.process = None
        if time.monotonic() - self.started_at > STEADY_AFTER:
            self.falls = 0
        delay = BACK_OFF[min(self.falls, len(BACK_OFF) - 1)]
        self.falls += 1
        self.due_at = time.monotonic() + delay
        if self.quiet and code > 0:
            for line in self.tail:
                log.line(self.name, line)
        log.line("house", f"{self.name} ended ({_reason(code)}), back in {delay:g} s")

    def _read(self, pipe: IO[bytes] | None, log: Log) -> None:
        if pipe is None:
            return
        with pipe:
            for raw in pipe:
                line = raw.decode(errors="replace").rstrip()
                self.tail.append(line)
                if not self.quiet:
                    log.line(self.name, line)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent falls, so that they can be reaped (Linux)."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _leave_with_the_house() -> None:
    """In the child, before its program starts: end when the supervisor does, take signals as usual."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != _HOUSE_PID:
            os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _reason(code: int) -> str:
    """Exit code as a person reads it: subprocess counts signals downwards."""
    if code < 0:
        return signal.Signals(-code).name
    return f"code {code}"
