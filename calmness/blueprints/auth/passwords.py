"""Forgotten password."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import public
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.forms import ForgottenPasswordForm, NewPasswordForm
from calmness.extensions import db, limiter
from calmness.models.account import TokenPurpose
from calmness.services import accounts, tokens
from calmness.services.passwords import WeakPassword


@bp.get("/mot-de-passe-oublie")
@public
def forgotten_password() -> ResponseReturnValue:
    """The form."""
    return render_template("auth/forgotten.html", form=ForgottenPasswordForm(), sent=False)


@bp.post("/mot-de-passe-oublie")
@limiter.limit("10 per hour")
@public
def create_password_link() -> ResponseReturnValue:
    """Send a link if the address has an account; the answer is the same in both cases."""
    form = ForgottenPasswordForm()
    if not form.validate_on_submit():
        return render_template("auth/forgotten.html", form=form, sent=False), 422
    accounts.forgot_password(form.email.data)
    db.session.commit()
    return render_template("auth/forgotten.html", form=form, sent=True)


@bp.get("/nouveau-mot-de-passe/<token>")
@public
def reset_password(token: str) -> ResponseReturnValue:
    """The form behind the link."""
    good = tokens.is_good(token, TokenPurpose.RESET_PASSWORD)
    page = render_template("auth/reset.html", form=NewPasswordForm(), token=token, good=good)
    return page, 200 if good else 410, {"Referrer-Policy": "no-referrer"}


@bp.post("/nouveau-mot-de-passe/<token>")
@public
def create_password(token: str) -> ResponseReturnValue:
    """Set the password; every device has to log in again."""
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            accounts.reset_password(token, form.password.data)
        except WeakPassword as error:
            db.session.rollback()
            form.password.errors = [error.message]
        else:
            db.session.commit()
            flash(_("Votre mot de passe est changé. Connectez-vous avec le nouveau."), "success")
            return make_response(redirect(url_for("auth.new_session")))
    return render_template("auth/reset.html", form=form, token=token, good=True), 422
