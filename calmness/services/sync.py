"""A batch of an EA: read, checked ticket by ticket, written in one statement, answered.

Idempotent by content and by ``batch_id``. A bad trade never fails its batch. An older batch changes nothing that a
newer one wrote. Times are the broker's server epochs; the offset to UTC is kept beside the instants.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import false, literal_column, or_, select, update

from calmness import clock
from calmness.errors import Conflict, DomainError
from calmness.extensions import db
from calmness.models.delivery import Lane
from calmness.models.dialect import insert_once, upsert
from calmness.models.trading import (
    AccountSnapshot,
    SyncBatch,
    Trade,
    TradeKind,
    TradeSource,
    TradeStatus,
    TradingAccount,
)
from calmness.services import delivery, notifications
from calmness.services.preferences import NoticeKind

MAX_TRADES = 500
LATEST_VERSION = "2.0.0"
LIMIT = Decimal(10) ** 10
NEW_YORK = ZoneInfo("America/New_York")
KINDS = {
    0: TradeKind.BUY,
    1: TradeKind.SELL,
    2: TradeKind.BUY_LIMIT,
    3: TradeKind.SELL_LIMIT,
    4: TradeKind.BUY_STOP,
    5: TradeKind.SELL_STOP,
    6: TradeKind.BALANCE,
    7: TradeKind.CREDIT,
}
MARKET = frozenset({TradeKind.BUY, TradeKind.SELL})
CASH = frozenset({TradeKind.BALANCE, TradeKind.CREDIT})
UPDATED = (
    "kind",
    "status",
    "symbol",
    "volume",
    "open_price",
    "close_price",
    "stop_loss",
    "take_profit",
    "profit",
    "swap",
    "commission",
    "taxes",
    "net",
    "open_time_server",
    "close_time_server",
    "utc_offset_seconds",
    "opened_at",
    "closed_at",
    "comment",
    "magic",
)


class MalformedBatch(DomainError):
    """The shape or the version of the message is wrong."""

    slug = "ea-malformed"
    message = _l("Message illisible : mettez l’Expert Advisor à jour.")


class OtherAccount(Conflict):
    """The key belongs to another account number."""

    slug = "ea-other-account"
    message = _l("Cette clé est liée à un autre numéro de compte MetaTrader.")


class TooManyTrades(DomainError):
    """More trades than a batch may hold."""

    status = 413
    slug = "ea-batch-too-big"
    message = _l("Lot trop gros : 500 trades au plus.")


@dataclass
class Parsed:
    """Rows that can be written, and why others can't."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejected: list[dict[str, str]] = field(default_factory=list)


def take(account_id: int, body: Any, at: datetime | None = None) -> dict[str, Any]:
    """Take a batch and give the answer. Raises ``MalformedBatch``, ``OtherAccount``, ``TooManyTrades``."""
    now = at or clock.now()
    head, trades = _head(body)
    known = db.session.get(SyncBatch, (account_id, head["batch_id"]))
    if known is not None:
        return dict(known.answer)
    account = db.session.scalars(select(TradingAccount).where(TradingAccount.id == account_id).with_for_update()).one()
    _bind(account, head)
    offset = _offset(account, head, now)
    parsed = _parse(account.id, trades, offset, now)
    newer = account.batch_clock_at is None or head["gmt"] >= account.batch_clock_at
    changed_from = _earliest_change(account.id, parsed.rows)
    if parsed.rows:
        upsert(
            db.session(),
            Trade,
            list(parsed.rows.values()),
            key=["account_id", "ticket"],
            update_columns=UPDATED,
            # A closed trade does not open again, and an older batch overwrites nothing.
            only_if=or_(Trade.__table__.c.status != TradeStatus.CLOSED, _excluded_closed()) if newer else _never(),
        )
    if newer:
        _snapshot(account, head, now)
    answer = _answer(account, parsed, behind=len(trades) >= MAX_TRADES)
    row = {
        "account_id": account.id,
        "batch_id": head["batch_id"],
        "received_at": now,
        "trades": len(trades),
        "answer": answer,
    }
    insert_once(db.session(), SyncBatch, [row])
    if changed_from is not None:
        mark_dirty(account, changed_from, now)
    return answer


def mark_dirty(account: TradingAccount, since: datetime, now: datetime) -> None:
    """Ask for the statistics from an instant on to be computed again."""
    if account.dirty_from_at is None or since < account.dirty_from_at:
        account.dirty_from_at = since
    delivery.enqueue(
        "trading.statistics",
        f"trading-statistics:{account.id}:{now:%Y%m%d%H%M%S}",
        {"account_id": account.id},
        lane=Lane.DEFAULT,
    )
    db.session.flush()


def rule_offset(server_epoch: int) -> int:
    """Seconds that a broker's server is ahead of UTC by the common rule: New York plus seven hours."""
    wall = datetime.fromtimestamp(server_epoch, UTC).replace(tzinfo=None)
    offset = (wall - timedelta(hours=7)).replace(tzinfo=NEW_YORK).utcoffset() or timedelta(hours=-5)
    return int(offset.total_seconds()) + 7 * 3600


