"""Register and confirm the address."""

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from calmness.access import current_account, public, requires
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import SECRET_ADDRESS
from calmness.blueprints.auth.forms import EmptyForm, RegistrationForm
from calmness.extensions import db, limiter
from calmness.models.account import TokenPurpose
from calmness.permissions import Permission
from calmness.services.account import accounts, names, tokens
from calmness.services.account.passwords import WeakPassword


@bp.get("/inscription")
@public
def new_account() -> ResponseReturnValue:
    """The form."""
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.show"))
    return render_template("auth/register.html", form=RegistrationForm())


@bp.post("/inscription")
@limiter.limit("20 per hour")
@public
def create_account() -> ResponseReturnValue:
    """Create the account, or remind its owner of it: the answer is the same."""
    form = RegistrationForm()
    if not form.validate_on_submit():
        return render_template("auth/register.html", form=form), 422
    wanted = accounts.Registration(form.email.data, form.password.data, form.first_name.data, form.last_name.data)
    try:
        accounts.register(wanted)
    except (names.MalformedEmail, names.NameMissing, WeakPassword) as error:
        db.session.rollback()
        form[error.field or "email"].errors = [error.message]
        return render_template("auth/register.html", form=form), error.status
    db.session.commit()
    session["registered_email"] = form.email.data.strip()
    return redirect(url_for("auth.registered"))


@bp.get("/inscription/merci")
@public
def registered() -> ResponseReturnValue:
    """What happens next."""
    return render_template("auth/registered.html", email=session.get("registered_email", ""))


@bp.get("/verification/<token>")
@public
def verify_email(token: str) -> ResponseReturnValue:
    """A button, because scanners of mail open links."""
    good = tokens.owner_of(token, TokenPurpose.VERIFY_EMAIL) is not None
    if not good and accounts.owner_confirmed_by(token):
        return _verification("confirmed", 200)
    return _verification("open", 200) if good else _verification("refused", 410)


@bp.post("/verification/<token>")
@limiter.limit("60 per hour")
@public
def confirm_email(token: str) -> ResponseReturnValue:
    """Confirm the address; a double click confirms it once."""
    try:
        accounts.verify_email(token)
    except tokens.TokenRefused as error:
        return _verification("refused", error.status)
    db.session.commit()
    if current_user.is_authenticated:
        flash(_("Votre adresse est confirmée."), "success")
        return redirect(url_for("dashboard.show"))
    flash(_("Votre adresse est confirmée. Vous pouvez vous connecter."), "success")
    return redirect(url_for("auth.new_session"))


def _verification(state: str, status: int) -> ResponseReturnValue:
    return render_template("auth/verify.html", state=state, form=EmptyForm()), status, SECRET_ADDRESS


@bp.post("/verification")
@limiter.limit("5 per hour")
@requires(Permission.OWN_SPACE)
def resend_verification() -> ResponseReturnValue:
    """Send the link once more."""
    accounts.send_verification(current_account())
    db.session.commit()
    if current_account().email_verified_at:
        flash(_("Votre adresse est déjà confirmée."), "success")
    else:
        flash(_("Un nouveau lien vient de partir. Pensez à regarder dans les indésirables."), "success")
    return redirect(url_for("account.overview"))
