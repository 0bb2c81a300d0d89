"""Personal tokens for one's own programs: make, see once, revoke."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length
from wtforms.widgets import CheckboxInput, ListWidget

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.account import bp
from calmness.errors import DomainError
from calmness.extensions import db, limiter
from calmness.models.account import User
from calmness.permissions import Permission, may
from calmness.services.account import api_tokens

LABELS: dict[str, LazyString] = {
    "account:read": _l("Lire le profil, les choix et les notifications"),
    "account:write": _l("Modifier le profil, les choix et les notifications"),
    "billing:read": _l("Lire les paiements, abonnements et factures"),
    "billing:write": _l("Commander et donner un numéro de virement"),
    "training:read": _l("Lire les formations et les séances"),
    "training:write": _l("Entrer dans une séance"),
    "trading:read": _l("Lire les comptes MetaTrader, trades, journal et statistiques"),
    "trading:write": _l("Gérer les comptes MetaTrader, importer des relevés, écrire le journal"),
    "signals:read": _l("Lire les signaux"),
    "support:read": _l("Lire vos conversations avec l’école"),
    "support:write": _l("Écrire à l’école"),
    "admin:read": _l("Lire ce que votre rôle voit dans l’administration"),
    "admin:write": _l("Faire ce que votre rôle permet dans l’administration"),
}
"""Rights that can be given, as people read them. ``signals:write`` does not exist: nothing is written there."""


class TokenForm(FlaskForm):
    """A new token."""

    name = StringField(_l("Nom"), validators=[Length(max=80, message=_l("80 caractères au plus."))])
    days = SelectField(
        _l("Durée de vie"),
        coerce=int,
        default=90,
        choices=[
            SelectChoice(7, _l("7 jours")),
            SelectChoice(30, _l("30 jours")),
            SelectChoice(90, _l("90 jours")),
            SelectChoice(365, _l("Un an")),
        ],
    )
    scopes = SelectMultipleField(
        _l("Droits"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput(), choices=[]
    )


@bp.get("/compte/jetons")
@requires(Permission.OWN_SPACE)
@requires_fresh
def tokens() -> ResponseReturnValue:
    """One's own tokens, and the form that makes one."""
    return _page(_form(current_account()))


@bp.post("/compte/jetons")
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def create_token() -> ResponseReturnValue:
    """Make a token; its text is shown on this answer only."""
    user = current_account()
    form = _form(user)
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        _token, text = api_tokens.create(user, form.name.data or "", form.scopes.data or [], form.days.data)
    except DomainError as error:
        db.session.rollback()
        form[error.field or "name"].errors = [error.message]
        return _page(form), 422
    db.session.commit()
    return _page(_form(user, empty=True), text), 201


@bp.post("/compte/jetons/<int:token_id>/fin")
@requires(Permission.OWN_SPACE)
def end_token(token_id: int) -> ResponseReturnValue:
    """Revoke a token at once."""
    api_tokens.revoke_own(current_account(), token_id)
    db.session.commit()
    flash(_("Ce jeton n’ouvre plus rien."), "success")
    return redirect(url_for("account.tokens"))


def _form(user: User, *, empty: bool = False) -> TokenForm:
    form = TokenForm(formdata=None) if empty else TokenForm()
    staff = may(user, Permission.SEE_ADMIN)
    form.scopes.choices = [
        SelectChoice(scope, label) for scope, label in LABELS.items() if staff or not scope.startswith("admin:")
    ]
    return form


def _page(form: TokenForm, text: str = "") -> str:
    rows = api_tokens.living_of(current_account().id)
    return render_template("account/tokens.html", rows=rows, form=form, text=text, labels=LABELS)
