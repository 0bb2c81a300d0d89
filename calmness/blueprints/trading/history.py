"""History with filters, detail, export."""

from collections.abc import Iterable
from datetime import date

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.trading import Trade, TradeKind
from calmness.permissions import Permission
from calmness.presentation import local
from calmness.services import trade_history, trading_accounts
from calmness.services.preferences import Feature
from calmness.services.sync_trades import clean
from calmness.services.trade_history import Filter
from calmness.spreadsheets import Cell, csv_lines, xlsx

PAGE = 50


class NoteForm(FlaskForm):
    """What a person writes about a trade."""

    note = TextAreaField(_l("Note"))
    tags = StringField(_l("Étiquettes"))


@bp.get("/historique")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def history() -> ResponseReturnValue:
    """One's own trades."""
    user, wanted = current_account(), filter_of_request()
    found = trade_history.search(user, wanted, size=PAGE, page=request.args.get("page", 1, type=int))
    accounts = {account.id: account for account in trading_accounts.of_user(user.id)}
    return render_template(
        "trading/history.html",
        found=found,
        wanted=wanted,
        page=found.number,
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
    journal = trade_history.journal_of(found.id)
    written = {"note": journal.note, "tags": ", ".join(journal.tags)} if journal else {}
    return _trade_page(found, NoteForm(formdata=None, data=written))


@bp.post("/historique/<int:trade_id>/note")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def create_note(trade_id: int) -> ResponseReturnValue:
    """Save note and tags; what was typed stays when it is refused."""
    found, form = trade_history.own(current_account().id, trade_id), NoteForm()
    try:
        trade_history.write_note(current_account().id, trade_id, form.note.data or "", form.tags.data or "")
    except (trade_history.NoteTooLong, trade_history.TooManyTags) as error:
        form[error.field].errors = [error.message]
        return _trade_page(found, form), 422
    db.session.commit()
    flash(_("Votre note est enregistrée."), "success")
    return redirect(url_for("trading.trade", trade_id=trade_id))


@bp.get("/historique.<any(csv, xlsx):extension>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def export(extension: str) -> ResponseReturnValue:
    """The filter's trades as a spreadsheet."""
    user = current_account()
    currencies = {account.id: account.currency for account in trading_accounts.of_user(user.id)}
    rows = _rows(trade_history.every(user, filter_of_request()), currencies)
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
        _("Devise"),
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


def kind_in_words(kind: TradeKind) -> str:
    """``Achat``, ``Vente limite``, ``Dépôt ou retrait``."""
    words = {
        TradeKind.BUY: _("Achat"),
        TradeKind.SELL: _("Vente"),
        TradeKind.BUY_LIMIT: _("Achat limite"),
        TradeKind.SELL_LIMIT: _("Vente limite"),
        TradeKind.BUY_STOP: _("Achat stop"),
        TradeKind.SELL_STOP: _("Vente stop"),
        TradeKind.CREDIT: _("Crédit du courtier"),
    }
    return str(words.get(kind, _("Dépôt ou retrait")))


def filter_of_request() -> Filter:
    """The filter in the address; what cannot be read is left out."""
    args = request.args
    return Filter(
        account_id=_row_number(args.get("account", "")),
        status=args.get("status", ""),
        result=args.get("result", ""),
        symbol=clean(args.get("symbol", ""), 32),
        direction=args.get("direction", ""),
        text=clean(args.get("search", ""), 100).strip(),
        start=_day(args.get("from", "")),
        end=_day(args.get("to", "")),
        sort=args.get("sort", "closed"),
        descending=args.get("order", "desc") != "asc",
    )


def _trade_page(found: Trade, form: NoteForm) -> str:
    account = trading_accounts.own(current_account().id, found.account_id)
    return render_template(
        "trading/trade.html",
        trade=found,
        form=form,
        kind=kind_in_words(found.kind),
        account=account,
        currency=account.currency,
    )


def _row_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # At the ends of the calendar midnight of Paris has no instant in UTC.
    return day if 1970 <= day.year < 2200 else None


def _rows(trades: Iterable[Trade], currencies: dict[int, str]) -> list[list[Cell]]:
    return [
        [
            trade.ticket,
            trade.symbol,
            kind_in_words(trade.kind),
            trade.volume,
            local(trade.opened_at),
            local(trade.closed_at) if trade.closed_at else None,
            trade.open_price,
            trade.close_price,
            trade.swap + trade.commission + trade.taxes,
            trade.net,
            currencies[trade.account_id],
            trade.comment,
        ]
        for trade in trades
    ]
