"""A terminal of MetaTrader 5: deals, positions and orders apart. The rest is as in ``simulation``."""

from dataclasses import dataclass, field, replace

from tests.trading.shim.simulation import Terminal

IN, OUT, REVERSAL, OUT_BY = range(4)
BUY, SELL, BALANCE, CREDIT = range(4)


@dataclass(frozen=True)
class Deal:
    """A deal as the broker has it."""

    ticket: int
    position: int
    type: int
    entry: int
    time: int
    volume: float = 0.1
    price: float = 1.0842
    profit: float = 0
    swap: float = 0
    commission: float = 0
    fee: float = 0
    symbol: str = "EURUSD"
    comment: str = ""

    def changed(self, **more: object) -> "Deal":
        """The same deal, corrected by the broker."""
        return replace(self, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Position:
    """An open position and where it stands."""

    id: int
    price: float = 1.0850
    profit: float = 3.5
    swap: float = -0.2
    symbol: str = "EURUSD"


@dataclass(frozen=True)
class PendingOrder:
    """An order that waits, or that was cancelled at ``done``. State 2 is cancelled."""

    ticket: int
    setup: int
    done: int = 0
    type: int = 2
    state: int = 1
    symbol: str = "EURUSD"
    lots: float = 0.1
    price: float = 1.05


@dataclass
class Terminal5(Terminal):
    """One run of MetaTrader 5."""

    deals: dict[int, Deal] = field(default_factory=dict)
    positions: dict[int, Position] = field(default_factory=dict)
    waiting: dict[int, PendingOrder] = field(default_factory=dict)

    def deal(self, *deals: Deal) -> None:
        """Deals happen, or are corrected."""
        self.deals |= {deal.ticket: deal for deal in deals}

    def _show_orders(self) -> None:
        for deal in self.deals.values():
            self._tell("\t".join(["deal", *_deal(deal)]))
        for found in self.positions.values():
            values = [str(found.id), _hex(found.symbol), str(found.price), str(found.profit), str(found.swap)]
            self._tell("\t".join(["position", *values]))
        for order in self.waiting.values():
            numbers = [str(value) for value in (order.ticket, order.type, order.state, order.setup, order.done)]
            self._tell("\t".join(["order", *numbers, _hex(order.symbol), str(order.lots), str(order.price)]))


def _deal(deal: Deal) -> list[str]:
    numbers = (deal.ticket, deal.position, deal.type, deal.entry, deal.time)
    money = (deal.volume, deal.price, deal.profit, deal.swap, deal.commission, deal.fee)
    return [
        *(str(value) for value in numbers),
        _hex(deal.symbol),
        *(str(value) for value in money),
        _hex(deal.comment),
    ]


def _hex(text: str) -> str:
    return "-" + text.encode().hex()