def number(value: Any) -> Decimal:
    """An exact decimal of a message: text or number, finite, below ten billion. Raises ValueError."""
    if isinstance(value, bool) or value is None:
        raise ValueError("no number")
    try:
        parsed = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not parsed.is_finite() or abs(parsed) >= LIMIT:
        raise ValueError("out of range")
    return parsed


def _head(body: Any) -> tuple[dict[str, Any], list[Any]]:
    if not isinstance(body, dict) or body.get("v") != 2:
        raise MalformedBatch
    trades, account, clock_part = body.get("trades", []), body.get("account"), body.get("clock")
    if not isinstance(trades, list) or not isinstance(account, dict) or not isinstance(clock_part, dict):
        raise MalformedBatch
    if len(trades) > MAX_TRADES:
        raise TooManyTrades
    try:
        gmt = datetime.fromtimestamp(int(clock_part["gmt"]), UTC)
        server = int(clock_part["server"])
        age = int(clock_part.get("server_age_s", 0))
        batch_id = str(body["batch_id"])[:64]
        login, server_name = str(account["login"])[:32], str(account["server"])[:100]
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise MalformedBatch from error
    head = {"gmt": gmt, "server": server, "age": age, "batch_id": batch_id, "login": login, "server_name": server_name}
    snapshot = body.get("snapshot")
    history = body.get("history")
    return head | {
        "ea": str(body.get("ea", ""))[:16],
        "account": account,
        "snapshot": snapshot if isinstance(snapshot, dict) else {},
        "history": history if isinstance(history, dict) else {},
    }, trades


def _bind(account: TradingAccount, head: dict[str, Any]) -> None:
    if account.login is None:
        account.login, account.server = head["login"], head["server_name"]
    elif account.login != head["login"] or (account.server or head["server_name"]) != head["server_name"]:
        notifications.notify(
            account.user_id,
            NoticeKind.TRADING,
            f"ea-other-account:{account.id}:{head['login']}",
            title=str(_l("Un autre compte MetaTrader utilise votre clé")),
            body=str(
                _l(
                    "La clé de « %(name)s » a servi avec le compte %(login)s. Créez un compte et une clé par terminal.",
                    name=account.name,
                    login=head["login"],
                )
            ),
            url=f"/espace/metatrader/{account.id}",
        )
        raise OtherAccount
    details = head["account"]
    account.broker = str(details.get("company") or account.broker or "")[:100] or None
    account.mode = str(details.get("mode") or account.mode or "")[:16] or None
    leverage = details.get("leverage")
    account.leverage = leverage if isinstance(leverage, int) and 0 < leverage < 10_000 else account.leverage
    account.ea_version = head["ea"] or account.ea_version


def _offset(account: TradingAccount, head: dict[str, Any], now: datetime) -> int | None:
    skew = abs((now - head["gmt"]).total_seconds())
    if head["age"] < 60 and skew < 300:
        measured = round((head["server"] - head["gmt"].timestamp()) / 900) * 900
        if abs(measured) <= 14 * 3600:
            account.utc_offset_seconds = measured
    return account.utc_offset_seconds


def _parse(account_id: int, trades: list[Any], offset: int | None, now: datetime) -> Parsed:
    parsed = Parsed()
    for item in trades:
        ticket = str(item.get("ticket", ""))[:32] if isinstance(item, dict) else ""
        if not ticket:
            parsed.rejected.append({"ticket": "", "reason": "ticket missing"})
            continue
        try:
            # The last one of a ticket wins: PostgreSQL refuses a key twice in a statement.
            parsed.rows[ticket] = _trade(account_id, ticket, item, offset, now)
        except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
            parsed.rejected.append({"ticket": ticket, "reason": str(error)[:80] or type(error).__name__})
    return parsed


