"""Contracts of symbols as the EA says them: what a point and a lot are at this broker."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from calmness.extensions import db
from calmness.models.dialect import upsert
from calmness.models.trading import AccountSymbol
from calmness.models.types import SCALE
from calmness.services.trading.message_values import clean, units

SYMBOL_LENGTH = 32
FEWEST_UNITS, MOST_DIGITS = 1, 10
_FOLLOWING = ("digits", "point", "tick_size", "contract_size", "seen_at")


def note(account_id: int, items: Sequence[Any], now: datetime) -> None:
    """Keep contracts of a message. One that cannot be read is left out: no trade depends on it."""
    rows: dict[str, dict[str, Any]] = {}
    for item in items:
        try:
            row = _read(item)
        except (ValueError, KeyError, TypeError):
            continue
        rows[row["symbol"]] = {"account_id": account_id, **row, "seen_at": now}
    if rows:
        upsert(
            db.session(),
            AccountSymbol,
            list(rows.values()),
            key=["account_id", "symbol"],
            update_columns=list(_FOLLOWING),
        )


def sizes(account_ids: Sequence[int]) -> dict[tuple[int, str], Decimal]:
    """Units of a lot, by account and symbol."""
    query = select(AccountSymbol.account_id, AccountSymbol.symbol, AccountSymbol.contract_size)
    rows = db.session.execute(query.where(AccountSymbol.account_id.in_(account_ids)))
    return {(account_id, symbol): size for account_id, symbol, size in rows}


def _read(item: dict[str, Any]) -> dict[str, Any]:
    symbol, digits = clean(item["symbol"], SYMBOL_LENGTH), item["digits"]
    point, size, tick = units(item["point"]), units(item["contract_size"]), units(item.get("tick_size") or 0)
    if not symbol or type(digits) is not int or not 0 <= digits <= MOST_DIGITS:
        raise ValueError("bad contract")
    if point < FEWEST_UNITS or size < FEWEST_UNITS:
        raise ValueError("bad contract")
    exact = {"point": point, "contract_size": size, "tick_size": tick if tick > 0 else None}
    return {"symbol": symbol, "digits": digits} | {
        name: None if value is None else Decimal(value) / SCALE for name, value in exact.items()
    }
