"""Statistics: figures, breakdowns, calendar, comparison of periods."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp, effect_words, figure_charts, figure_words
from calmness.blueprints.trading.scope import Chosen, day_of_request, of_request, period_names
from calmness.blueprints.trading.words import no_pips_in_words, pips_in_words
from calmness.extensions import db
from calmness.features import requires_feature
from calmness.instruments import base_symbol
from calmness.models.trading import MarketSession, TradeKind
from calmness.permissions import Permission
from calmness.presentation import amount, number, percent, short_day, signed_amount, signed_number, signed_short
from calmness.services import pips
from calmness.services.account.preferences import Feature
from calmness.services.trading import (
    converted_report,
    equity_falls,
    exchange_rates,
    opening_balances,
    trading_accounts,
    trading_breakdowns,
    trading_overview,
    trading_report,
    trading_totals,
    training_effect,
)
from calmness.services.trading.trading_report import Report, Scope
from calmness.services.trading.trading_totals import Together

MONTHS = 12


@bp.get("/statistiques")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def statistics() -> ResponseReturnValue:
    """Figures of a period."""
    chosen = of_request(current_account(), may_convert=True)
    if chosen is None:
        return _page("overview", None)
    to = chosen.converter() if chosen.is_together else None
    found = converted_report.report(to) if to else trading_report.report(chosen.scope)
    equity = converted_report.equity_by_day(to) if to else trading_report.equity_by_day(chosen.scope)
    open_now = converted_report.exposure(to) if to else trading_report.exposure(chosen.scope.account_ids)
    return _page(
        "overview",
        chosen,
        to=to,
        found=found,
        luck=figure_words.luck(found),
        results=figure_words.results(found, chosen.currency),
        risks=figure_words.risks(
            found,
            chosen.currency,
            converted_report.equity_fall(to) if to else equity_falls.of_scope(chosen.scope),
            len(chosen.scope.account_ids),
        ),
        capital=figure_charts.capital(found, chosen.currency),
        cumulated=figure_charts.cumulated(found, chosen.currency),
        drawdown=figure_charts.drawdown(found),
        equity=figure_charts.equity(equity, chosen.currency),
        exposure=open_now,
        bases=opening_balances.told([chosen.account] if chosen.account else chosen.accounts),
        several=_together(chosen),
        targets=exchange_rates.TARGETS,
    )


@bp.post("/statistiques/devise")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def choose_currency() -> ResponseReturnValue:
    """Choose the currency of the totals."""
    user = current_account()
    try:
        exchange_rates.choose_currency(user.id, request.form.get("currency", ""))
    except exchange_rates.UnknownCurrency as error:
        flash(str(error.message), "error")
    db.session.commit()
    chosen = of_request(user, may_convert=True)
    query: dict[str, Any] = dict(chosen.query) if chosen else {}
    return redirect(url_for("trading.statistics", **query))


@bp.get("/statistiques/repartition")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def breakdown() -> ResponseReturnValue:
    """Results by symbol, weekday, hour, session, direction and tag; how they are spread."""
    chosen = of_request(current_account(), may_convert=True)
    if chosen is None:
        return _page("breakdown", None)
    to = chosen.converter() if chosen.is_together else None
    scope, which = chosen.scope, chosen.scope.positions
    cells = converted_report.cells(to) if to else trading_breakdowns.cells(scope.account_ids, which, scope.zone)
    weekdays = [_("lun."), _("mar."), _("mer."), _("jeu."), _("ven."), _("sam."), _("dim.")]
    weekday, hour = (trading_breakdowns.by(cells, key) for key in (lambda cell: cell.weekday, lambda cell: cell.hour))
    session, side = (trading_breakdowns.by(cells, key) for key in (lambda cell: cell.session, lambda cell: cell.kind))
    spread = converted_report.spread(to) if to else trading_report.spread(scope)
    table = pips.of_accounts(scope.account_ids)
    parts = [
        ("symboles", _("Par symbole"), "", trading_breakdowns.by_symbol(cells)),
        (
            "jours",
            _("Par jour de la semaine"),
            _("Jour de l’ouverture, dans votre fuseau."),
            [(weekdays[key], weekday[key]) for key in sorted(weekday)],
        ),
        (
            "heures",
            _("Par heure"),
            _("Heure de l’ouverture, dans votre fuseau."),
            [(f"{key}\u00a0h", hour[key]) for key in sorted(hour)],
        ),
        (
            "seances",
            _("Par séance de marché"),
            _(
                "Heure de l’ouverture sur place : Londres et New York de 8 h à 17 h, Tokyo de 9 h à 18 h, changements"
                " d’heure compris."
            ),
            [(name, session[key.value]) for key, name in session_names() if key.value in session],
        ),
        (
            "sens",
            _("Par sens"),
            "",
            [
                (name, side[key.value])
                for key, name in ((TradeKind.BUY, _("Achat")), (TradeKind.SELL, _("Vente")))
                if key.value in side
            ],
        ),
        (
            "etiquettes",
            _("Par étiquette"),
            _("Un trade compte sous chacune de ses étiquettes."),
            converted_report.by_tag(to) if to else trading_breakdowns.by_tag(scope.account_ids, which),
        ),
    ]
    return _page(
        "breakdown",
        chosen,
        to=to,
        parts=[
            (identity, title, note, rows, figure_charts.groups(identity, title, rows, chosen.currency))
            for identity, title, note, rows in parts
        ],
        results=figure_charts.results(spread, chosen.currency),
        result_rows=figure_charts.result_rows(spread, chosen.currency),
        holdings=figure_charts.holdings(spread),
        holding_rows=figure_charts.holding_rows(spread),
        pips={symbol: pips_in_words(total) for symbol, total in spread.pips.items()},
        no_pips={base_symbol(cell.symbol): no_pips_in_words(table.silence(cell.symbol)) for cell in cells},
    )


@bp.get("/statistiques/calendrier")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def result_calendar() -> ResponseReturnValue:
    """A month day by day, and the twelve months that end with it."""
    chosen = of_request(current_account(), may_convert=True)
    if chosen is None:
        return _page("calendar", None)
    month = (day_of_request("mois") or chosen.today).replace(day=1)
    month = min(month, chosen.today.replace(day=1))
    following = _later(month, 1)
    scope = Scope(chosen.scope.account_ids, chosen.scope.zone, _later(month, 1 - MONTHS), following - timedelta(days=1))
    to = replace(chosen, scope=scope).converter() if chosen.is_together else None
    days = converted_report.results_by_day(to) if to else trading_report.results_by_day(scope)
    shown = {day: result for day, result in days.items() if (day.year, day.month) == (month.year, month.month)}
    months: dict[date, Decimal] = {_later(month, -back): Decimal(0) for back in range(MONTHS)}
    for day, (net, _trades) in days.items():
        months[day.replace(day=1)] += net
    return _page(
        "calendar",
        chosen,
        month=month,
        before=_later(month, -1),
        after=following if following <= chosen.today else None,
        total=sum((net for net, _trades in shown.values()), Decimal(0)),
        cells=trading_overview.calendar_cells(
            month.year, month.month, shown, signed_short, lambda net: signed_amount(net, chosen.currency)
        ),
        days=sorted(shown.items()),
        months=sorted(months.items(), reverse=True),
    )


@bp.get("/statistiques/comparaison")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def comparison() -> ResponseReturnValue:
    """Two periods side by side; the second is by default as long as the first and ends just before it."""
    chosen = of_request(current_account(), may_convert=True)
    if chosen is None:
        return _page("comparison", None)
    first = chosen.scope
    start, end = first.start or chosen.today - timedelta(days=365), first.end or chosen.today
    other_end = day_of_request("contre_au") or start - timedelta(days=1)
    other_start = day_of_request("contre_du") or other_end - (end - start)
    other_start, other_end = sorted((other_start, other_end))
    scopes = [
        Scope(first.account_ids, first.zone, start, end),
        Scope(first.account_ids, first.zone, other_start, other_end),
    ]
    reports = [_report(chosen, scope) for scope in scopes]
    return _page(
        "comparison",
        chosen,
        scopes=scopes,
        names=[f"{short_day(scope.start)} – {short_day(scope.end)}" for scope in scopes],
        rows=_compared(reports[0], reports[1], chosen.currency),
        warnings=[figure_words.luck(found) for found in reports],
    )


@bp.get("/statistiques/formations")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.HISTORY)
def training() -> ResponseReturnValue:
    """Results before and after each formation."""
    user = current_account()
    chosen = of_request(user)
    if chosen is None:
        return _page("training", None)
    found = [(effect, effect_words.verdict(effect)) for effect in training_effect.of_user(user)]
    return _page("training", chosen, effects=[(*pair, effect_words.rows(pair[0])) for pair in found])


def session_names() -> list[tuple[MarketSession, str]]:
    """Names of the market sessions, in the order of the day."""
    return [
        (MarketSession.ASIA, _("Asie")),
        (MarketSession.LONDON, _("Londres")),
        (MarketSession.OVERLAP, _("Londres + NY")),
        (MarketSession.NEW_YORK, _("New York")),
        (MarketSession.NONE, _("Hors séance")),
    ]


def _report(chosen: Chosen, scope: Scope) -> Report:
    """A report of other days than those of the address."""
    if not chosen.is_together:
        return trading_report.report(scope)
    return converted_report.report(replace(chosen, scope=scope).converter())


def _together(chosen: Chosen) -> Together | None:
    """All accounts in the person's currency, when that says more than the page does."""
    user = current_account()
    currency = exchange_rates.currency_of(user.id)
    if chosen.account or chosen.currencies == [currency]:
        return None
    accounts = trading_accounts.of_user(user.id)
    return trading_totals.together(accounts, currency, chosen.today, chosen.scope.start, chosen.scope.end)


