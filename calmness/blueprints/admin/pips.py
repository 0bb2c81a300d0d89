"""The school's own sizes of pips."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from calmness.access import current_account, requires
from calmness.blueprints.admin.fields import FigureField
from calmness.blueprints.admin.signals import bp
from calmness.extensions import db
from calmness.instruments import pip_size
from calmness.permissions import Permission
from calmness.services import pips

EXAMPLES = ("EURUSD", "USDJPY", "XAUUSD", "XAGUSD", "USOIL", "US30", "BTCUSD", "XRPUSD", "AAPL")


class PipField(FigureField):
    """A size of pips."""

    refusal = pips.BadPip.message


class PipForm(FlaskForm):
    """What a pip of a symbol is."""

    pattern = StringField(
        _l("Symbole, ou son début suivi d’une étoile"),
        validators=[InputRequired(_l("Nommez le symbole.")), Length(max=32)],
    )
    pip = PipField(_l("Taille d’un pip"), places=None, validators=[InputRequired(_l("Entrez une taille."))])

    # Both are looked at before the rule is: a person sees all that is wrong at once.
    def validate_pattern(self, field: StringField) -> None:
        """Nothing but a symbol or its beginning."""
        with _told():
            pips.pattern_of(field.data or "")

    def validate_pip(self, field: PipField) -> None:
        """Nothing but a size that a pip can have."""
        with _told():
            pips.size_of(field.data)


@contextmanager
def _told() -> Iterator[None]:
    """The rule's own words beside the field."""
    try:
        yield
    except (pips.BadPattern, pips.BadPip) as error:
        raise ValidationError(str(error.message)) from error


@bp.get("/pips")
@requires(Permission.PUBLISH_SIGNALS)
def pip_table() -> ResponseReturnValue:
    """Sizes of pips: the school's own rules and the table beneath them."""
    return _pips(PipForm())


@bp.post("/pips")
@requires(Permission.PUBLISH_SIGNALS)
def create_pip() -> ResponseReturnValue:
    """Say what a pip is; figures of trades follow at once."""
    form = PipForm()
    if not form.validate_on_submit():
        return _pips(form), 422
    rule = pips.set_rule(form.pattern.data or "", form.pip.data, by=current_account())
    db.session.commit()
    flash(_("C’est noté pour %(pattern)s.", pattern=rule.pattern), "success")
    return redirect(url_for("admin_signals.pip_table"))


@bp.post("/pips/retrait")
@requires(Permission.PUBLISH_SIGNALS)
def create_pip_removal() -> ResponseReturnValue:
    """Leave a symbol to the table again."""
    pips.remove_rule(request.form.get("pattern", ""), by=current_account())
    db.session.commit()
    flash(_("La règle est retirée."), "success")
    return redirect(url_for("admin_signals.pip_table"))


def _pips(form: PipForm) -> str:
    wanted = request.args.get("symbole", "")[:32]
    table = pips.of_accounts(())
    return render_template(
        "admin/signals/pips.html",
        form=form,
        rules=pips.rules(),
        wanted=wanted,
        size=table.size(wanted) if wanted.strip() else None,
        rule=table.rule_of(wanted),
        silence=table.silence(wanted) if wanted.strip() else None,
        examples=[(name, pip_size(name)) for name in EXAMPLES],
    )
