"""Statements of MetaTrader 4 and 5 as people save them: a library of our own, no Flask and no database inside.

``read`` takes the bytes of a file and gives a ``Statement`` whose entries have the shape of the trades of an EA, so
that one set of rules writes both.
"""

from calmness.metatrader import mt4, mt5, xlsx
from calmness.metatrader.encodings import decoded
from calmness.metatrader.page import rows_of
from calmness.metatrader.statement import MAX_BYTES, Format, Skipped, Statement, Unreadable

__all__ = ["MAX_BYTES", "Format", "Skipped", "Statement", "Unreadable", "read"]

_TESTER = ("strategy tester", "testeur de stratégie")
_CONFIRMATION = ("daily confirmation", "confirmation journalière")


def read(content: bytes) -> Statement:
    """Read a statement, told by its content and never by its name. Raises ``Unreadable``."""
    if not content.strip():
        raise Unreadable("empty_file")
    if len(content) > MAX_BYTES:
        raise Unreadable("too_big")
    if content[:2] == b"PK":
        return mt5.read(xlsx.rows_of(content), Format.MT5_XLSX, truncated=False)
    text = decoded(content)
    lowered = text[:20_000].lower()
    if any(name in lowered for name in _TESTER):
        raise Unreadable("strategy_tester")
    if any(name in lowered for name in _CONFIRMATION):
        raise Unreadable("daily_confirmation")
    if "<t" not in lowered:
        raise Unreadable("no_statement")
    rows = rows_of(text)
    truncated = "</html" not in text[-2000:].lower()
    if mt5.is_report(rows):
        return mt5.read(rows, Format.MT5_HTML, truncated=truncated)
    return mt4.read(rows, truncated=truncated)
