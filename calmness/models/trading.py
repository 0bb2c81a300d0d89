"""What students really trade: accounts, keys of their EA, trades, snapshots, statistics.

Prices and results are exact decimals as the broker gives them (``Scaled8``). Times of the broker's server are kept
beside the UTC instants with the offset that was used, so that a corrected offset can be applied again.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.derived import HELD, R_MULTIPLE
from calmness.models.types import BigKey, JsonType, Scaled8, UtcDateTime, text_enum


class Platform(StrEnum):
    """Which MetaTrader."""

    MT4 = "mt4"
    MT5 = "mt5"

    @property
    def terminal(self) -> str:
        """Name of the program, in every language."""
        return "MetaTrader 4" if self is Platform.MT4 else "MetaTrader 5"


class TradeKind(StrEnum):
    """MetaTrader 4's order types 0 to 7 by name, then what MetaTrader 5 tells of cash by its types of deals.

    ``cash_unknown`` comes only from the old EA. The order is that of the numbers of a message (``metatrader/cash.py``).
    """

    BUY = "buy"
    SELL = "sell"
    BUY_LIMIT = "buy_limit"
    SELL_LIMIT = "sell_limit"
    BUY_STOP = "buy_stop"
    SELL_STOP = "sell_stop"
    BALANCE = "balance"
    CREDIT = "credit"
    CHARGE = "charge"
    CORRECTION = "correction"
    BONUS = "bonus"
    COMMISSION = "commission"
    AGENT_COMMISSION = "agent_commission"
    INTEREST = "interest"
    DIVIDEND = "dividend"
    TAX = "tax"
    CASH_UNKNOWN = "cash_unknown"


class CashKind(StrEnum):
    """What a cash row is, as the student or the broker says it; ``models/cash.py``: what each does to the figures."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    BONUS = "bonus"
    REFERRAL = "referral"
    FEE = "fee"
    CORRECTION = "correction"
    INTEREST = "interest"
    DIVIDEND = "dividend"
    CREDIT = "credit"


class TradeStatus(StrEnum):
    """Where a row stands: only closed buys and sells count as results."""

    OPEN = "open"
    CLOSED = "closed"
    PENDING = "pending"
    CANCELLED = "cancelled"
    CASH = "cash"


class TradeSource(StrEnum):
    """How a row came in."""

    EA = "ea"
    EA_LEGACY = "ea_legacy"
    IMPORT = "import"


class MarketSession(StrEnum):
    """Which markets are at work when a position is opened, by their own clocks. One label a position."""

    OVERLAP = "overlap"
    LONDON = "london"
    NEW_YORK = "new_york"
    ASIA = "asia"
    NONE = "none"