def _trade(account_id: int, ticket: str, item: dict[str, Any], offset: int | None, now: datetime) -> dict[str, Any]:
    kind = KINDS.get(item.get("type", -1))
    if kind is None:
        raise ValueError("unknown type")
    volume = number(item.get("lots", 0))
    if volume < 0 or (kind in MARKET and volume == 0):
        raise ValueError("bad volume")
    opened, closed = int(item["open_time"]), int(item.get("close_time") or 0)
    if opened <= 0 or (closed and closed < opened):
        raise ValueError("bad times")
    profit, swap = number(item.get("profit", 0)), number(item.get("swap", 0))
    commission, taxes = number(item.get("commission", 0)), number(item.get("taxes", 0))
    shift = offset if offset is not None else rule_offset(closed or opened)
    stop = _price(item.get("sl"))
    return {
        "account_id": account_id,
        "ticket": ticket,
        "kind": kind,
        "status": _status(kind, closed),
        "symbol": str(item.get("symbol") or "")[:32],
        "volume": volume,
        "open_price": _price(item.get("open_price")),
        "close_price": _price(item.get("close_price")) if closed else None,
        "current_price": _price(item.get("close_price")),
        "stop_loss": stop,
        "take_profit": _price(item.get("tp")),
        "initial_stop": stop,
        "profit": profit,
        "swap": swap,
        "commission": commission,
        "taxes": taxes,
        "net": profit + swap + commission + taxes,
        "digits": item.get("digits") if isinstance(item.get("digits"), int) else None,
        "open_time_server": opened,
        "close_time_server": closed or None,
        "utc_offset_seconds": shift,
        "opened_at": datetime.fromtimestamp(opened - shift, UTC),
        "closed_at": datetime.fromtimestamp(closed - shift, UTC)
        if closed
        else (datetime.fromtimestamp(opened - shift, UTC) if kind in CASH else None),
        "comment": str(item.get("comment") or "")[:200].replace("\x00", ""),
        "magic": int(item.get("magic") or 0),
        "source": TradeSource.EA,
        "suspect": False,
        "seen_at": now,
    }


def _status(kind: TradeKind, closed: int) -> TradeStatus:
    if kind in CASH:
        return TradeStatus.CASH
    if kind in MARKET:
        return TradeStatus.CLOSED if closed else TradeStatus.OPEN
    return TradeStatus.CANCELLED if closed else TradeStatus.PENDING


def _price(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    price = number(value)
    return price if price > 0 else None


def _earliest_change(account_id: int, rows: dict[str, dict[str, Any]]) -> datetime | None:
    """Earliest closing among rows that count and differ from what is stored."""
    counted = {ticket: row for ticket, row in rows.items() if row["closed_at"] is not None}
    if not counted:
        return None
    stored = {
        ticket: (net, closed_at)
        for ticket, net, closed_at in db.session.execute(
            select(Trade.ticket, Trade.net, Trade.closed_at).where(
                Trade.account_id == account_id, Trade.ticket.in_(list(counted))
            )
        )
    }
    moments = []
    for ticket, row in counted.items():
        old = stored.get(ticket)
        if old is None or old != (row["net"], row["closed_at"]):
            moments += [row["closed_at"], *([old[1]] if old and old[1] else [])]
    return min(moments, default=None)


def _excluded_closed() -> Any:
    return literal_column("excluded.status") == TradeStatus.CLOSED.value


def _never() -> Any:
    return false()


def _snapshot(account: TradingAccount, head: dict[str, Any], now: datetime) -> None:
    account.last_sync_at = now
    account.batch_clock_at = head["gmt"]
    history = head["history"]
    total = history.get("total")
    account.history_total = total if isinstance(total, int) and total >= 0 else account.history_total
    account.history_complete = bool(history.get("complete", account.history_complete))
    values = head["snapshot"]
    try:
        balance, equity = number(values["balance"]), number(values["equity"])
    except (KeyError, ValueError):
        return
    account.balance, account.equity = balance, equity
    margin = _price(values.get("margin"))
    account.margin, account.free_margin = margin, _price(values.get("free"))
    row = {
        "account_id": account.id,
        "taken_at": now,
        "balance": balance,
        "equity": equity,
        "margin": margin,
        "floating": equity - balance,
    }
    insert_once(db.session(), AccountSnapshot, [row])
    open_tickets = values.get("open_tickets")
    if isinstance(open_tickets, list):
        _forget_vanished(account.id, [str(ticket)[:32] for ticket in open_tickets])


def _forget_vanished(account_id: int, open_tickets: list[str]) -> None:
    # Open rows that the terminal no longer has and whose closing never came: history hidden by its filter.
    db.session.execute(
        update(Trade)
        .where(
            Trade.account_id == account_id,
            Trade.status == TradeStatus.OPEN,
            Trade.ticket.not_in(open_tickets),
        )
        .values(suspect=True),
        execution_options={"synchronize_session": False},
    )


def _answer(account: TradingAccount, parsed: Parsed, *, behind: bool) -> dict[str, Any]:
    closed = [row for row in parsed.rows.values() if row["close_time_server"]]
    if closed:
        last = max(closed, key=lambda row: (row["close_time_server"], row["ticket"]))
        if (last["close_time_server"], last["ticket"]) > (account.cursor_time, account.cursor_ticket):
            account.cursor_time, account.cursor_ticket = last["close_time_server"], last["ticket"]
    return {
        "ok": True,
        "accepted": len(parsed.rows),
        "rejected": parsed.rejected[:50],
        "rejected_count": len(parsed.rejected),
        "cursor_time": account.cursor_time,
        "cursor_ticket": account.cursor_ticket,
        "next_in": 1 if behind else 60,
        "resync": False,
        "batch_max": MAX_TRADES,
        "latest_version": LATEST_VERSION,
        "message": None,
    }
