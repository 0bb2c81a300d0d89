"""Functions, classes, methods and imports that nothing of the product uses.

vulture finds the candidates; a name that a template, a migration or an entry point says is in use. Columns, enum
members and settings are data, not code: they don't count. Nor do tests: code that only a test calls is dead.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"function", "class", "method", "property", "import", "unreachable_code"}
ALSO_READ = ("calmness/templates", "migrations", "bench", "scripts", "calmness/static/js")
WORD = re.compile(r"[A-Za-z_]\w+")


def words_elsewhere() -> set[str]:
    """Every word of the files that vulture does not read."""
    files = [file for folder in ALSO_READ for file in (ROOT / folder).rglob("*.*") if file.is_file()]
    return {word for file in files for word in WORD.findall(file.read_text(errors="ignore"))}


def main() -> int:
    """Tell what is dead."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["vulture"]
    search = Vulture(ignore_names=settings["ignore_names"], ignore_decorators=settings["ignore_decorators"])
    search.scavenge([str(ROOT / path) for path in settings["paths"]], exclude=settings["exclude"])
    used = words_elsewhere()
    dead = [item for item in search.get_unused_code(min_confidence=60) if item.typ in KINDS and item.name not in used]
    for item in dead:
        print(f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno}: unused {item.typ} {item.name}")
    return int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
