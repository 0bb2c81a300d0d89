"""Statistics."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import charts
from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.features import requires_feature
from calmness.locale import select_locale, select_timezone, zone
from calmness.permissions import Permission
from calmness.presentation import amount, short_day, signed_amount, signed_short
from calmness.services import trading_overview, trading_statistics
from calmness.services.preferences import Feature
from calmness.services.trading_overview import Overview

PERIODS = {"30": 30, "90": 90, "365": 365, "tout": 36_500}


@bp.get("/statistiques")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def statistics() -> ResponseReturnValue:
    """Figures of a period."""
    user = current_account()
    period = request.args.get("periode", "365")
    days = PERIODS.get(period, 365)
    view = trading_overview.overview(user, days, request.args.get("devise", ""))
    if view is None:
        return render_template("trading/statistics.html", view=None)
    ids = [account.id for account in view.accounts]
    start = view.today - timedelta(days=days) if days < 10_000 else None
    since = datetime.combine(start, time.min, tzinfo=ZoneInfo(user.time_zone)) if start else None
    return render_template(
        "trading/statistics.html",
        view=view,
        figures=trading_statistics.figures(ids, start),
        course=trading_statistics.course(ids, since),
        curve=capital_chart(view),
        symbols=trading_statistics.by_symbol(ids, since),
        weekday_chart=_weekday_chart(ids, start, view.currency),
        cells=month_cells(view),
        period=period if period in PERIODS else "365",
        periods=[("30", _("30 j")), ("90", _("90 j")), ("365", _("Un an")), ("tout", _("Tout"))],
    )


def capital_chart(view: Overview, identity: str = "capital") -> str:
    """Curve of the end-of-day balance."""
    instants = [datetime.combine(day, time.min, tzinfo=zone()) for day, _value in view.curve]
    ticks = charts.time_ticks(instants[0], instants[-1], select_timezone(), _axis_label) if instants else []
    return charts.line(
        [(instant.timestamp(), float(value)) for instant, (_day, value) in zip(instants, view.curve, strict=True)],
        title=_("Capital en fin de jour"),
        format_value=lambda value: amount(value, view.currency, 0),
        ticks=ticks,
        identity=identity,
        read_x=lambda x: short_day(datetime.fromtimestamp(x, zone())),
    )


def _axis_label(mark: datetime, unit: charts.Unit) -> str:
    """``24 nov.`` for days, ``nov. 2026`` for months."""
    babel_locale = "en_GB" if select_locale() == "en" else "fr_FR"
    return format_date(mark.date(), "MMM y" if unit is charts.Unit.MONTH else "d MMM", locale=babel_locale)


def month_cells(view: Overview) -> list[tuple[str, str, str, str]]:
    """Cells of the month's calendar."""
    return trading_overview.month_cells(view, signed_short, lambda net: signed_amount(net, view.currency))


def _weekday_chart(ids: list[int], start: date | None, currency: str) -> str:
    names = [_("lun."), _("mar."), _("mer."), _("jeu."), _("ven."), _("sam."), _("dim.")]
    rows = trading_statistics.by_weekday(ids, start)
    return charts.bars(
        [(names[weekday], float(net)) for weekday, _count, net in rows],
        title=_("Résultat par jour de la semaine"),
        format_value=lambda value: amount(value, currency, 0),
        signed=True,
        identity="jours",
    )
