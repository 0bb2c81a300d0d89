"""State of the account: verification, devices, password."""

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField
from wtforms.validators import InputRequired

from calmness.access import current_account, requires
from calmness.blueprints.account import bp
from calmness.blueprints.auth.device import renew_device
from calmness.extensions import db, limiter
from calmness.locale import language
from calmness.permissions import Permission
from calmness.places import place_name
from calmness.services.account import accounts, email_changes, second_factor, security_score, sessions
from calmness.services.account.passwords import WeakPassword
from calmness.services.billing import purchases, subscriptions


class PasswordForm(FlaskForm):
    """Old and new password."""

    current = PasswordField(_l("Mot de passe actuel"), validators=[InputRequired(_l("Entrez le mot de passe actuel."))])
    password = PasswordField(_l("Nouveau mot de passe"), validators=[InputRequired(_l("Choisissez un mot de passe."))])


@bp.get("/compte")
@requires(Permission.OWN_SPACE)
def overview() -> ResponseReturnValue:
    """Security and devices."""
    return _page(PasswordForm())


@bp.post("/compte/mot-de-passe")
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
def create_new_password() -> ResponseReturnValue:
    """Change the password."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(form), 422
    keep = current_user.auth_session.id
    try:
        accounts.change_password(current_account(), form.current.data, form.password.data, keep_session=keep)
    except (accounts.WrongCredentials, WeakPassword) as error:
        db.session.rollback()
        form[error.field or "password"].errors = [error.message]
        return _page(form), 422
    flash(_("Votre mot de passe est changé. Vos autres appareils sont déconnectés."), "success")
    response = renew_device(make_response(redirect(url_for("account.overview"))))
    db.session.commit()
    return response


@bp.post("/compte/appareils/<session_id>/fin")
@requires(Permission.OWN_SPACE)
def end_device(session_id: str) -> ResponseReturnValue:
    """End one of one's own devices."""
    sessions.revoke_own(current_account(), session_id)
    db.session.commit()
    flash(_("Cet appareil est déconnecté."), "success")
    return redirect(url_for("account.overview"))


@bp.post("/compte/appareils/autres/fin")
@requires(Permission.OWN_SPACE)
def end_other_devices() -> ResponseReturnValue:
    """End all of one's own devices but this one."""
    sessions.revoke_others(current_account(), keep=current_user.auth_session.id)
    db.session.commit()
    flash(_("Vos autres appareils sont déconnectés."), "success")
    return redirect(url_for("account.overview"))


def _page(form: PasswordForm) -> str:
    user = current_account()
    devices = [(device, place_name(device.ip_truncated, language())) for device in sessions.living_of(user.id)]
    return render_template(
        "account/overview.html",
        user=user,
        form=form,
        devices=devices,
        email_change=email_changes.pending_of(user.id),
        factor_on=second_factor.is_on(user.id),
        codes_left=second_factor.recovery_codes_left(user.id),
        score=security_score.of(user, exists=lambda endpoint: endpoint in current_app.view_functions),
        running=subscriptions.running(user.id),
        may_buy=purchases.may_buy(user),
    )
