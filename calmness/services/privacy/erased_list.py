"""Accounts that were erased, in a file beside the database: what a restore must not bring back when that one is lost.

A line has the account's number and its birth, no name: numbers may be given anew, the instant is not.
"""

from datetime import datetime
from pathlib import Path

from flask import current_app

FILE = "erased-accounts.txt"


def note(number: int, created_at: datetime) -> None:
    """Add an account. Twice does no harm."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        handle.write(f"{number} {birth(created_at)}\n")


def read() -> set[tuple[int, str]]:
    """All of them."""
    path = _path()
    lines = path.read_text().splitlines() if path.is_file() else []
    return {(int(number), born) for number, _blank, born in (line.partition(" ") for line in lines) if born}


def birth(created_at: datetime) -> str:
    """An instant as the list has it."""
    return created_at.isoformat(timespec="microseconds")


def _path() -> Path:
    folder: Path = current_app.config["INSTANCE_DIR"]
    return folder / FILE