def _compared(now: Report, before: Report, currency: str) -> list[tuple[str, str, str, str]]:
    """(figure, value, value of the other period, difference)."""

    def money(name: str, *values: Decimal | None) -> tuple[str, str, str, str]:
        return _difference(name, values, lambda value: signed_amount(value, currency))

    def plain(name: str, *values: Decimal | float | None, digits: int = 2) -> tuple[str, str, str, str]:
        exact = [None if value is None else Decimal(str(round(value, 6))) for value in values]
        return _difference(name, exact, lambda value: number(value, digits), lambda value: signed_number(value, digits))

    def share(name: str, *values: Decimal | float | None) -> tuple[str, str, str, str]:
        exact = [None if value is None else Decimal(str(round(value, 8))) for value in values]
        return _difference(name, exact, percent, lambda value: signed_number(value * 100, 1) + "\u00a0" + _("points"))

    one, two = now.figures, before.figures
    return [
        money(_("Résultat net"), one.net, two.net),
        plain(_("Trades"), Decimal(one.trades), Decimal(two.trades), digits=0),
        share(_("Taux de réussite"), one.win_rate, two.win_rate),
        plain(_("Facteur de profit"), one.profit_factor, two.profit_factor),
        money(_("Espérance"), one.expectancy, two.expectancy),
        plain(_("Payoff"), one.payoff, two.payoff),
        plain(_("R moyen"), now.spread.mean_r, before.spread.mean_r),
        share(_("Rendement pondéré par le temps"), now.walk.time_weighted, before.walk.time_weighted),
        money(_("Repli maximal"), -now.max_drawdown, -before.max_drawdown),
        share(_("Repli maximal en %"), now.walk.fall_ratio, before.walk.fall_ratio),
        plain(_("Ratio de Sharpe"), now.ratios.sharpe, before.ratios.sharpe),
        plain(
            _("Plus longue série perdante"),
            Decimal(now.spread.losing_streak),
            Decimal(before.spread.losing_streak),
            digits=0,
        ),
    ]


def _difference(name: str, values: Any, write: Any, signed: Any = None) -> tuple[str, str, str, str]:
    now, before = values
    known = now is not None and before is not None
    return (
        name,
        "–" if now is None else write(now),
        "–" if before is None else write(before),
        (signed or write)(now - before) if known else "–",
    )


def _later(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _page(name: str, chosen: Chosen | None, **values: Any) -> str:
    target = exchange_rates.currency_of(current_account().id)
    return render_template(
        f"trading/figures/{name}.html",
        chosen=chosen,
        section=name,
        periods=period_names(),
        target=target,
        amount=amount,
        **values,
    )


__all__ = ["breakdown", "choose_currency", "comparison", "result_calendar", "statistics", "training"]
