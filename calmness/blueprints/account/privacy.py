"""One's own data: a copy of all of it, or its end."""

from flask import flash, make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms.validators import InputRequired

from calmness import clock
from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.account import bp
from calmness.blueprints.auth.device import forget_device
from calmness.extensions import db, limiter
from calmness.files import store
from calmness.permissions import Permission
from calmness.services.billing import subscriptions
from calmness.services.privacy import consents, data_exports, erasure, personal_data


class DeletionForm(FlaskForm):
    """The wish to be erased."""

    understood = BooleanField(
        _l("J’ai compris\u00a0: mes trades, mon journal, mes conversations et mes accès seront effacés pour toujours"),
        validators=[InputRequired(_l("Cochez la case pour confirmer."))],
    )


@bp.get("/compte/donnees")
@requires(Permission.OWN_SPACE)
def own_data() -> ResponseReturnValue:
    """Copies that were asked for, and the button that asks."""
    return _page()


@bp.post("/compte/donnees/copies")
@limiter.limit("10 per hour")
@requires_fresh
@requires(Permission.OWN_SPACE)
def create_export() -> ResponseReturnValue:
    """Have a copy of everything made."""
    try:
        data_exports.ask(current_account())
    except data_exports.ExportTooSoon as error:
        db.session.rollback()
        flash(str(error.message), "warning")
        return redirect(url_for("account.own_data"))
    db.session.commit()
    flash(_("C’est noté. Un e-mail vous dira quand votre copie sera prête, en général dans la minute."), "success")
    return redirect(url_for("account.own_data"))


@bp.get("/compte/donnees/copies/<int:export_id>.zip")
@requires_fresh
@requires(Permission.OWN_SPACE)
def export_file(export_id: int) -> ResponseReturnValue:
    """The archive, for its owner who has just proved who that is."""
    return export_response(data_exports.own_file(current_account(), export_id))


@bp.get("/compte/consentements")
@requires(Permission.OWN_SPACE)
def own_consents() -> ResponseReturnValue:
    """What one has agreed to, with the proof, and the way back."""
    states = consents.states_of(current_account().id)
    return render_template("account/consents.html", states=states, sources=consents.SOURCES)


@bp.post("/compte/consentements/<key>/retrait")
@requires(Permission.OWN_SPACE)
def create_consent_withdrawal(key: str) -> ResponseReturnValue:
    """Take a consent back at once."""
    consents.withdraw(current_account(), key)
    db.session.commit()
    flash(_("Votre accord est retiré, et ce qu’il permettait est effacé."), "success")
    return redirect(url_for("account.own_consents"))


@bp.get("/compte/suppression")
@requires(Permission.OWN_SPACE)
def new_deletion() -> ResponseReturnValue:
    """What goes, what stays and why, before one asks."""
    return _deletion_page(DeletionForm())


@bp.post("/compte/suppression")
@limiter.limit("10 per hour")
@requires_fresh
@requires(Permission.OWN_SPACE)
def create_deletion() -> ResponseReturnValue:
    """Begin the thirty days and leave every device."""
    form = DeletionForm()
    if not form.validate_on_submit():
        return _deletion_page(form), 422
    try:
        erasure.ask(current_account())
    except (erasure.StaffAccount, erasure.PaymentInReview) as error:
        db.session.rollback()
        form.understood.errors = [error.message]
        return _deletion_page(form), error.status
    db.session.commit()
    response = make_response(redirect(url_for("auth.new_session")))
    forget_device(response)
    flash(
        _(
            "Votre compte sera supprimé dans 30 jours. Un e-mail vous le confirme. "
            "Si vous changez d’avis, il suffit de vous connecter d’ici là."
        ),
        "warning",
    )
    return response


def export_response(key: str) -> ResponseReturnValue:
    """The stored archive, streamed."""
    response = send_file(
        store().open(key), mimetype="application/zip", as_attachment=True, download_name="mes-donnees-calmness.zip"
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "no-store"
    return response


def _page() -> str:
    return render_template("account/data.html", exports=data_exports.of_user(current_account().id))


def _deletion_page(form: DeletionForm) -> str:
    kept = personal_data.reasons_to_keep()
    return render_template(
        "account/deletion.html",
        form=form,
        kept=kept,
        running=subscriptions.running(current_account().id),
        due_on=clock.now() + erasure.GRACE,
    )
