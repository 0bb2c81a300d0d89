"""`python -m supervisor`: open the house; other ways to call it are below."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from supervisor import processes, settings
from supervisor.house import House

CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Read the command line and act."""
    parser = argparse.ArgumentParser(prog="python -m supervisor", description="Run Calmness Trading on this machine.")
    parser.add_argument("--forget", action="store_true", help="remove the database, files and keys of this checkout")
    parser.add_argument(
        "--with-environment",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="run a command with the house's settings",
    )
    arguments = parser.parse_args()
    try:
        house = House(CHECKOUT)
    except settings.BadSettings as fault:
        print(fault, file=sys.stderr)
        return 2
    if arguments.forget:
        return forget(house)
    if arguments.with_environment:
        run_inside(house, arguments.with_environment)
    return house.run()


def forget(house: House) -> int:
    """Remove everything under instance/, unless the house is open."""
    if not house.take_lock():
        print("The house is open: close it first (Ctrl-C where `make run` runs).", file=sys.stderr)
        return 1
    shutil.rmtree(house.where.instance)
    print(f"Removed {house.where.instance}")
    return 0


def run_inside(house: House, command: list[str]) -> None:
    """Become another command that sees the same database, keys and, while the house is open, Redis."""
    try:
        redis_url = json.loads((house.where.run / "environment.json").read_text())["REDIS_URL"]
    except (OSError, ValueError, KeyError):
        redis_url = house.environ.get("REDIS_URL", f"redis://{processes.LOOPBACK}:6379/0")
    environment = settings.for_children(house.environ, house.where, redis_url)
    os.execvpe(command[0], command, environment)  # noqa: S606 - the person's own command


if __name__ == "__main__":
    sys.exit(main())
