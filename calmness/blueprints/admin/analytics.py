"""Analytics: four tabs over the same period, export, refresh."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, json, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness import charts, clock
from calmness.access import requires
from calmness.errors import NotFound
from calmness.geo.database import describe
from calmness.geo.regions import BY_CODE, REGIONS, country_name
from calmness.permissions import Permission
from calmness.places import geo_database
from calmness.presentation import duration, money, number, percent, short_day
from calmness.services.analytics import analytics_reports as reports
from calmness.services.analytics.analytics_periods import Period, period
from calmness.services.analytics.analytics_reports import Card, Row
from calmness.spreadsheets import Cell, csv_lines, xlsx

bp = Blueprint("admin_analytics", __name__, url_prefix="/admin/analytics")

CARDS = {
    "visitors": (
        _l("Visiteurs"),
        "users",
        _l("Personnes différentes chaque jour\u202f; qui revient un autre jour compte à nouveau."),
    ),
    "visits": (_l("Visites"), "mouse-pointer-click", _l("Pages vues par un visiteur à moins de 30 minutes d’écart.")),
    "views": (_l("Pages vues"), "eye", _l("Pages montrées à des personnes, robots et équipe exclus.")),
    "views_per_visit": (_l("Pages par visite"), "layers", _l("Pages vues divisées par visites.")),
    "bounce_rate": (_l("Taux de rebond"), "undo-2", _l("Visites d’une seule page regardée moins de dix secondes.")),
    "visit_seconds": (
        _l("Durée moyenne"),
        "timer",
        _l("Temps de lecture réel, onglet visible, moyenne sur toutes les visites."),
    ),
    "registrations": (
        _l("Inscriptions"),
        "user-plus",
        _l("Comptes d’élèves créés\u202f; compté dans les comptes, sans suivi."),
    ),
    "revenue": (
        _l("Chiffre d’affaires"),
        "banknote",
        _l("Paiements validés moins remboursés, par date de validation."),
    ),
}
PERIODS = (
    ("today", _l("Aujourd’hui")),
    ("7d", _l("7 j")),
    ("30d", _l("30 j")),
    ("90d", _l("90 j")),
    ("year", _l("Année")),
)
TABS = (
    ("overview", _l("Vue d’ensemble")),
    ("traffic", _l("Trafic")),
    ("behaviour", _l("Comportement")),
    ("conversions", _l("Conversions")),
)
DEVICES = {"desktop": _l("Ordinateur"), "mobile": _l("Mobile"), "tablet": _l("Tablette"), "other": _l("Autre")}
STEPS = {
    "visitors": _l("Visiteurs"),
    "registered": _l("Inscrits"),
    "verified": _l("E-mail confirmé"),
    "ordered": _l("Commande"),
    "paid": _l("Paiement validé"),
    "present": _l("Présent à une séance"),
}
Bar = tuple[str, str, float]


@bp.get("")
@requires(Permission.SEE_ANALYTICS)
def overview() -> ResponseReturnValue:
    """Eight cards, the curve, the main panels."""
    chosen, zone = _period(), _zone()
    return _page(
        "overview",
        chosen,
        curve=_curve(chosen, zone),
        sources=_bars(reports.dimension(chosen, "source", 6)),
        devices=_bars(reports.dimension(chosen, "device", 4), DEVICES),
        regions=_bars(reports.dimension(chosen, "region", 6), region_label),
        funnel=_funnel(chosen, zone),
    )


@bp.get("/trafic")
@requires(Permission.SEE_ANALYTICS)
def traffic() -> ResponseReturnValue:
    """Sources, places, devices."""
    chosen = _period()
    regions = reports.dimension(chosen, "region", 19)
    origins = [
        (_("Canaux"), _bars(reports.dimension(chosen, "channel", 10), _channel)),
        (_("Sources"), _bars(reports.dimension(chosen, "source", 12))),
        (_("Campagnes"), _bars(reports.dimension(chosen, "campaign", 10))),
    ]
    places = [
        (_("Régions françaises"), _bars(regions, region_label)),
        (_("Villes"), _bars(reports.dimension(chosen, "city", 12), _unknown)),
    ]
    devices = [
        (_("Appareils"), _bars(reports.dimension(chosen, "device", 5), DEVICES)),
        (_("Navigateurs"), _bars(reports.dimension(chosen, "browser", 8))),
        (_("Systèmes"), _bars(reports.dimension(chosen, "system", 8))),
    ]
    return _page(
        "traffic",
        chosen,
        origins=origins,
        countries=_bars(reports.dimension(chosen, "country", 10), country_label),
        tiles=_tiles(regions),
        places=places,
        devices=devices,
        geo=describe(geo_database()),
        now=clock.now(),
    )


@bp.get("/comportement")
@requires(Permission.SEE_ANALYTICS)
def behaviour() -> ResponseReturnValue:
    """Pages."""
    chosen = _period()
    return _page(
        "behaviour",
        chosen,
        pages=reports.pages(chosen),
        entries=reports.pages(chosen, "entries", 10),
        exits=reports.pages(chosen, "exits", 10),
    )


@bp.get("/conversions")
@requires(Permission.SEE_ANALYTICS)
def conversions() -> ResponseReturnValue:
    """From visitor to presence, revenue, audience."""
    chosen, zone = _period(), _zone()
    return _page("conversions", chosen, funnel=_funnel(chosen, zone), audience=reports.audience())


@bp.get("/export.<extension>")
@requires(Permission.SEE_ANALYTICS)
def export(extension: str) -> ResponseReturnValue:
    """The period's figures as CSV, Excel or JSON."""
    chosen, zone = _period(), _zone()
    rows = export_rows(chosen, zone)
    name = f"analytics-{chosen.start}-{chosen.end}"
    heads = [_("Panneau"), _("Valeur"), _("Visiteurs"), _("Visites"), _("Pages vues")]
    if extension == "json":
        body, kind = (
            json.dumps(
                [dict(zip(("panel", "value", "visitors", "visits", "views"), row, strict=True)) for row in rows]
            ),
            "application/json",
        )
        return _file(body, kind, f"{name}.json")
    if extension == "csv":
        return _file("".join(csv_lines(heads, rows)), "text/csv", f"{name}.csv")
    if extension == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _file(xlsx(heads, rows, "Analytics"), kind, f"{name}.xlsx")
    raise NotFound


