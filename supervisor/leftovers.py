"""Children that outlived a killed supervisor: remembered on disk, ended before the next start.

Never by name: a process is ours only if its pid, its start time, its program and its folder are those that
were written down. (Its command line will not do: Redis, for one, rewrites its own.)
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from supervisor import processes

PATIENCE = 5.0


def remember(folder: Path, name: str, pid: int) -> None:
    """Write down a child that has just been started."""
    process = processes.find(pid)
    if process is None:
        return
    row = {
        "boot": _boot(),
        "pid": pid,
        "started": process.started,
        "program": process.program,
        "folder": process.folder,
    }
    file = folder / f"{name}.json"
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(row))
    draft.replace(file)


def forget(folder: Path, name: str) -> None:
    """Strike a child off the list: it has ended, with all that it had started."""
    (folder / f"{name}.json").unlink(missing_ok=True)


def end_all(folder: Path, checkout: Path) -> list[str]:
    """End every remembered child that still runs, Redis last; answers their names."""
    ended = []
    files = sorted(folder.glob("*.json"), key=lambda file: (file.stem == "redis", file.stem))
    for file in files:
        try:
            row = json.loads(file.read_text())
        except ValueError:
            row = {}
        if row.get("boot") == _boot() and _end(row, checkout):
            ended.append(file.stem)
        file.unlink(missing_ok=True)
    return ended


def _end(row: dict[str, object], checkout: Path) -> bool:
    pid, started = int(str(row["pid"])), int(str(row["started"]))
    leader = processes.find(pid)
    if leader is not None and leader.alive:
        if (leader.started, leader.program, leader.folder) != (started, row["program"], row["folder"]):
            return False
        processes.end_session(pid, patience=PATIENCE)
        return True
    # The leader is gone. While anybody of its session lives, the kernel gives its number to nobody else, so
    # these are its children: a gunicorn worker, a job in the making.
    orphans = [
        process
        for process in processes.session_members(pid)
        if process.started >= started and process.folder.startswith(str(checkout))
    ]
    if orphans:
        processes.signal_session(pid, signal.SIGKILL)
    return bool(orphans)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
