"""Statements for who can't run the EA: received, read by a job, shown, taken in one transaction, undone at will.

A ticket that is there already stays as it is: what an EA sent is nearer to the broker, and an import only fills gaps.
The clock of the broker is asked once; it belongs to the account, so that EA and statement give a trade the same time.
"""

import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select, update

from calmness import clock, files, metatrader, uploads
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.metatrader import Statement, Unreadable
from calmness.metatrader.statement import net
from calmness.models.delivery import Lane
from calmness.models.dialect import among
from calmness.models.journal import TradeJournal
from calmness.models.statement import ImportState, StatementImport
from calmness.models.trading import Platform, Trade, TradeKind, TradeSource, TradeStatus, TradingAccount
from calmness.services import delivery, live
from calmness.services.trading import broker_clocks, screenshots, sync, sync_trades, trade_totals
from calmness.services.trading.message_values import BrokerClock, clean, offset_at

SAMPLES = 3
SKIPPED_SHOWN = 200
TIMES_KEPT = 2_000
CHUNK = 1_000


class EmptyFile(DomainError):
    """Nothing was chosen."""

    slug = "statement-missing"
    message = _l("Choisissez le relevé enregistré depuis MetaTrader.")
    field = "statement"


class FileTooBig(DomainError):
    """Above 20 MB."""

    status = 413
    slug = "statement-too-big"
    message = _l("Ce relevé dépasse 20 Mo\u00a0: enregistrez-le sur une période plus courte.")
    field = "statement"


class WrongState(Conflict):
    """The import was confirmed, given up or undone meanwhile."""

    slug = "statement-state"
    message = _l("Cet import n’attend plus cette action. Rechargez la page pour voir où il en est.")


class UnknownClock(DomainError):
    """The clock is none of the list."""

    slug = "unknown-clock"
    message = _l("Choisissez l’heure du courtier dans la liste.")
    field = "broker_clock"


def receive(account: TradingAccount, file_name: str, content: bytes) -> StatementImport:
    """Keep a file and have it read. Raises ``EmptyFile``, ``FileTooBig``, ``UploadRefused``."""
    if not content:
        raise EmptyFile
    if len(content) > metatrader.MAX_BYTES:
        raise FileTooBig
    uploads.check(file_name, content, allowed=uploads.READABLE, most=metatrader.MAX_BYTES)
    key = f"statements/{secrets.token_hex(16)}"
    files.store().put(key, content)
    found = StatementImport(
        account_id=account.id,
        state=ImportState.RECEIVED,
        file_name=clean(file_name, 120) or "releve",
        file_key=key,
        file_size=len(content),
        report={},
        created_at=clock.now(),
    )
    db.session.add(found)
    db.session.flush()
    delivery.enqueue("trading.read_statement", f"statement-read:{found.id}", {"import_id": found.id}, lane=Lane.IMPORT)
    return found


def own(user_id: int, import_id: int) -> StatementImport:
    """A person's own import. Raises ``NotFound``."""
    found = db.session.scalar(
        select(StatementImport)
        .join(TradingAccount, TradingAccount.id == StatementImport.account_id)
        .where(TradingAccount.user_id == user_id, StatementImport.id == import_id)
    )
    if found is None:
        raise NotFound
    return found


def of_account(account_id: int) -> list[StatementImport]:
    """Imports of an account, newest first."""
    return list(
        db.session.scalars(
            select(StatementImport)
            .where(StatementImport.account_id == account_id)
            .order_by(StatementImport.id.desc())
            .limit(50)
        )
    )


def read(import_id: int) -> None:
    """Read the file and write down what a person must see before saying yes. Running it twice changes nothing."""
    found = _held(import_id)
    if found is None or found.state is not ImportState.RECEIVED:
        return
    account = found.account
    try:
        statement = metatrader.read(files.store().get(found.file_key))
        _check_account(account, statement)
    except Unreadable as error:
        _refuse(found, error.code)
    except FileNotFoundError:
        _refuse(found, "file_gone")
    else:
        times = [(entry["symbol"], entry["open_time"]) for entry in statement.entries if entry["symbol"]]
        times += [(entry["symbol"], entry["close_time"]) for entry in statement.entries if entry["close_time"]]
        found.report = _report(account, statement)
        found.broker_clock = _first_choice(account, times)
        found.state = ImportState.READ
        _tell(found)


def _check_account(account: TradingAccount, statement: Statement) -> None:
    if account.login is not None and account.login != statement.login:
        raise Unreadable("other_account")
    is_mt4 = statement.format is metatrader.Format.MT4_HTML
    if is_mt4 is not (account.platform is Platform.MT4):
        raise Unreadable("other_platform")
    if not statement.entries:
        raise Unreadable("no_trade")


