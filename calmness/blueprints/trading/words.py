"""Sentences of the intake pages: why a file or a line is refused, how a broker's clock is called."""

from decimal import Decimal

from flask_babel import gettext as _

from calmness.models.trading import CashKind, MarketSession, TradeKind, TradingAccount
from calmness.presentation import signed_number
from calmness.services.pips import NoPip
from calmness.services.trading import broker_clocks
from calmness.services.trading.cash_movements import is_cost


def clock_in_words(choice: str) -> str:
    """``New York + 7 h``, ``Helsinki``, ``UTC+2 toute l’année``."""
    if choice == broker_clocks.NEW_YORK_PLUS_7:
        return str(_("New York + 7 h (la plupart des courtiers)"))
    if choice in broker_clocks.ZONES:
        names = {
            "Europe/Helsinki": _("Europe de l’Est (Helsinki, Athènes, Chypre)"),
            "Europe/London": _("Londres"),
            "Europe/Paris": _("Paris, Berlin"),
        }
        return str(names[choice])
    hours = int(choice.removeprefix("utc"))
    return str(_("UTC%(hours)s toute l’année", hours=f"{hours:+d}".replace("-", "−")))


def refusal_in_words(reason: str, account: TradingAccount) -> tuple[str, str]:
    """(what is wrong, what to do) for a file that was refused."""
    platform = account.platform.terminal
    again = _("Enregistrez le relevé de nouveau depuis l’onglet Historique de %(platform)s.", platform=platform)
    words = {
        "other_account": (
            _("Ce relevé est celui d’un autre compte MetaTrader."),
            _("Ce compte porte le numéro %(login)s. Ajoutez un compte pour chaque numéro.", login=account.login or "–"),
        ),
        "other_platform": (
            _("Ce relevé ne vient pas de %(platform)s.", platform=platform),
            _("Choisissez le compte de la bonne plateforme, ou ajoutez-le."),
        ),
        "no_trade": (
            _("Ce relevé ne contient aucun trade clos."),
            _("Dans l’historique, clic droit, choisissez « Tout l’historique », puis enregistrez de nouveau."),
        ),
        "strategy_tester": (
            _("Ce fichier est un rapport du testeur de stratégie."),
            _("Un test n’est pas un trade réel. Enregistrez le relevé de l’onglet Historique."),
        ),
        "daily_confirmation": (
            _("Ce fichier est la confirmation quotidienne du courtier."),
            again,
        ),
        "mixed_numbers": (
            _("Ce fichier mélange la virgule et le point dans ses nombres."),
            _("Un tableur l’a sans doute modifié. Envoyez le fichier tel que MetaTrader l’a enregistré."),
        ),
        "bomb": (_("Ce classeur est trop lourd une fois décompressé."), again),
        "broken_xlsx": (_("Ce classeur est abîmé ou incomplet."), again),
        "too_many_rows": (
            _("Ce relevé dépasse 200 000 lignes."),
            _("Enregistrez-le en plusieurs périodes\u00a0: les doublons sont reconnus."),
        ),
        "empty_file": (_("Ce fichier est vide."), again),
        "file_gone": (_("Le fichier n’est plus là."), _("Envoyez-le de nouveau.")),
    }
    found = words.get(reason, (_("Ce fichier n’est pas un relevé de MetaTrader."), again))
    return str(found[0]), str(found[1])


def skipped_in_words(reason: str) -> str:
    """Why a line brought nothing."""
    words = {
        "pending": _("ordre en attente annulé, jamais exécuté"),
        "still_open": _("position encore ouverte"),
        "incomplete": _("ligne incomplète"),
        "unreadable": _("nombre ou date illisible"),
        "unknown_type": _("type d’opération inconnu"),
        "reversal_unmatched": _("retournement de position dont les parties manquent"),
        "bad_value": _("valeur hors limites"),
    }
    return str(words.get(reason, _("ligne inconnue")))


def sum_in_words(name: str) -> str:
    """Name of a control sum."""
    words = {
        "closed": _("Résultat des trades clos"),
        "cash": _("Dépôts et retraits"),
        "change": _("Variation du solde"),
    }
    return str(words.get(name, name))


