"""Offers and legal identity."""

from decimal import Decimal

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.extensions import db
from calmness.models.catalogue import PublicationStatus, VatRegime
from calmness.permissions import Permission
from calmness.services import catalogue, identity

REGIMES = {
    VatRegime.STANDARD: _l("Soumis à la TVA"),
    VatRegime.FRANCHISE: _l("Franchise en base (293 B)"),
    VatRegime.TRAINING_EXEMPT: _l("Formation exonérée (261-4-4°)"),
    VatRegime.REVERSE_CHARGE: _l("Autoliquidation UE"),
    VatRegime.OUTSIDE_EU: _l("Hors UE (259-1)"),
}
STATUSES = {
    PublicationStatus.DRAFT: _l("Brouillon"),
    PublicationStatus.PUBLISHED: _l("Publiée"),
    PublicationStatus.ARCHIVED: _l("Archivée"),
}


class OfferForm(FlaskForm):
    """An offer."""

    name = StringField(_l("Nom"), validators=[InputRequired(_l("Nommez l’offre.")), Length(max=160)])
    summary = TextAreaField(_l("Résumé"), validators=[Optional(), Length(max=300)])
    price = DecimalField(
        _l("Prix TTC en euros"),
        places=2,
        use_locale=False,
        validators=[InputRequired(_l("Entrez un prix comme 149.00.")), NumberRange(min=Decimal("0.01"), max=99999)],
    )
    vat_regime = SelectField(_l("Régime de TVA"), choices=[(regime.value, label) for regime, label in REGIMES.items()])
    vat_rate = DecimalField(_l("Taux de TVA en %"), places=2, validators=[Optional(), NumberRange(min=0, max=100)])
    duration_days = IntegerField(_l("Durée en jours"), validators=[Optional(), NumberRange(min=1, max=3650)])
    status = SelectField(_l("État"), choices=[(status.value, label) for status, label in STATUSES.items()])


class IdentityForm(FlaskForm):
    """Legal identity of the school."""

    company_name = StringField(_l("Raison sociale"), validators=[InputRequired(_l("Champ obligatoire."))])
    legal_form = StringField(_l("Forme juridique"), validators=[InputRequired(_l("Champ obligatoire."))])
    capital = StringField(_l("Capital"))
    address = StringField(_l("Adresse"), validators=[InputRequired(_l("Champ obligatoire."))])
    postcode = StringField(_l("Code postal"), validators=[InputRequired(_l("Champ obligatoire."))])
    city = StringField(_l("Ville"), validators=[InputRequired(_l("Champ obligatoire."))])
    siret = StringField(_l("SIRET"), validators=[InputRequired(_l("Champ obligatoire."))])
    rcs = StringField(_l("RCS"))
    vat_number = StringField(_l("Numéro de TVA"))
    email = StringField(_l("Adresse e-mail"), validators=[InputRequired(_l("Champ obligatoire."))])
    iban = StringField(_l("IBAN"), validators=[InputRequired(_l("Champ obligatoire."))])
    bic = StringField(_l("BIC"), validators=[InputRequired(_l("Champ obligatoire."))])
    footer = StringField(_l("Pied de page"))


@bp.get("/offres")
@requires(Permission.MANAGE_CATALOGUE)
def offers() -> ResponseReturnValue:
    """All offers."""
    return render_template("admin/billing/offers.html", offers=catalogue.every(), regimes=REGIMES, statuses=STATUSES)


@bp.get("/offres/<int:offer_id>")
@requires(Permission.MANAGE_CATALOGUE)
def offer(offer_id: int) -> ResponseReturnValue:
    """One offer's form."""
    found = catalogue.get(offer_id)
    values = {
        "price": Decimal(found.price_cents) / 100,
        "vat_rate": Decimal(found.vat_rate_bp) / 100,
        "vat_regime": found.vat_regime.value,
        "status": found.status.value,
    }
    return render_template("admin/billing/offer.html", offer=found, form=OfferForm(obj=found, data=values))


@bp.post("/offres/<int:offer_id>")
@requires(Permission.MANAGE_CATALOGUE)
def update_offer(offer_id: int) -> ResponseReturnValue:
    """Save a new version."""
    form = OfferForm()
    if not form.validate_on_submit():
        return render_template("admin/billing/offer.html", offer=catalogue.get(offer_id), form=form), 422
    regime = VatRegime(form.vat_regime.data)
    draft = catalogue.OfferDraft(
        name=form.name.data,
        summary=form.summary.data or "",
        price_cents=int(form.price.data * 100),
        vat_regime=regime,
        vat_rate_bp=int((form.vat_rate.data or 0) * 100) if regime is VatRegime.STANDARD else 0,
        duration_days=form.duration_days.data,
        status=PublicationStatus(form.status.data),
    )
    catalogue.change(offer_id, draft, by=current_account())
    db.session.commit()
    flash(_("L’offre est enregistrée. Les achats déjà faits gardent leur prix."), "success")
    return redirect(url_for("admin_billing.offers"))


@bp.get("/identite")
@requires(Permission.MANAGE_IDENTITY)
def legal_identity() -> ResponseReturnValue:
    """The identity in force, with its versions."""
    return render_template(
        "admin/billing/identity.html", form=IdentityForm(obj=identity.current()), versions=identity.versions()
    )


@bp.post("/identite")
@requires(Permission.MANAGE_IDENTITY)
def create_identity_version() -> ResponseReturnValue:
    """Save a new version; issued invoices keep theirs."""
    form = IdentityForm()
    if form.validate_on_submit():
        try:
            identity.save(
                {name: (value or "").strip() for name, value in form.data.items() if name != "csrf_token"},
                by=current_account(),
            )
        except identity.MalformedIdentity as error:
            db.session.rollback()
            form[error.field or "siret"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("Identité enregistrée : les prochaines factures la porteront."), "success")
            return redirect(url_for("admin_billing.legal_identity"))
    return render_template("admin/billing/identity.html", form=form, versions=identity.versions()), 422
