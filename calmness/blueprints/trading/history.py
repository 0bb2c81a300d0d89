"""History with filters, detail, export."""

from collections.abc import Iterable
from datetime import date

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.trading import Trade
from calmness.permissions import Permission
from calmness.presentation import local
from calmness.services import trade_history, trading_accounts
from calmness.services.preferences import Feature
from calmness.services.trade_history import Filter
from calmness.spreadsheets import Cell, csv_lines, xlsx

PAGE = 50


@bp.get("/historique")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def history() -> ResponseReturnValue:
    """One's own trades."""
    user, wanted = current_account(), filter_of_request()
    page = max(1, request.args.get("page", 1, type=int))
    found = trade_history.search(user, wanted, limit=PAGE, offset=(page - 1) * PAGE)
    accounts = {account.id: account for account in trading_accounts.of_user(user.id)}
    return render_template(
        "trading/history.html",
        found=found,
        wanted=wanted,
        page=page,
        size=PAGE,
        accounts=accounts,
        symbols=trade_history.symbols_of(user.id),
        query={key: value for key, value in request.args.items() if key != "page" and value},
    )


@bp.get("/historique/<int:trade_id>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def trade(trade_id: int) -> ResponseReturnValue:
    """One trade with what was written about it."""
    found = trade_history.own(current_account().id, trade_id)
    return render_template("trading/trade.html", trade=found, journal=trade_history.journal_of(found.id))


@bp.post("/historique/<int:trade_id>/note")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_note(trade_id: int) -> ResponseReturnValue:
    """Save note and tags."""
    tags = request.form.get("tags", "").split(",")
    trade_history.write_note(current_account().id, trade_id, request.form.get("note", ""), tags)
    db.session.commit()
    flash(_("Votre note est enregistrée."), "success")
    return redirect(url_for("trading.trade", trade_id=trade_id))


@bp.get("/historique.<extension>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def export(extension: str) -> ResponseReturnValue:
    """The filter's trades as a spreadsheet."""
    rows = _rows(trade_history.every(current_account(), filter_of_request()))
    heads = [
        _("Ticket"),
        _("Symbole"),
        _("Sens"),
        _("Lots"),
        _("Ouvert le"),
        _("Clos le"),
        _("Ouverture"),
        _("Clôture"),
        _("Frais"),
        _("Résultat net"),
        _("Commentaire"),
    ]
    if extension == "xlsx":
        content = xlsx(heads, rows, _("Historique"))
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(
            content, mimetype=kind, headers={"Content-Disposition": 'attachment; filename="historique.xlsx"'}
        )
    body = "".join(csv_lines(heads, rows))
    return Response(body, mimetype="text/csv", headers={"Content-Disposition": 'attachment; filename="historique.csv"'})


def filter_of_request() -> Filter:
    """The filter in the address; what cannot be read is left out."""
    args = request.args
    return Filter(
        account_id=args.get("account", type=int),
        status=args.get("status", ""),
        result=args.get("result", ""),
        symbol=args.get("symbol", ""),
        direction=args.get("direction", ""),
        text=args.get("search", "").strip(),
        start=_day(args.get("from", "")),
        end=_day(args.get("to", "")),
        sort=args.get("sort", "closed"),
        descending=args.get("order", "desc") != "asc",
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _rows(trades: Iterable[Trade]) -> list[list[Cell]]:
    return [
        [
            trade.ticket,
            trade.symbol,
            trade.kind.value,
            trade.volume,
            local(trade.opened_at),
            local(trade.closed_at) if trade.closed_at else None,
            trade.open_price,
            trade.close_price,
            trade.swap + trade.commission + trade.taxes,
            trade.net,
            trade.comment,
        ]
        for trade in trades
    ]
