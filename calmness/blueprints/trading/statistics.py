"""The pieces that dashboard and portfolio show of the statistics, which are in ``figures.py``."""

from datetime import datetime, time

from babel.dates import format_date
from flask_babel import gettext as _

from calmness import charts
from calmness.locale import select_locale, select_timezone, zone
from calmness.presentation import amount, short_day, signed_amount, signed_short
from calmness.services.trading import trading_overview
from calmness.services.trading.trading_overview import Overview


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
