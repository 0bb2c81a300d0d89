"""What no template may hold: inline styles, scripts and handlers (the CSP refuses them), other origins, `|safe`.

A place that must differ says why on its own line: {# allowed: reason #}.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "calmness" / "templates"
# Mail clients know no stylesheet, and the PDF engine reads its own; both are no pages.
NO_PAGES = ("mail/", "pdf/")
ALLOWED = re.compile(r"\{#-?\s*allowed: \S")

PAGE_RULES = {
    "inline style: widths go by attributes of SVG, <progress> or <meter>": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.I),
    "<style> in a page: it belongs into static/css": re.compile(r"<style[\s>]", re.I),
    "inline handler: start a module by data-module": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=\s*[\"'{]", re.I),
    "hx-on is an inline handler": re.compile(r"\shx-on[:=]", re.I),
    "inline script: only <script src> and JSON data": re.compile(
        r"<script(?![^>]*\ssrc=)(?![^>]*type=[\"']application/(?:ld\+)?json[\"'])", re.I
    ),
    "javascript: address": re.compile(r"javascript:", re.I),
    "a file of another origin": re.compile(
        r"<(?:script|img|link(?![^>]*rel=[\"'](?:canonical|alternate|license|me))|iframe|source|video)\b[^>]*"
        r"\s(?:src|href)=[\"'](?:https?:)?//",
        re.I,
    ),
}
EVERYWHERE = {
    "|safe: escape, or build the markup with a macro": re.compile(r"\|\s*safe\b"),
    "autoescape turned off": re.compile(r"autoescape\s+false", re.I),
    "strftime: dates go through |day, |datetime, |ago": re.compile(r"\.strftime\("),
}
COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.S)


def faults(file: Path) -> Iterator[str]:
    """Faults of one template, each with its line."""
    source = file.read_text()
    name = file.relative_to(TEMPLATES).as_posix()
    lines = source.splitlines()
    # Blank out comments, keep positions.
    visible = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)
    rules = EVERYWHERE if name.startswith(NO_PAGES) else {**PAGE_RULES, **EVERYWHERE}
    for rule, pattern in rules.items():
        for found in pattern.finditer(visible):
            number = visible.count("\n", 0, found.start()) + 1
            if not ALLOWED.search(lines[number - 1]):
                yield f"{file.relative_to(ROOT)}:{number}: {rule}"


def main() -> int:
    """Check all templates."""
    found = [fault for file in sorted(TEMPLATES.rglob("*.*")) if file.is_file() for fault in faults(file)]
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
