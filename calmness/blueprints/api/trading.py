"""MetaTrader: accounts and their keys, trades, figures."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Exact, Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID, KeyPlace, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.trading import CashKind, MarketSession, Platform, Trade, TradeStatus, TradingAccount
from calmness.models.types import SCALE
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import (
    cash_movements,
    converted_report,
    exchange_rates,
    trade_history,
    trade_pages,
    trading_accounts,
    trading_breakdowns,
    trading_overview,
    trading_report,
)
from calmness.services.trading.converted_report import Converter
from calmness.services.trading.message_values import clean
from calmness.services.trading.trade_history import Filter
from calmness.services.trading.trading_breakdowns import Group
from calmness.services.trading.trading_overview import Overview
from calmness.services.trading.trading_report import Report, Scope

PERIODS = {"30d": 30, "90d": 90, "year": 365, "all": 36_500}


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


class TradesIn(PlaceIn):
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


class TradesOut(Schema):
    """Trades, last closed first, open ones before."""

    items = List(Nested(TradeOut), required=True)
    next = String(required=True, allow_none=True)


class StatisticsIn(ClosedSchema):
    """Over which days, and in which currency. Accounts of several currencies are never added up, but with ``convert``:
    then all accounts count, in the currency of one's totals, each amount at the reference rate of its day.
    """

    period = String(load_default="year", validate=OneOf(list(PERIODS)))
    currency = String(validate=Length(max=3))
    convert = Boolean(load_default=False)


class SymbolOut(Schema):
    """Results of a symbol."""

    symbol = String(required=True)
    trades = Integer(required=True)
    wins = Integer(required=True)
    net = Exact(required=True)
    pips = Exact(required=True, allow_none=True)


class PointOut(Schema):
    """Balance at the end of a day."""

    day = Date(required=True)
    balance = Exact(required=True)


class StatisticsOut(Schema):
    """Figures over closed positions; None where there is nothing to say. ``exits`` and ``net`` count every exit."""

    period = String(required=True)
    currency = String(required=True, allow_none=True)
    currencies = List(String(), required=True)
    exits = Integer(required=True)
    trades = Integer(required=True)
    wins = Integer(required=True)
    losses = Integer(required=True)
    breakeven = Integer(required=True)
    net = Exact(required=True)
    win_rate = Exact(required=True, allow_none=True)
    profit_factor = Exact(required=True, allow_none=True)
    expectancy = Exact(required=True, allow_none=True)
    max_drawdown = Exact(required=True)
    max_drawdown_ratio = Float(required=True, allow_none=True)
    time_weighted_return = Float(required=True, allow_none=True)
    sharpe = Float(required=True, allow_none=True)
    sortino = Float(required=True, allow_none=True)
    calmar = Float(required=True, allow_none=True)
    recovery_factor = Exact(required=True, allow_none=True)
    median_holding_seconds = Integer(required=True, allow_none=True)
    mean_r = Exact(required=True, allow_none=True)
    trades_with_r = Integer(required=True)
    forex_pips = Exact(required=True, allow_none=True)
    winning_streak = Integer(required=True)
    losing_streak = Integer(required=True)
    symbols = List(Nested(SymbolOut), required=True)
    curve = List(Nested(PointOut), required=True)
    missing_rates = List(String(), required=True)


@bp.get("/me/trading/accounts")
@bp.output(AccountsOut)
@requires(Permission.OWN_SPACE)
def api_trading_accounts() -> ResponseReturnValue:
    """One's own accounts."""
    return {"items": [_account(row) for row in trading_accounts.of_user(current_account().id)], "next": None}


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
    return {**_account(account), "api_key": key}


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
    wanted = Filter(
        account_id=page.get("account"),
        status=page.get("status", ""),
        result=page.get("result", ""),
        symbol=clean(page.get("symbol", ""), 32),
        direction=page.get("direction", ""),
        session=page.get("session", ""),
        tag=clean(page.get("tag", ""), 100).strip(),
        mistake=clean(page.get("mistake", ""), 100).strip(),
        text=clean(page.get("search", ""), 100).strip(),
        start=page.get("from_"),
        end=page.get("to"),
        place=trade_pages.read_place("closed", place.after, backwards=False),
    )
    found = trade_history.following(user, wanted, size=page["limit"])
    after = trade_pages.write_place(found.following) if found.following else None
    return {"items": [_trade(row) for row in found.rows], "next": place.next(after)}


