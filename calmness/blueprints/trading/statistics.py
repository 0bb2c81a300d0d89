"""Statistics and portfolio."""

from datetime import date, datetime, time, timedelta

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import charts, clock
from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.features import requires_feature
from calmness.models.trading import TradingAccount
from calmness.permissions import Permission
from calmness.presentation import amount, short_day, signed_amount, signed_short
from calmness.services import billing, trading_accounts, trading_overview, trading_statistics
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
    view = trading_overview.overview(user, days)
    if view is None:
        return render_template("trading/statistics.html", view=None)
    ids = [account.id for account in view.accounts]
    start = view.today - timedelta(days=days) if days < 10_000 else None
    since = datetime.combine(start, time.min, tzinfo=clock.PARIS) if start else None
    return render_template(
        "trading/statistics.html",
        view=view,
        figures=trading_statistics.figures(ids, start),
        curve=capital_chart(view),
        symbols=trading_statistics.by_symbol(ids, since),
        weekdays=trading_statistics.by_weekday(ids, start),
        weekday_chart=_weekday_chart(ids, start, view.currency),
        cells=month_cells(view),
        period=period if period in PERIODS else "365",
        periods=[("30", _("30 j")), ("90", _("90 j")), ("365", _("Un an")), ("tout", _("Tout"))],
    )


@bp.get("/portefeuille")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.PORTFOLIO)
def portfolio() -> ResponseReturnValue:
    """All accounts together, by currency, beside what was spent at the school."""
    user = current_account()
    accounts = trading_accounts.of_user(user.id)
    by_currency: dict[str, list[TradingAccount]] = {}
    for account in accounts:
        by_currency.setdefault(account.currency, []).append(account)
    figures = {
        currency: trading_statistics.figures([account.id for account in rows]) for currency, rows in by_currency.items()
    }
    spent = sum(cents for _year, cents in billing.spent_by_year(user.id))
    view = trading_overview.overview(user)
    return render_template(
        "trading/portfolio.html",
        by_currency=by_currency,
        figures=figures,
        spent=spent,
        curve=capital_chart(view) if view else "",
        view=view,
    )


def capital_chart(view: Overview) -> str:
    """Curve of the end-of-day balance."""
    points = [(float(day.toordinal()), float(value)) for day, value in view.curve]
    step = max(1, len(points) // 5)
    ticks = [
        charts.Tick(x, short_day(view.curve[index][0])) for index, (x, _y) in enumerate(points) if index % step == 0
    ]
    return charts.line(
        points,
        title=_("Capital en fin de jour"),
        format_value=lambda value: amount(value, view.currency, 0),
        ticks=ticks,
        identity="capital",
        read_x=lambda x: short_day(date.fromordinal(int(x))),
    )


def month_cells(view: Overview) -> list[tuple[str, str, str, str]]:
    """Cells of the month's calendar."""
    return trading_overview.month_cells(view, signed_short, lambda net: signed_amount(net, view.currency))


def _weekday_chart(ids: list[int], start: object, currency: str) -> str:
    names = [_("lun."), _("mar."), _("mer."), _("jeu."), _("ven."), _("sam."), _("dim.")]
    rows = trading_statistics.by_weekday(ids, start)  # type: ignore[arg-type]
    return charts.bars(
        [(names[weekday], float(net)) for weekday, _count, net in rows],
        title=_("Résultat par jour de la semaine"),
        format_value=lambda value: amount(value, currency, 0),
        signed=True,
        identity="jours",
    )
