"""One's own passkeys: add, see, remove."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from calmness import clock
from calmness.access import current_account, requires, requires_fresh, without_second_factor
from calmness.blueprints.account import bp
from calmness.blueprints.auth.device import renew_device
from calmness.blueprints.auth.passkeys import as_json, ask, asked, required_site
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services import passkeys, second_factor


@bp.post("/compte/cles-acces/options")
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def passkey_options() -> ResponseReturnValue:
    """What the browser needs to make a key."""
    return as_json(passkeys.creation_options(current_account(), required_site(), ask()))


@bp.post("/compte/cles-acces")
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def create_passkey() -> ResponseReturnValue:
    """Keep the key; recovery codes are shown on this answer where it is the first factor."""
    user, given = current_account(), request.form
    try:
        codes = passkeys.add(user, given.get("credential", ""), asked(), required_site(), given.get("name", ""))
    except (passkeys.PasskeyRefused, passkeys.TooManyPasskeys) as error:
        db.session.rollback()
        flash(str(error.message), "error")
        return redirect(url_for("account.second_factor_page"))
    current_user.auth_session.mfa_at = clock.now()
    if codes:
        response = make_response(render_template("account/recovery_codes.html", codes=codes, new=True), 201)
    else:
        flash(_("La clé d’accès est ajoutée."), "success")
        response = make_response(redirect(url_for("account.second_factor_page")))
    renew_device(response)
    db.session.commit()
    return response


@bp.post("/compte/cles-acces/<int:passkey_id>/fin")
@requires(Permission.OWN_SPACE)
@requires_fresh
def end_passkey(passkey_id: int) -> ResponseReturnValue:
    """Forget a key."""
    try:
        passkeys.remove_own(current_account(), passkey_id)
    except second_factor.RequiredByRole as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("La clé d’accès n’ouvre plus votre compte."), "success")
    return redirect(url_for("account.second_factor_page"))
