"""A batch of an EA: bound to its account, its trades written in one statement, answered.

Idempotent by content and by ``batch_id``. A bad trade never fails its batch. A batch sent before one that was already
taken overwrites nothing. Statistics are computed by a job afterwards, never here.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from calmness import clock
from calmness.errors import Conflict
from calmness.extensions import db
from calmness.models.delivery import Lane
from calmness.models.dialect import insert_once_statement
from calmness.models.prepared import Prepared
from calmness.models.trading import AccountSnapshot, SyncBatch, Trade, TradeStatus, TradingAccount
from calmness.services import delivery, live, notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.trading import batch_messages, broker_clocks, contracts, deals, sync_trades, trade_totals
from calmness.services.trading.batch_messages import MAX_TRADES, Head
from calmness.services.trading.message_values import clean, number

REFUSALS_KEPT = 100
LATEST_VERSION = "2.0.0"
LATE = timedelta(minutes=10)
"""A clock that steps back by more was set right; by less, the batch was overtaken by the one after it."""
FRESH_TICK_SECONDS = 60
TRUSTED_SKEW_SECONDS = 300
QUARTER = 900
PASS_SECONDS = 60
SPREAD_SECONDS = 5
SNAPSHOT_SECONDS = 600
SILENT_AFTER = timedelta(minutes=3)
PULSE = (
    *("last_sync_at", "batch_clock_at", "balance", "equity", "margin", "free_margin"),
    *("history_stamp", "cursor_time", "cursor_ticket"),
)
"""What a pass changes of its account."""
_CURRENCY = re.compile(r"[A-Z]{3}")
# Each EA asks these each minute.
_BATCHES, _TRADES = SyncBatch.__table__.c, Trade.__table__.c
_KNOWN = Prepared(
    lambda _dialect: select(_BATCHES.answer).where(
        _BATCHES.account_id == bindparam("account"), _BATCHES.batch_id == bindparam("batch")
    )
)
_KEEP_BATCH = Prepared(lambda dialect: insert_once_statement(dialect, SyncBatch))
_KEEP_SNAPSHOT = Prepared(lambda dialect: insert_once_statement(dialect, AccountSnapshot))
_BEAT = Prepared(
    lambda _dialect: (
        update(TradingAccount.__table__)  # type: ignore[arg-type]
        .where(TradingAccount.__table__.c.id == bindparam("account"))
        .values({name: bindparam(f"new_{name}") for name in PULSE})
    )
)
_OPEN_ROWS = Prepared(
    lambda _dialect: select(_TRADES.id, _TRADES.ticket).where(
        _TRADES.account_id == bindparam("account"), _TRADES.status == TradeStatus.OPEN, _TRADES.suspect.is_(False)
    )
)


class OtherAccount(Conflict):
    """The key belongs to another account number."""

    slug = "ea-other-account"
    message = _l("Cette clé est liée à un autre numéro de compte MetaTrader.")


class Taken(NamedTuple):
    """What the EA is answered, and whether the batch brought more than a quiet minute does."""

    answer: dict[str, Any]
    has_news: bool


def take(account: TradingAccount, body: Any, at: datetime | None = None) -> Taken:
    """Take a batch. Raises ``MalformedBatch``, ``OtherAccount``, ``TooManyTrades``.

    The caller holds the account's lock (see ``trading_accounts.authenticate``).
    """
    # The account is written once, at the end: ten thousand EAs a minute leave no time for a flush at each question.
    with db.session.no_autoflush:
        return _take(account, body, at or clock.now())


def _take(account: TradingAccount, body: Any, now: datetime) -> Taken:
    head, trades = batch_messages.read(body)
    account_id, connection = account.id, db.session.connection()
    _bind(account, head)
    _measure(account, head, now)
    made, refused = deals.trades_of(
        batch_messages.rows(body, "deals", deals.MAX_DEALS), batch_messages.rows(body, "positions", MAX_TRADES)
    )
    parsed = sync_trades.read(account.id, [*trades, *made], broker_clocks.of_account(account), now)
    parsed.rejected += refused
    _note_refusals(account, parsed)
    contracts.note(account.id, batch_messages.rows(body, "symbols", MAX_TRADES), now)
    late = _is_late(account, head)
    written = sync_trades.write(account.id, parsed.rows, now, late=late)
    pulse = {name: getattr(account, name) for name in PULSE}
    if written.changed:
        pulse["history_stamp"] = trade_totals.new_stamp()
    if not late:
        pulse["batch_clock_at"] = head.gmt
        _note_history(account, head, now)
        _snapshot(connection, account, head, now, pulse)
    pulse["last_sync_at"] = now
    # What was confirmed is no more: a backup was restored. The cursor stays, and the EA comes back to it.
    resync = head.cursor > account.cursor_time
    if not resync:
        _move_cursor(pulse, parsed, head)
    news = written.has_news or parsed.rejected or _was_silent(account, now)
    _beat(connection, account, pulse)
    answer = _answer(account, parsed, written, now, behind=len(trades) >= MAX_TRADES, resync=resync)
    row = {
        "account_id": account_id,
        "batch_id": head.batch_id,
        "received_at": now,
        "trades": len(trades),
        "answer": answer,
    }
    if not _KEEP_BATCH.run(connection, row):
        # Sent again, which is rare: found out by its row and not by a question at each pass.
        db.session.rollback()
        ((known,),) = _KNOWN.run(db.session.connection(), {"account": account_id, "batch": head.batch_id})
        return Taken(dict(known), has_news=True)
    if written.since is not None:
        mark_dirty(account, written.since, written.until)
    if news:
        live.emit_after_commit("account:updated", {"account_id": account.id}, room=f"user:{account.user_id}")
    return Taken(answer, has_news=bool(news))


def _was_silent(account: TradingAccount, now: datetime) -> bool:
    return account.last_sync_at is None or now - account.last_sync_at >= SILENT_AFTER


def _beat(connection: Connection, account: TradingAccount, pulse: dict[str, Any]) -> None:
    """Write what changes at each pass. A flush of the ORM would take as long as all the rest of a quiet pass."""
    _BEAT.run(connection, {"account": account.id} | {f"new_{name}": value for name, value in pulse.items()})
    for name, value in pulse.items():
        set_committed_value(account, name, value)


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


def next_in(account_id: int, now: datetime) -> int:
    """Seconds until the next pass: about a minute, drawn towards the account's own second of the minute.

    After an outage all EAs come back at once; a few passes later they are spread over the minute again.
    """
    ahead = (account_id - int(now.timestamp()) - PASS_SECONDS) % PASS_SECONDS
    drawn = ahead if ahead <= PASS_SECONDS // 2 else ahead - PASS_SECONDS
    return PASS_SECONDS + max(-SPREAD_SECONDS, min(SPREAD_SECONDS, drawn))


def note_refused(account_id: int, now: datetime) -> None:
    """Count a message that was refused whole, for the support to see."""
    db.session.execute(
        update(TradingAccount)
        .where(TradingAccount.id == account_id)
        .values(refused_batches=TradingAccount.refused_batches + 1, refused_batch_at=now),
        execution_options={"synchronize_session": False},
    )


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
    # The broker knows its currency better than who typed it into our form.
    currency = clean(details.get("currency"), 8).upper()
    leverage = details.get("leverage")
    _learn(
        account,
        broker=clean(details.get("company"), 100) or None,
        mode=clean(details.get("mode"), 16) or None,
        currency=currency if _CURRENCY.fullmatch(currency) else None,
        leverage=leverage if type(leverage) is int and 0 < leverage < 10_000 else None,
        ea_version=head.ea or None,
    )


def _learn(account: TradingAccount, **told: Any) -> None:
    """Keep what the terminal says of itself, but for None. What is known already is not set: even setting the same
    value would make the ORM flush the account, which takes as long as all other statements of a quiet pass."""
    for name, value in told.items():
        if value is not None and value != getattr(account, name):
            setattr(account, name, value)


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


def _note_history(account: TradingAccount, head: Head, now: datetime) -> None:
    total, complete = head.history.get("total"), head.history.get("complete")
    was_complete = account.history_complete
    _learn(
        account,
        history_total=total if type(total) is int and 0 <= total < 2**31 else None,
        history_oldest=batch_messages.epoch(head.history.get("oldest_close")) or None,
        history_complete=None if complete is None else bool(complete),
    )
    if account.history_complete and not was_complete:
        # Only now the balance says what was there before the first row.
        mark_dirty(account, now, now)


def _snapshot(
    connection: Connection, account: TradingAccount, head: Head, now: datetime, pulse: dict[str, Any]
) -> None:
    values = head.snapshot
    open_tickets = values.get("open_tickets")
    if isinstance(open_tickets, list):
        _forget_vanished(connection, account.id, {str(ticket) for ticket in open_tickets})
    try:
        balance, equity = number(values["balance"]), number(values["equity"])
        margin, free = number(values.get("margin", 0)), number(values.get("free", 0))
    except (KeyError, ValueError):
        return
    if account.balance is None:
        # Whatever is known already now has a balance to be compared with.
        mark_dirty(account, now, now)
    pulse |= {"balance": balance, "equity": equity, "margin": margin, "free_margin": free}
    before = (account.balance, account.equity, account.margin)
    if before == (balance, equity, margin) and _slice(account.last_sync_at) == _slice(now):
        return
    row = {
        "account_id": account.id,
        "taken_at": now,
        "balance": balance,
        "equity": equity,
        "margin": margin,
        "floating": equity - balance,
    }
    _KEEP_SNAPSHOT.run(connection, row)


def _slice(moment: datetime | None) -> int:
    """Which ten minutes: of an account where nothing moves, one snapshot of each is enough to show the contact."""
    return 0 if moment is None else int(moment.timestamp()) // SNAPSHOT_SECONDS


def _forget_vanished(connection: Connection, account_id: int, open_tickets: set[str]) -> None:
    """Mark open rows that the terminal no longer has and whose closing never came: its filter hides it."""
    rows = _OPEN_ROWS.run(connection, {"account": account_id})
    vanished = [trade_id for trade_id, ticket in rows if ticket not in open_tickets]
    if vanished:
        db.session.execute(
            update(Trade).where(Trade.id.in_(vanished)).values(suspect=True),
            execution_options={"synchronize_session": False},
        )


def _move_cursor(pulse: dict[str, Any], parsed: sync_trades.Parsed, head: Head) -> None:
    """The EA's cursor goes beyond the rows that were taken: to cash and to what was refused as well."""
    closed = ((row.close_time_server, row.ticket) for row in parsed.rows.values() if row.close_time_server)
    last = max(closed, default=(0, ""))
    if head.cursor_next > last[0]:
        last = (head.cursor_next, "")
    if last > (pulse["cursor_time"], pulse["cursor_ticket"]):
        pulse["cursor_time"], pulse["cursor_ticket"] = last


def _answer(
    account: TradingAccount,
    parsed: sync_trades.Parsed,
    written: sync_trades.Written,
    now: datetime,
    *,
    behind: bool,
    resync: bool,
) -> dict[str, Any]:
    return {
        "ok": True,
        "accepted": len(parsed.rows),
        "unchanged": written.unchanged,
        "rejected": parsed.rejected[:50],
        "rejected_count": len(parsed.rejected),
        "cursor_time": account.cursor_time,
        "cursor_ticket": account.cursor_ticket,
        "next_in": 1 if behind else next_in(account.id, now),
        "resync": resync,
        "batch_max": MAX_TRADES,
        "latest_version": LATEST_VERSION,
        "message": None,
    }
