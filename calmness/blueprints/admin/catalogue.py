"""Offers."""

from decimal import ROUND_HALF_UP, Decimal

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.fields import EuroField, FigureField
from calmness.blueprints.admin.vat_words import REGIMES
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.catalogue import OfferKind, PublicationStatus, VatRegime
from calmness.permissions import Permission
from calmness.services.billing import catalogue, sale_terms
from calmness.services.training import formations

STATUSES = {
    PublicationStatus.DRAFT: _l("Brouillon"),
    PublicationStatus.PUBLISHED: _l("Publiée"),
    PublicationStatus.ARCHIVED: _l("Archivée"),
}
KINDS = {
    OfferKind.SIGNALS: _l("Signaux"),
    OfferKind.SERVICE: _l("Service"),
    OfferKind.FORMATION: _l("Formation"),
}


class OfferForm(FlaskForm):
    """An offer."""

    name = StringField(_l("Nom"), validators=[InputRequired(_l("Nommez l’offre.")), Length(max=160)])
    summary = TextAreaField(_l("Résumé"), validators=[Optional(), Length(max=300)])
    price = EuroField(
        _l("Prix TTC en euros"),
        places=2,
        validators=[InputRequired(_l("Entrez un prix comme 149,00.")), NumberRange(min=Decimal("0.01"), max=99999)],
    )
    vat_regime = SelectField(
        _l("Régime de TVA"), choices=[SelectChoice(regime.value, label) for regime, label in REGIMES.items()]
    )
    vat_rate = FigureField(_l("Taux de TVA en %"), places=2, validators=[Optional(), NumberRange(min=0, max=100)])
    duration_days = IntegerField(_l("Durée en jours"), validators=[Optional(), NumberRange(min=1, max=3650)])
    places = IntegerField(_l("Places"), validators=[Optional(), NumberRange(min=0, max=100000)])
    instalments = IntegerField(
        _l("Nombre d’échéances possibles"), default=1, validators=[Optional(), NumberRange(min=1, max=12)]
    )
    deposit = FigureField(
        _l("Part de l’acompte (%)"), places=2, validators=[Optional(), NumberRange(min=Decimal("0.01"), max=99)]
    )
    balance_days = IntegerField(
        _l("Solde dû, jours après l’acompte"), default=30, validators=[Optional(), NumberRange(min=1, max=365)]
    )
    max_quantity = IntegerField(
        _l("Quantité la plus grande par commande"), default=1, validators=[Optional(), NumberRange(min=1, max=100)]
    )
    valid_from = DateField(_l("En vente du"), validators=[Optional()])
    valid_until = DateField(_l("au"), validators=[Optional()])
    status = SelectField(_l("État"), choices=[SelectChoice(status.value, label) for status, label in STATUSES.items()])


class NewOfferForm(OfferForm):
    """An offer that does not exist yet: its kind never changes afterwards."""

    kind = SelectField(_l("Type"), choices=[SelectChoice(kind.value, label) for kind, label in KINDS.items()])
    formation_id = SelectField(_l("Formation vendue"), coerce=int, validate_choice=False)


@bp.get("/offres")
@requires(Permission.MANAGE_CATALOGUE)
def offers() -> ResponseReturnValue:
    """All offers."""
    every = catalogue.every()
    places = {offer.id: sale_terms.places_left(offer) for offer in every if offer.places is not None}
    return render_template("admin/billing/offers.html", offers=every, places=places, regimes=REGIMES, statuses=STATUSES)


@bp.get("/offres/<int:offer_id>")
@requires(Permission.MANAGE_CATALOGUE)
def offer(offer_id: int) -> ResponseReturnValue:
    """One offer's form."""
    found = catalogue.get(offer_id)
    values = {
        "price": Decimal(found.price_cents) / 100,
        "vat_rate": Decimal(found.vat_rate_bp) / 100,
        "deposit": Decimal(found.deposit_bp) / 100 if found.deposit_bp else None,
        "vat_regime": found.vat_regime.value,
        "status": found.status.value,
    }
    return _offer_page(found.id, OfferForm(obj=found, data=values))


@bp.get("/offres/nouvelle")
@requires(Permission.MANAGE_CATALOGUE)
def new_offer() -> ResponseReturnValue:
    """Form of an offer that does not exist yet."""
    values = {"vat_regime": VatRegime.STANDARD.value, "vat_rate": Decimal(20), "status": PublicationStatus.DRAFT.value}
    return _new_offer_page(NewOfferForm(data=values))


@bp.post("/offres/nouvelle")
@requires(Permission.MANAGE_CATALOGUE)
def create_offer() -> ResponseReturnValue:
    """Put it on the shelf."""
    form = NewOfferForm()
    if form.validate_on_submit():
        try:
            kind = OfferKind(form.kind.data)
            catalogue.create(kind, _draft(form), by=current_account(), formation_id=form.formation_id.data or None)
        except DomainError as error:
            db.session.rollback()
            form[error.field or "name"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("L’offre est créée."), "success")
            return redirect(url_for("admin_billing.offers"))
    return _new_offer_page(form), 422


@bp.post("/offres/<int:offer_id>")
@requires(Permission.MANAGE_CATALOGUE)
def update_offer(offer_id: int) -> ResponseReturnValue:
    """Save a new version."""
    form = OfferForm()
    if form.validate_on_submit():
        try:
            catalogue.change(offer_id, _draft(form), by=current_account())
        except DomainError as error:
            db.session.rollback()
            form[error.field or "name"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("L’offre est enregistrée. Les achats déjà faits gardent leur prix."), "success")
            return redirect(url_for("admin_billing.offers"))
    return _offer_page(offer_id, form), 422


def _offer_page(offer_id: int, form: OfferForm) -> str:
    versions = catalogue.versions(offer_id)
    return render_template("admin/billing/offer.html", offer=catalogue.get(offer_id), form=form, versions=versions)


def _draft(form: OfferForm) -> catalogue.OfferDraft:
    price: Decimal = form.price.data or Decimal(0)
    rate: Decimal = form.vat_rate.data or Decimal(0)
    deposit: Decimal | None = form.deposit.data
    return catalogue.OfferDraft(
        name=form.name.data or "",
        summary=form.summary.data or "",
        price_cents=int((price * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)),
        vat_regime=VatRegime(form.vat_regime.data),
        vat_rate_bp=int(rate * 100),
        duration_days=form.duration_days.data,
        status=PublicationStatus(form.status.data),
        places=form.places.data,
        instalments=form.instalments.data or 1,
        deposit_bp=int(deposit * 100) if deposit else None,
        balance_days=form.balance_days.data or 30,
        max_quantity=form.max_quantity.data or 1,
        valid_from=form.valid_from.data,
        valid_until=form.valid_until.data,
    )


def _new_offer_page(form: NewOfferForm) -> str:
    choices = [SelectChoice(formation.id, formation.title) for formation in formations.every()]
    form.formation_id.choices = [SelectChoice(0, _("Aucune")), *choices]
    return render_template("admin/billing/new_offer.html", form=form)
