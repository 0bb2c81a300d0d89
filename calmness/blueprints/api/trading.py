"""MetaTrader: accounts and their keys, trades, figures."""

from dataclasses import replace
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Exact, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID, KeyPlace, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.blueprints.trading.history import spreadsheet
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.trading import CashKind, MarketSession, Platform, Trade, TradeStatus, TradingAccount
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import (
    cash_movements,
    trade_columns,
    trade_history,
    trade_pages,
    trading_accounts,
)
from calmness.services.trading.trade_history import Filter


class AccountIn(ClosedSchema):
    """A new account."""

    name = String(required=True, validate=[Length(min=1, max=80), Regexp(r"[\s\S]*\S")])
    platform = String(required=True, validate=OneOf([platform.value for platform in Platform]))
    currency = String(required=True, validate=Regexp(r"^[A-Za-z]{3}$"))


class AccountOut(Schema):
    """An account at a broker, as its EA last saw it. ``opening_balance``: what it held before its first known row,
    where no deposit says so (broker's balance less all that is known); returns rest on it. Zero when not needed.
    """

    id = Integer(required=True)
    name = String(required=True)
    platform = String(required=True)
    currency = String(required=True)
    login = String(required=True, allow_none=True)
    server = String(required=True, allow_none=True)
    broker = String(required=True, allow_none=True)
    balance = Exact(required=True, allow_none=True)
    opening_balance = Exact(required=True)
    equity = Exact(required=True, allow_none=True)
    created_at = Instant(required=True)
    last_sync_at = Instant(required=True, allow_none=True)


class AccountsOut(Schema):
    """One's own accounts."""

    items = List(Nested(AccountOut), required=True)
    next = String(required=True, allow_none=True)


class NewAccountOut(AccountOut):
    """A new account with its key, shown this once."""

    api_key = String(required=True)


class KeyOut(Schema):
    """A new key, shown this once; the old ones end in a day."""

    api_key = String(required=True)


class TradesFilterIn(ClosedSchema):
    """Which trades; days are of the owner's time zone, both included."""

    account = Integer(validate=Range(min=1, max=MAX_ID))
    status = String(validate=OneOf([status.value for status in TradeStatus]))
    result = String(validate=OneOf(["win", "loss"]))
    symbol = String(validate=Length(max=32))
    direction = String(validate=OneOf(["buy", "sell"]))
    session = String(validate=OneOf([session.value for session in MarketSession]))
    tag = String(validate=Length(max=100))
    mistake = String(validate=Length(max=100))
    from_ = Day(data_key="from")
    to = Day()
    search = String(validate=Length(max=100))


class TradesIn(PlaceIn, TradesFilterIn):
    """A page of the trades under a filter."""


class ExportIn(TradesFilterIn):
    """The trades under a filter, as which kind of file."""

    format = String(load_default="csv", validate=OneOf(["csv", "xlsx"]))


class TradeOut(Schema):
    """A trade as the broker gives it: prices and results are exact texts in the account's currency."""

    id = Integer(required=True)
    account_id = Integer(required=True)
    ticket = String(required=True)
    kind = String(required=True)
    status = String(required=True)
    symbol = String(required=True)
    volume = Exact(required=True)
    open_price = Exact(required=True, allow_none=True)
    close_price = Exact(required=True, allow_none=True)
    stop_loss = Exact(required=True, allow_none=True)
    take_profit = Exact(required=True, allow_none=True)
    profit = Exact(required=True)
    swap = Exact(required=True)
    commission = Exact(required=True)
    taxes = Exact(required=True)
    net = Exact(required=True)
    opened_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    cash_kind = String(required=True, allow_none=True)
    comment = String(required=True)
    suspect = Boolean(required=True)


class CashKindIn(ClosedSchema):
    """What a cash row is. Fee, correction, interest and dividend are part of the result, credit of nothing; null
    leaves it to the broker's kind and sign.
    """

    kind = String(required=True, allow_none=True, validate=OneOf([kind.value for kind in CashKind]))


class CashChoicesOut(Schema):
    """What the caller said of a cash row, what the figures take it for, what the broker's words suggest, and what
    may be said of it.
    """

    kind = String(required=True, allow_none=True)
    counted_as = String(required=True)
    guess = String(required=True)
    choices = List(String(), required=True)


class ColumnsIn(ClosedSchema):
    """Columns of the history; none is the usual choice. The ticket always stands first."""

    columns = List(String(validate=OneOf(trade_columns.COLUMNS)), required=True)


class ColumnsOut(Schema):
    """The columns chosen, in their order, and those to choose from."""

    columns = List(String(), required=True)
    choices = List(String(), required=True)


