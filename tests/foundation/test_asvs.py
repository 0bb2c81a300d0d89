"""The list of OWASP ASVS 5.0 in ``docs/security.md`` is whole, and the tests that it names exist."""

import re
from pathlib import Path

import pytest

import config

pytestmark = pytest.mark.once
DOCUMENT = config.ROOT / "docs" / "security.md"
ROW = re.compile(r"^\| (?P<numbers>\d[\d., -]*) \|.*\| (?P<proof>[^|]+) \|$", re.MULTILINE)
FILE = re.compile(r"`((?:tests/)?(?:\w+/)*test_\w+\.py)`")
TEST = re.compile(r"`((?:tests/)?(?:\w+/)*test_\w+\.py)`: `(test_\w+)`(?:, `(test_\w+)`)?")
LEVELS_1_AND_2 = re.findall(
    r"\S+",
    """
1.1.1 1.1.2 1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.2.6 1.2.7 1.2.8 1.2.9 1.3.1 1.3.2 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.3.8
1.3.9 1.3.10 1.3.11 1.4.1 1.4.2 1.4.3 1.5.1 1.5.2 2.1.1 2.1.2 2.1.3 2.2.1 2.2.2 2.2.3 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1
3.2.1 3.2.2 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3 3.5.4 3.5.5 3.7.1 3.7.2
4.1.1 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.1 4.4.2 4.4.3 4.4.4 5.1.1 5.2.1 5.2.2 5.2.3 5.3.1 5.3.2 5.4.1 5.4.2 5.4.3
6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12 6.3.1 6.3.2 6.3.3
6.3.4 6.4.1 6.4.2 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2 6.6.3 6.8.1 6.8.2 6.8.3 6.8.4 7.1.1 7.1.2
7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.6.1 7.6.2 8.1.1 8.1.2 8.2.1
8.2.2 8.2.3 8.3.1 8.4.1 9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4 10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3
10.3.4 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4
10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3 11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.3.1 11.3.2 11.3.3 11.4.1 11.4.2
11.4.3 11.4.4 11.5.1 11.6.1 12.1.1 12.1.2 12.1.3 12.2.1 12.2.2 12.3.1 12.3.2 12.3.3 12.3.4 13.1.1 13.2.1 13.2.2
13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.1 13.4.2 13.4.3 13.4.4 13.4.5 14.1.1 14.1.2 14.2.1 14.2.2 14.2.3 14.2.4
14.3.1 14.3.2 14.3.3 15.1.1 15.1.2 15.1.3 15.2.1 15.2.2 15.2.3 15.3.1 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 15.3.7
16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3
17.1.1 17.2.1 17.2.2 17.2.3 17.2.4 17.3.1 17.3.2
""",
)
"""Numbers of ASVS 5.0.0 (May 2025)."""


def numbers(text: str) -> list[str]:
    """``1.2.6-1.2.8, 1.3.1`` one by one."""
    found = []
    for part in text.split(", "):
        first, _dash, last = part.partition("-")
        chapter, _dot, start = first.rpartition(".")
        found += [f"{chapter}.{number}" for number in range(int(start), int(last.rpartition(".")[2] or start) + 1)]
    return found


def place_of(name: str) -> Path:
    """A test file as the document names it: by its path, or by its name below ``tests/account`` or elsewhere."""
    if name.startswith("tests/"):
        return config.ROOT / name
    found = sorted((config.ROOT / "tests").glob(f"*/{name}"))
    return found[0] if found else config.ROOT / name


def test_each_requirement_of_both_levels_has_one_line_with_its_proof() -> None:
    lines = ROW.findall(DOCUMENT.read_text())

    listed = [number for text, _proof in lines for number in numbers(text)]

    assert sorted(listed) == sorted(LEVELS_1_AND_2)
    assert [text for text, proof in lines if not re.search(r"`|reason|no code to test|lint|browser test", proof)] == []


def test_every_test_that_the_document_names_exists() -> None:
    text = DOCUMENT.read_text()

    absent = [name for name in FILE.findall(text) if not place_of(name).is_file()]
    unknown = [
        (file, test)
        for file, *tests in TEST.findall(text)
        for test in tests
        if test and f"def {test}(" not in place_of(file).read_text()
    ]

    assert absent == []
    assert unknown == []
