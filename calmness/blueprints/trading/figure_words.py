"""Figures in words: name, value, how it is computed, and why there is nothing to say when there is nothing."""

from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from calmness.presentation import amount, day, duration, number, percent, signed_amount, signed_number
from calmness.services.trading.equity_falls import EquityFall
from calmness.services.trading.trading_report import Report
from calmness.services.trading.trading_returns import FEWEST_DAYS, FEWEST_DAYS_OF_A_YEAR

FEW_TRADES = 30
"""Below this a page says that its figures may be luck."""


@dataclass(frozen=True)
class Figure:
    """A line of the page. ``silence`` is shown instead of a value that does not exist."""

    name: str
    value: str
    definition: str
    silence: str = ""


def results(found: Report, currency: str) -> list[Figure]:
    """What the trades brought."""
    figures, spread = found.figures, found.spread
    no_trade = _("aucun trade clos")
    one_side = no_trade if not figures.trades else _("il faut des gains et des pertes")
    return [
        _figure(
            _("Payoff"), number(figures.payoff, 2), _("Gain moyen divisé par perte moyenne."), one_side, figures.payoff
        ),
        _figure(
            _("Gain moyen"),
            signed_amount(figures.mean_win, currency),
            _("Résultat net moyen des trades gagnants."),
            _("aucun trade gagnant"),
            figures.mean_win,
        ),
        _figure(
            _("Perte moyenne"),
            signed_amount(figures.mean_loss, currency),
            _("Résultat net moyen des trades perdants."),
            _("aucun trade perdant"),
            figures.mean_loss,
        ),
        _figure(
            _("Résultat médian"),
            signed_amount(spread.median_net, currency),
            _("La moitié des trades a fait mieux, l’autre moins bien\u00a0: un seul gros trade ne le déplace pas."),
            no_trade,
            spread.median_net,
        ),
        _figure(
            _("Meilleur trade"),
            signed_amount(figures.best, currency),
            _("Plus grand résultat net d’un trade."),
            no_trade,
            figures.best,
        ),
        _figure(
            _("Pire trade"),
            signed_amount(figures.worst, currency),
            _("Plus petit résultat net d’un trade."),
            no_trade,
            figures.worst,
        ),
        _figure(
            _("Réussite hors nuls"),
            percent(figures.win_rate_without_zeros),
            _("Gagnants divisés par gagnants et perdants\u202f; les trades nuls ne comptent pas."),
            no_trade if not figures.trades else _("que des trades nuls"),
            figures.win_rate_without_zeros,
        ),
        Figure(
            _("Trades nuls"),
            number(figures.breakeven),
            _("Résultat net égal à zéro\u202f; ils comptent au dénominateur du taux de réussite."),
        ),
        Figure(
            _("Exécutions"),
            number(figures.exits),
            _("Sorties, partielles comprises. Une position close en plusieurs fois compte comme un seul trade."),
        ),
        Figure(
            _("Plus longue série gagnante"),
            number(spread.winning_streak),
            _("Trades gagnants de suite, par heure de clôture\u202f; un trade nul l’interrompt."),
        ),
        Figure(
            _("Plus longue série perdante"),
            number(spread.losing_streak),
            _("Trades perdants de suite, par heure de clôture\u202f; un trade nul l’interrompt."),
        ),
        _figure(
            _("Durée médiane"),
            duration(spread.median_holding),
            _("De la première ouverture à la dernière clôture\u202f; la moitié des trades a duré moins longtemps."),
            no_trade,
            spread.median_holding,
        ),
        _figure(
            _("Durée moyenne"),
            duration(figures.mean_holding),
            _("De la première ouverture à la dernière clôture."),
            no_trade,
            figures.mean_holding,
        ),
        _figure(
            _("R moyen"),
            f"{signed_number(spread.mean_r, 2)} R",
            _(
                "Mouvement obtenu divisé par le risque pris (de l’entrée au premier stop connu). Compté sur"
                " %(count)s trades dont le stop est connu\u202f; un stop absent ou du mauvais côté ne compte pas.",
                count=number(spread.with_r),
            ),
            _("aucun stop connu"),
            spread.mean_r,
        ),
        _figure(
            _("Pips (forex)"),
            signed_number(spread.forex_pips, 1),
            _(
                "Somme des pips des paires de devises seulement : 0,0001, ou 0,01 face au yen. L’or, les indices et"
                " les cryptomonnaies ont d’autres pips\u202f; on ne les additionne pas\u00a0: la répartition les donne"
                " symbole par symbole."
            ),
            _("aucun trade sur une paire de devises"),
            spread.forex_pips,
        ),
    ]


