"""Cash rows of an account and what each of them is, by MetaTrader 5's type of the deal or as the student says.

MetaTrader 4 knows a sign and a comment, and the comment only proposes. A fee booked as a withdrawal makes a method look
better than it was, a dividend booked as a deposit makes it look worse: what the student says counts, survives every
sync, and the figures follow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness.errors import DomainError, NotFound
from calmness.extensions import db
from calmness.models.cash import COSTS, TOLD
from calmness.models.trading import CashKind, Trade, TradeStatus, TradingAccount
from calmness.services import live
from calmness.services.trading import sync, trade_history, trade_totals

PAGE = 50
IN_ONLY, OUT_ONLY = frozenset({CashKind.DEPOSIT, CashKind.BONUS}), frozenset({CashKind.WITHDRAWAL})
_WORDS = (
    (CashKind.DIVIDEND, r"dividend"),
    (CashKind.INTEREST, r"interest|intér[êe]t|swap|rollover|overnight"),
    (CashKind.CORRECTION, r"adjust|ajust|correct|reset|negative balance|compensation"),
    (CashKind.FEE, r"commission|\bfees?\b|\bfrais\b|charge|\btax"),
    (CashKind.BONUS, r"bonus|promo|rebate|cashback"),
    (CashKind.TRANSFER, r"transfer|virement interne"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDS)


class WrongSide(DomainError):
    """Money that came in is no withdrawal, money that went out no deposit."""

    slug = "cash-wrong-side"
    field = "kind"
    message = _l("Cette nature ne va pas avec le sens de l’argent\u00a0: un dépôt entre, un retrait sort.")


@dataclass(frozen=True)
class Page:
    """Cash rows, newest first. ``following``: where the next page begins; None on the last one."""

    rows: list[Trade]
    following: int | None


def of_account(account_id: int, after: int = 0) -> Page:
    """Cash rows of an account that lie after a row, which is named by its id."""
    query = select(Trade).where(Trade.account_id == account_id, Trade.status == TradeStatus.CASH)
    last = db.session.scalar(select(Trade.closed_at).where(Trade.id == after, Trade.account_id == account_id))
    if last is not None:
        query = query.where((Trade.closed_at < last) | ((Trade.closed_at == last) & (Trade.id < after)))
    rows = list(db.session.scalars(query.order_by(Trade.closed_at.desc(), Trade.id.desc()).limit(PAGE + 1)))
    return Page(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


def guess(trade: Trade) -> CashKind:
    """What a row is by the broker's own kind, else by his words and the side of the money."""
    if not told_by_broker(trade):
        for kind, pattern in _PATTERNS:
            if pattern.search(trade.comment) and _fits(kind, trade):
                return kind
    return _by_side(trade)


def kind_of(trade: Trade) -> CashKind:
    """What the figures take a row for: what the student said, else the broker's own kind, a deposit or a withdrawal."""
    return trade.cash_kind or _by_side(trade)


def told_by_broker(trade: Trade) -> bool:
    """Whether the broker's own kind says what a row is: MetaTrader 5's types of deals, and credits of both."""
    return trade.kind in TOLD


def is_cost(kind: CashKind) -> bool:
    """Whether rows of a kind are part of the result."""
    return kind in COSTS


def kinds_for(trade: Trade) -> Sequence[CashKind]:
    """What a row may be said to be."""
    return [kind for kind in CashKind if _fits(kind, trade)]


def own(user_id: int, trade_id: int) -> Trade:
    """One's own cash row. Raises ``NotFound``."""
    trade = trade_history.own(user_id, trade_id)
    if trade.status is not TradeStatus.CASH:
        raise NotFound
    return trade


def correct(trade: Trade, kind: CashKind | None) -> None:
    """Say what a cash row is; None leaves it to the broker's sign again. Raises ``WrongSide``."""
    if kind is not None and not _fits(kind, trade):
        raise WrongSide
    account = db.session.scalars(
        select(TradingAccount).where(TradingAccount.id == trade.account_id).with_for_update()
    ).one()
    if trade.cash_kind is kind or trade.closed_at is None:
        return
    trade.cash_kind = kind
    account.history_stamp = trade_totals.new_stamp()
    sync.mark_dirty(account, trade.closed_at, trade.closed_at)
    live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")


def _by_side(trade: Trade) -> CashKind:
    told = TOLD.get(trade.kind)
    if told is not None and _fits(told, trade):
        return told
    return CashKind.DEPOSIT if trade.net >= 0 else CashKind.WITHDRAWAL


def _fits(kind: CashKind, trade: Trade) -> bool:
    return not (kind in IN_ONLY and trade.net < 0) and not (kind in OUT_ONLY and trade.net > 0)
