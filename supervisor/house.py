"""The order of things: who starts when, who comes back, who stops last."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from supervisor import leftovers, processes, redis, settings, stamps
from supervisor.children import Child, Log, adopt_orphans

STOP_PATIENCE = 10.0
REDIS_PATIENCE = 20.0
SIGNALS = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
DEMO_PEOPLE = (
    ("admin", "admin@calmness.test"),
    ("agent", "agent@calmness.test"),
    ("student", "camille@calmness.test"),
)
DEMO_PASSWORD = "calmness-demo"  # noqa: S105 - shown to everybody on purpose; the demo listens on loopback only


class Stop(Exception):
    """Somebody asked the house to close."""


class Failed(Exception):
    """The house cannot open; the sentence is for the person, the code for whoever called."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


class House:
    """One supervisor over one instance folder."""

    def __init__(self, checkout: Path) -> None:
        self.environ = settings.given(checkout)
        self.where = settings.paths(checkout, self.environ)
        self.port = settings.port(self.environ)
        self.log: Log
        self.children: list[Child] = []
        self.environment: dict[str, str] = {}
        self.lock: int | None = None
        self.welcomed = False

    def run(self) -> int:
        """Open, watch until somebody asks to stop, close. Answers the exit code."""
        if not self.take_lock():
            print(f"Calmness Trading already runs at {self._address_on_file()}", flush=True)
            return 0
        # Before the first thread starts: one that had them unblocked would swallow the signal meant for the house.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.log = Log(sys.stdout)
        try:
            adopt_orphans()
            self._open()
            while True:
                self._wait(timeout=60)
        except Stop:
            return 0
        except redis.NoRedis as failure:
            self.log.line("house", str(failure))
            return 2
        except Failed as failure:
            self.log.line("house", str(failure))
            return failure.code
        finally:
            self._close()

    # ---- opening ----------------------------------------------------------------------------------

    def _open(self) -> None:
        for name in leftovers.end_all(self.where.children, self.where.checkout):
            self.log.line("house", f"Ended {name}, left over from a start that was killed")
        self._check_port()
        redis_url = self.environ.get("REDIS_URL") or self._start_redis()
        self.environment = settings.for_children(self.environ, self.where, redis_url)
        (self.where.run / "address").write_text(self.environment["BASE_URL"])
        (self.where.run / "environment.json").touch(mode=0o600)
        (self.where.run / "environment.json").write_text(json.dumps({"REDIS_URL": redis_url}))
        self._migrate()
        self._load_demo()
        python = sys.executable
        self._start(self._child("web", [python, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]))
        opened_at = time.monotonic()
        while not self._ready():
            self._wait(timeout=0.05)
            if time.monotonic() - opened_at > 60:
                opened_at = time.monotonic()
                self.log.line("house", "The pages do not answer yet: see the lines of web above")
        # After the pages: three programs that load at once keep a reader waiting three times as long.
        self._start(self._child("worker", [python, "worker.py"]))
        self._start(self._child("clock", [python, "-m", "flask", "--app", "wsgi", "clock"]))
        self._welcome()

    def _check_port(self) -> None:
        if processes.port_is_free(self.port):
            return
        holder = processes.port_holder(self.port)
        who = "a program of another user (as root, `ss -ltnp` names it)"
        if holder is not None:
            who = f"process {holder.pid} ({holder.command[:80]}) of {holder.folder or 'an unknown folder'}"
        other = next(port for port in range(self.port + 1, 65536) if processes.port_is_free(port))
        sentence = f"Port {self.port} is taken by {who}. Stop it, or take another: make run PORT={other}"
        raise Failed(sentence, code=2)

    def _start_redis(self) -> str:
        program = redis.find_program()
        secret = redis.password(self.where.instance / "redis.password")
        for _attempt in range(5):
            server = redis.Server(program, self.where.redis, processes.free_port(), secret)
            server.write_configuration()
            child = self._child("redis", server.command, folder=self.where.redis, quiet=True)
            child.before_start = lambda child, server=server: self._heal_redis(child, server)
            self._start(child)
            deadline = time.monotonic() + REDIS_PATIENCE
            while time.monotonic() < deadline:
                self._wait(timeout=0.01)
                if child.process is not None and server.answers():
                    return server.url
                if child.falls >= 2:  # the first may be due to a damaged file, which the restart put aside
                    break
            self.children.remove(child)
            if child.pid:
                processes.end_session(child.pid, patience=STOP_PATIENCE)
        raise Failed(f"Redis ({program}) does not start: see its lines above")

    def _heal_redis(self, child: Child, server: redis.Server) -> None:
        aside = server.put_damaged_file_aside(list(child.tail))
        if aside is not None:
            self.log.line("house", f"Redis refused its file: it lies in {aside} now, and Redis starts empty")

    def _migrate(self) -> None:
        """Bring the database up to date, unless this very file already saw these very migrations."""
        url = self.environment["DATABASE_URL"]
        now = stamps.migrated(url, self.where.checkout)
        if now["file"] != 0 and stamps.read(self.where.migrated_stamp) == now:
            return
        self._run_once("migrate", [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"])
        stamps.write(self.where.migrated_stamp, {**now, **stamps.database_identity(url)})

    def _load_demo(self) -> None:
        url = self.environment["DATABASE_URL"]
        if self.environment["CALMNESS_ENV"] != "demo":
            return
        if stamps.read(self.where.demo_stamp) == stamps.database_identity(url):
            return
        self.log.line("house", "Loading a year of the demo school (once, about a minute)")
        self._run_once("demo", [sys.executable, "-m", "flask", "--app", "wsgi", "demo"])
        stamps.write(self.where.demo_stamp, stamps.database_identity(url))

    def _run_once(self, name: str, command: list[str]) -> None:
        """Run a command to its end, with the rest of the house watched meanwhile."""
        child = self._child(name, command)
        outcome: list[int] = []
        child.start(self.log, self.where.children)
        self.children.append(child)
        while not outcome:
            self._wait(timeout=1, once=(child, outcome.append))
        self.children.remove(child)
        leftovers.forget(self.where.children, name)
        if outcome[0] != 0:
            raise Failed(f"{name} failed: see its lines above")

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(processes.LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _welcome(self) -> None:
        address = self.environment["BASE_URL"]
        lines = ["", f"  Calmness Trading is open: {address}", ""]
        if self.environment["CALMNESS_ENV"] == "demo":
            lines += [f"    {role:<8} {email:<24} {DEMO_PASSWORD}" for role, email in DEMO_PEOPLE]
            lines += [""]
        lines += ["  Ctrl-C closes it.", ""]
        for line in lines:
            self.log.line("house", line)
        self.welcomed = True

    # ---- watching ---------------------------------------------------------------------------------

    def _child(self, name: str, command: list[str], *, folder: Path | None = None, quiet: bool = False) -> Child:
        environment = self.environment or dict(os.environ)
        return Child(name, command, environment, folder or self.where.checkout, quiet=quiet)

    def _start(self, child: Child) -> None:
        child.start(self.log, self.where.children)
        self.children.append(child)

    def _wait(self, timeout: float, once: tuple[Child, Callable[[int], None]] | None = None) -> None:
        """Sleep until a signal or until a fallen child is due, and do what then has to be done."""
        due = [child.due_at for child in self.children if child.due_at is not None]
        until = min([time.monotonic() + timeout, *due])
        happened = signal.sigtimedwait(SIGNALS, max(0.0, until - time.monotonic()))
        if happened is not None and happened.si_signo != signal.SIGCHLD:
            raise Stop
        for pid, code in self._reap():
            for child in self.children:
                if child.pid != pid:
                    continue
                if once is not None and child is once[0]:
                    child.process = None
                    once[1](code)
                else:
                    child.fell(code, self.log)
        for child in self.children:
            if child.due_at is not None and child.due_at <= time.monotonic():
                child.start(self.log, self.where.children)

    @staticmethod
    def _reap() -> list[tuple[int, int]]:
        """Collect everybody who has ended, orphans of our children included."""
        ended: list[tuple[int, int]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            ended.append((pid, os.waitstatus_to_exitcode(status)))

    # ---- closing ----------------------------------------------------------------------------------

    def _close(self) -> None:
        """Clock, worker and web first, Redis last: a job in hand still needs it."""
        if self.children:
            self.log.line("house", "Closing")
        hurry = False
        first = [child for child in self.children if child.name != "redis"]
        last = [child for child in self.children if child.name == "redis"]
        for group in (first, last):
            hurry = self._stop(group, hurry=hurry)
        for child in self.children:
            leftovers.forget(self.where.children, child.name)
        (self.where.run / "address").unlink(missing_ok=True)
        if self.lock is not None:
            os.close(self.lock)
        if self.welcomed:
            self.log.line("house", "Closed")
        self.log.close()

    def _stop(self, group: list[Child], *, hurry: bool) -> bool:
        """End a group of children and everything they started; answers whether somebody lost patience."""
        sessions = [child.pid for child in group if child.pid]
        for session in sessions:
            try:
                os.kill(session, signal.SIGTERM)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + STOP_PATIENCE
        while any(processes.session_members(session) for session in sessions):
            if hurry or time.monotonic() > deadline:
                for session in sessions:
                    processes.signal_session(session, signal.SIGKILL)
            for session in sessions:
                leader = processes.find(session)
                if leader is None or not leader.alive:  # what it has left behind waits for nothing
                    processes.signal_session(session, signal.SIGKILL)
            happened = signal.sigtimedwait(SIGNALS, 0.05)
            hurry = hurry or (happened is not None and happened.si_signo == signal.SIGINT)
            self._reap()
        self._reap()
        return hurry

    # ---- one house per instance -------------------------------------------------------------------

    def take_lock(self) -> bool:
        """The kernel lets go of the lock however this process ends."""
        self.lock = os.open(self.where.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self.lock)
            self.lock = None
            return False
        return True

    def _address_on_file(self) -> str:
        try:
            return (self.where.run / "address").read_text()
        except OSError:
            return "this folder, and is just starting"
