"""History: filters, columns, pages, exports."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.blueprints.trading.words import column_in_words, kind_in_words, session_in_words
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.locale import zone
from calmness.models.account import User
from calmness.models.journal import TradeJournal
from calmness.models.trading import MarketSession, Trade, TradeKind
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import journals, trade_columns, trade_history, trade_pages, trading_accounts
from calmness.services.trading.market_sessions import session_of
from calmness.services.trading.message_values import clean
from calmness.services.trading.trade_history import Filter
from calmness.services.trading.trade_pages import Place
from calmness.services.trading.trade_plans import result_in_r, side_of
from calmness.spreadsheets import Cell, csv_lines, xlsx_stream

PAGE = 50
PLACES = ("after", "before", "last")
NUMERIC = frozenset({"volume", "open_price", "close_price", "stop", "target", "profit", "fees", "net", "multiple"})
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/historique")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def history() -> ResponseReturnValue:
    """One's own trades."""
    user, wanted = current_account(), filter_of_request()
    found = trade_history.search(user, wanted, size=PAGE)
    accounts = {account.id: account for account in trading_accounts.of_user(user.id)}
    query: dict[str, Any] = {key: value for key, value in request.args.items() if key not in PLACES and value}
    chosen = trade_columns.chosen(user.id)
    sessions = {session: session_in_words(session) for session in MarketSession}
    return render_template(
        "trading/history.html",
        found=found,
        wanted=wanted,
        accounts=accounts,
        symbols=[(name, name) for name in trade_history.symbols_of(user.id)],
        tags=[(name, name) for name in journals.tags_of(user.id)],
        mistakes=[(name, name) for name in journals.mistakes_of(user.id)],
        sessions=[(session.value, word) for session, word in sessions.items()],
        rows=_lines(found.rows, journals.of_trades(user.id, [trade.id for trade in found.rows]), sessions),
        columns=[(name, column_in_words(name)) for name in chosen],
        all_columns=[(name, column_in_words(name), name in chosen) for name in trade_columns.COLUMNS],
        sorts=trade_pages.SORTS,
        numeric=NUMERIC,
        query=query,
        pages=_pages(found, query),
    )


@bp.post("/historique/colonnes")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_columns() -> ResponseReturnValue:
    """Keep which columns to show; the filter stays."""
    trade_columns.choose(current_account().id, request.form.getlist("column"))
    db.session.commit()
    flash(_("Vos colonnes sont enregistrées."), "success")
    query: dict[str, Any] = {key: value for key, value in request.args.items() if value}
    return redirect(url_for("trading.history", **query))


