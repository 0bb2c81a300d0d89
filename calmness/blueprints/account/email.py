"""Change of address: ask for it, see what it waits for, call it off."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms.validators import InputRequired, Length

from calmness.access import current_account, requires, requires_fresh
from calmness.blueprints.account import bp
from calmness.errors import TooManyAttempts
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services.account import email_changes, names


class EmailForm(FlaskForm):
    """A new address."""

    email = EmailField(
        _l("Nouvelle adresse e-mail"), validators=[InputRequired(_l("Entrez la nouvelle adresse.")), Length(max=254)]
    )


@bp.get("/compte/adresse")
@requires(Permission.OWN_SPACE)
@requires_fresh
def email_change() -> ResponseReturnValue:
    """The form, and what a change waits for."""
    return _page(EmailForm())


@bp.post("/compte/adresse")
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def create_email_change() -> ResponseReturnValue:
    """Write to both mailboxes; the answer is the same whether the address has an account or not."""
    form = EmailForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        email_changes.request(current_account(), form.email.data, session_id=current_user.auth_session.id)
    except (names.MalformedEmail, email_changes.SameAddress, TooManyAttempts) as error:
        db.session.rollback()
        form.email.errors = [error.message]
        return _page(form), error.status
    db.session.commit()
    flash(_("Deux messages viennent de partir. L’adresse changera quand les deux auront été confirmés."), "success")
    return redirect(url_for("account.email_change"))


@bp.post("/compte/adresse/annulation")
@requires(Permission.OWN_SPACE)
def cancel_email_change() -> ResponseReturnValue:
    """Call a waiting change off."""
    email_changes.cancel(current_account())
    db.session.commit()
    flash(_("Le changement d’adresse est annulé."), "success")
    return redirect(url_for("account.overview"))


def _page(form: EmailForm) -> str:
    user = current_account()
    return render_template("account/email.html", form=form, user=user, change=email_changes.pending_of(user.id))
