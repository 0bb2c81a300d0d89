"""All gates of `make lint`, one after the other; tells every fault, not just the first kind. Standard library only."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-m"]
GATES = {
    "style": [*PYTHON, "ruff", "check", "--quiet", "."],
    "format": [*PYTHON, "ruff", "format", "--check", "--quiet", "."],
    "types": [*PYTHON, "mypy"],
    "arrows": [str(Path(sys.executable).parent / "lint-imports")],
    "templates": [sys.executable, "scripts/check_templates.py"],
    "css": [sys.executable, "scripts/check_css.py"],
    "dead code": [sys.executable, "scripts/check_dead_code.py"],
}


def main() -> int:
    """Run the gates named on the command line, all by default."""
    failed = []
    for name in sys.argv[1:] or GATES:
        started = time.monotonic()
        done = subprocess.run(GATES[name], cwd=ROOT, capture_output=True, text=True, check=False)
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"{name:<10} {verdict:<7} {time.monotonic() - started:5.1f} s", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    if failed:
        print(f"Not clean: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
