"""Figures of a period, as the page of statistics shows them, and the currency of the totals."""

from datetime import date
from decimal import Decimal
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Float, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Exact, Instant
from calmness.blueprints.api.figures import PeriodIn, chosen_of
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, instant, ratio, real
from calmness.blueprints.trading import figure_words
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.models.types import SCALE
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import (
    converted_report,
    equity_falls,
    exchange_rates,
    trading_accounts,
    trading_breakdowns,
    trading_report,
    trading_statistics,
)
from calmness.services.trading.converted_report import Converter
from calmness.services.trading.equity_falls import EquityFall
from calmness.services.trading.trading_breakdowns import Group
from calmness.services.trading.trading_report import Exposure, Report, Scope


class StatisticsIn(PeriodIn):
    """Which accounts and days. Accounts of several currencies are never added up, but with ``convert``: then all
    accounts count, in the currency of one's totals, each amount at the reference rate of its day.
    """

    convert = Boolean(load_default=False)


class SymbolOut(Schema):
    """Results of a symbol."""

    symbol = String(required=True)
    trades = Integer(required=True)
    wins = Integer(required=True)
    net = Exact(required=True)
    pips = Exact(required=True, allow_none=True)


class PointOut(Schema):
    """Balance at the end of a day, or equity on its last reading."""

    day = Date(required=True)
    balance = Exact(required=True)


class ExposureOut(Schema):
    """Open positions of an instrument: lots on each side, what they stand at, how many have no stop."""

    symbol = String(required=True)
    trades = Integer(required=True)
    bought = Exact(required=True)
    sold = Exact(required=True)
    lots = Exact(required=True)
    floating = Exact(required=True)
    without_stop = Integer(required=True)


class EquityFallOut(Schema):
    """Deepest fall of the accounts' equity together on the EA's readings, money paid in and out left aside."""

    amount = Exact(required=True)
    ratio = Float(required=True, allow_none=True)
    since = Instant(required=True)
    readings = Integer(required=True)


class StatisticsOut(Schema):
    """Figures over closed positions; None where there is nothing to say. ``exits`` and ``net`` count every exit.
    ``warning``: why they say little, in words. ``missing_rates``: currencies left out for want of a rate; those of
    equity and exposure beside them.
    """

    period = String(required=True)
    start = Date(required=True, allow_none=True)
    end = Date(required=True, allow_none=True)
    account_ids = List(Integer(), required=True)
    currency = String(required=True, allow_none=True)
    currencies = List(String(), required=True)
    warning = String(required=True)
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
    equity = List(Nested(PointOut), required=True)
    equity_fall = Nested(EquityFallOut, required=True, allow_none=True)
    exposure = List(Nested(ExposureOut), required=True)
    missing_rates = List(String(), required=True)
    missing_rates_of_equity = List(String(), required=True)


class CurrencyIn(ClosedSchema):
    """The currency of the totals."""

    currency = String(required=True, validate=OneOf(list(exchange_rates.TARGETS)))


class CurrencyOut(Schema):
    """The currency of the totals, and those to choose from."""

    currency = String(required=True)
    choices = List(String(), required=True)