def export_rows(chosen: Period, zone: ZoneInfo) -> list[list[Cell]]:
    """Every panel of a period, a line a value."""
    rows: list[list[Cell]] = [["card", card.key, card.value, None, None] for card in reports.cards(chosen, zone)]
    for name in ("channel", "source", "campaign", "country", "region", "city", "device", "browser", "system"):
        rows += [[name, row.key, row.visitors, row.visits, row.views] for row in reports.dimension(chosen, name, 100)]
    rows += [["page", row.path, row.visitors, row.entries, row.views] for row in reports.pages(chosen, limit=100)]
    rows += [["funnel", step.key, step.people, None, None] for step in reports.funnel(chosen, zone)]
    return rows


def _tiles(rows: list[Row]) -> str:
    """The 18 regions as a grid of squares; nothing when no visitor is known to come from one."""
    visitors = {row.key: row.visitors for row in rows}
    grid = [
        charts.Tile(region.column, region.row, region.short, region.name, visitors.get(region.code, 0))
        for region in REGIONS
    ]
    if not any(tile.value for tile in grid):
        return ""
    return charts.tiles(grid, title=_("Visiteurs par région française"), format_value=number, identity="regions")


def region_label(code: str) -> str:
    """Name of a French region."""
    return BY_CODE[code].name if code in BY_CODE else _("Région inconnue")


def country_label(code: str) -> str:
    """Name of a country in the reader's language."""
    return country_name(code) if code else _("Pays inconnu")


