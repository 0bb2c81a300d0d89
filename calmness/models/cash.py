"""What a cash row of an account is: money of the student's own, a cost of trading, or the broker's credit.

MetaTrader names two sorts alone, balance and credit; the old EA not even these. The student can say it better
(``Trade.cash_kind``), and no sync touches what he said.
"""

from typing import Any

from sqlalchemy import and_, func, or_

from calmness.models.trading import CashKind, Trade, TradeKind, TradeStatus

COSTS = (CashKind.FEE, CashKind.CORRECTION, CashKind.INTEREST, CashKind.DIVIDEND)
"""Brought or cost by trading: part of the result, though of no position."""

_trade: Any = Trade.__table__.c

IS_CREDIT = and_(
    _trade.status == TradeStatus.CASH,
    func.coalesce(_trade.cash_kind == CashKind.CREDIT, _trade.kind == TradeKind.CREDIT),
)
"""Money of the broker: part of no balance."""
IS_COST = and_(_trade.status == TradeStatus.CASH, _trade.cash_kind.in_(COSTS))
"""False and never null only beside a condition on the status: without a kind the comparison says nothing."""
IS_OWN_MONEY = and_(
    _trade.status == TradeStatus.CASH,
    ~IS_CREDIT,
    or_(_trade.cash_kind.is_(None), _trade.cash_kind.not_in(COSTS)),
)
"""Paid in or out: changes the capital, never the result."""
MOVES_BALANCE = or_(_trade.status == TradeStatus.CLOSED, and_(_trade.status == TradeStatus.CASH, ~IS_CREDIT))
