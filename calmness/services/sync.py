"""A batch of an EA: bound to its account, its trades written in one statement, answered.

Idempotent by content and by ``batch_id``. A bad trade never fails its batch. A batch sent before one that was already
taken overwrites nothing. Statistics are computed by a job afterwards, never here.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from calmness import clock
from calmness.errors import Conflict, DomainError
from calmness.extensions import db
from calmness.models.delivery import Lane
from calmness.models.dialect import insert_once
from calmness.models.trading import AccountSnapshot, SyncBatch, Trade, TradeStatus, TradingAccount
from calmness.models.types import SCALE
from calmness.services import broker_clocks, deals, delivery, live, notifications, sync_trades
from calmness.services.preferences import NoticeKind
from calmness.services.sync_trades import clean, units

MAX_TRADES = 500
REFUSALS_KEPT = 100
LATEST_VERSION = "2.0.0"
LATE = timedelta(minutes=10)
"""A clock that steps back by more was set right; by less, the batch was overtaken by the one after it."""
FRESH_TICK_SECONDS = 60
TRUSTED_SKEW_SECONDS = 300
QUARTER = 900
_CURRENCY = re.compile(r"[A-Z]{3}")


class MalformedBatch(DomainError):
    """The shape or the version of the message is wrong."""

    slug = "ea-malformed"
    message = _l("Message illisible\u00a0: mettez l’Expert Advisor à jour.")


class OtherAccount(Conflict):
    """The key belongs to another account number."""

    slug = "ea-other-account"
    message = _l("Cette clé est liée à un autre numéro de compte MetaTrader.")


class TooManyTrades(DomainError):
    """More trades than a batch may hold."""

    status = 413
    slug = "ea-batch-too-big"
    message = _l("Lot trop gros\u00a0: 500 trades au plus.")


@dataclass(frozen=True)
class Head:
    """What a batch says beside its trades."""

    batch_id: str
    ea: str
    login: str
    server_name: str
    gmt: datetime
    server_epoch: int
    tick_age: int
    account: dict[str, Any]
    snapshot: dict[str, Any]
    history: dict[str, Any]


def take(account: TradingAccount, body: Any, at: datetime | None = None) -> dict[str, Any]:
    """Take a batch and give the answer. Raises ``MalformedBatch``, ``OtherAccount``, ``TooManyTrades``.

    The caller holds the account's lock (see ``trading_accounts.authenticate``).
    """
    now = at or clock.now()
    head, trades = _head(body)
    known = db.session.execute(
        select(SyncBatch.answer).where(SyncBatch.account_id == account.id, SyncBatch.batch_id == head.batch_id)
    ).scalar_one_or_none()
    if known is not None:
        return dict(known)
    _bind(account, head)
    _measure(account, head, now)
    made, refused = deals.trades_of(_rows(body, "deals", deals.MAX_DEALS), _rows(body, "positions", MAX_TRADES))
    parsed = sync_trades.read(account.id, [*trades, *made], broker_clocks.of_account(account), now)
    parsed.rejected += refused
    _note_refusals(account, parsed)
    late = _is_late(account, head)
    written = sync_trades.write(account.id, parsed.rows, now, late=late)
    account.last_sync_at = now
    if not late:
        account.batch_clock_at = head.gmt
        _snapshot(account, head, now)
    answer = _answer(account, parsed, written, behind=len(trades) >= MAX_TRADES)
    row = {
        "account_id": account.id,
        "batch_id": head.batch_id,
        "received_at": now,
        "trades": len(trades),
        "answer": answer,
    }
    insert_once(db.session(), SyncBatch, [row])
    if written.since is not None:
        mark_dirty(account, written.since, written.until)
    live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")
    return answer


def mark_dirty(account: TradingAccount, since: datetime, until: datetime | None) -> None:
    """Ask for the figures to be computed again that closings between two instants, both included, have to do with.

    Without an end: all from the first instant on. That is right for whatever takes trades away or moves openings. The
    caller holds the account's lock. One piece of work is enough for all batches that come before it is done: it clears
    the mark under the same lock.
    """
    if account.dirty_from_at is None:
        key = f"trading-statistics:{account.id}:{secrets.token_hex(8)}"
        delivery.enqueue("trading.statistics", key, {"account_id": account.id}, lane=Lane.DEFAULT)
        account.dirty_from_at, account.dirty_until_at = since, until
    else:
        last = account.dirty_until_at
        account.dirty_until_at = None if until is None or last is None else max(until, last)
        account.dirty_from_at = min(since, account.dirty_from_at)
    db.session.flush()


def number(value: Any) -> Decimal:
    """An exact decimal of a message. Raises ValueError."""
    return Decimal(units(value)) / SCALE


def _head(body: Any) -> tuple[Head, list[Any]]:
    if not isinstance(body, dict) or body.get("v") != 2:
        raise MalformedBatch
    trades, account, times = body.get("trades", []), body.get("account"), body.get("clock")
    if not isinstance(trades, list) or not isinstance(account, dict) or not isinstance(times, dict):
        raise MalformedBatch
    if len(trades) > MAX_TRADES:
        raise TooManyTrades
    try:
        head = Head(
            batch_id=clean(body["batch_id"], 64),
            ea=clean(body.get("ea"), 16),
            login=clean(account["login"], 32),
            server_name=clean(account["server"], 100),
            gmt=datetime.fromtimestamp(int(times["gmt"]), UTC),
            server_epoch=int(times["server"]),
            tick_age=int(times.get("server_age_s", 0)),
            account=account,
            snapshot=_part(body, "snapshot"),
            history=_part(body, "history"),
        )
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise MalformedBatch from error
    if not head.batch_id or not head.login:
        raise MalformedBatch
    return head, trades


def _rows(body: dict[str, Any], name: str, most: int) -> list[Any]:
    """A list of the message that may be absent. Raises ``MalformedBatch``, ``TooManyTrades``."""
    found = body.get(name, [])
    if not isinstance(found, list):
        raise MalformedBatch
    if len(found) > most:
        raise TooManyTrades
    return found


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _bind(account: TradingAccount, head: Head) -> None:
    """Bind the key's account to the number that uses it first; tell the student when another one comes."""
    if account.login is None:
        account.login, account.server = head.login, head.server_name
    elif account.login != head.login or (account.server or head.server_name) != head.server_name:
        account.other_login, account.other_login_at = head.login, clock.now()
        live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")
        notifications.notify(
            account.user_id,
            NoticeKind.TRADING,
            f"ea-other-account:{account.id}:{head.login}",
            title=str(_l("Un autre compte MetaTrader utilise votre clé")),
            body=str(
                _l(
                    "La clé de « %(name)s » a servi avec le compte %(login)s. Créez un compte et une clé par terminal.",
                    name=account.name,
                    login=head.login,
                )
            ),
            url=f"/espace/metatrader/{account.id}",
        )
        raise OtherAccount
    details = head.account
    account.broker = clean(details.get("company"), 100) or account.broker
    account.mode = clean(details.get("mode"), 16) or account.mode
    # The broker knows its currency better than who typed it into our form.
    currency = clean(details.get("currency"), 8).upper()
    account.currency = currency if _CURRENCY.fullmatch(currency) else account.currency
    leverage = details.get("leverage")
    account.leverage = leverage if type(leverage) is int and 0 < leverage < 10_000 else account.leverage
    account.ea_version = head.ea or account.ea_version


