"""Charts of the statistics, each with the rows of the table that says the same."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from babel.dates import format_date
from flask_babel import gettext as _

from calmness import charts
from calmness.locale import select_locale, select_timezone, zone
from calmness.models.types import SCALE
from calmness.presentation import amount, number, percent, short_day, signed_amount, signed_short
from calmness.services.trading import trading_returns
from calmness.services.trading.trading_breakdowns import Bin, Group, Spread
from calmness.services.trading.trading_report import Report

BARS, HOURS = 12, 24


def capital(found: Report, currency: str) -> charts.Drawing:
    """Balance at the end of each day, money paid in and out included."""
    points = [(day.on, float(Decimal(day.capital + day.net) / SCALE)) for day in found.days]
    return _curve(_("Capital en fin de jour"), "capital", points, lambda value: amount(value, currency, 0))


def cumulated(found: Report, currency: str) -> charts.Drawing:
    """Net results added up; money paid in and out is not in it."""
    total, points = 0, []
    for day in found.days:
        if day.is_active:
            total += day.net
            points.append((day.on, float(Decimal(total) / SCALE)))
    return _curve(_("Résultat cumulé"), "cumul", points, lambda value: signed_amount(value, currency, 0), zero=True)


def drawdown(found: Report) -> charts.Drawing:
    """How far below its highest point the return stands."""
    points = trading_returns.drawdown_curve(found.days)
    return _curve(_("Repli en fin de jour"), "repli", points, lambda value: percent(value, 1), zero=True)


def equity(points: Sequence[tuple[date, Decimal]], currency: str) -> charts.Drawing:
    """Equity on the EA's last reading of each day."""
    read = [(day, float(value)) for day, value in points]
    return _curve(_("Capital sur relevés"), "releves", read, lambda value: amount(value, currency, 0))


def groups(identity: str, title: str, rows: Sequence[tuple[str, Group]], currency: str) -> charts.Drawing:
    """Net of the first groups."""
    return charts.Drawing(
        charts.bars(
            [(name, float(group.net)) for name, group in rows[: BARS if identity == "symboles" else HOURS]],
            title=title,
            format_value=lambda value: amount(value, currency, 0),
            signed=True,
            identity=f"repartition-{identity}",
        )
    )


def results(spread: Spread, currency: str) -> charts.Drawing:
    """How many trades brought how much."""
    return charts.Drawing(
        charts.bars(
            [(signed_short(row.start), float(row.count)) for row in spread.results],
            title=_("Trades par résultat, en %(currency)s", currency=currency),
            format_value=number,
            identity="resultats",
        )
    )


def result_rows(spread: Spread, currency: str) -> list[tuple[str, str]]:
    """Classes of results in words."""
    last = len(spread.results) - 1
    return [(_result_class(row, place, last, currency), number(row.count)) for place, row in enumerate(spread.results)]


def holdings(spread: Spread) -> charts.Drawing:
    """How many trades lasted how long."""
    return charts.Drawing(
        charts.bars(
            [(name, float(count)) for (name, _words), count in zip(_holding_names(), spread.holdings, strict=False)],
            title=_("Trades par durée"),
            format_value=number,
            identity="durees",
        )
    )


def holding_rows(spread: Spread) -> list[tuple[str, str]]:
    """Classes of holding times in words."""
    return [(words, number(count)) for (_name, words), count in zip(_holding_names(), spread.holdings, strict=False)]


def _result_class(row: Bin, place: int, last: int, currency: str) -> str:
    start, end = (signed_amount(Decimal(str(round(edge, 8))), currency) for edge in (row.start, row.end))
    if row.start == row.end:
        return signed_amount(Decimal(0), currency)
    if place == 0 and last:
        return str(_("moins de %(end)s", end=end))
    if place == last and last:
        return str(_("%(start)s et plus", start=start))
    return str(_("de %(start)s à %(end)s", start=start, end=end))


def _holding_names() -> list[tuple[str, str]]:
    return [
        (_("0 s"), _("moins d’une minute")),
        (_("1 min"), _("de 1 à 5 minutes")),
        (_("5 min"), _("de 5 à 15 minutes")),
        (_("15 min"), _("de 15 minutes à 1 heure")),
        (_("1 h"), _("de 1 à 4 heures")),
        (_("4 h"), _("de 4 à 24 heures")),
        (_("1 j"), _("de 1 à 7 jours")),
        (_("7 j"), _("7 jours et plus")),
    ]


def _curve(
    title: str,
    identity: str,
    points: Sequence[tuple[date, float]],
    write: Callable[[float], str],
    *,
    zero: bool = False,
) -> charts.Drawing:
    instants = [datetime.combine(day, time.min, tzinfo=zone()) for day, _value in points]
    ticks = charts.time_ticks(instants[0], instants[-1], select_timezone(), axis_label) if instants else []
    return charts.line(
        [(instant.timestamp(), value) for instant, (_day, value) in zip(instants, points, strict=True)],
        title=title,
        format_value=write,
        ticks=ticks,
        zero=zero,
        identity=identity,
        read_x=lambda x: short_day(datetime.fromtimestamp(x, zone())),
    )


def axis_label(mark: datetime, unit: charts.Unit) -> str:
    """``24 nov.`` for days, ``nov. 2026`` for months."""
    babel_locale = "en_GB" if select_locale() == "en" else "fr_FR"
    return format_date(mark.date(), "MMM y" if unit is charts.Unit.MONTH else "d MMM", locale=babel_locale)
