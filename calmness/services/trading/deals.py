"""Deals of MetaTrader 5 made into trades: one for each exit of a position, one for what is still open.

A message carries all deals of each position in it, so nothing has to be remembered between two messages. The last exit
has the position's number; exits before it have theirs beside: ``601-9004``, ``601-9005``, ``601``. A reversal closes
what was open and opens the rest the other way round. Cash is of the kind that its type of deal says. What the broker
took back is left out of its position, and what stands of it here is emptied.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from calmness.metatrader import cash
from calmness.models.types import SCALE
from calmness.services.trading.message_values import clean, ticket_of, units, whole

IN, OUT, REVERSAL, OUT_BY = range(4)
BUY, SELL = range(2)
_PLACES = Decimal(1) / SCALE
MAX_DEALS = 2_000


@dataclass(frozen=True)
class Deal:
    """A deal as it was sent, its amounts exact."""

    ticket: str
    position: str
    kind: int
    entry: int
    symbol: str
    at: int
    volume: Decimal
    price: Decimal
    profit: Decimal
    swap: Decimal
    commission: Decimal
    fee: Decimal
    raw: dict[str, Any]


@dataclass
class Leg:
    """What is open of a position, with the costs of its entry that no exit has borne yet."""

    first: Deal
    side: int
    volume: Decimal
    paid: Decimal
    commission: Decimal
    fee: Decimal

    @property
    def price(self) -> Decimal:
        """Mean price of what was bought, weighted by volume."""
        return (self.paid / self.volume).quantize(_PLACES, ROUND_HALF_EVEN)


def trades_of(items: Iterable[Any], positions: Iterable[Any]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """(trades in the shape of a message, refusals). ``positions`` says where open ones stand now."""
    made: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    by_position: dict[str, dict[str, Deal]] = {}
    broken: set[str] = set()
    taken_back: dict[str, list[Deal]] = {}
    for item in items:
        try:
            deal = _read(item)
        except (ValueError, KeyError, TypeError) as error:
            position = str(item.get("position", "")) if isinstance(item, dict) else ""
            broken.add(position)
            rejected.append({"ticket": clean(position, 32), "reason": _reason(error)})
            continue
        if deal.kind in cash.CANCELLED_DEALS:
            taken_back.setdefault(deal.position, []).append(deal)
        elif deal.kind > SELL:
            made.append(_cash(deal))
        else:
            by_position.setdefault(deal.position, {})[deal.ticket] = deal
    now = {str(item.get("position")): item for item in positions if isinstance(item, dict)}
    for position, found in by_position.items():
        # A position with a deal that cannot be read would come out wrong: it waits until all of it can.
        if position in broken:
            continue
        try:
            made += _position(sorted(found.values(), key=lambda deal: (deal.at, int(deal.ticket))), now.get(position))
        except ValueError as error:
            broken.add(position)
            rejected.append({"ticket": position, "reason": str(error)[:80]})
    stands = {row["ticket"] for row in made}
    for position, gone in taken_back.items():
        if position not in broken and position != "0":
            made += _emptied(gone, stands)
    return made, rejected


def _read(item: dict[str, Any]) -> Deal:
    ticket = ticket_of(item["deal"])
    if not ticket.isdecimal():
        raise ValueError("bad ticket")
    kind, entry = item["type"], item.get("entry", IN)
    if type(kind) is not int or not 0 <= kind < 32 or entry not in (IN, OUT, REVERSAL, OUT_BY):
        raise ValueError("unknown type")
    volume, price, profit, swap, commission, fee = (
        Decimal(units(item.get(name, 0) or 0)) / SCALE
        for name in ("volume", "price", "profit", "swap", "commission", "fee")
    )
    if kind <= SELL and volume <= 0:
        raise ValueError("bad volume")
    position, symbol = ticket_of(item["position"]), clean(item.get("symbol"), 32)
    at = whole(item["time"])
    return Deal(ticket, position, kind, entry, symbol, at, volume, price, profit, swap, commission, fee, item)


def _position(deals: list[Deal], now: dict[str, Any] | None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    leg: Leg | None = None
    for deal in deals:
        if deal.entry == IN:
            leg = _opened(leg, deal, deal.volume, Decimal(1))
            continue
        if leg is None:
            raise ValueError("opening deal missing")
        closing = min(deal.volume, leg.volume)
        share = closing / deal.volume
        made.append(_closed(leg, deal, closing, share))
        left = leg.volume if leg.volume > 0 else None
        if deal.entry == REVERSAL and deal.volume > closing:
            leg = _opened(None, deal, deal.volume - closing, 1 - share)
        elif left is None:
            leg = None
    if leg is not None:
        made.append(_open(leg, now or {}))
    elif made:
        made[-1]["ticket"] = deals[0].position
    return made


def _opened(leg: Leg | None, deal: Deal, volume: Decimal, share: Decimal) -> Leg:
    commission, fee = _share(deal.commission, share), _share(deal.fee, share)
    if leg is None:
        return Leg(deal, deal.kind, volume, deal.price * volume, commission, fee)
    leg.paid += deal.price * volume
    leg.volume += volume
    leg.commission += commission
    leg.fee += fee
    return leg


def _closed(leg: Leg, deal: Deal, volume: Decimal, share: Decimal) -> dict[str, Any]:
    """An exit. It bears its part of the entry's costs; the last one bears what rounding left."""
    price, part = leg.price, volume / leg.volume
    commission, fee = (_share(leg.commission, part), _share(leg.fee, part)) if part < 1 else (leg.commission, leg.fee)
    leg.commission -= commission
    leg.fee -= fee
    leg.paid -= price * volume
    leg.volume -= volume
    return _trade(leg, volume, price) | {
        "ticket": f"{deal.position}-{deal.ticket}",
        "close_time": deal.at,
        "close_price": str(deal.price),
        "sl": deal.raw.get("sl") or leg.first.raw.get("sl"),
        "tp": deal.raw.get("tp") or leg.first.raw.get("tp"),
        "profit": str(deal.profit),
        "swap": str(deal.swap),
        "commission": str(commission + _share(deal.commission, share)),
        "taxes": str(fee + _share(deal.fee, share)),
        "comment": deal.raw.get("comment") or leg.first.raw.get("comment"),
    }


