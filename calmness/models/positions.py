"""Closed positions: a trade that stands alone is one by itself, several tickets of one position are a chain.

A query over both, not a table: what was traded in one piece is written nowhere a second time.
"""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, case, cast, literal, select, type_coerce, union_all
from sqlalchemy.orm import Mapped

from calmness.extensions import Model
from calmness.models.trading import Trade, TradeKind, TradeStatus, TradingChain
from calmness.models.types import Scaled8, UtcDateTime

_trade, _chain = Trade.__table__.c, TradingChain.__table__.c

IS_RESULT = and_(
    _trade.status == TradeStatus.CLOSED, _trade.kind.in_((TradeKind.BUY, TradeKind.SELL)), _trade.suspect.is_(False)
)
"""Exits: closed buys and sells that are no leavings of two orders closed by each other."""

_way = _trade.close_price - _trade.open_price
_alone = select(
    _trade.account_id,
    _trade.ticket,
    cast(_trade.ticket, Text).label("tickets"),
    _trade.kind,
    _trade.symbol,
    literal(1).label("parts"),
    _trade.volume,
    _trade.net,
    type_coerce(case((_trade.kind == TradeKind.BUY, _way), else_=-_way), Scaled8).label("moved"),
    _trade.r_multiple,
    and_(_trade.initial_stop.is_not(None), _trade.seen_at >= _trade.closed_at).label("stop_seen_late"),
    _trade.opened_at,
    type_coerce(_trade.closed_at, UtcDateTime).label("closed_at"),
    _trade.held_seconds,
).where(IS_RESULT, _trade.is_part.is_(False))

_chained = select(*(_chain[str(column.key)] for column in _alone.selected_columns))

POSITIONS = union_all(_alone, _chained).subquery("trading_position")
PARTS_OF_POSITIONS = _alone.subquery("alone").c, _chained.subquery("chained").c
"""The same apart: who adds up a hundred thousand of them asks each by itself, the union would be copied first."""


class TradingPosition(Model):
    """A closed position as one result, however many tickets or exits it took. Read only.

    See ``TradingChain`` for the meaning of the columns.
    """

    __table__ = POSITIONS
    __mapper_args__ = {"primary_key": [POSITIONS.c.account_id, POSITIONS.c.ticket]}  # noqa: RUF012

    if TYPE_CHECKING:
        account_id: Mapped[int]
        ticket: Mapped[str]
        tickets: Mapped[str]
        kind: Mapped[TradeKind]
        symbol: Mapped[str]
        parts: Mapped[int]
        volume: Mapped[Decimal]
        net: Mapped[Decimal]
        moved: Mapped[Decimal | None]
        r_multiple: Mapped[Decimal | None]
        stop_seen_late: Mapped[bool]
        opened_at: Mapped[datetime]
        closed_at: Mapped[datetime]
        held_seconds: Mapped[int | None]
