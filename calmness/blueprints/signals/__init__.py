"""Signals for subscribers."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires
from calmness.errors import NotFound
from calmness.features import requires_feature
from calmness.navigation import badge
from calmness.permissions import Permission
from calmness.services import signals as rules
from calmness.services.account.preferences import Feature

bp = Blueprint("signals", __name__, url_prefix="/espace/signaux")
STATES = {
    "pending": (_l("En attente"), "info"),
    "active": (_l("En cours"), "success"),
    "partly_closed": (_l("Allégé"), "success"),
    "closed": (_l("Clos"), ""),
    "cancelled": (_l("Annulé"), "warning"),
    "expired": (_l("Expiré"), "warning"),
}


@badge("signals", _l("signaux en cours"))
def living_count(user_id: int) -> int:
    """How many signals a subscriber can follow now."""
    return len(rules.living()) if rules.may_read(user_id) else 0


@bp.get("")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.SIGNALS)
def index() -> ResponseReturnValue:
    """Living signals for subscribers, ended ones for all."""
    opened = rules.may_read(current_account().id)
    living = rules.living()
    return render_template(
        "signals/index.html",
        opened=opened,
        living=living if opened else [],
        waiting=len(living),
        ended=rules.ended(limit=20),
        states=STATES,
    )


@bp.get("/<int:signal_id>")
@requires(Permission.OWN_SPACE)
@requires_feature(Feature.SIGNALS)
def show(signal_id: int) -> ResponseReturnValue:
    """One signal. A living one is for subscribers only."""
    signal = rules.get(signal_id)
    if signal.status in rules.LIVING and not rules.may_read(current_account().id):
        raise NotFound(_l("Ce signal est réservé aux abonnés tant qu’il est en cours."))
    return render_template("signals/show.html", signal=signal, states=STATES)
