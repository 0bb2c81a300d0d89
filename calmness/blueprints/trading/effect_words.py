"""The effect of a formation in words: what the figures say, and no more."""

from decimal import Decimal

from flask_babel import gettext as _

from calmness.presentation import duration, number, percent, signed_number
from calmness.services.trading.training_effect import FEWEST, FEWEST_DAYS, Effect, Finding, Side

_TONES = {Finding.BETTER: "success", Finding.WORSE: "warning"}


def verdict(effect: Effect) -> tuple[str, str, str]:
    """(kind of notice, title, sentence)."""
    kind = _TONES.get(effect.finding, "info")
    if effect.finding is Finding.NOT_ATTENDED:
        return kind, _("Rien à mesurer encore"), _("Vous n’avez assisté à aucune séance de cette formation.")
    if effect.finding is Finding.UNDER_WAY:
        return (
            kind,
            _("Formation en cours"),
            _("La comparaison commence avec les trades ouverts après la dernière séance."),
        )
    if effect.finding is Finding.TOO_FEW or effect.before is None or effect.after is None:
        sides = [(side.counted, side.days) if side else (0, 0) for side in (effect.before, effect.after)]
        return (
            kind,
            _("Pas assez de trades"),
            _(
                "%(before)s trades sur %(before_days)s jours avant, %(after)s sur %(after_days)s après. Il en faut"
                " %(fewest)s sur %(days)s jours de chaque côté pour dire quelque chose.",
                before=number(sides[0][0]),
                before_days=number(sides[0][1]),
                after=number(sides[1][0]),
                after_days=number(sides[1][1]),
                fewest=FEWEST,
                days=FEWEST_DAYS,
            ),
        )
    measured = {
        "difference": _shown(effect.difference, effect),
        "low": _shown(effect.low, effect),
        "high": _shown(effect.high, effect),
    }
    if effect.finding is Finding.NO_DIFFERENCE:
        return (
            kind,
            _("Pas de différence démontrée"),
            _(
                "L’écart mesuré par trade est de %(difference)s, mais l’intervalle à 95 %% va de %(low)s à %(high)s :"
                " le hasard suffit à l’expliquer.",
                **measured,
            ),
        )
    title = _("Meilleur après") if effect.finding is Finding.BETTER else _("Moins bon après")
    return (
        kind,
        title,
        _(
            "L’écart moyen par trade est de %(difference)s (intervalle à 95 %% : de %(low)s à %(high)s). Cela ne prouve"
            " pas que la formation en soit la cause\u00a0: le marché et vous avez aussi changé.",
            **measured,
        ),
    )


def rows(effect: Effect) -> list[tuple[str, str, str]]:
    """(figure, before, after)."""
    if effect.before is None or effect.after is None:
        return []
    sides = (effect.before, effect.after)
    unit = _("Résultat moyen par trade, en R")
    if not effect.in_r:
        unit = _("Résultat moyen par trade, en pourcentage du capital")
    factor = _("Facteur de profit, en R") if effect.in_r else _("Facteur de profit, en pourcentage du capital")
    return [
        (_("Trades"), *(number(side.trades) for side in sides)),
        (_("dont comparés"), *(number(side.counted) for side in sides)),
        (_("Jours avec des trades comparés"), *(number(side.days) for side in sides)),
        (_("Taux de réussite"), *(percent(side.win_rate) for side in sides)),
        (unit, *(_shown(side.mean, effect) for side in sides)),
        (factor, *(_factor(side) for side in sides)),
        (_("Durée médiane"), *(duration(side.median_holding) for side in sides)),
    ]


def _factor(side: Side) -> str:
    return number(None if side.profit_factor is None else Decimal(str(round(side.profit_factor, 6))), 2)


def _shown(value: float | None, effect: Effect) -> str:
    if value is None:
        return "–"
    exact = Decimal(str(round(value, 8)))
    return f"{signed_number(exact, 2)}\u00a0R" if effect.in_r else f"{signed_number(exact * 100, 3)}\u00a0%"
