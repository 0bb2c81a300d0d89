"""Bring .venv to what a lock names, and do nothing at all when it is already there.

Runs on the plain interpreter (standard library only). uv, pinned by hash, installs in a second; where it
cannot be had, pip does the same more slowly. The stamp in .venv lets later starts work without a network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV_HOME = VENV / "uv"
# test.txt holds everything of run.txt, so an environment made for tests also runs the product.
CONTAINED = {"run": ("run",), "test": ("run", "test")}


def fingerprint(name: str) -> str:
    """Hash of a lock together with the interpreter that it was installed for."""
    lock = (REQUIREMENTS / f"{name}.txt").read_bytes()
    return hashlib.sha256(lock + sys.version.encode()).hexdigest()


def stamp(name: str) -> Path:
    """File that says which lock of this name is installed."""
    return VENV / f"{name}.installed"


def is_installed(name: str) -> bool:
    """Whether the environment carries exactly this lock and its interpreter still starts."""
    try:
        return PYTHON.exists() and stamp(name).read_text() == fingerprint(name)
    except OSError:
        return False


def make_environment() -> None:
    """Create .venv, or make it anew when its interpreter is gone or another one is wanted."""
    right = has("import sys; sys.exit(sys.version != sys.argv[1])", sys.version)
    if right and (has("import pip") or has("import ensurepip; ensurepip.bootstrap()")):
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        stop(f"Python could not make .venv: {last_line(made.stderr or made.stdout)}")


def has(code: str, *arguments: str) -> bool:
    """Whether the environment's interpreter starts and runs this code to a good end."""
    try:
        return subprocess.run([PYTHON, "-c", code, *arguments], capture_output=True).returncode == 0
    except OSError:
        return False


def index_settings() -> dict[str, str]:
    """The environment for uv, with pip's own index and certificates where the machine sets them."""
    settings = dict(os.environ)
    known = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    values = dict(line.split("=", 1) for line in known.splitlines() if "=" in line)
    for key, name in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        for scope in (":env:", "install", "global"):
            value = values.get(f"{scope}.{key}", "").strip("'\"")
            if value:
                settings.setdefault(name, value)
    return settings


def install_with_uv(lock: Path) -> bool:
    """Install by uv; False where uv cannot be had or cannot reach the index."""
    uv = UV_HOME / "bin" / "uv"
    pinned = REQUIREMENTS / "uv.txt"
    if not uv.exists():
        fetched = pip("install", "--require-hashes", "--no-deps", "--target", str(UV_HOME), "-r", str(pinned))
        if fetched.returncode != 0:
            return False
    command = [str(uv), "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), str(lock)]
    done = subprocess.run(command, env=index_settings(), capture_output=True, text=True)
    return done.returncode == 0


def install_with_pip(lock: Path) -> None:
    """Install by pip: slower, needs nothing else. ``--no-deps``: the lock is already complete."""
    say("uv is not to be had here; pip takes over (about half a minute)")
    done = pip("install", "--require-hashes", "--no-deps", "-r", str(lock))
    if done.returncode != 0:
        stop(f"The packages of {lock.relative_to(ROOT)} could not be installed: {last_line(done.stderr)}")


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's pip, quietly."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def install(name: str) -> None:
    """Install one lock and leave the stamps."""
    if is_installed(name):
        return
    lock = REQUIREMENTS / f"{name}.txt"
    make_environment()
    for known in CONTAINED["test"]:
        stamp(known).unlink(missing_ok=True)
    say(f"Installing {lock.relative_to(ROOT)}")
    if not install_with_uv(lock):
        install_with_pip(lock)
    for contained in CONTAINED[name]:
        stamp(contained).write_text(fingerprint(contained))


def last_line(text: str) -> str:
    """The line of an error that says the most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def say(text: str) -> None:
    """Tell the person what takes time."""
    print(f"install | {text}", flush=True)


def stop(reason: str) -> None:
    """End with one sentence."""
    raise SystemExit(f"install | {reason}")


def main() -> None:
    """Install the lock named on the command line, one installation at a time."""
    name = sys.argv[1] if len(sys.argv) > 1 else "run"
    if name not in CONTAINED:
        stop(f"There is no lock named {name!r}: choose run or test")
    one_at_a_time = os.open(REQUIREMENTS, os.O_RDONLY)
    fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
    try:
        install(name)
    except PermissionError as error:
        stop(f"This folder is not writable: {error.filename}")


if __name__ == "__main__":
    main()
