"""The one-trade message of EA 1.00, which customers still have installed: broken JSON, repaired; non-trades recognised.

Nothing in it is escaped, so the comment is cut out before the rest is read. Its deposits arrive as "sell".
"""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.trading import Trade, TradeKind, TradeSource, TradingAccount
from calmness.services import live
from calmness.services.trading import broker_clocks, sync, sync_trades, trade_totals
from calmness.services.trading.batch_messages import MalformedBatch
from calmness.services.trading.message_values import clean, number, offset_at, price_units, ticket_of, units, whole
from calmness.services.trading.sync_trades import COMMENT_LENGTH, EPOCH_1980, SYMBOL_LENGTH, TradeRow, status_of

_COMMENT = '"comment":"'
_AFTER_COMMENT = '","magic_number":'
TIME_FORMAT = "%Y.%m.%d %H:%M:%S"
LAST = 4_102_444_800
"""The year 2100."""


def read(raw: bytes) -> dict[str, Any]:
    """Fields of a message, whatever its comment holds. Raises ``MalformedBatch``."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    comment = ""
    start, end = text.find(_COMMENT), text.rfind(_AFTER_COMMENT)
    if 0 <= start < end:
        comment = text[start + len(_COMMENT) : end]
        text = text[: start + len(_COMMENT)] + text[end:]
    try:
        fields = json.loads(text, strict=False)
    except ValueError as error:
        raise MalformedBatch from error
    if not isinstance(fields, dict):
        raise MalformedBatch
    return fields | {"comment": clean(comment, COMMENT_LENGTH)}


def take(account: TradingAccount, raw: bytes, at: datetime | None = None) -> tuple[int, bool]:
    """Take a message: (id of its row, whether it is new). Raises ``MalformedBatch``.

    The caller holds the account's lock. An upsert that changes nothing asks for no figures.
    """
    now = at or clock.now()
    fields = read(raw)
    try:
        row = _row(account, fields, now)
        balance, equity = (number(fields.get(name) or 0) for name in ("account_balance", "account_equity"))
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise MalformedBatch from error
    find = select(Trade.id).where(Trade.account_id == account.id, Trade.ticket == row.ticket)
    before = db.session.scalar(find)
    written = sync_trades.write(account.id, {row.ticket: row}, now)
    account.last_sync_at, account.ea_version = now, clean(fields.get("ea_version") or "1.00", 16)
    account.balance, account.equity = balance, equity
    if written.since is not None:
        sync.mark_dirty(account, written.since, written.until)
    if written.changed:
        account.history_stamp = trade_totals.new_stamp()
        live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")
    return before or db.session.scalars(find).one(), before is None


def _row(account: TradingAccount, fields: dict[str, Any], now: datetime) -> TradeRow:
    ticket = ticket_of(fields["ticket"])
    symbol = clean(fields.get("symbol"), SYMBOL_LENGTH)
    volume = units(fields.get("volume") or 0)
    # Type 6 and 7 (deposit, credit) come as "sell" without symbol: never a result.
    cash = not symbol or volume == 0
    kind = TradeKind.CASH_UNKNOWN if cash else TradeKind.BUY if fields.get("type") == "buy" else TradeKind.SELL
    opened = _epoch(fields["open_time"])
    closed = _epoch(fields["close_time"]) if fields.get("close_time") and not cash else None
    profit, swap, commission = (units(fields.get(name) or 0) for name in ("profit", "swap", "commission"))
    fixed = broker_clocks.of_account(account)
    shift = offset_at(opened, fixed)
    opened_at = opened - shift
    closed_at = opened_at if cash else None
    if closed:
        shift = offset_at(closed, fixed)
        closed_at = closed - shift
    stop = price_units(fields.get("stop_loss"))
    return TradeRow(
        account_id=account.id,
        ticket=ticket,
        initial_stop=stop,
        seen_at=int(now.timestamp()),
        kind=kind.value,
        status=status_of(kind.value, closed),
        symbol=symbol,
        volume=volume,
        open_price=price_units(fields.get("open_price")),
        close_price=price_units(fields.get("close_price")),
        current_price=price_units(fields.get("current_price")),
        stop_loss=stop,
        take_profit=price_units(fields.get("take_profit")),
        profit=profit,
        swap=swap,
        commission=commission,
        taxes=0,
        net=profit + swap + commission,
        digits=None,
        open_time_server=opened,
        close_time_server=closed,
        utc_offset_seconds=shift,
        opened_at=opened_at,
        closed_at=closed_at,
        comment=fields["comment"],
        magic=whole(fields.get("magic_number") or 0),
        source=TradeSource.EA_LEGACY.value,
        # A deleted pending order comes as a closed "sell" that brought nothing.
        suspect=kind is TradeKind.SELL and closed is not None and profit == swap == commission == 0,
    )


def _epoch(text: str) -> int:
    epoch = int(datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp())
    if not EPOCH_1980 <= epoch < LAST:
        raise ValueError("bad time")
    return epoch