def _open(leg: Leg, now: dict[str, Any]) -> dict[str, Any]:
    return _trade(leg, leg.volume, leg.price) | {
        "ticket": leg.first.position,
        "close_time": 0,
        "close_price": now.get("price"),
        "sl": now.get("sl") or leg.first.raw.get("sl"),
        "tp": now.get("tp") or leg.first.raw.get("tp"),
        "profit": now.get("profit", 0),
        "swap": now.get("swap", 0),
        "commission": str(leg.commission),
        "taxes": str(leg.fee),
        "comment": leg.first.raw.get("comment"),
    }


def _trade(leg: Leg, volume: Decimal, price: Decimal) -> dict[str, Any]:
    return {
        "type": leg.side,
        "symbol": leg.first.symbol,
        "lots": str(volume),
        "open_time": leg.first.at,
        "open_price": str(price),
        "magic": leg.first.raw.get("magic", 0),
        "digits": leg.first.raw.get("digits"),
    }


def _cash(deal: Deal) -> dict[str, Any]:
    return {
        # Deals and positions are numbered apart: a number may stand for one of each.
        "ticket": f"D{deal.ticket}",
        "type": cash.OF_DEALS.get(deal.kind, cash.BALANCE),
        "symbol": "",
        "lots": "0",
        "open_time": deal.at,
        "close_time": 0,
        "profit": str(deal.profit),
        "swap": str(deal.swap),
        "commission": str(deal.commission),
        "taxes": str(deal.fee),
        "magic": 0,
        "comment": deal.raw.get("comment") or deal.symbol,
    }


def _emptied(gone: list[Deal], stands: set[str]) -> list[dict[str, Any]]:
    """Trades of nothing in the place of those that were made of deals which the broker took back since.

    One without volume and result counts nowhere (see ``sync_trades``).
    """
    tickets = {f"{deal.position}-{deal.ticket}": deal for deal in gone if deal.entry != IN}
    last = max(gone, key=lambda deal: (deal.at, int(deal.ticket)))
    if last.position not in stands:
        tickets.pop(f"{last.position}-{last.ticket}", None)
        tickets[last.position] = last
    return [
        {
            "ticket": ticket,
            # What closes a position is its other side.
            "type": BUY if (deal.kind == cash.CANCELLED_BUY) is (deal.entry == IN) else SELL,
            "symbol": deal.symbol,
            "lots": "0",
            "open_time": min(deal.at for deal in gone),
            "close_time": deal.at,
            "open_price": str(deal.price),
            "close_price": str(deal.price),
            "comment": deal.raw.get("comment"),
        }
        for ticket, deal in tickets.items()
    ]


def _share(amount: Decimal, part: Decimal) -> Decimal:
    return (amount * part).quantize(_PLACES, ROUND_HALF_EVEN)


def _reason(error: Exception) -> str:
    return f"{error.args[0]} missing" if isinstance(error, KeyError) else str(error)[:80]
