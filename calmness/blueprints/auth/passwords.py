"""Forgotten password."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness.access import public
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import SECRET_ADDRESS, forget_device
from calmness.blueprints.auth.forms import ForgottenPasswordForm, NewPasswordForm
from calmness.extensions import db, limiter
from calmness.models.account import TokenPurpose
from calmness.services.account import accounts, tokens
from calmness.services.account.passwords import WeakPassword
from calmness.services.account.tokens import TokenRefused


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
    accounts.ask_for_recovery(form.email.data)
    db.session.commit()
    return render_template("auth/forgotten.html", form=form, sent=True)


@bp.get("/nouveau-mot-de-passe/<token>")
@public
def reset_password(token: str) -> ResponseReturnValue:
    """The form behind the link."""
    good = tokens.owner_of(token, TokenPurpose.RESET_PASSWORD) is not None
    return _page(NewPasswordForm(), 200 if good else 410)


@bp.post("/nouveau-mot-de-passe/<token>")
@limiter.limit("20 per hour")
@public
def create_password(token: str) -> ResponseReturnValue:
    """Set the password; every device has to log in again."""
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _page(form, 422)
    try:
        accounts.reset_password(token, form.password.data)
    except TokenRefused as error:
        return _page(form, error.status)
    except WeakPassword as error:
        form.password.errors = [error.message]
        return _page(form, error.status)
    db.session.commit()
    response = make_response(redirect(url_for("auth.new_session")))
    forget_device(response)
    flash(_("Votre mot de passe est changé. Connectez-vous avec le nouveau."), "success")
    return response


def _page(form: NewPasswordForm, status: int) -> ResponseReturnValue:
    """The form, or why the link does not work; its address is a secret and must not travel on."""
    page = render_template("auth/reset.html", form=form, good=status != TokenRefused.status)
    return page, status, SECRET_ADDRESS