def shown(card: Card) -> tuple[str, str, str, bool | None]:
    """(value, change, direction, whether the change is good) as the page writes them."""
    texts = {
        "count": lambda value: number(value),
        "ratio": lambda value: number(value, 2),
        "percent": lambda value: percent(value),
        "seconds": lambda value: duration(value),
        "cents": lambda value: money(int(value)),
    }
    change = card.growth
    if change is None:
        return texts[card.unit](card.value), _("nouveau") if card.value else "–", "", None
    unit = "\u00a0pts" if card.unit == "percent" else "\u00a0%"
    direction = "up" if change > 0 else "down" if change < 0 else ""
    good = None if not change else (change > 0) == card.good_when_up
    return texts[card.unit](card.value), number(abs(change), 1) + unit, direction, good


def _page(tab: str, chosen: Period, **panels: object) -> str:
    zone = _zone()
    arguments: dict[str, Any] = {"period": chosen.name}
    if chosen.name == "custom":
        arguments |= {"from": chosen.start.isoformat(), "to": chosen.end.isoformat()}
    return render_template(
        f"admin/analytics/{tab}.html",
        tab=tab,
        tabs=[(label, url_for(f"admin_analytics.{name}", **arguments), name == tab) for name, label in TABS],
        periods=[
            (label, url_for(f"admin_analytics.{tab}", period=name), name == chosen.name) for name, label in PERIODS
        ],
        arguments=arguments,
        period=chosen,
        cards=[(CARDS[card.key], shown(card)) for card in reports.cards(chosen, zone)] if tab == "overview" else [],
        live=reports.live_visitors(),
        **panels,
    )


def _period() -> Period:
    today = clock.now().astimezone(_zone()).date()
    args = request.args
    return period(args.get("period", "30d"), today, args.get("from", ""), args.get("to", ""))


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["ANALYTICS_TIMEZONE"])


def _bars(rows: Sequence[Row], label: object = None) -> list[Bar]:
    top = max((row.visitors for row in rows), default=0) or 1
    named = label.get if isinstance(label, dict) else label
    return [
        (
            str(named(row.key) or row.key) if callable(named) else row.key or _("inconnu"),
            number(row.visitors),
            row.visitors / top,
        )
        for row in rows
    ]


def _channel(value: str) -> str:
    return value[:1].upper() + value[1:]


def _unknown(value: str) -> str:
    return value or _("Ville inconnue")


def _curve(chosen: Period, zone: ZoneInfo) -> str:
    points = reports.series(chosen, zone)
    step = max(1, len(points) // 6)
    hours = chosen.days <= reports.CHART_HOURS_UP_TO
    ticks = [
        charts.Tick(at.timestamp(), f"{at.astimezone(zone).hour} h" if hours else short_day(at.date()))
        for index, (at, _visitors, _views) in enumerate(points)
        if index % step == 0
    ]
    return charts.line(
        [(at.timestamp(), float(visitors)) for at, visitors, _views in points],
        title=_("Visiteurs"),
        format_value=lambda value: number(value),
        ticks=ticks,
        zero=True,
        identity="visiteurs",
        read_x=lambda x: _moment(datetime.fromtimestamp(x, zone), hours=hours),
    )


def _moment(at: datetime, *, hours: bool) -> str:
    return f"{short_day(at.date())}, {at.hour}\u00a0h" if hours else short_day(at.date())


def _funnel(chosen: Period, zone: ZoneInfo) -> list[tuple[str, str, float | None, str]]:
    visitors, *people = reports.funnel(chosen, zone)
    # Visitors are counted by day: beside them every bar of people would be a hair.
    rows: list[tuple[str, str, float | None, str]] = [
        (str(STEPS[visitors.key]), number(visitors.people), None, _("visiteurs par jour, cumulés"))
    ]
    for before, step in pairwise([visitors, *people]):
        rate = percent(step.people / before.people if before.people else None)
        share = step.people / people[0].people if people[0].people else 0.0
        rows.append((str(STEPS[step.key]), number(step.people), share, _("%(rate)s de l’étape précédente", rate=rate)))
    return rows


def _file(body: str | bytes, kind: str, name: str) -> Response:
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