@bp.get("/me/trading/statistics")
@requires_feature(Feature.HISTORY)
@bp.input(StatisticsIn, location="query", arg_name="wanted")
@bp.output(StatisticsOut)
@requires(Permission.OWN_SPACE)
def api_trading_statistics(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Figures of one account, or of those of one currency, by default the one that most accounts have."""
    user, view = current_account(), chosen_of(wanted)
    scope = view.scope if view else Scope((), user.time_zone)
    to = None
    if wanted["convert"]:
        accounts = [view.account] if view and view.account else trading_accounts.of_user(user.id)
        scope = Scope(tuple(account.id for account in accounts), scope.zone, scope.start, scope.end)
        currencies = {account.id: account.currency for account in accounts}
        to = converted_report.converter(scope, exchange_rates.currency_of(user.id), currencies)
    found = converted_report.report(to) if to else trading_report.report(scope)
    symbols = _by_symbol(scope, to)
    missing = sorted(to.missing) if to else []
    equity = converted_report.equity_by_day(to) if to else trading_report.equity_by_day(scope)
    open_now = converted_report.exposure(to) if to else trading_report.exposure(scope.account_ids)
    currency = to.currency if to else view.currency if view else None
    return _figures(found) | {
        "period": "days" if view and view.period == "dates" else wanted["period"],
        "start": scope.start,
        "end": scope.end,
        "account_ids": list(scope.account_ids),
        "currency": currency,
        "currencies": view.currencies if view else [],
        "symbols": [
            {"symbol": symbol, "trades": group.trades, "wins": group.wins, "net": decimal(group.net)}
            | {"pips": ratio(found.spread.pips.get(symbol))}
            for symbol, group in symbols
        ],
        "curve": _points(_curve(scope, found, to)),
        "equity": _points(equity),
        "equity_fall": _fall(converted_report.equity_fall(to) if to else equity_falls.of_scope(scope)),
        "exposure": [_exposure(row) for row in open_now],
        "missing_rates": missing,
        "missing_rates_of_equity": sorted(to.missing - set(missing)) if to else [],
    }


@bp.get("/me/trading/currency")
@requires_feature(Feature.HISTORY)
@bp.output(CurrencyOut)
@requires(Permission.OWN_SPACE)
def api_totals_currency() -> ResponseReturnValue:
    """The currency in which accounts of several currencies are added up."""
    return _currency()


@bp.put("/me/trading/currency")
@requires_feature(Feature.HISTORY)
@bp.input(CurrencyIn, arg_name="given")
@bp.output(CurrencyOut)
@requires(Permission.OWN_SPACE)
def api_choose_totals_currency(given: dict[str, Any]) -> ResponseReturnValue:
    """Choose the currency of the totals."""
    exchange_rates.choose_currency(current_account().id, given["currency"])
    db.session.commit()
    return _currency()


def _currency() -> dict[str, Any]:
    return {"currency": exchange_rates.currency_of(current_account().id), "choices": list(exchange_rates.TARGETS)}


def _figures(found: Report) -> dict[str, Any]:
    figures, ratios, spread = found.figures, found.ratios, found.spread
    return {
        "warning": figure_words.luck(found),
        "exits": figures.exits,
        "trades": figures.trades,
        "wins": figures.wins,
        "losses": figures.losses,
        "breakeven": figures.breakeven,
        "net": decimal(figures.net),
        "win_rate": ratio(figures.win_rate),
        "profit_factor": ratio(figures.profit_factor),
        "expectancy": ratio(figures.expectancy),
        "max_drawdown": decimal(found.max_drawdown),
        "max_drawdown_ratio": real(found.walk.fall_ratio),
        "time_weighted_return": real(found.walk.time_weighted),
        "sharpe": real(ratios.sharpe),
        "sortino": real(ratios.sortino),
        "calmar": real(ratios.calmar),
        "recovery_factor": ratio(found.recovery_factor),
        "median_holding_seconds": spread.median_holding,
        "mean_r": ratio(spread.mean_r),
        "trades_with_r": spread.with_r,
        "forex_pips": ratio(spread.forex_pips),
        "winning_streak": spread.winning_streak,
        "losing_streak": spread.losing_streak,
    }


def _by_symbol(scope: Scope, to: Converter | None) -> list[tuple[str, Group]]:
    cells = (
        converted_report.cells(to) if to else trading_breakdowns.cells(scope.account_ids, scope.positions, scope.zone)
    )
    return trading_breakdowns.by_symbol(cells)


def _curve(scope: Scope, found: Report, to: Converter | None) -> list[tuple[date, Decimal]]:
    if to:
        return [(day.on, Decimal(day.capital + day.net) / SCALE) for day in found.days]
    points = trading_statistics.balance_curve(scope.account_ids, scope.start)
    return [(day, balance) for day, balance in points if scope.end is None or day <= scope.end]


def _points(points: list[tuple[date, Decimal]]) -> list[dict[str, Any]]:
    return [{"day": day, "balance": decimal(value)} for day, value in points]


def _fall(fall: EquityFall | None) -> dict[str, Any] | None:
    if fall is None:
        return None
    return {
        "amount": decimal(fall.amount),
        "ratio": real(fall.ratio),
        "since": instant(fall.since),
        "readings": fall.readings,
    }


def _exposure(row: Exposure) -> dict[str, Any]:
    return {
        "symbol": row.symbol,
        "trades": row.trades,
        "bought": decimal(row.bought),
        "sold": decimal(row.sold),
        "lots": decimal(row.lots),
        "floating": decimal(row.floating),
        "without_stop": row.without_stop,
    }
