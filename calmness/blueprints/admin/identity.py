"""Legal identity of the school, as its invoices show it: form, living picture of the document, versions."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from calmness import clock
from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.blueprints.admin.mentions import KINDS
from calmness.extensions import db
from calmness.jobs.invoice_specimen import specimen, specimen_of
from calmness.pdf.logo import as_address
from calmness.pdf.picture import first_page
from calmness.permissions import Permission
from calmness.services.billing import identity, mentions

UPLOAD_BYTES = 24 * 1024 * 1024
"""Read before it is refused, so that a picture of 20 MB is answered beside its field and not by a bare page."""
REQUIRED = InputRequired(_l("Champ obligatoire."))


class IdentityForm(FlaskForm):
    """Legal identity of the school."""

    company_name = StringField(_l("Raison sociale"), validators=[REQUIRED, Length(max=200)])
    legal_form = StringField(_l("Forme juridique"), validators=[REQUIRED, Length(max=100)])
    capital = StringField(_l("Capital"), validators=[Length(max=60)])
    address = StringField(_l("Adresse"), validators=[REQUIRED, Length(max=200)])
    postcode = StringField(_l("Code postal"), validators=[REQUIRED, Length(max=16)])
    city = StringField(_l("Ville"), validators=[REQUIRED, Length(max=100)])
    siret = StringField(_l("SIRET"), validators=[REQUIRED])
    rcs = StringField(_l("RCS"), validators=[Length(max=100)])
    vat_number = StringField(_l("Numéro de TVA"), validators=[Length(max=20)])
    training_number = StringField(_l("Numéro de déclaration d’activité (formation)"), validators=[Length(max=40)])
    email = StringField(_l("Adresse e-mail"), validators=[REQUIRED, Length(max=320)])
    iban = StringField(_l("IBAN"), validators=[REQUIRED])
    bic = StringField(_l("BIC"), validators=[REQUIRED])
    footer = StringField(_l("Pied de page"), validators=[Length(max=200)])
    note = TextAreaField(_l("Texte sous les mentions"), validators=[Length(max=600)])
    logo = FileField(_l("Logo"))
    without_logo = BooleanField(_l("Sans logo\u00a0: le nom de l’école à sa place"))

    def texts(self) -> dict[str, str]:
        """What was typed, without blanks around."""
        return {name: (self[name].data or "").strip() for name in identity.TEXTS}

    def picture(self) -> bytes | None:
        """The file given, or nothing."""
        given = self.logo.data
        return given.read() if given and given.filename else None


@bp.url_value_preprocessor
def _let_a_logo_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if endpoint in {"admin_billing.create_identity_version", "admin_billing.preview_identity"}:
        request.max_content_length = UPLOAD_BYTES


@bp.get("/identite")
@requires(Permission.MANAGE_IDENTITY)
def legal_identity() -> ResponseReturnValue:
    """The identity in force, with its versions."""
    current = identity.current()
    return _page(IdentityForm(obj=current), _picture(specimen_of(current)) if current else "")


@bp.post("/identite")
@requires(Permission.MANAGE_IDENTITY)
def create_identity_version() -> ResponseReturnValue:
    """Save a new version; issued invoices keep theirs."""
    form = IdentityForm()
    if form.validate_on_submit():
        try:
            identity.save(form.texts(), logo=form.picture(), without_logo=form.without_logo.data, by=current_account())
        except identity.MalformedIdentity as error:
            db.session.rollback()
            form[error.field or "siret"].errors = [error.message]
        else:
            db.session.commit()
            flash(_("Identité enregistrée\u00a0: les prochaines factures la porteront."), "success")
            return redirect(url_for("admin_billing.legal_identity"))
    return _page(form, ""), 422


@bp.post("/identite/apercu")
@requires(Permission.MANAGE_IDENTITY)
def preview_identity() -> ResponseReturnValue:
    """A specimen invoice with what is typed, nothing is saved: as picture, as PDF, or in the page without scripts."""
    form = IdentityForm()
    try:
        logo = identity.logo_of(form.picture(), without=form.without_logo.data)
    except identity.MalformedIdentity as error:
        if request.accept_mimetypes.best == "image/png":
            return Response(str(error.message), status=422, mimetype="text/plain")
        form.logo.errors = [error.message]
        return _page(form, ""), 422
    content = specimen(form.texts(), logo)
    if request.accept_mimetypes.best == "image/png":
        return Response(first_page(content), mimetype="image/png", headers={"Cache-Control": "no-store"})
    if request.args.get("format") == "page":
        return _page(form, _picture(content))
    return specimen_response(content)


@bp.get("/identite/versions/<int:version>/specimen.pdf")
@requires(Permission.MANAGE_IDENTITY)
def identity_specimen(version: int) -> ResponseReturnValue:
    """A specimen under a version, old ones too."""
    return specimen_response(specimen_of(identity.version(version)))


def specimen_response(content: bytes) -> Response:
    """A specimen, shown by the browser itself."""
    response = Response(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="specimen.pdf"'
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


def _picture(pdf: bytes) -> str:
    return as_address(first_page(pdf))


def _page(form: IdentityForm, picture: str) -> str:
    return render_template(
        "admin/billing/identity.html",
        form=form,
        picture=picture,
        current=identity.current(),
        versions=identity.versions(),
        ending=mentions.ending(clock.paris_today()),
        kinds=KINDS,
    )