def _report(account: TradingAccount, statement: Statement) -> dict[str, Any]:
    """What the preview shows, as JSON."""
    known = _known(account.id, [entry["ticket"] for entry in statement.entries])
    trades = sorted((entry for entry in statement.entries if entry["type"] < 2), key=lambda entry: entry["close_time"])
    step = max(len(trades) // SAMPLES, 1)
    computed = statement.computed()
    samples = trades[::step][: SAMPLES - 1] + trades[-1:] if len(trades) > SAMPLES else trades
    return {
        "format": statement.format.value,
        "login": statement.login,
        "currency": statement.currency,
        "truncated": statement.truncated,
        "trades": len(trades),
        "cash": len(statement.entries) - len(trades),
        "known": len(known),
        "first": trades[0]["close_time"] if trades else None,
        "last": trades[-1]["close_time"] if trades else None,
        "samples": samples,
        "skipped": [asdict(line) for line in statement.skipped[:SKIPPED_SHOWN]],
        "skipped_count": len(statement.skipped),
        "sums": [
            {"name": name, "reported": str(value), "computed": str(computed[name]), "equal": value == computed[name]}
            for name, value in sorted(statement.reported.items())
        ],
        "times": [
            [entry["symbol"], moment]
            for entry in trades[-TIMES_KEPT:]
            for moment in (entry["open_time"], entry["close_time"])
        ],
    }


def _first_choice(account: TradingAccount, times: list[tuple[str, int]]) -> str:
    """The clock to propose: the account's own where it is known, else what the week-ends of the file show."""
    if account.broker_clock or account.clock_evidence:
        return broker_clocks.choice_of(broker_clocks.of_account(account)) or broker_clocks.NEW_YORK_PLUS_7
    return broker_clocks.guessed(times[-TIMES_KEPT:])


def converted(found: StatementImport, choice: str) -> list[dict[str, Any]]:
    """The sample trades with their instants under a clock. Raises ``UnknownClock``."""
    broker_clock = _clock(choice)
    return [
        entry
        | {
            "opened_at": datetime.fromtimestamp(entry["open_time"] - offset_at(entry["open_time"], broker_clock), UTC),
            "closed_at": datetime.fromtimestamp(
                entry["close_time"] - offset_at(entry["close_time"], broker_clock), UTC
            ),
            "net": net(entry),
            # As the file writes them, for comparing by eye.
            "server_opened": f"{datetime.fromtimestamp(entry['open_time'], UTC):%Y.%m.%d %H:%M}",
            "server_closed": f"{datetime.fromtimestamp(entry['close_time'], UTC):%H:%M}",
        }
        for entry in found.report.get("samples", [])
    ]


def in_closed_market(found: StatementImport, choice: str) -> int:
    """How many times of the file fall into the week-end under a clock."""
    times = [(str(symbol), int(moment)) for symbol, moment in found.report.get("times", [])]
    return broker_clocks.closed_market(times, _clock(choice))


def confirm(found: StatementImport, choice: str) -> None:
    """Say yes: a job takes the file. The clock becomes the account's. Raises ``UnknownClock``, ``WrongState``."""
    _clock(choice)
    held = _held(found.id)
    if held is None or held.state is not ImportState.READ:
        raise WrongState
    held.state, held.broker_clock = ImportState.CONFIRMED, choice
    delivery.enqueue("trading.take_statement", f"statement-take:{held.id}", {"import_id": held.id}, lane=Lane.IMPORT)
    _tell(held)


def take(import_id: int) -> None:
    """Write all trades of a confirmed file in this transaction. Running it twice adds nothing."""
    found = _held(import_id)
    if found is None or found.state is not ImportState.CONFIRMED:
        return
    account, now = found.account, clock.now()
    try:
        statement = metatrader.read(files.store().get(found.file_key))
        _check_account(account, statement)
    except Unreadable as error:
        _refuse(found, error.code)
        return
    except FileNotFoundError:
        _refuse(found, "file_gone")
        return
    _bind(account, found, statement)
    if broker_clocks.of_account(account) != broker_clocks.clock_of(found.broker_clock):
        broker_clocks.correct(account, found.broker_clock)
    parsed = sync_trades.read(
        account.id,
        _in_broker_case(account.id, statement.entries),
        broker_clocks.of_account(account),
        now,
        TradeSource.IMPORT,
    )
    known = _known(account.id, list(parsed.rows))
    fresh = [row for ticket, row in parsed.rows.items() if ticket not in known]
    since = _name_cash(account.id, [row for ticket, row in parsed.rows.items() if ticket in known])
    chunks = (fresh[start : start + CHUNK] for start in range(0, len(fresh), CHUNK))
    written = [sync_trades.write(account.id, {row.ticket: row for row in chunk}, now) for chunk in chunks]
    account.history_stamp = trade_totals.new_stamp()
    db.session.execute(
        update(Trade)
        .where(Trade.account_id == account.id, Trade.source == TradeSource.IMPORT, Trade.import_id.is_(None))
        .values(import_id=found.id),
        execution_options={"synchronize_session": False},
    )
    refused = [{"line": 0, "ticket": line["ticket"], "reason": "bad_value"} for line in parsed.rejected]
    found.report = found.report | {
        "times": [],
        "skipped": [*found.report["skipped"], *refused][:SKIPPED_SHOWN],
        "skipped_count": found.report["skipped_count"] + len(refused),
    }
    found.state, found.imported_at = ImportState.IMPORTED, now
    files.delete_after_commit(found.file_key)
    found.trades_added, found.trades_known = len(fresh), len(known)
    spans = [(since, None), *((part.since, part.until) for part in written)]
    for first, last in spans:
        if first is not None:
            sync.mark_dirty(account, first, last)
    _tell(found)


def undo(found: StatementImport) -> int:
    """Take an import back: its trades go, those that an EA has sent since stay. Gives how many went."""
    held = _held(found.id)
    if held is None or held.state is not ImportState.IMPORTED:
        raise WrongState
    mine = (Trade.import_id == held.id, Trade.source == TradeSource.IMPORT)
    since = db.session.scalar(select(func.min(Trade.closed_at)).where(*mine))
    gone = db.session.scalar(select(func.count()).select_from(Trade).where(*mine)) or 0
    screenshots.forget_files(*mine)
    db.session.execute(delete(Trade).where(*mine), execution_options={"synchronize_session": False})
    account = held.account
    trade_totals.touch(account.id)
    if held.bound_login and account.last_sync_at is None:
        account.login = None
    held.state, held.undone_at = ImportState.UNDONE, clock.now()
    if since is not None:
        sync.mark_dirty(account, since, None)
    _tell(held)
    return gone


def give_up(found: StatementImport) -> None:
    """Throw a file away that was not taken. Raises ``WrongState``."""
    held = _held(found.id)
    if held is None or held.state in {ImportState.CONFIRMED, ImportState.IMPORTED, ImportState.UNDONE}:
        raise WrongState
    files.delete_after_commit(held.file_key)
    db.session.delete(held)


def written_about(found: StatementImport) -> int:
    """How many trades of an import carry a note or a tag: an undo would take those too."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(TradeJournal)
            .join(Trade, Trade.id == TradeJournal.trade_id)
            .where(Trade.import_id == found.id, Trade.source == TradeSource.IMPORT)
        )
        or 0
    )


def _held(import_id: int) -> StatementImport | None:
    """The import with its account held until the transaction ends, so that no batch of an EA comes between."""
    account_id = db.session.scalar(select(StatementImport.account_id).where(StatementImport.id == import_id))
    if account_id is None:
        return None
    db.session.execute(select(TradingAccount).where(TradingAccount.id == account_id).with_for_update())
    return db.session.scalar(
        select(StatementImport).where(StatementImport.id == import_id).execution_options(populate_existing=True)
    )


def _refuse(found: StatementImport, reason: str) -> None:
    found.state, found.reason = ImportState.REFUSED, reason
    files.delete_after_commit(found.file_key)
    _tell(found)


def _bind(account: TradingAccount, found: StatementImport, statement: Statement) -> None:
    if account.login is None:
        account.login, found.bound_login = statement.login, True
        account.currency = statement.currency or account.currency


def _known(account_id: int, tickets: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(tickets), CHUNK):
        part = tickets[start : start + CHUNK]
        known |= set(
            db.session.scalars(
                select(Trade.ticket).where(Trade.account_id == account_id, among(db.session(), Trade.ticket, part))
            )
        )
    return known


def _name_cash(account_id: int, rows: list[sync_trades.TradeRow]) -> datetime | None:
    """Say of cash that EA 1.00 could not name whether it was a deposit or a credit. Gives the earliest one's instant.

    It stays the EA's row: an undo of the import leaves it, and what the statement said of it stays true.
    """
    named = {row.ticket: row for row in rows if row.status == TradeStatus.CASH.value}
    unknown = select(Trade).where(Trade.account_id == account_id, Trade.kind == TradeKind.CASH_UNKNOWN)
    moments = []
    for trade in db.session.scalars(unknown):
        row = named.get(trade.ticket)
        if row is not None:
            trade.kind, trade.comment = TradeKind(row.kind), row.comment or trade.comment
            moments.append(trade.closed_at or trade.opened_at)
    return min(moments, default=None)


def _in_broker_case(account_id: int, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with symbols as the EA writes them: MetaTrader 4's statements have them in small letters."""
    written = db.session.scalars(select(Trade.symbol).where(Trade.account_id == account_id).distinct())
    by_folded = {symbol.casefold(): symbol for symbol in written}
    return [
        entry | {"symbol": by_folded.get(entry["symbol"].casefold()) or _in_capitals(entry["symbol"])}
        for entry in entries
    ]


def _in_capitals(symbol: str) -> str:
    """``eurusdm`` as brokers write it: EURUSDm. What holds a capital already stays."""
    if symbol != symbol.lower():
        return symbol
    return symbol[:6].upper() + symbol[6:] if symbol[:6].isalpha() else symbol.upper()


def _clock(choice: str) -> BrokerClock:
    try:
        return broker_clocks.clock_of(choice)
    except ValueError as error:
        raise UnknownClock from error


def _tell(found: StatementImport) -> None:
    user_id = found.account.user_id
    live.emit_after_commit("account:updated", {"account_id": found.account_id}, room=f"user:{user_id}")
