"""Portfolio, and the pieces that the dashboard shows of it. The statistics are in ``figures.py``."""

from datetime import datetime, time

from babel.dates import format_date
from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import charts
from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.features import requires_feature
from calmness.locale import select_locale, select_timezone, zone
from calmness.models.trading import TradingAccount
from calmness.permissions import Permission
from calmness.presentation import amount, short_day, signed_amount, signed_short
from calmness.services import payment_history, trading_accounts, trading_overview, trading_statistics
from calmness.services.preferences import Feature
from calmness.services.trading_overview import Overview


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
    spent = sum(cents for _year, cents in payment_history.spent_by_year(user.id))
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
    instants = [datetime.combine(day, time.min, tzinfo=zone()) for day, _value in view.curve]
    ticks = charts.time_ticks(instants[0], instants[-1], select_timezone(), _axis_label) if instants else []
    return charts.line(
        [(instant.timestamp(), float(value)) for instant, (_day, value) in zip(instants, view.curve, strict=True)],
        title=_("Capital en fin de jour"),
        format_value=lambda value: amount(value, view.currency, 0),
        ticks=ticks,
        identity="capital",
        read_x=lambda x: short_day(datetime.fromtimestamp(x, zone())),
    )


def _axis_label(mark: datetime, unit: charts.Unit) -> str:
    """``24 nov.`` for days, ``nov. 2026`` for months."""
    babel_locale = "en_GB" if select_locale() == "en" else "fr_FR"
    return format_date(mark.date(), "MMM y" if unit is charts.Unit.MONTH else "d MMM", locale=babel_locale)


def month_cells(view: Overview) -> list[tuple[str, str, str, str]]:
    """Cells of the month's calendar."""
    return trading_overview.month_cells(view, signed_short, lambda net: signed_amount(net, view.currency))
