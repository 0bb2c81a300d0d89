"""Columns of a trade that the database computes as it writes it: one can sort by them, and no reader computes again."""

from typing import Any

from sqlalchemy import BigInteger, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement

RISK_LIMIT = 9 * 10**15
"""1e-8 units. Beyond it (ninety millions of price) the division below would leave 64 bits; no stop is that far."""
QUOTIENT_LIMIT = 10**17
"""1e-8 units. A quotient of 10⁹ is a fault of the data: a stop a hair from the entry, a price of another instrument."""


class Held(ColumnElement[int]):
    """Seconds from opening to closing of a closed buy or sell; null for a negative time (clock trouble)."""

    type = BigInteger()
    inherit_cache = True


@compiles(Held, "sqlite")
def _held_on_sqlite(_element: Held, _compiler: Any, **_kw: Any) -> str:
    return _held("CAST(strftime('%s', closed_at) AS INTEGER) - CAST(strftime('%s', opened_at) AS INTEGER)")


@compiles(Held)
def _held_on_postgresql(_element: Held, _compiler: Any, **_kw: Any) -> str:
    return _held("CAST(EXTRACT(EPOCH FROM closed_at - opened_at) AS BIGINT)")


def _held(seconds: str) -> str:
    return f"CASE WHEN kind IN ('buy', 'sell') AND status = 'closed' AND closed_at >= opened_at THEN {seconds} END"


def _r_multiple() -> str:
    """(exit - entry) / (entry - first stop) in 1e-8 units, rounded half up, in whole numbers of 64 bits alone.

    Both databases cut a quotient towards zero, and neither divides by more than 64 bits: eight places are found as by
    hand, three, three and two at a time. ``trade_positions.quotient`` is the same in Python.
    """
    way, risk = "abs(close_price - open_price)", "abs(open_price - initial_stop)"
    found, rest = f"{way} / {risk}", f"({way} % {risk})"
    for places in (1000, 1000):
        found, rest = f"(({found}) * {places} + {rest} * {places} / {risk})", f"({rest} * {places} % {risk})"
    is_loss = "(close_price < open_price) = (open_price > initial_stop)"
    half = f"CASE WHEN {is_loss} THEN {risk} - 1 ELSE {risk} END"
    rounded = f"({found} * 100 + (2 * {rest} * 100 + {half}) / (2 * {risk}))"
    return (
        "CASE WHEN status = 'closed'"
        " AND ((kind = 'buy' AND open_price > initial_stop) OR (kind = 'sell' AND open_price < initial_stop))"
        f" AND {risk} < {RISK_LIMIT} AND {way} / {risk} < {QUOTIENT_LIMIT // 10**8}"
        f" THEN nullif(CASE WHEN {is_loss} THEN -{rounded} ELSE {rounded} END, {QUOTIENT_LIMIT}) END"
    )


HELD = Held()
R_MULTIPLE = text(_r_multiple())
