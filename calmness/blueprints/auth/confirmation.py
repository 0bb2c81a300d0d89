"""Confirm it's you, before a sensitive act."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from calmness.access import current_account, requires, without_second_factor
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import renew_device
from calmness.blueprints.auth.forms import ConfirmationForm
from calmness.errors import TooManyAttempts
from calmness.extensions import db, limiter
from calmness.network import network_of
from calmness.permissions import Permission
from calmness.redirects import safe_next
from calmness.services import passkeys, second_factor, step_up


@bp.get("/confirmation")
@requires(Permission.OWN_SPACE)
@without_second_factor
def new_confirmation() -> ResponseReturnValue:
    """The form."""
    return _page(ConfirmationForm())


@bp.post("/confirmation")
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
def create_confirmation() -> ResponseReturnValue:
    """Take the password or a code, then go back to where the person came from."""
    form = ConfirmationForm()
    if not form.validate_on_submit():
        return _page(form), 422
    user, device, network = current_account(), current_user.auth_session, network_of(request.remote_addr)
    by_code = _only_code() or (bool(form.code.data) and second_factor.is_on(user.id))
    try:
        if by_code:
            step_up.confirm_by_code(user, device, form.code.data or "", network)
        else:
            step_up.confirm(user, device, form.password.data or "", network)
    except (step_up.WrongPassword, step_up.RefusedCode, TooManyAttempts) as error:
        (form.code if by_code else form.password).errors = [error.message]
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
        return _page(form), error.status, wait
    response = renew_device(make_response(redirect(safe_next(url_for("account.overview")))))
    db.session.commit()
    return response


def _only_code() -> bool:
    """Whether the role asks for the second factor, and this session has not shown it yet."""
    user = current_account()
    return second_factor.is_on(user.id) and second_factor.is_lacking(user, current_user.auth_session)


def _page(form: ConfirmationForm) -> str:
    with_code = second_factor.is_on(current_account().id)
    only_code = _only_code()
    return render_template(
        "auth/confirmation.html",
        form=form,
        next=safe_next(""),
        with_code=with_code,
        only_code=only_code,
        with_passkey=passkeys.count_of(current_account().id) > 0,
    )