def rejection_in_words(reason: str) -> str:
    """Why the server refused a ticket of an EA."""
    words = {
        "number out of range": _("nombre hors limites"),
        "no number": _("nombre illisible"),
        "bad times": _("date impossible"),
        "bad ticket": _("numéro de ticket illisible"),
        "bad volume": _("volume négatif"),
        "unknown type": _("type d’opération inconnu"),
        "position has too many deals": _("position aux exécutions trop nombreuses\u00a0: importez son relevé"),
    }
    return str(words.get(reason, _("champ manquant ou illisible")))


def kind_in_words(kind: TradeKind) -> str:
    """``Achat``, ``Vente limite``, ``Dépôt ou retrait``."""
    words = {
        TradeKind.BUY: _("Achat"),
        TradeKind.SELL: _("Vente"),
        TradeKind.BUY_LIMIT: _("Achat limite"),
        TradeKind.SELL_LIMIT: _("Vente limite"),
        TradeKind.BUY_STOP: _("Achat stop"),
        TradeKind.SELL_STOP: _("Vente stop"),
        TradeKind.CREDIT: _("Crédit du courtier"),
        TradeKind.CHARGE: _("Frais"),
        TradeKind.CORRECTION: _("Correction du courtier"),
        TradeKind.BONUS: _("Bonus"),
        TradeKind.COMMISSION: _("Commission"),
        TradeKind.AGENT_COMMISSION: _("Commission d’apporteur"),
        TradeKind.INTEREST: _("Intérêts"),
        TradeKind.DIVIDEND: _("Dividende"),
        TradeKind.TAX: _("Taxe"),
    }
    return str(words.get(kind, _("Dépôt ou retrait")))


def cash_in_words(kind: CashKind) -> str:
    """``Dépôt``, ``Frais``."""
    words = {
        CashKind.DEPOSIT: _("Dépôt"),
        CashKind.WITHDRAWAL: _("Retrait"),
        CashKind.TRANSFER: _("Virement interne"),
        CashKind.BONUS: _("Bonus versé sur le solde"),
        CashKind.REFERRAL: _("Commission d’apporteur"),
        CashKind.FEE: _("Frais, commission ou taxe"),
        CashKind.CORRECTION: _("Correction du courtier"),
        CashKind.INTEREST: _("Intérêts"),
        CashKind.DIVIDEND: _("Dividende"),
        CashKind.CREDIT: _("Crédit du courtier"),
    }
    return str(words[kind])


def effect_in_words(kind: CashKind) -> str:
    """What a cash row does to the figures."""
    if kind is CashKind.CREDIT:
        return str(_("hors du solde et des résultats"))
    return str(_("compté dans le résultat")) if is_cost(kind) else str(_("change le capital, pas le résultat"))


def pips_in_words(pips: Decimal) -> str:
    """``+12,5``."""
    return signed_number(pips, 1)


def no_pips_in_words(reason: NoPip | None) -> str:
    """Why a way of the price is not told in pips; without a reason a price is missing."""
    words = {
        NoPip.NO_HABIT: _(
            "Cet instrument ne se compte pas en pips d’une taille convenue\u202f; l’école peut en fixer une."
        ),
        NoPip.COARSE: _("Le courtier cote cet instrument par pas plus grands qu’un pip."),
    }
    return str(words[reason] if reason else _("Un prix d’ouverture ou de clôture manque."))


def session_in_words(session: MarketSession) -> str:
    """``Londres``, ``Asie``."""
    words = {
        MarketSession.OVERLAP: _("Londres et New York"),
        MarketSession.LONDON: _("Londres"),
        MarketSession.NEW_YORK: _("New York"),
        MarketSession.ASIA: _("Asie"),
        MarketSession.NONE: _("Hors session"),
    }
    return str(words[session])


def column_in_words(name: str) -> str:
    """Head of a column of the history."""
    words = {
        "ticket": _("Ticket"),
        "account": _("Compte"),
        "symbol": _("Symbole"),
        "direction": _("Sens"),
        "volume": _("Lots"),
        "opened": _("Ouvert"),
        "closed": _("Clos"),
        "duration": _("Durée"),
        "open_price": _("Ouverture"),
        "close_price": _("Clôture"),
        "stop": _("Stop"),
        "target": _("Objectif"),
        "profit": _("Profit brut"),
        "fees": _("Frais"),
        "net": _("Résultat"),
        "multiple": _("R"),
        "session": _("Session"),
        "tags": _("Étiquettes"),
        "mistakes": _("Erreurs"),
        "comment": _("Commentaire"),
    }
    return str(words[name])
