"""Passkeys in the browser: challenges, login with a key alone or after the password, confirmation by a key."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, current_app, flash, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from calmness import clock
from calmness.access import current_account, public, requires, without_second_factor
from calmness.blueprints.auth import bp, second_step
from calmness.blueprints.auth.device import log_in, renew_device
from calmness.errors import NotFound
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.redirects import safe_next
from calmness.services import passkeys, step_up

ASKED = "passkey"
PATIENCE = timedelta(minutes=5)


def site() -> passkeys.Site | None:
    """The address that keys belong to here; None where browsers know none: at a bare IP address."""
    base = current_app.config["BASE_URL"]
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        # Hosts were checked against TRUSTED_HOSTS. A proxy may have ended TLS: BASE_URL knows what the browser sees.
        return passkeys.Site(host, base if host == urlsplit(base).hostname else request.host_url.rstrip("/"))
    return None


def required_site() -> passkeys.Site:
    """As ``site``. Raises ``NotFound``."""
    found = site()
    if found is None:
        raise NotFound
    return found


def ask() -> passkeys.Challenge:
    """A new challenge, noted in the signed cookie for five minutes."""
    challenge = passkeys.new_challenge()
    session[ASKED] = {"value": bytes_to_base64url(challenge.value), "at": challenge.made_at.isoformat()}
    return challenge


def asked() -> passkeys.Challenge:
    """The challenge of this browser, forgotten with this. Raises ``PasskeyRefused``."""
    note = session.pop(ASKED, None)
    if not note or datetime.fromisoformat(note["at"]) + PATIENCE < clock.now():
        raise passkeys.PasskeyRefused
    return passkeys.Challenge(base64url_to_bytes(note["value"]), datetime.fromisoformat(note["at"]))


def as_json(text: str) -> Response:
    """Options as the browser reads them."""
    return Response(text, mimetype="application/json", headers={"Cache-Control": "no-store"})


@bp.post("/connexion/cle/options")
@limiter.limit("120 per hour")
@public
def passkey_login_options() -> ResponseReturnValue:
    """What to sign: with any key of this site, or after the password with one of the person's."""
    user = second_step.started() if request.form.get("step") == "code" else None
    return as_json(passkeys.request_options(required_site(), ask(), user))


@bp.post("/connexion/cle")
@limiter.limit("60 per hour")
@public
def create_passkey_session() -> ResponseReturnValue:
    """Open the session of the person whose key signed."""
    after_password = request.form.get("step") == "code"
    started = second_step.started() if after_password else None
    if after_password and started is None:
        return second_step.start_again()
    persistent = second_step.wants_to_stay() if after_password else request.form.get("persistent") == "y"
    try:
        user = passkeys.check(request.form.get("credential", ""), asked(), required_site(), user=started)
    except passkeys.PasskeyRefused as error:
        db.session.rollback()
        flash(str(error.message), "error")
        back = "auth.new_second_step" if after_password else "auth.new_session"
        return redirect(url_for(back, next=safe_next("") or None))
    response = log_in(user, persistent=persistent, second_factor=True)
    db.session.commit()
    return response


@bp.post("/confirmation/cle/options")
@limiter.limit("120 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
def passkey_confirmation_options() -> ResponseReturnValue:
    """What to sign, with one of the person's keys."""
    return as_json(passkeys.request_options(required_site(), ask(), current_account()))


@bp.post("/confirmation/cle")
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
@without_second_factor
def create_passkey_confirmation() -> ResponseReturnValue:
    """Take the signature as proof, then go back to where the person came from."""
    user = current_account()
    try:
        passkeys.check(request.form.get("credential", ""), asked(), required_site(), user=user)
    except passkeys.PasskeyRefused as error:
        db.session.rollback()
        flash(str(error.message), "error")
        return redirect(url_for("auth.new_confirmation", next=safe_next("") or None))
    step_up.note_passkey(user, current_user.auth_session)
    response = renew_device(make_response(redirect(safe_next(url_for("account.overview")))))
    db.session.commit()
    return response


@bp.app_context_processor
def _offer() -> dict[str, object]:
    """Let pages ask whether keys exist at this address."""
    return {"passkeys_here": lambda: site() is not None}
