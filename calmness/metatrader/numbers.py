"""Numbers and times as terminals and spreadsheets write them: ``4 106.170``, ``- 2.50``, ``1.234,50``, ``(320,00)``."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from calmness.metatrader.statement import Unreadable

_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f']+")
_SHAPE = re.compile(r"^[(]?[-+]?[\d.,]*\d[)]?$")
_GROUPS = re.compile(r"^\d{1,3}([.,]\d{3})+$")
_PLAIN = re.compile(r"^-?\d+(\.\d+)?$")
_TIME = re.compile(r"^(\d{4})[./-](\d{2})[./-](\d{2})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY_FIRST = re.compile(r"^(\d{2})[./-](\d{2})[./-](\d{4})[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")


class Exact(str):
    """A number that came as a number (from a spreadsheet's cell): no mark to guess."""

    __slots__ = ()


def decimal_mark(texts: Iterable[str]) -> str:
    """The one decimal mark of a file. Raises ``Unreadable`` when it mixes two."""
    found = {mark for text in texts if not isinstance(text, Exact) and (mark := _mark_shown(squeezed(text)))}
    if len(found) > 1:
        raise Unreadable("mixed_numbers")
    return found.pop() if found else "."


def squeezed(text: str) -> str:
    """Without blanks of any kind, with an ASCII minus."""
    return _BLANKS.sub("", text).replace("\u2212", "-")


def looks_like_number(text: str) -> bool:
    """Whether it can be one."""
    return bool(_SHAPE.match(squeezed(text)))


def plain(text: str, mark: str) -> str:
    """Digits with a point, as the rest of the product writes decimals; empty is zero. Raises ValueError."""
    if isinstance(text, Exact):
        return str(text)
    bare = squeezed(text)
    if not bare:
        return "0"
    if bare.startswith("(") and bare.endswith(")"):
        bare = "-" + bare[1:-1]
    bare = bare.removeprefix("+").replace("," if mark == "." else ".", "").replace(mark, ".")
    if not _PLAIN.match(bare):
        raise ValueError("no number")
    return bare


def exact(value: float) -> Exact:
    """A spreadsheet's number: its binary float, rounded to the eight places that a broker gives."""
    return Exact(format(Decimal(repr(round(value, 8))), "f"))


def epoch(text: str) -> int:
    """Seconds of a wall clock, as MetaTrader counts them (no zone). Raises ValueError."""
    match, order = _TIME.match(text.strip()), (0, 1, 2)
    if match is None:
        match, order = _DAY_FIRST.match(text.strip()), (2, 1, 0)
    if match is None:
        raise ValueError("no time")
    parts = [int(part or 0) for part in match.groups()]
    day = [parts[place] for place in order]
    return int(datetime(*day, *parts[3:], tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]


def is_time(text: str) -> bool:
    """Whether it reads as a time."""
    return bool(_TIME.match(text.strip()) or _DAY_FIRST.match(text.strip()))


def _mark_shown(text: str) -> str:
    """The decimal mark that this text proves; empty when it proves none (``1,234`` may be either)."""
    if not _SHAPE.match(text):
        return ""
    bare = text.strip("()+-")
    dots, commas = bare.count("."), bare.count(",")
    if dots and commas:
        return max(".,", key=bare.rfind)
    if dots + commas == 0:
        return ""
    mark = "." if dots else ","
    if dots + commas > 1:
        # Groups of three digits show that this mark is not the decimal one; a version number shows nothing.
        return ("," if mark == "." else ".") if _GROUPS.match(bare) else ""
    head, tail = bare.split(mark)
    return mark if len(tail) != 3 or len(head) > 3 or head in ("", "0") else ""
