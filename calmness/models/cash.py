"""What a cash row of an account is: money of the student's own, a cost of trading, or the broker's credit.

MetaTrader 4 names two sorts alone, balance and credit; the old EA not even these. MetaTrader 5 tells most by the
type of the deal. The student can say it better (``Trade.cash_kind``), and no sync touches what he said.
"""

from typing import Any

from sqlalchemy import and_, func

from calmness.models.trading import CashKind, Trade, TradeKind, TradeStatus

COSTS = (CashKind.FEE, CashKind.CORRECTION, CashKind.INTEREST, CashKind.DIVIDEND)
"""Brought or cost by trading: part of the result, though of no position."""

TOLD = {
    TradeKind.CREDIT: CashKind.CREDIT,
    TradeKind.CHARGE: CashKind.FEE,
    TradeKind.COMMISSION: CashKind.FEE,
    TradeKind.TAX: CashKind.FEE,
    TradeKind.CORRECTION: CashKind.CORRECTION,
    TradeKind.INTEREST: CashKind.INTEREST,
    TradeKind.DIVIDEND: CashKind.DIVIDEND,
    TradeKind.BONUS: CashKind.BONUS,
    TradeKind.AGENT_COMMISSION: CashKind.REFERRAL,
}
"""What the broker's own kind says. A balance row may be anything: its sign alone says deposit or withdrawal."""

_trade: Any = Trade.__table__.c
_TOLD_COSTS = tuple(kind for kind, told in TOLD.items() if told in COSTS)
_is_cost = func.coalesce(_trade.cash_kind.in_(COSTS), _trade.kind.in_(_TOLD_COSTS))
_is_credit = func.coalesce(_trade.cash_kind == CashKind.CREDIT, _trade.kind == TradeKind.CREDIT)

IS_CREDIT = and_(_trade.status == TradeStatus.CASH, _is_credit)
"""Money of the broker: part of no balance."""
IS_COST = and_(_trade.status == TradeStatus.CASH, _is_cost)
IS_OWN_MONEY = and_(_trade.status == TradeStatus.CASH, ~_is_credit, ~_is_cost)
"""Paid in or out: changes the capital, never the result."""
MOVES_BALANCE = (_trade.status == TradeStatus.CLOSED) | and_(_trade.status == TradeStatus.CASH, ~_is_credit)
