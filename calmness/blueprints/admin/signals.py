"""Publishing signals and following them to their end."""

from decimal import Decimal, InvalidOperation

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from calmness.access import current_account, requires
from calmness.blueprints.admin.fields import FigureField
from calmness.blueprints.signals import STATES
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.signal import Direction, OrderKind
from calmness.permissions import Permission
from calmness.services import signals as rules

bp = Blueprint("admin_signals", __name__, url_prefix="/admin/signaux")
_PRICE = _l("Entrez un prix comme 1,0842.")


class PriceField(FigureField):
    """A price of the market."""

    refusal = _PRICE


class SignalForm(FlaskForm):
    """A signal with its compulsory mentions."""

    instrument = StringField(
        _l("Instrument"), validators=[InputRequired(_l("Nommez l’instrument, par exemple EURUSD.")), Length(max=32)]
    )
    direction = SelectField(
        _l("Sens"),
        choices=[SelectChoice(Direction.BUY.value, _l("Achat")), SelectChoice(Direction.SELL.value, _l("Vente"))],
    )
    order_kind = SelectField(
        _l("Entrée"),
        choices=[
            SelectChoice(OrderKind.MARKET.value, _l("Au marché")),
            SelectChoice(OrderKind.LIMIT.value, _l("À cours limité")),
            SelectChoice(OrderKind.STOP.value, _l("Sur seuil")),
        ],
    )
    entry = PriceField(_l("Prix d’entrée"), places=None, validators=[InputRequired(_PRICE), NumberRange(min=0)])
    stop = PriceField(_l("Stop"), places=None, validators=[InputRequired(_PRICE), NumberRange(min=0)])
    targets = StringField(_l("Objectifs"), validators=[InputRequired(_l("Donnez au moins un objectif."))])
    reasoning = TextAreaField(
        _l("Raisonnement"), validators=[InputRequired(_l("Dites sur quoi repose le signal.")), Length(max=4000)]
    )
    horizon = StringField(_l("Horizon"), default="Intraday", validators=[InputRequired(_l("Champ obligatoire."))])
    author_title = StringField(
        _l("Qualité de l’auteur"), default="Formateur", validators=[InputRequired(_l("Champ obligatoire."))]
    )
    conflict_notice = StringField(
        _l("Conflits d’intérêts"),
        default="L’auteur ne détient pas de position sur cet instrument.",
        validators=[InputRequired(_l("Déclarez vos positions, ou leur absence.")), Length(max=300)],
    )

    def draft(self) -> rules.Draft:
        """What the form says. Raises ``InvalidOperation`` for a target that is no number."""
        targets = tuple(
            Decimal(part.strip().replace(",", ".")) for part in self.targets.data.split(";") if part.strip()
        )
        return rules.Draft(
            instrument=self.instrument.data,
            direction=Direction(self.direction.data),
            order_kind=OrderKind(self.order_kind.data),
            entry=self.entry.data,
            stop=self.stop.data,
            targets=targets,
            reasoning=self.reasoning.data,
            horizon=self.horizon.data,
            conflict_notice=self.conflict_notice.data,
            author_title=self.author_title.data,
        )


@bp.get("")
@requires(Permission.PUBLISH_SIGNALS)
def index() -> ResponseReturnValue:
    """Living signals, and the form that publishes."""
    return _page(SignalForm()), 200


@bp.post("")
@requires(Permission.PUBLISH_SIGNALS)
def create_signal() -> ResponseReturnValue:
    """Publish."""
    form = SignalForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        rules.publish(form.draft(), author=current_account())
    except InvalidOperation:
        db.session.rollback()
        form.targets.errors = [_("Séparez les objectifs par un point-virgule, par exemple 1,0900\u202f; 1,0950.")]
        return _page(form), 422
    except DomainError as error:
        db.session.rollback()
        form[error.field or "entry"].errors = [error.message]
        return _page(form), 422
    db.session.commit()
    flash(_("Signal publié\u202f; les abonnés sont prévenus."), "success")
    return redirect(url_for("admin_signals.index"))


@bp.post("/<int:signal_id>/cloture")
@requires(Permission.PUBLISH_SIGNALS)
def create_closure(signal_id: int) -> ResponseReturnValue:
    """Close at a price."""
    try:
        price = Decimal(request.form.get("price", "").strip().replace(",", "."))
    except InvalidOperation:
        flash(_("Entrez le prix de sortie, par exemple 1,0891."), "error")
        return redirect(url_for("admin_signals.index"))
    signal = rules.close(signal_id, price, by=current_account())
    db.session.commit()
    flash(_("Signal clos\u00a0: %(result)s R.", result=signal.result_r), "success")
    return redirect(url_for("admin_signals.index"))


@bp.post("/<int:signal_id>/annulation")
@requires(Permission.PUBLISH_SIGNALS)
def create_cancellation(signal_id: int) -> ResponseReturnValue:
    """Withdraw a signal whose entry was not touched."""
    rules.cancel(signal_id, request.form.get("reason", ""), by=current_account())
    db.session.commit()
    flash(_("Signal annulé\u202f; il reste au registre."), "success")
    return redirect(url_for("admin_signals.index"))


def _page(form: SignalForm) -> str:
    return render_template(
        "admin/signals/index.html", form=form, living=rules.living(), ended=rules.ended(limit=15), states=STATES
    )


from calmness.blueprints.admin import pips  # noqa: E402

__all__ = ["bp", "pips"]
