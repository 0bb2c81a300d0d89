"""Discount codes."""

from decimal import ROUND_HALF_UP, Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.fields import EuroField, FigureField
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.permissions import Permission
from calmness.services.billing import catalogue
from calmness.services.billing import discounts as codes


class CodeForm(FlaskForm):
    """A code."""

    code = StringField(_l("Code"), validators=[InputRequired(_l("Nommez le code.")), Length(max=40)])
    percent = FigureField(
        _l("Réduction en %"), places=2, validators=[Optional(), NumberRange(min=Decimal("0.01"), max=Decimal("99.99"))]
    )
    amount = EuroField(
        _l("ou en euros"), places=2, validators=[Optional(), NumberRange(min=Decimal("0.01"), max=99999)]
    )
    offer_id = SelectField(_l("Offre"), coerce=int)
    valid_from = DateField(_l("Valable du"), validators=[Optional()])
    valid_until = DateField(_l("au"), validators=[Optional()])
    max_uses = IntegerField(_l("Utilisations en tout"), validators=[Optional(), NumberRange(min=1, max=10**6)])
    max_per_person = IntegerField(
        _l("Utilisations par personne"), default=1, validators=[Optional(), NumberRange(min=1, max=1000)]
    )


@bp.get("/reductions")
@requires(Permission.MANAGE_CATALOGUE)
def discounts() -> ResponseReturnValue:
    """All codes, and the form for a new one."""
    return _page(CodeForm())


@bp.post("/reductions")
@requires(Permission.MANAGE_CATALOGUE)
def create_discount() -> ResponseReturnValue:
    """Make a code."""
    form = _with_offers(CodeForm())
    if form.validate_on_submit():
        try:
            codes.create(_draft(form), by=current_account())
        except DomainError as error:
            db.session.rollback()
            form[error.field or "code"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("Le code est créé."), "success")
            return redirect(url_for("admin_billing.discounts"))
    return _page(form), 422


@bp.post("/reductions/<int:code_id>/etat")
@requires(Permission.MANAGE_CATALOGUE)
def update_discount(code_id: int) -> ResponseReturnValue:
    """Open or close a code."""
    codes.set_active(code_id, request.form.get("actif") == "1", by=current_account())
    db.session.commit()
    return redirect(url_for("admin_billing.discounts"))


def _draft(form: CodeForm) -> codes.DiscountDraft:
    def hundredths(value: Decimal | None) -> int | None:
        return None if value is None else int((value * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    return codes.DiscountDraft(
        code=form.code.data or "",
        percent_bp=hundredths(form.percent.data),
        amount_cents=hundredths(form.amount.data),
        offer_id=form.offer_id.data or None,
        valid_from=form.valid_from.data,
        valid_until=form.valid_until.data,
        max_uses=form.max_uses.data,
        max_per_person=form.max_per_person.data,
    )


def _with_offers(form: CodeForm) -> CodeForm:
    choices = [SelectChoice(offer.id, offer.name) for offer in catalogue.every()]
    form.offer_id.choices = [SelectChoice(0, _("Toutes")), *choices]
    return form


def _page(form: CodeForm) -> str:
    return render_template("admin/billing/discounts.html", form=_with_offers(form), codes=codes.every())