class TradesOut(Schema):
    """Trades, last closed first, open ones before."""

    items = List(Nested(TradeOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/me/trading/accounts")
@bp.output(AccountsOut)
@requires(Permission.OWN_SPACE)
def api_trading_accounts() -> ResponseReturnValue:
    """One's own accounts."""
    return {"items": [account_of(row) for row in trading_accounts.of_user(current_account().id)], "next": None}


@bp.post("/me/trading/accounts")
@once
@bp.input(AccountIn, arg_name="given")
@bp.output(NewAccountOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_new_trading_account(given: dict[str, Any]) -> ResponseReturnValue:
    """Add an account; the answer holds its EA's key, this once."""
    account, key = trading_accounts.add(
        current_account(), given["name"], Platform(given["platform"]), given["currency"]
    )
    return {**account_of(account), "api_key": key}


@bp.post("/me/trading/accounts/<int:account_id>/rotate-key")
@once
@bp.output(KeyOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_rotate_trading_key(account_id: int) -> ResponseReturnValue:
    """A new key for the EA; the old one lives for a day."""
    return {"api_key": trading_accounts.rotate(trading_accounts.own(current_account().id, account_id))}


@bp.get("/me/trading/trades")
@bp.input(TradesIn, location="query", arg_name="page")
@bp.output(TradesOut)
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def api_trades(page: dict[str, Any]) -> ResponseReturnValue:
    """One's own trades under a filter."""
    user = current_account()
    place = KeyPlace.at(page, f"trades:{user.id}")
    wanted = replace(_filter(page), place=trade_pages.read_place("closed", place.after, backwards=False))
    found = trade_history.following(user, wanted, size=page["limit"])
    after = trade_pages.write_place(found.following) if found.following else None
    return {"items": [trade_of(row) for row in found.rows], "next": place.next(after)}


@bp.get("/me/trading/trades/export")
@requires_feature(Feature.HISTORY)
@bp.input(ExportIn, location="query", arg_name="wanted")
@requires(Permission.OWN_SPACE)
def api_trades_export(wanted: dict[str, Any]) -> ResponseReturnValue:
    """All of one's own trades under a filter as a spreadsheet, with what was written about them."""
    return spreadsheet(current_account(), _filter(wanted), wanted["format"])


@bp.get("/me/trading/trades/<int:trade_id>/cash-kind")
@bp.output(CashChoicesOut)
@requires(Permission.OWN_SPACE)
def api_cash_choices(trade_id: int) -> ResponseReturnValue:
    """What one's own cash row is, and what it may be said to be."""
    trade = cash_movements.own(current_account().id, trade_id)
    return {
        "kind": trade.cash_kind.value if trade.cash_kind else None,
        "counted_as": cash_movements.kind_of(trade).value,
        "guess": cash_movements.guess(trade).value,
        "choices": [kind.value for kind in cash_movements.kinds_for(trade)],
    }


@bp.put("/me/trading/trades/<int:trade_id>/cash-kind")
@bp.input(CashKindIn, arg_name="given")
@bp.output(TradeOut)
@requires(Permission.OWN_SPACE)
def api_cash_kind(trade_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say what one's own cash row is; the figures follow, and no sync takes it away."""
    trade, kind = cash_movements.own(current_account().id, trade_id), given["kind"]
    cash_movements.correct(trade, CashKind(kind) if kind else None)
    db.session.commit()
    return trade_of(trade)


@bp.get("/me/trading/columns")
@requires_feature(Feature.HISTORY)
@bp.output(ColumnsOut)
@requires(Permission.OWN_SPACE)
def api_columns() -> ResponseReturnValue:
    """Columns that the history shows."""
    return _columns()


@bp.put("/me/trading/columns")
@requires_feature(Feature.HISTORY)
@bp.input(ColumnsIn, arg_name="given")
@bp.output(ColumnsOut)
@requires(Permission.OWN_SPACE)
def api_choose_columns(given: dict[str, Any]) -> ResponseReturnValue:
    """Choose the columns of the history."""
    trade_columns.choose(current_account().id, given["columns"])
    db.session.commit()
    return _columns()


def _columns() -> dict[str, Any]:
    return {"columns": list(trade_columns.chosen(current_account().id)), "choices": list(trade_columns.COLUMNS)}


def _filter(given: dict[str, Any]) -> Filter:
    return Filter(
        account_id=given.get("account"),
        status=given.get("status", ""),
        result=given.get("result", ""),
        symbol=given.get("symbol", ""),
        direction=given.get("direction", ""),
        session=given.get("session", ""),
        tag=given.get("tag", ""),
        mistake=given.get("mistake", ""),
        text=given.get("search", ""),
        start=given.get("from_"),
        end=given.get("to"),
    )


def account_of(account: TradingAccount) -> dict[str, Any]:
    """An account as the API writes it."""
    same = ("id", "name", "currency", "login", "server", "broker")
    return {name: getattr(account, name) for name in same} | {
        "platform": account.platform.value,
        "balance": decimal(account.balance),
        "opening_balance": decimal(account.opening_balance),
        "equity": decimal(account.equity),
        "created_at": instant(account.created_at),
        "last_sync_at": instant(account.last_sync_at),
    }


def trade_of(trade: Trade) -> dict[str, Any]:
    """A trade as the API writes it."""
    exact = (
        *("volume", "open_price", "close_price", "stop_loss", "take_profit"),
        *("profit", "swap", "commission", "taxes", "net"),
    )
    same = ("id", "account_id", "ticket", "symbol", "comment", "suspect")
    return (
        {name: getattr(trade, name) for name in same}
        | {name: decimal(getattr(trade, name)) for name in exact}
        | {
            "kind": trade.kind.value,
            "cash_kind": trade.cash_kind.value if trade.cash_kind else None,
            "status": trade.status.value,
            "opened_at": instant(trade.opened_at),
            "closed_at": instant(trade.closed_at),
        }
    )
