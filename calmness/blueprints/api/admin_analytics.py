"""The staff's view: audience and conversions."""

from typing import Any
from zoneinfo import ZoneInfo

from apiflask import Schema
from apiflask.fields import Boolean, Date, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf
from flask import Response, current_app, json
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock
from calmness.access import requires
from calmness.blueprints.admin.analytics import export_rows
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Day, Instant
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.permissions import Permission
from calmness.services.analytics import analytics_reports as reports
from calmness.services.analytics.analytics_periods import Period, period
from calmness.services.analytics.analytics_reports import Card, PageRow, Row
from calmness.spreadsheets import csv_lines, xlsx

NAMES = ["today", "7d", "30d", "90d", "year", "custom"]
DIMENSIONS = ("channel", "source", "campaign", "country", "region", "city", "device", "browser", "system")
KINDS = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class PeriodIn(ClosedSchema):
    """Which local days; ``from`` and ``to`` belong to ``custom``."""

    period = String(load_default="30d", validate=OneOf(NAMES))
    from_ = Day(data_key="from")
    to = Day()


class ExportIn(PeriodIn):
    """A period, and the form of the file."""

    format = String(load_default="csv", validate=OneOf(list(KINDS)))


class CardOut(Schema):
    """A figure beside that of the period before; ``growth`` in per cent, None when there was nothing."""

    key = String(required=True)
    value = Float(required=True)
    previous = Float(required=True)
    growth = Float(required=True, allow_none=True)
    unit = String(required=True)
    good_when_up = Boolean(required=True)


class CurveOut(Schema):
    """Visitors of an hour or of a day."""

    at = Instant(required=True)
    visitors = Integer(required=True)
    views = Integer(required=True)


class ValueOut(Schema):
    """A value of a dimension."""

    key = String(required=True)
    visitors = Integer(required=True)
    visits = Integer(required=True)
    views = Integer(required=True)


class StepOut(Schema):
    """A step of the funnel."""

    key = String(required=True)
    people = Integer(required=True)


class PageOut(Schema):
    """A page of the site; ``seconds`` is the mean time of reading."""

    path = String(required=True)
    views = Integer(required=True)
    visitors = Integer(required=True)
    entries = Integer(required=True)
    exits = Integer(required=True)
    seconds = Float(required=True, allow_none=True)


class PeriodOut(Schema):
    """The days that were counted, both included."""

    name = String(required=True)
    start = Date(required=True)
    end = Date(required=True)


class OverviewOut(Schema):
    """Eight figures, the curve, the funnel."""

    period = Nested(PeriodOut, required=True)
    live = Integer(required=True)
    cards = List(Nested(CardOut), required=True)
    curve = List(Nested(CurveOut), required=True)
    funnel = List(Nested(StepOut), required=True)


class TrafficOut(Schema):
    """Values of every dimension, most visitors first."""

    period = Nested(PeriodOut, required=True)
    dimensions = Dict(keys=String(), values=List(Nested(ValueOut)), required=True)


class BehaviourOut(Schema):
    """Pages by views, entries and exits."""

    period = Nested(PeriodOut, required=True)
    pages = List(Nested(PageOut), required=True)
    entries = List(Nested(PageOut), required=True)
    exits = List(Nested(PageOut), required=True)


class ConversionsOut(Schema):
    """From account to presence; audience only in groups of five and more who consented."""

    period = Nested(PeriodOut, required=True)
    funnel = List(Nested(StepOut), required=True)
    audience = Dict(keys=String(), values=List(Nested(StepOut)), required=True)


@bp.get("/admin/analytics/overview")
@bp.input(PeriodIn, location="query", arg_name="wanted")
@bp.output(OverviewOut)
@requires(Permission.SEE_ANALYTICS)
def api_analytics_overview(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Figures of a period beside those of the one before."""
    chosen, zone = _period(wanted), _zone()
    return {
        "period": _days(chosen),
        "live": reports.live_visitors(),
        "cards": [_card(card) for card in reports.cards(chosen, zone)],
        "curve": [
            {"at": instant(at), "visitors": visitors, "views": views}
            for at, visitors, views in reports.series(chosen, zone)
        ],
        "funnel": _funnel(chosen),
    }


@bp.get("/admin/analytics/traffic")
@bp.input(PeriodIn, location="query", arg_name="wanted")
@bp.output(TrafficOut)
@requires(Permission.SEE_ANALYTICS)
def api_analytics_traffic(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Where visitors come from, and with what."""
    chosen = _period(wanted)
    found = {name: [_value(row) for row in reports.dimension(chosen, name, 20)] for name in DIMENSIONS}
    return {"period": _days(chosen), "dimensions": found}


@bp.get("/admin/analytics/behaviour")
@bp.input(PeriodIn, location="query", arg_name="wanted")
@bp.output(BehaviourOut)
@requires(Permission.SEE_ANALYTICS)
def api_analytics_behaviour(wanted: dict[str, Any]) -> ResponseReturnValue:
    """What they look at."""
    chosen = _period(wanted)
    return {
        "period": _days(chosen),
        "pages": [_page(row) for row in reports.pages(chosen)],
        "entries": [_page(row) for row in reports.pages(chosen, "entries", 10)],
        "exits": [_page(row) for row in reports.pages(chosen, "exits", 10)],
    }


@bp.get("/admin/analytics/conversions")
@bp.input(PeriodIn, location="query", arg_name="wanted")
@bp.output(ConversionsOut)
@requires(Permission.SEE_ANALYTICS)
def api_analytics_conversions(wanted: dict[str, Any]) -> ResponseReturnValue:
    """From visitor to presence."""
    chosen = _period(wanted)
    audience = {
        name: [{"key": key, "people": count} for key, count in rows] for name, rows in reports.audience().items()
    }
    return {"period": _days(chosen), "funnel": _funnel(chosen), "audience": audience}


@bp.get("/admin/analytics/export")
@bp.input(ExportIn, location="query", arg_name="wanted")
@requires(Permission.SEE_ANALYTICS)
def api_analytics_export(wanted: dict[str, Any]) -> ResponseReturnValue:
    """The period's figures as CSV, JSON or Excel; no cell is a formula."""
    chosen, form = _period(wanted), wanted["format"]
    rows = export_rows(chosen, _zone())
    heads = [_("Panneau"), _("Valeur"), _("Visiteurs"), _("Visites"), _("Pages vues")]
    body: str | bytes
    if form == "json":
        names = ("panel", "value", "visitors", "visits", "views")
        body = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    else:
        body = "".join(csv_lines(heads, rows)) if form == "csv" else xlsx(heads, rows, "Analytics")
    name = f"analytics-{chosen.start}-{chosen.end}.{form}"
    return Response(body, mimetype=KINDS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["ANALYTICS_TIMEZONE"])


def _period(wanted: dict[str, Any]) -> Period:
    first, last = (day.isoformat() if (day := wanted.get(name)) else "" for name in ("from_", "to"))
    return period(wanted["period"], clock.now().astimezone(_zone()).date(), first, last)


def _days(chosen: Period) -> dict[str, Any]:
    return {"name": chosen.name, "start": chosen.start, "end": chosen.end}


def _funnel(chosen: Period) -> list[dict[str, Any]]:
    return [{"key": step.key, "people": step.people} for step in reports.funnel(chosen, _zone())]


def _card(card: Card) -> dict[str, Any]:
    same = ("key", "value", "previous", "growth", "unit", "good_when_up")
    return {name: getattr(card, name) for name in same}


def _value(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("key", "visitors", "visits", "views")}


def _page(row: PageRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("path", "views", "visitors", "entries", "exits", "seconds")}