def risks(found: Report, currency: str, equity: EquityFall | None, accounts: int = 1) -> list[Figure]:
    """What it took, and what it made of the capital. ``accounts``: how many stand behind the equity."""
    walk, ratios = found.walk, found.ratios
    no_trade = _("aucun trade clos")
    no_base = _("solde de départ inconnu\u00a0: ni dépôt dans l’historique, ni solde du courtier qui l’explique")
    no_capital = no_trade if not found.figures.exits else no_base
    few_days = _("moins de %(days)s jours de bourse", days=FEWEST_DAYS)
    too_few = few_days if 0 < ratios.days < FEWEST_DAYS else no_capital
    return [
        _figure(
            _("Rendement pondéré par le temps"),
            percent(walk.time_weighted, 2),
            _(
                "Produit, sortie après sortie, de (1 + résultat net ÷ solde juste avant). Un dépôt ou un retrait change"
                " le solde, jamais le rendement."
            ),
            no_capital,
            walk.time_weighted,
        ),
        _figure(
            _("Repli maximal"),
            amount(found.max_drawdown, currency),
            _("Plus forte baisse du résultat cumulé depuis son plus haut, sortie après sortie, hors dépôts."),
            no_trade,
            found.max_drawdown if found.figures.exits else None,
        ),
        _figure(
            _("Repli maximal en %"),
            percent(walk.fall_ratio, 2),
            _("Plus forte baisse du rendement pondéré par le temps depuis son plus haut."),
            no_capital,
            walk.fall_ratio,
        ),
        _equity(equity, currency, accounts),
        _figure(
            _("Facteur de récupération"),
            number(found.recovery_factor, 2),
            _("Résultat net divisé par le repli maximal."),
            no_trade if not found.figures.exits else _("aucun repli"),
            found.recovery_factor,
        ),
        _figure(
            _("Ratio de Sharpe"),
            number(_decimal(ratios.sharpe), 2),
            _(
                "Moyenne des rendements quotidiens divisée par leur écart-type (n − 1), fois √252. Taux sans risque :"
                " zéro. Du lundi au vendredi, zéro les jours sans clôture."
            ),
            too_few if ratios.days < FEWEST_DAYS else _("rendements tous égaux"),
            ratios.sharpe,
        ),
        _figure(
            _("Ratio de Sortino"),
            number(_decimal(ratios.sortino), 2),
            _(
                "Comme celui de Sharpe, divisé par la racine de la moyenne des carrés des seuls rendements négatifs"
                " (objectif zéro, tous les jours au dénominateur)."
            ),
            too_few if ratios.days < FEWEST_DAYS else _("aucun jour perdant"),
            ratios.sortino,
        ),
        _figure(
            _("Ratio de Calmar"),
            number(_decimal(ratios.calmar), 2),
            _("Rendement ramené à un an divisé par le repli maximal en %."),
            _("moins de %(days)s jours, ou aucun repli", days=FEWEST_DAYS_OF_A_YEAR)
            if walk.time_weighted is not None
            else no_capital,
            ratios.calmar,
        ),
    ]


def luck(found: Report) -> str:
    """A warning where figures say little."""
    trades, days = found.figures.trades, sum(1 for row in found.days if row.exits)
    if not trades:
        return str(_("Aucun trade clos sur cette période\u00a0: il n’y a rien à dire encore."))
    if days == 1:
        return str(_("Un seul jour de trading\u00a0: ces chiffres décrivent ce jour, pas une méthode."))
    if not found.figures.losses:
        return str(_("Aucun trade perdant\u00a0: sans perte, facteur de profit et payoff ne disent encore rien."))
    if trades < FEW_TRADES:
        return str(_("Moins de %(count)s trades\u00a0: la chance pèse plus que la méthode.", count=FEW_TRADES))
    return ""


def _equity(equity: EquityFall | None, currency: str, accounts: int) -> Figure:
    definition = _(
        "Plus forte baisse du capital (positions ouvertes comprises) sur les relevés de l’EA, un par minute, dépôts et"
        " retraits mis à part."
    )
    if accounts > 1:
        definition += " " + _("Tous les comptes ensemble, chacun à son dernier relevé.")
    if equity is None:
        return Figure(_("Repli du capital (sur relevés)"), "–", definition, _("aucun relevé de l’EA"))
    value = percent(equity.ratio, 2) if equity.ratio is not None else amount(equity.amount, currency)
    since = _("Relevés depuis le %(day)s.", day=day(equity.since))
    return Figure(_("Repli du capital (sur relevés)"), value, f"{definition} {since}")


def _figure(name: str, value: str, definition: str, silence: str, exists: object) -> Figure:
    return Figure(name, value, definition) if exists is not None else Figure(name, "–", definition, silence)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(round(value, 6)))
