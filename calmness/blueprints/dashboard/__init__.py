"""The person's dashboard: cards in the order that the person chose. A card that fails takes nothing down."""

import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.exc import SQLAlchemyError

from calmness.access import current_account, requires
from calmness.blueprints.dashboard.widgets import WIDGETS
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.permissions import Permission
from calmness.services.dashboard import layouts

log = structlog.get_logger(__name__)

bp = Blueprint("dashboard", __name__, url_prefix="/espace")


@bp.get("")
@requires(Permission.OWN_SPACE)
def show() -> ResponseReturnValue:
    """Cards of everything that matters now."""
    user = current_account()
    chosen = layouts.of_user(user.id)
    cards = [(name, _card(name)) for name in chosen.widgets if name in WIDGETS]
    return render_template(
        "dashboard/show.html",
        user=user,
        cards=cards,
        widgets=WIDGETS,
        chosen=chosen,
        editing="modifier" in request.args,
    )


@bp.get("/widgets/<name>")
@requires(Permission.OWN_SPACE)
def widget(name: str) -> ResponseReturnValue:
    """One card alone."""
    if name not in WIDGETS:
        raise layouts.UnknownWidget
    return _card(name)


@bp.post("/widgets/<name>/<act>")
@requires(Permission.OWN_SPACE)
def change_widget(name: str, act: str) -> ResponseReturnValue:
    """Add, remove or move a card. Works by pointer, keyboard, and without script."""
    layouts.change(current_account().id, name, act, known=tuple(WIDGETS))
    db.session.commit()
    return redirect(url_for("dashboard.show", modifier="1"))


@bp.post("/widgets")
@requires(Permission.OWN_SPACE)
def reset_widgets() -> ResponseReturnValue:
    """Back to the first arrangement."""
    layouts.reset(current_account().id)
    db.session.commit()
    flash(_("Votre tableau de bord a retrouvé sa disposition d’origine."), "success")
    return redirect(url_for("dashboard.show"))


def _card(name: str) -> Markup:
    """A rendered card: a template of ours, already escaped."""
    try:
        return Markup(WIDGETS[name].render(current_account()))  # noqa: S704
    except (DomainError, SQLAlchemyError, ArithmeticError, LookupError) as error:
        # The card says so; the others live.
        db.session.rollback()
        log.exception("widget_failed", widget=name, error=type(error).__name__)
        return Markup(render_template("dashboard/failed.html", title=WIDGETS[name].label))  # noqa: S704
