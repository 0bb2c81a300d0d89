"""Log in and out."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from calmness.access import public
from calmness.blueprints.auth import bp, second_step
from calmness.blueprints.auth.device import forget_device, log_in
from calmness.blueprints.auth.forms import LoginForm
from calmness.errors import TooManyAttempts
from calmness.extensions import db, limiter
from calmness.network import network_of
from calmness.redirects import safe_next
from calmness.services.account import accounts, second_factor, sessions


@bp.get("/connexion")
@public
def new_session() -> ResponseReturnValue:
    """The form."""
    if current_user.is_authenticated:
        return redirect(safe_next(url_for("dashboard.show")))
    return render_template("auth/log_in.html", form=LoginForm(), next=safe_next(""))


@bp.post("/connexion")
@limiter.limit("60 per hour")
@public
def create_session() -> ResponseReturnValue:
    """Open a session in this browser."""
    form = LoginForm()
    if not form.validate_on_submit():
        return render_template("auth/log_in.html", form=form, next=safe_next("")), 422
    try:
        user = accounts.check_credentials(form.email.data, form.password.data, network_of(request.remote_addr))
    except (accounts.WrongCredentials, TooManyAttempts) as error:
        form.password.errors = [error.message]
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
        return render_template("auth/log_in.html", form=form, next=safe_next("")), error.status, wait
    if second_factor.is_on(user.id):
        second_step.remember(user, persistent=form.persistent.data)
        db.session.commit()
        return redirect(url_for("auth.new_second_step", next=safe_next("") or None))
    response = log_in(user, persistent=form.persistent.data, second_factor=False)
    db.session.commit()
    return response


@bp.post("/deconnexion")
@public
def end_session() -> ResponseReturnValue:
    """End this device's session everywhere at once."""
    if current_user.is_authenticated:
        sessions.revoke(current_user.auth_session.id, "log_out")
        db.session.commit()
    response = make_response(redirect(url_for("auth.new_session")))
    forget_device(response)
    flash(_("Vous êtes déconnecté."), "success")
    return response
