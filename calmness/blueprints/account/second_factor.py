"""Second factor: set it up by QR code or key, see the recovery codes once, renew them, switch it off."""

import segno
from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from calmness import clock
from calmness.access import current_account, requires, requires_fresh, without_second_factor
from calmness.blueprints.account import bp
from calmness.blueprints.auth.device import renew_device
from calmness.blueprints.auth.forms import CodeForm
from calmness.blueprints.auth.passkeys import site
from calmness.errors import Conflict, TooManyAttempts
from calmness.extensions import db, limiter
from calmness.network import network_of
from calmness.permissions import Permission
from calmness.services import one_time_codes, passkeys, second_factor, step_up


@bp.get("/compte/double-authentification")
@requires(Permission.OWN_SPACE)
@without_second_factor
def second_factor_page() -> ResponseReturnValue:
    """What is on, and the next step."""
    return _page(CodeForm())


@bp.post("/compte/double-authentification")
@limiter.limit("20 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def begin_second_factor() -> ResponseReturnValue:
    """Make a secret for the app."""
    try:
        second_factor.begin(current_account())
    except second_factor.AlreadyOn as error:
        return _back(error)
    db.session.commit()
    return redirect(url_for("account.second_factor_page"))


@bp.post("/compte/double-authentification/confirmation")
@limiter.limit("30 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
@requires_fresh
def confirm_second_factor() -> ResponseReturnValue:
    """Take the app's first code; the recovery codes are shown on this answer only."""
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        codes = second_factor.confirm(current_account(), form.code.data, network_of(request.remote_addr))
    except (second_factor.AlreadyOn, second_factor.NotOn) as error:
        return _back(error)
    except (second_factor.WrongCode, TooManyAttempts) as error:
        form.code.errors = [error.message]
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
        return _page(form), 422 if isinstance(error, second_factor.WrongCode) else error.status, wait
    current_user.auth_session.mfa_at = clock.now()
    page = render_template("account/recovery_codes.html", codes=codes, new=True)
    response = renew_device(make_response(page, 201))
    db.session.commit()
    return response


@bp.post("/compte/double-authentification/codes")
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def create_recovery_codes() -> ResponseReturnValue:
    """Ten new codes in the place of the old ones; shown on this answer only."""
    try:
        codes = second_factor.renew_recovery_codes(current_account())
    except second_factor.NotOn as error:
        return _back(error)
    db.session.commit()
    return render_template("account/recovery_codes.html", codes=codes, new=False), 201


@bp.post("/compte/double-authentification/fin")
@limiter.limit("10 per hour")
@requires(Permission.OWN_SPACE)
@requires_fresh
def end_second_factor() -> ResponseReturnValue:
    """Switch it off."""
    try:
        second_factor.turn_off(current_account())
    except (second_factor.NotOn, second_factor.RequiredByRole) as error:
        return _back(error)
    db.session.commit()
    flash(_("La double authentification est désactivée."), "success")
    return redirect(url_for("account.second_factor_page"))


def _back(error: Conflict) -> ResponseReturnValue:
    db.session.rollback()
    flash(str(error.message), "warning")
    return redirect(url_for("account.second_factor_page"))


def _page(form: CodeForm) -> str:
    user = current_account()
    # Who sees the key has the factor: only just after a proof of identity.
    fresh = step_up.is_fresh(current_user.auth_session, clock.now())
    key = second_factor.pending_secret(user) if fresh else None
    return render_template(
        "account/second_factor.html",
        form=form,
        on=second_factor.has_app(user.id),
        any_on=second_factor.is_on(user.id),
        passkeys=passkeys.of(user.id),
        possible=site() is not None,
        left=second_factor.recovery_codes_left(user.id),
        few=second_factor.FEW_LEFT,
        required=second_factor.is_required(user),
        key=" ".join(key[place : place + 4] for place in range(0, len(key), 4)) if key else "",
        code=_qr(one_time_codes.app_address(key, user.email)) if key else "",
    )


def _qr(address: str) -> Markup:
    code = segno.make(address, error="m", micro=False)
    # Modules only: what the code says is not in the markup.
    return Markup(code.svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704
