"""MetaTrader 4's statement ("Save as report", "Save as detailed report"). Its words are English in every language.

Columns are found by the names in the head of the section, so that builds without taxes and the layout of old builds
(a number before the ticket, ``Lots``, ``Trade P/L``) read the same.
"""

import re
from decimal import Decimal
from typing import Any

from calmness.metatrader.numbers import decimal_mark, epoch, looks_like_number, plain
from calmness.metatrader.page import Row, filled
from calmness.metatrader.statement import Format, Skipped, Statement, Unreadable

_ACCOUNT = re.compile(r"\bAccount:\s*(\d{1,20})")
_CURRENCY = re.compile(r"\bCurrency:\s*([A-Z]{3})\b")
_SECTIONS = {
    "closed transactions:": "closed",
    "open trades:": "open",
    "working orders:": "working",
    "summary:": "summary",
    "details:": "details",
}
_NAMES = {
    "ticket": "ticket",
    "open time": "open_time",
    "time": "open_time",
    "type": "type",
    "size": "lots",
    "lots": "lots",
    "item": "symbol",
    "symbol": "symbol",
    "s / l": "sl",
    "s/l": "sl",
    "t / p": "tp",
    "t/p": "tp",
    "close time": "close_time",
    "commission": "commission",
    "commis": "commission",
    "taxes": "taxes",
    "swap": "swap",
    "profit": "profit",
    "trade p/l": "profit",
    "comment": "comment",
}
CASH = 6
_TYPES = {"buy": 0, "sell": 1, "balance": 6, "credit": 7}
_PENDING = frozenset({"buy limit", "sell limit", "buy stop", "sell stop"})
_SUMS = {"closed p/l:": "closed", "closed trade p/l:": "closed", "deposit/withdrawal:": "cash"}
_AMOUNTS = ("commission", "taxes", "swap", "profit")
_PRICES = ("open_price", "close_price", "sl", "tp")


def read(rows: list[Row], *, truncated: bool) -> Statement:
    """Read the rows of a page. Raises ``Unreadable``."""
    top = " ".join(cell.text for row in rows[:12] for cell in row)
    account = _ACCOUNT.search(top)
    if account is None:
        raise Unreadable("no_statement")
    currency = _CURRENCY.search(top)
    found = Statement(Format.MT4_HTML, account.group(1), currency.group(1) if currency else "", truncated)
    mark = decimal_mark(cell.text for row in rows for cell in row[3:])
    section, columns = "", list[str]()
    for number, row in enumerate(rows, start=1):
        texts = filled(row)
        if not texts:
            continue
        if len(texts) == 1 and texts[0].lower() in _SECTIONS:
            section = _SECTIONS[texts[0].lower()]
            continue
        _take_sums(found, row, mark)
        if any(cell.text.lower() == "ticket" for cell in row):
            columns = _columns(row)
        elif section in {"closed", "open", "working"} and columns:
            _take(found, number, row, columns, section, mark)
    return found


def _columns(row: Row) -> list[str]:
    prices = iter(("open_price", "close_price"))
    return [
        next(prices, "") if cell.text.lower() == "price" else _NAMES.get(cell.text.lower(), cell.text.lower())
        for cell in row
    ]


def _take(found: Statement, number: int, row: Row, columns: list[str], section: str, mark: str) -> None:
    """One row of a section: an entry, or a line skipped with its reason, or neither (sums, blank rows)."""
    place = columns.index("ticket")
    ticket = row[place].text if place < len(row) else ""
    if not ticket.isdecimal():
        if section == "closed" and found.entries and len(filled(row)) == 1 and not _is_sum(row):
            found.entries[-1]["comment"] = found.entries[-1]["comment"] or filled(row)[0]
        return
    kind = row[place + 2].text.lower() if place + 2 < len(row) else ""
    reason = _reason(kind, section)
    try:
        if not reason and _TYPES[kind] >= CASH:
            found.entries.append(_cash(ticket, _TYPES[kind], row, place, mark))
        elif not reason:
            found.entries.append(_trade(ticket, _TYPES[kind], row, place, columns, mark))
    except (ValueError, IndexError) as error:
        reason = "incomplete" if str(error) == "incomplete" else "unreadable"
    if reason:
        found.skipped.append(Skipped(number, ticket, reason))


def _reason(kind: str, section: str) -> str:
    """Why a row brings nothing; empty when it does."""
    if kind in _PENDING:
        return "pending"
    if section != "closed":
        return "still_open"
    return "" if kind in _TYPES else "unknown_type" if kind else "incomplete"


def _trade(ticket: str, kind: int, row: Row, place: int, columns: list[str], mark: str) -> dict[str, Any]:
    needed = [name for name in columns if name != "comment"]
    if len(row) < len(needed):
        raise ValueError("incomplete")
    texts = {name: cell.text for name, cell in zip(columns, row, strict=False)}
    entry: dict[str, Any] = {
        "ticket": ticket,
        "type": kind,
        "symbol": texts["symbol"],
        "lots": plain(texts["lots"], mark),
        "open_time": epoch(texts["open_time"]),
        "close_time": epoch(texts["close_time"]),
        "magic": 0,
        # [sl], [tp], "from #..." and "to #..." stand in the title of the ticket's cell.
        "comment": row[place].title or texts.get("comment", ""),
    }
    return (
        entry
        | {name: plain(texts.get(name, ""), mark) for name in _AMOUNTS}
        | {name: plain(texts.get(name, ""), mark) for name in _PRICES}
    )


def _cash(ticket: str, kind: int, row: Row, place: int, mark: str) -> dict[str, Any]:
    comment, amount = row[place + 3].text, row[-1].text
    if len(row) < place + 5 or not looks_like_number(amount):
        raise ValueError("incomplete")
    return {
        "ticket": ticket,
        "type": kind,
        "symbol": "",
        "lots": "0",
        "open_time": epoch(row[place + 1].text),
        "close_time": 0,
        "profit": plain(amount, mark),
        "swap": "0",
        "commission": "0",
        "taxes": "0",
        "magic": 0,
        "comment": comment,
    }


def _take_sums(found: Statement, row: Row, mark: str) -> None:
    for place, cell in enumerate(row):
        name = _SUMS.get(cell.text.lower())
        if name is None:
            continue
        value = next((other.text for other in row[place + 1 :] if other.text), "")
        if looks_like_number(value):
            found.reported[name] = Decimal(plain(value, mark))


def _is_sum(row: Row) -> bool:
    text = filled(row)[0]
    return text.endswith(":") or looks_like_number(text) or text.lower().startswith("no transactions")
