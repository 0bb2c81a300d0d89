"""The one-trade message of EA 1.00, which customers still have installed: broken JSON, repaired; non-trades recognised.

Nothing in it is escaped, so the comment is cut out before the rest is read. Its deposits arrive as "sell".
"""

import json
from datetime import UTC, datetime
from typing import Any

from calmness import clock
from calmness.extensions import db
from calmness.models.dialect import upsert
from calmness.models.trading import Trade, TradeKind, TradeSource, TradeStatus, TradingAccount
from calmness.services import sync
from calmness.services.sync import MalformedBatch, number, rule_offset

_COMMENT = '"comment":"'
_AFTER_COMMENT = '","magic_number":'
TIME_FORMAT = "%Y.%m.%d %H:%M:%S"


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
    return fields | {"comment": "".join(c for c in comment if c.isprintable())[:200]}


def take(account_id: int, raw: bytes, at: datetime | None = None) -> tuple[int, bool]:
    """Take a message: (id of its row, whether it is new). Raises ``MalformedBatch``."""
    now = at or clock.now()
    fields = read(raw)
    account = db.session.get_one(TradingAccount, account_id, with_for_update=True)
    row = _row(account, fields, now)
    key = {"account_id": account.id, "ticket": row["ticket"]}
    before = db.session.query(Trade.id, Trade.net, Trade.closed_at).filter_by(**key).one_or_none()
    upsert(db.session(), Trade, [row], key=["account_id", "ticket"], update_columns=sync.UPDATED)
    account.last_sync_at, account.ea_version = now, str(fields.get("ea_version", "1.00"))[:16]
    for name, source in (("balance", "account_balance"), ("equity", "account_equity")):
        if fields.get(source) is not None:
            setattr(account, name, number(fields[source]))
    if row["closed_at"] and (before is None or (before[1], before[2]) != (row["net"], row["closed_at"])):
        sync.mark_dirty(account, row["closed_at"], now)
    trade_id = db.session.query(Trade.id).filter_by(**key).scalar()
    return trade_id, before is None


def _row(account: TradingAccount, fields: dict[str, Any], now: datetime) -> dict[str, Any]:
    try:
        ticket = str(fields["ticket"])[:32]
        volume = number(fields.get("volume") or 0)
        opened = _epoch(fields["open_time"])
        closed = _epoch(fields["close_time"]) if fields.get("close_time") else None
        profit, swap = number(fields.get("profit") or 0), number(fields.get("swap") or 0)
        commission = number(fields.get("commission") or 0)
        prices = {
            name: number(fields[source]) if fields.get(source) else None
            for name, source in (
                ("open_price", "open_price"),
                ("close_price", "close_price"),
                ("current_price", "current_price"),
                ("stop_loss", "stop_loss"),
                ("take_profit", "take_profit"),
            )
        }
    except (KeyError, ValueError, TypeError) as error:
        raise MalformedBatch from error
    symbol = str(fields.get("symbol") or "")[:32]
    # Type 6 and 7 (deposit, credit) come as "sell" without symbol: never a result.
    cash = not symbol or volume == 0
    kind = TradeKind.CASH_UNKNOWN if cash else TradeKind.BUY if fields.get("type") == "buy" else TradeKind.SELL
    suspect = not cash and kind is TradeKind.SELL and closed is not None and profit == swap == commission == 0
    shift = account.utc_offset_seconds if account.utc_offset_seconds is not None else rule_offset(closed or opened)
    status = TradeStatus.CASH if cash else TradeStatus.CLOSED if closed else TradeStatus.OPEN
    moment = closed or (opened if cash else None)
    return prices | {
        "account_id": account.id,
        "ticket": ticket,
        "kind": kind,
        "status": status,
        "symbol": symbol,
        "volume": volume,
        "initial_stop": prices["stop_loss"],
        "profit": profit,
        "swap": swap,
        "commission": commission,
        "taxes": number(0),
        "net": profit + swap + commission,
        "digits": None,
        "open_time_server": opened,
        "close_time_server": closed,
        "utc_offset_seconds": shift,
        "opened_at": datetime.fromtimestamp(opened - shift, UTC),
        "closed_at": datetime.fromtimestamp(moment - shift, UTC) if moment else None,
        "comment": fields["comment"],
        "magic": int(fields.get("magic_number") or 0),
        "source": TradeSource.EA_LEGACY,
        "suspect": suspect,
        "seen_at": now,
    }


def _epoch(text: str) -> int:
    return int(datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC).timestamp())
