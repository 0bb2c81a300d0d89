"""What was done to a database already, so that the next start need not do it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def database_identity(url: str) -> dict[str, object]:
    """Which database this is: a file that was removed and made anew is another one."""
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    number = file.stat().st_ino if file is not None and file.exists() else int(file is None)
    return {"url": hashlib.sha256(url.encode()).hexdigest(), "file": number}


def migrated(url: str, checkout: Path) -> dict[str, object]:
    """This very database, as these very migrations leave it."""
    digest = hashlib.sha256()
    for file in sorted((checkout / "migrations").rglob("*.py")):
        digest.update(file.read_bytes())
    return {**database_identity(url), "migrations": digest.hexdigest()}


def write(file: Path, stamp: dict[str, object]) -> None:
    """Put it down for the next start."""
    file.write_text(json.dumps(stamp))


def read(file: Path) -> object:
    """What the last start put down, ``None`` when that is missing or damaged."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return None