def _measure(account: TradingAccount, head: Head, now: datetime) -> None:
    """Note how far the server is ahead of UTC, unless it stands still or the clock of the PC is wrong."""
    skew = abs((now - head.gmt).total_seconds())
    if 0 <= head.tick_age < FRESH_TICK_SECONDS and skew < TRUSTED_SKEW_SECONDS:
        measured = round((head.server_epoch - head.gmt.timestamp()) / QUARTER) * QUARTER
        if abs(measured) <= 14 * 3600:
            broker_clocks.note(account, head.gmt, measured)


def _note_refusals(account: TradingAccount, parsed: sync_trades.Parsed) -> None:
    """Keep why tickets were refused until they come right, for the student to see."""
    right = account.refusals.keys() & parsed.rows.keys()
    wrong = {line["ticket"] or "?": line["reason"] for line in parsed.rejected}
    if right or wrong:
        left = {ticket: reason for ticket, reason in account.refusals.items() if ticket not in right} | wrong
        account.refusals = dict(list(left.items())[-REFUSALS_KEPT:])


def _is_late(account: TradingAccount, head: Head) -> bool:
    if account.batch_clock_at is None:
        return False
    return timedelta(0) < account.batch_clock_at - head.gmt < LATE


def _snapshot(account: TradingAccount, head: Head, now: datetime) -> None:
    total = head.history.get("total")
    account.history_total = total if type(total) is int and 0 <= total < 2**31 else account.history_total
    oldest = head.history.get("oldest_close")
    if type(oldest) is int and 0 < oldest < 2**40:
        account.history_oldest = oldest
    account.history_complete = bool(head.history.get("complete", account.history_complete))
    values = head.snapshot
    open_tickets = values.get("open_tickets")
    if isinstance(open_tickets, list):
        _forget_vanished(account.id, {str(ticket) for ticket in open_tickets})
    try:
        balance, equity = number(values["balance"]), number(values["equity"])
        margin, free = number(values.get("margin", 0)), number(values.get("free", 0))
    except (KeyError, ValueError):
        return
    account.balance, account.equity, account.margin, account.free_margin = balance, equity, margin, free
    row = {
        "account_id": account.id,
        "taken_at": now,
        "balance": balance,
        "equity": equity,
        "margin": margin,
        "floating": equity - balance,
    }
    insert_once(db.session(), AccountSnapshot, [row])


def _forget_vanished(account_id: int, open_tickets: set[str]) -> None:
    """Mark open rows that the terminal no longer has and whose closing never came: its filter hides it."""
    rows = db.session.execute(
        select(Trade.id, Trade.ticket).where(
            Trade.account_id == account_id, Trade.status == TradeStatus.OPEN, Trade.suspect.is_(False)
        )
    )
    vanished = [trade_id for trade_id, ticket in rows if ticket not in open_tickets]
    if vanished:
        db.session.execute(
            update(Trade).where(Trade.id.in_(vanished)).values(suspect=True),
            execution_options={"synchronize_session": False},
        )


def _answer(
    account: TradingAccount, parsed: sync_trades.Parsed, written: sync_trades.Written, *, behind: bool
) -> dict[str, Any]:
    last = max(
        ((row.close_time_server, row.ticket) for row in parsed.rows.values() if row.close_time_server), default=(0, "")
    )
    if last > (account.cursor_time, account.cursor_ticket):
        account.cursor_time, account.cursor_ticket = last
    return {
        "ok": True,
        "accepted": len(parsed.rows),
        "unchanged": written.unchanged,
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