@bp.get("/historique.<any(csv, xlsx):extension>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def export(extension: str) -> ResponseReturnValue:
    """The filter's trades as a spreadsheet, all of them, as they are read."""
    return spreadsheet(current_account(), filter_of_request(), extension)


def spreadsheet(user: User, wanted: Filter, extension: str) -> Response:
    """All of a person's trades under a filter as CSV or XLSX."""
    accounts = {account.id: (account.name, account.currency) for account in trading_accounts.of_user(user.id)}
    rows = _rows(trade_history.every(user, wanted), accounts)
    heads = [
        _("Ticket"),
        _("Compte"),
        _("Symbole"),
        _("Sens"),
        _("Lots"),
        _("Ouvert le"),
        _("Clos le"),
        _("Ouverture"),
        _("Clôture"),
        _("Frais"),
        _("Résultat net"),
        _("Devise"),
        _("R"),
        _("Session"),
        _("Étiquettes"),
        _("Erreurs"),
        _("Note"),
        _("Commentaire"),
    ]
    pieces: Iterator[str] | Iterator[bytes]
    if extension == "xlsx":
        pieces, kind = xlsx_stream(heads, rows, _("Historique")), EXCEL
    else:
        pieces, kind = _in_pieces(csv_lines(heads, rows)), "text/csv"
    return Response(
        pieces,
        mimetype=kind,
        headers={"Content-Disposition": f'attachment; filename="historique.{extension}"'},
    )


def filter_of_request() -> Filter:
    """The filter in the address; what cannot be read is left out."""
    args = request.args
    sort = args.get("sort", "closed")
    wanted = Filter(
        account_id=_row_number(args.get("account", "")),
        status=args.get("status", ""),
        result=args.get("result", ""),
        symbol=args.get("symbol", ""),
        direction=args.get("direction", ""),
        session=args.get("session", ""),
        tag=args.get("tag", ""),
        mistake=args.get("mistake", ""),
        text=args.get("search", ""),
        start=_day(args.get("from", "")),
        end=_day(args.get("to", "")),
        sort=sort if sort in trade_pages.SORTS else "closed",
        descending=args.get("order", "desc") != "asc",
        is_last="last" in args,
    )
    return replace(wanted, place=_place(wanted.sort))


@dataclass(frozen=True)
class Line:
    """A trade as the page shows it."""

    trade: Trade
    journal: TradeJournal | None
    multiple: Decimal | None
    session: str


def _lines(trades: list[Trade], written: dict[int, TradeJournal], sessions: dict[MarketSession, str]) -> list[Line]:
    lines = []
    for trade in trades:
        journal = written.get(trade.id)
        multiple = result_in_r(trade, journal.planned_stop if journal else None)
        lines.append(Line(trade, journal, multiple, sessions[session_of(trade.opened_at)] if side_of(trade) else ""))
    return lines


def _place(sort: str) -> Place | None:
    for name in ("after", "before"):
        if name in request.args:
            return trade_pages.read_place(sort, clean(request.args[name], 100), backwards=name == "before")
    return None


def _pages(found: trade_history.Page, query: dict[str, Any]) -> dict[str, str]:
    """Addresses of the first, previous, following and last page; only those that lead elsewhere."""
    pages: dict[str, str] = {}
    if found.previous:
        pages["first"] = url_for("trading.history", **query)
        pages["previous"] = url_for("trading.history", **query, before=trade_pages.write_place(found.previous))
    if found.following:
        pages["following"] = url_for("trading.history", **query, after=trade_pages.write_place(found.following))
        pages["last"] = url_for("trading.history", **query, last="1")
    return pages


def _row_number(text: str) -> int | None:
    """A row's number that the database can hold, else None."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # At the ends of the calendar midnight of Paris has no instant in UTC.
    return day if 1970 <= day.year < 2200 else None


def _in_pieces(lines: Iterator[str], size: int = 500) -> Iterator[str]:
    """Lines put together: a packet a line would cost more than the lines."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) == size:
            yield "".join(held)
            held.clear()
    yield "".join(held)


def _rows(
    found: Iterator[tuple[Trade, TradeJournal | None]], accounts: dict[int, tuple[str, str]]
) -> Iterator[list[Cell]]:
    """Rows of an export. They are made after the request: words and zone are taken along."""
    kinds = {kind: kind_in_words(kind) for kind in TradeKind}
    sessions = {session: session_in_words(session) for session in MarketSession}
    return _cells(found, accounts, kinds, sessions, zone())


def _cells(
    found: Iterator[tuple[Trade, TradeJournal | None]],
    accounts: dict[int, tuple[str, str]],
    kinds: dict[TradeKind, str],
    sessions: dict[MarketSession, str],
    home: ZoneInfo,
) -> Iterator[list[Cell]]:
    for trade, journal in found:
        name, currency = accounts[trade.account_id]
        yield [
            trade.ticket,
            name,
            trade.symbol,
            kinds[trade.kind],
            trade.volume,
            trade.opened_at.astimezone(home),
            trade.closed_at.astimezone(home) if trade.closed_at else None,
            trade.open_price,
            trade.close_price,
            trade.swap + trade.commission + trade.taxes,
            trade.net,
            currency,
            result_in_r(trade, journal.planned_stop if journal else None),
            sessions[session_of(trade.opened_at)] if side_of(trade) else "",
            ", ".join(journal.tags) if journal else "",
            ", ".join(journal.mistakes) if journal else "",
            journal.note if journal else "",
            trade.comment,
        ]
