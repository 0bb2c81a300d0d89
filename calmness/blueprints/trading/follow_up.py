"""Follow-up by the school: the services on offer, and what the school sees with the student's consent."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import current_account, requires
from calmness.blueprints.trading import bp
from calmness.extensions import db
from calmness.models.catalogue import OfferKind
from calmness.permissions import Permission
from calmness.services.billing import catalogue
from calmness.services.trading import sharing
from calmness.services.trading.sharing import Level


@bp.get("/suivi")
@requires(Permission.OWN_SPACE)
def follow_up() -> ResponseReturnValue:
    """Services, what is shared now, and the proof of each answer."""
    user_id = current_account().id
    words = {
        sharing.PURPOSES[Level.FIGURES]: _("Mes chiffres"),
        sharing.PURPOSES[Level.TRADES]: _("Mes trades"),
    }
    return render_template(
        "trading/follow_up.html",
        offers=catalogue.published(OfferKind.SERVICE),
        level=sharing.level_of(user_id).value,
        levels=[
            (Level.NONE.value, _("Rien"), _("L’école ne voit aucun résultat.")),
            (
                Level.FIGURES.value,
                _("Mes chiffres"),
                _("Nombre de trades, taux de réussite, facteur de profit, résultat et repli, par période."),
            ),
            (Level.TRADES.value, _("Mes chiffres et mes trades"), _("Les mêmes chiffres, et la liste de vos trades.")),
        ],
        proofs=[(proof, words[proof.purpose]) for proof in sharing.proofs(user_id)],
    )


@bp.post("/suivi/partage")
@requires(Permission.OWN_SPACE)
def create_sharing() -> ResponseReturnValue:
    """Say what the school may see. Less is at once."""
    typed = request.form.get("level", "")
    level = Level(typed) if typed in set(Level) else Level.NONE
    changed = sharing.choose(current_account().id, level)
    db.session.commit()
    if changed:
        flash(
            _("L’école ne voit plus vos résultats.")
            if level is Level.NONE
            else _("Votre accord est enregistré. Vous pouvez le retirer ici à tout moment."),
            "success",
        )
    return redirect(url_for("trading.follow_up"))
