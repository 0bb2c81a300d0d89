"""The second step of a login: a code of the app, or a recovery code. No session is open before."""

from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from calmness import clock
from calmness.access import public
from calmness.blueprints.auth import bp
from calmness.blueprints.auth.device import log_in
from calmness.blueprints.auth.forms import CodeForm
from calmness.errors import TooManyAttempts
from calmness.extensions import db, limiter
from calmness.models.account import User
from calmness.network import network_of
from calmness.redirects import safe_next
from calmness.services import passkeys, second_factor
from calmness.services.sessions import hash_secret

STARTED = "second_step"
PATIENCE = timedelta(minutes=10)


def remember(user: User, *, persistent: bool) -> None:
    """Note in the signed cookie whose password was right; a new password or a closed account makes the note void."""
    session[STARTED] = {
        "user": user.id,
        "password": hash_secret(user.password_hash),
        "until": (clock.now() + PATIENCE).isoformat(),
        "persistent": persistent,
    }


@bp.get("/connexion/code")
@public
def new_second_step() -> ResponseReturnValue:
    """The form, for somebody whose password was right a moment ago."""
    return _page(CodeForm()) if started() else start_again()


@bp.post("/connexion/code")
@limiter.limit("60 per hour")
@public
def create_second_step() -> ResponseReturnValue:
    """Take the code and open the session."""
    user = started()
    if user is None:
        return start_again()
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        second_factor.check(user, form.code.data, network_of(request.remote_addr))
    except second_factor.NotOn:
        # Switched off elsewhere meanwhile: the password alone is asked for again.
        session.pop(STARTED, None)
        return start_again()
    except (second_factor.WrongCode, TooManyAttempts) as error:
        form.code.errors = [error.message]
        wait = {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyAttempts) else {}
        return _page(form), error.status, wait
    response = log_in(user, persistent=wants_to_stay(), second_factor=True)
    db.session.commit()
    return response


def wants_to_stay() -> bool:
    """Whether the person ticked to stay logged in, before the second step."""
    return bool(session.get(STARTED, {}).get("persistent"))


def started() -> User | None:
    """Whose password was right in this browser within the last ten minutes."""
    note = session.get(STARTED)
    if not note or datetime.fromisoformat(note["until"]) < clock.now():
        return None
    user = db.session.get(User, note["user"])
    good = user is not None and not user.disabled_at and not user.deleted_at
    return user if good and user and hash_secret(user.password_hash) == note["password"] else None


def start_again() -> ResponseReturnValue:
    """Back to the password."""
    flash(_("Recommencez par votre mot de passe\u202f: dix minutes ont passé, ou il a changé."), "warning")
    return redirect(url_for("auth.new_session", next=safe_next("") or None))


def _page(form: CodeForm) -> str:
    user = started()
    app = user is not None and second_factor.has_app(user.id)
    return render_template(
        "auth/second_step.html",
        form=form,
        next=safe_next(""),
        recovery="secours" in request.args or not app,
        app=app,
        required=user is not None and second_factor.is_required(user),
        with_passkey=user is not None and passkeys.count_of(user.id) > 0,
    )
