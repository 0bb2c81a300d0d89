"""What a trade was meant to be, and what it brought measured by its risk."""

from decimal import Decimal

from calmness.models.journal import TradeJournal
from calmness.models.trading import Trade, TradeKind

PLACES = Decimal("0.01")


def multiple(side: int, entry: Decimal | None, stop: Decimal | None, leave: Decimal | None) -> Decimal | None:
    """How many times the risk was won or lost: way from entry to ``leave`` over way from entry to stop.

    None without a stop, or with one that lies on the wrong side and therefore is no risk.
    """
    if entry is None or stop is None or leave is None:
        return None
    risk = (entry - stop) * side
    return ((leave - entry) * side / risk).quantize(PLACES) if risk > 0 else None


def side_of(trade: Trade) -> int:
    """1 for a purchase, -1 for a sale, 0 for what is neither."""
    return {TradeKind.BUY: 1, TradeKind.SELL: -1}.get(trade.kind, 0)


def moved(trade: Trade) -> Decimal | None:
    """Way of the price in favour of a closed trade; None without both prices."""
    side = side_of(trade)
    if not side or trade.open_price is None or trade.close_price is None:
        return None
    return (trade.close_price - trade.open_price) * side


def result_in_r(trade: Trade, planned_stop: Decimal | None = None) -> Decimal | None:
    """R of a closed trade by the planned stop, else by the first stop that the EA saw."""
    stop = planned_stop if planned_stop is not None else trade.initial_stop
    return multiple(side_of(trade), trade.open_price, stop, trade.close_price)


def planned(trade: Trade, journal: TradeJournal | None) -> Decimal | None:
    """R that the plan promised: way to the planned target over way to the planned stop."""
    if journal is None:
        return None
    entry = journal.planned_entry if journal.planned_entry is not None else trade.open_price
    return multiple(side_of(trade), entry, journal.planned_stop, journal.planned_target)
