"""Figures by part, by day and beside each other: breakdowns, calendar, comparison."""

from collections.abc import Iterable
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Exact
from calmness.blueprints.api.pages import MAX_ID
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import decimal, ratio, real
from calmness.blueprints.trading import figure_words
from calmness.blueprints.trading.periods import beside, month_of, report_of
from calmness.blueprints.trading.scope import Chosen, Wish, chosen
from calmness.errors import NotFound
from calmness.features import requires_feature
from calmness.permissions import Permission
from calmness.services.account.preferences import Feature
from calmness.services.trading import converted_report, trading_breakdowns, trading_report
from calmness.services.trading.trading_breakdowns import HOLDING_EDGES, Group
from calmness.services.trading.trading_report import Report, Scope

PERIODS = {"30d": "30", "90d": "90", "year": "365", "all": "tout"}


class PeriodIn(ClosedSchema):
    """Which accounts and days: one own account, or those of a currency (by default the one that most have); a period,
    or days of the owner's time zone, both included.
    """

    account = Integer(validate=Range(min=1, max=MAX_ID))
    currency = String(validate=Length(max=3))
    period = String(load_default="year", validate=OneOf(list(PERIODS)))
    from_ = Day(data_key="from")
    to = Day()


class ConvertibleIn(PeriodIn):
    """The same; with ``convert`` accounts of all currencies count, each amount at the reference rate of its day."""

    convert = Boolean(load_default=False)


class ResultCalendarIn(ClosedSchema):
    """A month, by one of its days; the one that goes on by default. Which accounts, as elsewhere."""

    account = Integer(validate=Range(min=1, max=MAX_ID))
    currency = String(validate=Length(max=3))
    convert = Boolean(load_default=False)
    month = Day()


class ComparisonIn(ConvertibleIn):
    """The period, and the days to compare it with: by default as many, just before it."""

    against_from = Day()
    against_to = Day()


class AboutOut(Schema):
    """What was counted: null and empty without an account."""

    currency = String(required=True, allow_none=True)
    account_ids = List(Integer(), required=True)
    start = Date(required=True, allow_none=True)
    end = Date(required=True, allow_none=True)


class GroupOut(Schema):
    """Results of a part of the trades. ``key``: a symbol, `0` (Monday) to `6`, `0` to `23` o'clock, a session, …"""

    key = String(required=True)
    trades = Integer(required=True)
    wins = Integer(required=True)
    losses = Integer(required=True)
    net = Exact(required=True)
    win_rate = Exact(required=True, allow_none=True)
    expectancy = Exact(required=True, allow_none=True)
    profit_factor = Exact(required=True, allow_none=True)


class BinOut(Schema):
    """How many results lie from (included) to (excluded); the outer classes take what lies beyond."""

    start = Float(required=True)
    end = Float(required=True)
    trades = Integer(required=True)


class HoldingOut(Schema):
    """How many positions were held less than so many seconds, and no less than the class before; null: longer."""

    below_seconds = Integer(required=True, allow_none=True)
    trades = Integer(required=True)


class BreakdownsOut(AboutOut):
    """Results by part; weekdays and hours are those of the opening in the owner's time zone. A trade counts under each
    of its tags.
    """

    symbols = List(Nested(GroupOut), required=True)
    weekdays = List(Nested(GroupOut), required=True)
    hours = List(Nested(GroupOut), required=True)
    sessions = List(Nested(GroupOut), required=True)
    directions = List(Nested(GroupOut), required=True)
    tags = List(Nested(GroupOut), required=True)
    results = List(Nested(BinOut), required=True)
    holdings = List(Nested(HoldingOut), required=True)


class DayOut(Schema):
    """Net of all exits of a day, and positions that ended."""

    day = Date(required=True)
    net = Exact(required=True)
    trades = Integer(required=True)


class MonthOut(Schema):
    """Net of a month, by its first day."""

    month = Date(required=True)
    net = Exact(required=True)


class ResultCalendarOut(Schema):
    """A month day by day, and the twelve months that end with it, the last one first."""

    currency = String(required=True, allow_none=True)
    month = Date(required=True, allow_none=True)
    net = Exact(required=True)
    days = List(Nested(DayOut), required=True)
    months = List(Nested(MonthOut), required=True)


class FiguresOut(Schema):
    """Figures of a period; null where there is nothing to say. ``warning``: why they say little, in words."""

    start = Date(required=True)
    end = Date(required=True)
    net = Exact(required=True)
    trades = Integer(required=True)
    win_rate = Exact(required=True, allow_none=True)
    profit_factor = Exact(required=True, allow_none=True)
    expectancy = Exact(required=True, allow_none=True)
    payoff = Exact(required=True, allow_none=True)
    mean_r = Exact(required=True, allow_none=True)
    time_weighted_return = Float(required=True, allow_none=True)
    max_drawdown = Exact(required=True)
    max_drawdown_ratio = Float(required=True, allow_none=True)
    sharpe = Float(required=True, allow_none=True)
    losing_streak = Integer(required=True)
    warning = String(required=True)


class ComparisonOut(Schema):
    """The period first, then the one it is compared with; empty without an account."""

    currency = String(required=True, allow_none=True)
    periods = List(Nested(FiguresOut), required=True)