class TradingAccount(Model):
    """A student's account at a broker, bound to its number and server at the EA's first contact."""

    __table_args__ = (Index("ix_trading_account_user", "user_id", "archived_at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    platform: Mapped[Platform] = mapped_column(text_enum(Platform, "platform"))
    currency: Mapped[str] = mapped_column(String(3))
    login: Mapped[str | None] = mapped_column(String(32))
    server: Mapped[str | None] = mapped_column(String(100))
    broker: Mapped[str | None] = mapped_column(String(100))
    leverage: Mapped[int | None]
    mode: Mapped[str | None] = mapped_column(String(16))
    is_school: Mapped[bool] = mapped_column(default=False, server_default=false())
    balance: Mapped[Decimal | None] = mapped_column(Scaled8)
    opening_balance: Mapped[Decimal] = mapped_column(Scaled8, default=Decimal(0), server_default=text("0"))
    """What it held before its first known row, derived from the balance; zero when nothing has to be derived."""
    equity: Mapped[Decimal | None] = mapped_column(Scaled8)
    margin: Mapped[Decimal | None] = mapped_column(Scaled8)
    free_margin: Mapped[Decimal | None] = mapped_column(Scaled8)
    ea_version: Mapped[str | None] = mapped_column(String(16))
    utc_offset_seconds: Mapped[int | None]
    broker_clock: Mapped[str | None] = mapped_column(String(40))
    clock_evidence: Mapped[list[Any]] = mapped_column(JsonType, default=list, server_default=text("'[]'"))
    conversions: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refusals: Mapped[dict[str, Any]] = mapped_column(JsonType, default=dict, server_default=text("'{}'"))
    history_oldest: Mapped[int | None] = mapped_column(BigInteger)
    other_login: Mapped[str | None] = mapped_column(String(32))
    other_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    refused_batches: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refused_batch_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    history_total: Mapped[int | None]
    history_complete: Mapped[bool] = mapped_column(default=False, server_default=false())
    cursor_time: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    cursor_ticket: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sync_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    batch_clock_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dirty_from_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dirty_until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Last closing that changed since the figures were computed; null with a beginning: all that came after it."""
    computed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hourly_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Before it a few readings an hour are kept; before the next one a few a day (``snapshot_thinning``)."""
    daily_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    history_stamp: Mapped[str] = mapped_column(String(16), default="", server_default=text("''"))
    """Another one after each change of a row or a note: totals of a filter are good as long as it stays."""

    user: Mapped[User] = relationship()

    @property
    def equity_or_balance(self) -> Decimal:
        """Equity as last seen, else the balance, else zero."""
        seen = self.balance if self.equity is None else self.equity
        return seen or Decimal(0)


class TradingKey(Model):
    """A key of an EA: shown once, kept as SHA-256. An old key lives on for a while after a rotation."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), index=True)
    public_id: Mapped[str] = mapped_column(String(16), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[TradingAccount] = relationship()


class Trade(Model):
    """One ticket (MT4) or position part (MT5) of an account. Broker's fields are never edited by hand."""

    __table_args__ = (
        UniqueConstraint("account_id", "ticket"),
        Index("ix_trade_closed", "account_id", "closed_at", "id"),
        Index("ix_trade_opened", "account_id", "opened_at", "id"),
        Index("ix_trade_net", "account_id", "net", "id"),
        Index("ix_trade_symbol", "account_id", "symbol", "closed_at"),
        Index("ix_trade_volume", "account_id", "volume", "id"),
        Index("ix_trade_kind", "account_id", "kind", "id"),
        Index("ix_trade_held", "account_id", "held_seconds", "id"),
        Index("ix_trade_profit", "account_id", "profit", "id"),
        Index(
            "ix_trade_part",
            "account_id",
            "opened_at",
            sqlite_where=text("is_part = 1"),
            postgresql_where=text("is_part"),
        ),
        # Holds all that totals need: a million rows are summed without reading one of them.
        Index("ix_trade_status", "account_id", "status", "closed_at", "suspect", "net"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"))
    ticket: Mapped[str] = mapped_column(String(32))
    kind: Mapped[TradeKind] = mapped_column(text_enum(TradeKind, "kind"))
    status: Mapped[TradeStatus] = mapped_column(text_enum(TradeStatus, "status"))
    symbol: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    volume: Mapped[Decimal] = mapped_column(Scaled8)
    open_price: Mapped[Decimal | None] = mapped_column(Scaled8)
    close_price: Mapped[Decimal | None] = mapped_column(Scaled8)
    current_price: Mapped[Decimal | None] = mapped_column(Scaled8)
    stop_loss: Mapped[Decimal | None] = mapped_column(Scaled8)
    take_profit: Mapped[Decimal | None] = mapped_column(Scaled8)
    initial_stop: Mapped[Decimal | None] = mapped_column(Scaled8)
    profit: Mapped[Decimal] = mapped_column(Scaled8)
    swap: Mapped[Decimal] = mapped_column(Scaled8)
    commission: Mapped[Decimal] = mapped_column(Scaled8)
    taxes: Mapped[Decimal] = mapped_column(Scaled8)
    net: Mapped[Decimal] = mapped_column(Scaled8)
    digits: Mapped[int | None]
    open_time_server: Mapped[int | None] = mapped_column(BigInteger)
    close_time_server: Mapped[int | None] = mapped_column(BigInteger)
    utc_offset_seconds: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    comment: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    magic: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    source: Mapped[TradeSource] = mapped_column(text_enum(TradeSource, "source"))
    suspect: Mapped[bool] = mapped_column(default=False, server_default=false())
    import_id: Mapped[int | None] = mapped_column(ForeignKey("statement_import.id", ondelete="SET NULL"), index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cash_kind: Mapped[CashKind | None] = mapped_column(text_enum(CashKind, "cash_kind"))
    """What its owner says a cash row is; no sync writes it. Null: what the broker's kind says, else the sign."""
    is_part: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it is one of several tickets of a position, which then counts once, when all of it is closed."""
    held_seconds: Mapped[int | None] = mapped_column(BigInteger, Computed(HELD, persisted=True))
    r_multiple: Mapped[Decimal | None] = mapped_column(Scaled8, Computed(R_MULTIPLE, persisted=True))


class TradingChain(Model):
    """A position that was closed in several parts, all of it, as one result. Computed from ``trade``.

    ``ticket`` is that of its first part to be closed, ``tickets`` are all. ``moved`` is the way of the price in the
    position's favour, prices weighted by volume. What can't be known is null, never zero. A trade that is no part of a
    chain is a position by itself and has no row here: see ``models/positions.py``.
    """

    __table_args__ = (
        Index("ix_trading_chain_closed", "account_id", "closed_at"),
        Index("ix_trading_chain_opened", "account_id", "opened_at"),
        CheckConstraint("parts > 1", name="parts_several"),
        CheckConstraint("held_seconds >= 0", name="held_forward"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), primary_key=True)
    ticket: Mapped[str] = mapped_column(String(32), primary_key=True)
    tickets: Mapped[str] = mapped_column(Text)
    kind: Mapped[TradeKind] = mapped_column(text_enum(TradeKind, "kind"))
    symbol: Mapped[str] = mapped_column(String(32))
    parts: Mapped[int]
    volume: Mapped[Decimal] = mapped_column(Scaled8)
    net: Mapped[Decimal] = mapped_column(Scaled8)
    moved: Mapped[Decimal | None] = mapped_column(Scaled8)
    r_multiple: Mapped[Decimal | None] = mapped_column(Scaled8)
    stop_seen_late: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    held_seconds: Mapped[int | None] = mapped_column(BigInteger)


class TradeRevision(Model):
    """Old values of a closed trade that the broker changed later."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    trade_id: Mapped[int] = mapped_column(ForeignKey("trade.id", ondelete="CASCADE"), index=True)
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    values: Mapped[dict[str, Any]] = mapped_column(JsonType)


class AccountSnapshot(Model):
    """Balance and equity of an account at an instant, as the EA saw them."""

    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    balance: Mapped[Decimal] = mapped_column(Scaled8)
    equity: Mapped[Decimal] = mapped_column(Scaled8)
    margin: Mapped[Decimal | None] = mapped_column(Scaled8)
    floating: Mapped[Decimal | None] = mapped_column(Scaled8)


class AccountSymbol(Model):
    """What a point and a lot of a symbol are at an account's broker, as its EA says once a run."""

    __table_args__ = (
        CheckConstraint("digits BETWEEN 0 AND 10", name="digits_few"),
        CheckConstraint("point > 0", name="point_positive"),
        CheckConstraint("contract_size > 0", name="contract_size_positive"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), primary_key=True)
    symbol: Mapped[str] = mapped_column(String(32), primary_key=True)
    digits: Mapped[int]
    point: Mapped[Decimal] = mapped_column(Scaled8)
    tick_size: Mapped[Decimal | None] = mapped_column(Scaled8)
    contract_size: Mapped[Decimal] = mapped_column(Scaled8)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PipRule(Model):
    """What a pip is of one symbol, or of all that begin alike (``US*``), where the school says so."""

    __table_args__ = (CheckConstraint("pip > 0", name="pip_positive"),)

    pattern: Mapped[str] = mapped_column(String(32), primary_key=True)
    pip: Mapped[Decimal] = mapped_column(Scaled8)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SyncBatch(Model):
    """A batch taken from an EA with the answer given: the same batch again gets the same answer."""

    __table_args__ = (Index("ix_sync_batch_received", "received_at"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), primary_key=True)
    batch_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trades: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(JsonType)


class TradingStatistics(Model):
    """Figures of one account on one day of its owner's zone, by time of closing; wider periods are sums of days.

    ``net``, its costs, ``volume`` and the balance count every exit on its day; ``trades``, wins and losses count a
    position once, on the day of its last exit.
    """

    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    exits: Mapped[int]
    trades: Mapped[int]
    wins: Mapped[int]
    losses: Mapped[int]
    breakeven: Mapped[int]
    net: Mapped[Decimal] = mapped_column(Scaled8)
    booked: Mapped[Decimal] = mapped_column(Scaled8, default=Decimal(0), server_default=text("0"))
    """What is in ``net`` and of no exit: costs and gains that the broker booked by themselves."""
    gross_profit: Mapped[Decimal] = mapped_column(Scaled8)
    gross_loss: Mapped[Decimal] = mapped_column(Scaled8)
    swap: Mapped[Decimal] = mapped_column(Scaled8)
    commission: Mapped[Decimal] = mapped_column(Scaled8)
    volume: Mapped[Decimal] = mapped_column(Scaled8)
    best: Mapped[Decimal | None] = mapped_column(Scaled8)
    worst: Mapped[Decimal | None] = mapped_column(Scaled8)
    deposits: Mapped[Decimal] = mapped_column(Scaled8)
    withdrawals: Mapped[Decimal] = mapped_column(Scaled8)
    holding_seconds: Mapped[int] = mapped_column(BigInteger)
    balance_end: Mapped[Decimal] = mapped_column(Scaled8)