@bp.put("/me/trading/trades/<int:trade_id>/cash-kind")
@bp.input(CashKindIn, arg_name="given")
@bp.output(TradeOut)
@requires(Permission.OWN_SPACE)
def api_cash_kind(trade_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say what one's own cash row is; the figures follow, and no sync takes it away."""
    trade, kind = cash_movements.own(current_account().id, trade_id), given["kind"]
    cash_movements.correct(trade, CashKind(kind) if kind else None)
    db.session.commit()
    return _trade(trade)


@bp.get("/me/trading/statistics")
@bp.input(StatisticsIn, location="query", arg_name="wanted")
@bp.output(StatisticsOut)
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def api_trading_statistics(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Figures of the accounts of one currency, by default the one that most accounts have."""
    user, days = current_account(), PERIODS[wanted["period"]]
    view = trading_overview.overview(user, days, wanted.get("currency", "").upper())
    accounts = trading_accounts.of_user(user.id) if wanted["convert"] else view.accounts if view else []
    start = view.today - timedelta(days=days) if view and days < 10_000 else None
    scope = Scope(tuple(account.id for account in accounts), user.time_zone, start)
    to = None
    if wanted["convert"]:
        to = converted_report.converter(
            scope, exchange_rates.currency_of(user.id), {account.id: account.currency for account in accounts}
        )
    found = converted_report.report(to) if to else trading_report.report(scope)
    figures, ratios, spread = found.figures, found.ratios, found.spread
    return {
        "period": wanted["period"],
        "currency": to.currency if to else view.currency if view else None,
        "currencies": view.currencies if view else [],
        "exits": figures.exits,
        "trades": figures.trades,
        "wins": figures.wins,
        "losses": figures.losses,
        "breakeven": figures.breakeven,
        "net": decimal(figures.net),
        "win_rate": _ratio(figures.win_rate),
        "profit_factor": _ratio(figures.profit_factor),
        "expectancy": _ratio(figures.expectancy),
        "max_drawdown": decimal(found.max_drawdown),
        "max_drawdown_ratio": _real(found.walk.fall_ratio),
        "time_weighted_return": _real(found.walk.time_weighted),
        "sharpe": _real(ratios.sharpe),
        "sortino": _real(ratios.sortino),
        "calmar": _real(ratios.calmar),
        "recovery_factor": _ratio(found.recovery_factor),
        "median_holding_seconds": spread.median_holding,
        "mean_r": _ratio(spread.mean_r),
        "trades_with_r": spread.with_r,
        "forex_pips": _ratio(spread.forex_pips),
        "winning_streak": spread.winning_streak,
        "losing_streak": spread.losing_streak,
        "symbols": [
            {"symbol": symbol, "trades": group.trades, "wins": group.wins, "net": decimal(group.net)}
            | {"pips": _ratio(spread.pips.get(symbol))}
            for symbol, group in _by_symbol(scope, to)
        ],
        "curve": [{"day": day, "balance": decimal(value)} for day, value in _curve(view, found, to)],
        "missing_rates": sorted(to.missing) if to else [],
    }


def _by_symbol(scope: Scope, to: Converter | None) -> list[tuple[str, Group]]:
    cells = (
        converted_report.cells(to) if to else trading_breakdowns.cells(scope.account_ids, scope.positions, scope.zone)
    )
    return trading_breakdowns.by_symbol(cells)


def _curve(view: Overview | None, found: Report, to: Converter | None) -> list[tuple[date, Decimal]]:
    if to:
        return [(day.on, Decimal(day.capital + day.net) / SCALE) for day in found.days]
    return view.curve if view else []


def _account(account: TradingAccount) -> dict[str, Any]:
    same = ("id", "name", "currency", "login", "server", "broker")
    return {name: getattr(account, name) for name in same} | {
        "platform": account.platform.value,
        "balance": decimal(account.balance),
        "opening_balance": decimal(account.opening_balance),
        "equity": decimal(account.equity),
        "created_at": instant(account.created_at),
        "last_sync_at": instant(account.last_sync_at),
    }


def _trade(trade: Trade) -> dict[str, Any]:
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


def _real(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _ratio(value: Decimal | None) -> str | None:
    return None if value is None else decimal(value.quantize(Decimal("0.0001")))
