"""MetaTrader 5's history report, as a page or as a workbook, in every language of the terminal.

Titles and heads are translated, ``buy``, ``in`` and ``balance`` are not, so rows are known by their shape. A position
stands in one row with its last exit and a weighted price; its parts are read from the deals. Deals carry no position:
they are matched by symbol, side, time, volume and profit, and a position whose parts cannot be told stays whole.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import combinations
from typing import Any

from calmness.metatrader import cash
from calmness.metatrader.numbers import decimal_mark, epoch, is_time, looks_like_number, plain
from calmness.metatrader.page import Row, filled
from calmness.metatrader.statement import Format, Skipped, Statement, Unreadable

_ACCOUNT = re.compile(r"^(\d{1,20})\s*\(([A-Z]{3}),")
_SIDES = {"buy": 0, "sell": 1}
_PENDING = re.compile(r"^(buy|sell) (stop|limit|stop limit)$")
_DIRECTIONS = frozenset({"in", "out", "in/out", "out by"})
_PLACES = Decimal("0.00000001")
MANY_PARTS = 10
"""Above this many deals that might belong to a position its parts are not searched for."""


@dataclass
class Deal:
    """A row of the deals."""

    ticket: str
    at: int
    symbol: str
    side: int
    volume: Decimal
    price: str
    commission: Decimal
    fee: Decimal
    swap: Decimal
    profit: Decimal
    comment: str
    used: bool = False


def is_report(rows: list[Row]) -> bool:
    """Whether these are the rows of a report of MetaTrader 5."""
    return _account(rows) is not None


def read(rows: list[Row], kind: Format, *, truncated: bool) -> Statement:
    """Read the rows. Raises ``Unreadable``."""
    account = _account(rows)
    if account is None:
        raise Unreadable("no_statement")
    found = Statement(kind, account[0], account[1], truncated)
    mark = decimal_mark(cell.text for row in rows for cell in row[4:12])
    positions: list[tuple[int, dict[str, Any]]] = []
    exits: list[Deal] = []
    balances: list[tuple[Decimal, Decimal]] = []
    head = 0
    for number, row in enumerate(rows, start=1):
        texts = [cell.text for cell in row]
        if not texts or not is_time(texts[0]):
            head = len(filled(row)) if len(filled(row)) >= 8 else head
            continue
        try:
            _take(found, number, texts, head, mark, positions, exits, balances)
        except (ValueError, IndexError):
            ticket = str(texts[1]) if len(texts) > 1 and texts[1].isdecimal() else ""
            found.skipped.append(Skipped(number, ticket, "unreadable" if len(texts) > 8 else "incomplete"))
    _take_positions(found, positions, exits)
    if balances:
        first, last = balances[0], balances[-1]
        found.reported["change"] = last[1] - (first[1] - first[0])
    return found


def _take(
    found: Statement,
    number: int,
    texts: list[str],
    head: int,
    mark: str,
    positions: list[tuple[int, dict[str, Any]]],
    exits: list[Deal],
    balances: list[tuple[Decimal, Decimal]],
) -> None:
    """A row that begins with a time: position, order or deal, by its shape."""
    ticket, kind = str(texts[1]), texts[3].lower()
    if len(texts) > 8 and kind in _SIDES and texts[4].lower() not in _DIRECTIONS and is_time(texts[8]):
        if looks_like_number(texts[4]):
            positions.append((number, _position(texts, mark)))
    elif _PENDING.match(kind):
        found.skipped.append(Skipped(number, ticket, "pending"))
    elif texts[4].lower() in _DIRECTIONS or (not texts[4] and kind not in _SIDES):
        deal = _deal(texts, mark, has_fee=head >= 14)
        amount = deal.profit + deal.swap + deal.commission + deal.fee
        balance = texts[12 if head >= 14 else 11]
        sort = None if texts[4] else cash.of_word(kind)
        if looks_like_number(balance):
            # A credit stands in no balance.
            balances.append((amount if sort != cash.CREDIT else Decimal(0), Decimal(plain(balance, mark))))
        if sort is not None:
            found.entries.append(_cash(deal, sort, amount))
        elif texts[4].lower() != "in":
            exits.append(deal)
    elif kind in _SIDES and len(texts) > 8 and not is_time(texts[8]) and "/" not in texts[4]:
        found.skipped.append(Skipped(number, ticket, "still_open"))


def _position(texts: list[str], mark: str) -> dict[str, Any]:
    return {
        "ticket": str(texts[1]),
        "type": _SIDES[texts[3].lower()],
        "symbol": texts[2],
        "lots": plain(texts[4], mark),
        "open_time": epoch(texts[0]),
        "open_price": plain(texts[5], mark),
        "sl": plain(texts[6], mark),
        "tp": plain(texts[7], mark),
        "close_time": epoch(texts[8]),
        "close_price": plain(texts[9], mark),
        "commission": plain(texts[10], mark),
        "swap": plain(texts[11], mark),
        "profit": plain(texts[12], mark),
        "taxes": "0",
        "magic": 0,
        "comment": "",
    }


def _deal(texts: list[str], mark: str, *, has_fee: bool) -> Deal:
    shift = 1 if has_fee else 0
    comment = texts[12 + shift] if len(texts) > 12 + shift else ""
    commission, fee = plain(texts[8], mark), plain(texts[9], mark) if has_fee else "0"
    return Deal(
        ticket=str(texts[1]),
        at=epoch(texts[0]),
        symbol=texts[2],
        side=_SIDES.get(texts[3].lower(), -1),
        volume=Decimal(plain(texts[5].split("/")[0], mark)),
        price=plain(texts[6], mark),
        commission=Decimal(commission),
        fee=Decimal(fee),
        swap=Decimal(plain(texts[9 + shift], mark)),
        profit=Decimal(plain(texts[10 + shift], mark)),
        comment=comment,
    )


def _cash(deal: Deal, kind: int, amount: Decimal) -> dict[str, Any]:
    return {
        # Deals and positions are numbered apart: a number may stand for one of each.
        "ticket": f"D{deal.ticket}",
        "type": kind,
        "symbol": "",
        "lots": "0",
        "open_time": deal.at,
        "close_time": 0,
        "profit": str(amount),
        "swap": "0",
        "commission": "0",
        "taxes": "0",
        "magic": 0,
        "comment": deal.comment,
    }


def _take_positions(found: Statement, positions: list[tuple[int, dict[str, Any]]], exits: list[Deal]) -> None:
    by_symbol: dict[tuple[str, int], list[Deal]] = {}
    for deal in exits:
        by_symbol.setdefault((deal.symbol, deal.side), []).append(deal)
    last = {entry["ticket"]: number for number, entry in positions}
    # Positions that closed at once are matched first: they leave fewer deals to choose from for the others.
    matched: dict[int, list[Deal]] = {}
    for size in (1, MANY_PARTS):
        for number, entry in positions:
            if number in matched:
                continue
            parts = _parts(entry, by_symbol.get((entry["symbol"], 1 - entry["type"]), []), size)
            if parts:
                matched[number] = parts
                for deal in parts:
                    deal.used = True
    for number, entry in positions:
        parts = matched.get(number, [])
        if last[entry["ticket"]] != number and not parts:
            found.skipped.append(Skipped(number, entry["ticket"], "reversal_unmatched"))
            continue
        found.entries += _split(entry, parts, is_last=last[entry["ticket"]] == number)


def _parts(entry: dict[str, Any], deals: list[Deal], most: int) -> list[Deal]:
    """The deals that closed a position; empty when they cannot be told."""
    volume, profit = Decimal(entry["lots"]), Decimal(entry["profit"])
    near = [
        deal
        for deal in deals
        if not deal.used and deal.volume <= volume and entry["open_time"] <= deal.at <= entry["close_time"]
    ]
    ends = [deal for deal in near if deal.at == entry["close_time"]]
    for end in ends:
        if end.volume == volume and end.profit == profit:
            return [end]
    if most == 1 or len(near) > MANY_PARTS:
        return []
    for size in range(2, len(near) + 1):
        for chosen in combinations(near, size):
            if (
                chosen[-1].at == entry["close_time"]
                and sum(deal.volume for deal in chosen) == volume
                and sum(deal.profit for deal in chosen) == profit
            ):
                return list(chosen)
    return []


def _split(entry: dict[str, Any], parts: list[Deal], *, is_last: bool) -> list[dict[str, Any]]:
    """A position as one entry for each exit. The last one has the position's number, the others theirs beside it."""
    if not parts:
        return [entry]
    whole, left = Decimal(entry["lots"]), Decimal(entry["commission"]) - sum(deal.commission for deal in parts)
    entry_costs, made = left, []
    for place, deal in enumerate(parts, start=1):
        is_end = place == len(parts)
        share = left if is_end else (entry_costs * deal.volume / whole).quantize(_PLACES, ROUND_HALF_EVEN)
        left -= share
        made.append(
            entry
            | {
                "ticket": entry["ticket"] if is_end and is_last else f"{entry['ticket']}-{deal.ticket}",
                "lots": str(deal.volume),
                "close_time": deal.at,
                "close_price": deal.price,
                "commission": str(deal.commission + share),
                "swap": str(deal.swap),
                "profit": str(deal.profit),
                "taxes": str(deal.fee),
                "comment": deal.comment,
            }
        )
    return made


def _account(rows: list[Row]) -> tuple[str, str] | None:
    for row in rows[:20]:
        for cell in row:
            match = _ACCOUNT.match(cell.text)
            if match:
                return match.group(1), match.group(2)
    return None