@bp.get("/me/trading/breakdowns")
@requires_feature(Feature.HISTORY)
@bp.input(ConvertibleIn, location="query", arg_name="wanted")
@bp.output(BreakdownsOut)
@requires(Permission.OWN_SPACE)
def api_breakdowns(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Results by symbol, weekday, hour, market session, direction and tag; how results and holding times are spread."""
    found = chosen_of(wanted)
    scope = found.scope if found else Scope((), current_account().time_zone)
    to = found.converter() if found and found.is_together else None
    cells = (
        converted_report.cells(to) if to else trading_breakdowns.cells(scope.account_ids, scope.positions, scope.zone)
    )
    tags = converted_report.by_tag(to) if to else trading_breakdowns.by_tag(scope.account_ids, scope.positions)
    spread = converted_report.spread(to) if to else trading_report.spread(scope)
    return _about(found) | {
        "symbols": _groups(trading_breakdowns.by_symbol(cells)),
        "weekdays": _groups(sorted(trading_breakdowns.by(cells, lambda cell: cell.weekday).items())),
        "hours": _groups(sorted(trading_breakdowns.by(cells, lambda cell: cell.hour).items())),
        "sessions": _groups(sorted(trading_breakdowns.by(cells, lambda cell: cell.session).items())),
        "directions": _groups(sorted(trading_breakdowns.by(cells, lambda cell: cell.kind).items())),
        "tags": _groups(tags),
        "results": [{"start": part.start, "end": part.end, "trades": part.count} for part in spread.results],
        "holdings": [
            {"below_seconds": edge, "trades": count}
            for edge, count in zip((*HOLDING_EDGES, None), spread.holdings, strict=False)
        ],
    }


@bp.get("/me/trading/calendar")
@requires_feature(Feature.HISTORY)
@bp.input(ResultCalendarIn, location="query", arg_name="wanted")
@bp.output(ResultCalendarOut)
@requires(Permission.OWN_SPACE)
def api_calendar(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Results of a month day by day, and of the twelve months that end with it."""
    found = chosen_of(wanted)
    if found is None:
        return {"currency": None, "month": None, "net": "0", "days": [], "months": []}
    shown = month_of(found, wanted.get("month"))
    return {
        "currency": found.currency,
        "month": shown.first,
        "net": decimal(shown.net),
        "days": [
            {"day": day, "net": decimal(net), "trades": trades} for day, (net, trades) in sorted(shown.days.items())
        ],
        "months": [{"month": month, "net": decimal(net)} for month, net in sorted(shown.months.items(), reverse=True)],
    }


@bp.get("/me/trading/comparison")
@requires_feature(Feature.HISTORY)
@bp.input(ComparisonIn, location="query", arg_name="wanted")
@bp.output(ComparisonOut)
@requires(Permission.OWN_SPACE)
def api_comparison(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Two periods beside each other."""
    found = chosen_of(wanted)
    if found is None:
        return {"currency": None, "periods": []}
    scopes = beside(found, wanted.get("against_from"), wanted.get("against_to"))
    return {"currency": found.currency, "periods": [_figures(scope, report_of(found, scope)) for scope in scopes]}


def chosen_of(wanted: dict[str, Any]) -> Chosen | None:
    """Accounts and days of a query; None without an account. Raises ``NotFound`` for an account that is not there."""
    account = wanted.get("account")
    wish = Wish(
        account=str(account or ""),
        currency=wanted.get("currency", "").upper(),
        period=PERIODS[wanted.get("period", "year")],
        start=wanted.get("from_"),
        end=wanted.get("to"),
        is_together=wanted.get("convert", False),
    )
    found = chosen(current_account(), wish)
    if account is not None and (found is None or found.account is None):
        raise NotFound
    return found


def _about(found: Chosen | None) -> dict[str, Any]:
    if found is None:
        return {"currency": None, "account_ids": [], "start": None, "end": None}
    scope = found.scope
    return {
        "currency": found.currency,
        "account_ids": list(scope.account_ids),
        "start": scope.start,
        "end": scope.end,
    }


def _groups(rows: Iterable[tuple[Any, Group]]) -> list[dict[str, Any]]:
    return [
        {
            "key": str(key),
            "trades": group.trades,
            "wins": group.wins,
            "losses": group.losses,
            "net": decimal(group.net),
            "win_rate": ratio(group.win_rate),
            "expectancy": ratio(group.expectancy),
            "profit_factor": ratio(group.profit_factor),
        }
        for key, group in rows
    ]


def _figures(scope: Scope, found: Report) -> dict[str, Any]:
    figures = found.figures
    return {
        "start": scope.start,
        "end": scope.end,
        "net": decimal(figures.net),
        "trades": figures.trades,
        "win_rate": ratio(figures.win_rate),
        "profit_factor": ratio(figures.profit_factor),
        "expectancy": ratio(figures.expectancy),
        "payoff": ratio(figures.payoff),
        "mean_r": ratio(found.spread.mean_r),
        "time_weighted_return": real(found.walk.time_weighted),
        "max_drawdown": decimal(found.max_drawdown),
        "max_drawdown_ratio": real(found.walk.fall_ratio),
        "sharpe": real(found.ratios.sharpe),
        "losing_streak": found.spread.losing_streak,
        "warning": figure_words.luck(found),
    }
