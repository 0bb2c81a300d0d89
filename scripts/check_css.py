"""What no stylesheet may hold: raw colours outside tokens.css, rules outside a cascade layer, physical sides.

A line that must differ says why: /* allowed: reason */.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STYLES = ROOT / "calmness" / "static" / "css"
TOKENS = "tokens.css"
ALLOWED = re.compile(r"/\*\s*allowed: \S")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
TEXT = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|url\([^)]*\)")
NAMED = (
    "white|black|red|green|blue|gold|gray|grey|silver|orange|yellow|purple|pink|brown|navy|teal|maroon|olive|lime|aqua"
    "|fuchsia|cyan|magenta|crimson|tomato|ivory|beige"
)
RAW_COLOUR = re.compile(
    rf":[^;{{}}]*?(#[0-9a-f]{{3,8}}\b|\b(?:rgb|rgba|hsl|hsla|hwb|lab|lch|oklab|oklch)\((?!\s*from\s+var)"
    rf"|(?<![\w-])(?:{NAMED})(?![\w-]))[^;{{}}]*",
    re.I,
)
PHYSICAL = re.compile(
    r"(?<![\w-])((?:margin|padding|border)-(?:left|right)(?:-\w+)?|(?:left|right)(?=\s*:)"
    r"|(?:float|clear|text-align)\s*:\s*(?:left|right))",
    re.I,
)
UNLAYERED_AT = (
    "@layer",
    "@import",
    "@charset",
    "@namespace",
    "@font-face",
    "@property",
    "@view-transition",
    "@keyframes",
)


def blanked(source: str) -> str:
    """The source without comments and texts, every position kept."""
    for pattern in (COMMENT, TEXT):
        source = pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), source)
    return source


def top_level_rules(source: str) -> Iterator[tuple[int, str]]:
    """Position and head of each block that stands in no other."""
    depth, start = 0, 0
    for position, letter in enumerate(source):
        if letter == "{":
            if depth == 0:
                yield position, source[start:position].strip()
            depth += 1
        elif letter == "}":
            depth -= 1
            start = position + 1
        elif letter == ";" and depth == 0:
            start = position + 1


def faults(file: Path) -> Iterator[str]:
    """Faults of one stylesheet, each with its line."""
    raw = file.read_text()
    lines, source = raw.splitlines(), blanked(raw)
    rules = {"physical side: use inline-start, inline-end": PHYSICAL}
    if file.name != TOKENS:
        rules["raw colour: take a token"] = RAW_COLOUR
    for rule, pattern in rules.items():
        for found in pattern.finditer(source):
            number = source.count("\n", 0, found.start(1)) + 1
            if not ALLOWED.search(lines[number - 1]):
                yield f"{file.relative_to(ROOT)}:{number}: {rule} ({found.group(1)})"
    for position, head in top_level_rules(source):
        if not head.startswith(UNLAYERED_AT):
            number = source.count("\n", 0, position) + 1
            if not ALLOWED.search(lines[number - 1]):
                yield f"{file.relative_to(ROOT)}:{number}: rule outside a cascade layer ({head[:40]})"


def main() -> int:
    """Check all stylesheets of the house."""
    found = [fault for file in sorted(STYLES.rglob("*.css")) for fault in faults(file)]
    print("\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
