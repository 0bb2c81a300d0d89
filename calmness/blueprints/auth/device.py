"""Opening and closing the session of a device: the page's cookie and the API's refresh cookie together."""

from datetime import timedelta

from flask import Response, current_app, flash, make_response, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_jwt_extended import set_refresh_cookies, unset_refresh_cookies
from flask_login import current_user, login_user
from itsdangerous import BadSignature

from calmness import geo, network
from calmness.access import SessionUser
from calmness.models.account import AuthSession, SessionKind, User
from calmness.permissions import STAFF_ROLES
from calmness.redirects import safe_next
from calmness.services.account import jwt_tokens, known_devices, sessions
from calmness.services.privacy import grace
from calmness.sessions import note_origin
from calmness.signing import signer

MARK_LIFETIME = timedelta(days=365)
MOST_MARKS = 5
MARK_SALT = "known-device"

SECRET_ADDRESS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""Headers of a page whose address holds a token."""


def log_in(user: User, *, persistent: bool, second_factor: bool) -> Response:
    """Open a session in this browser and lead where the person wanted to go. The caller commits."""
    recognised = known_devices.mark_of(user) in _marks()
    person = open_device(user, persistent=persistent, second_factor=second_factor)
    known_devices.tell_if_new(user, person.auth_session, recognised=recognised)
    home = "admin_home.show" if user.role in STAFF_ROLES else "dashboard.show"
    response = make_response(redirect(safe_next(url_for(home))))
    give_refresh_cookie(response, person)
    _keep_mark(response, user)
    return response


def open_device(user: User, *, persistent: bool, second_factor: bool) -> SessionUser:
    """Open a session in this browser. Whatever the cookie held before is dropped; a chat's visitor stays known."""
    if current_user.is_authenticated:
        # Logging in again, or as somebody else, ends what this browser held.
        sessions.revoke(current_user.auth_session.id, "replaced")
    auth_session, secret = open_session_here(
        user, kind=SessionKind.PAGE, persistent=persistent, second_factor=second_factor
    )
    session.clear()
    session.permanent = auth_session.persistent
    person = SessionUser(user, auth_session, secret)
    login_user(person)
    if grace.ended_by(auth_session):
        flash(_("Bon retour\u202f! Votre demande de suppression est annulée\u00a0: rien n’a été effacé."), "success")
    return person


def give_refresh_cookie(response: Response, person: SessionUser) -> None:
    """Give the browser the refresh token of its session, as an HttpOnly cookie that only the API's path gets."""
    keep_refresh_cookie(response, jwt_tokens.issue_refresh(person.auth_session), person.auth_session)


def renew_device(response: Response) -> Response:
    """Other secrets for this browser, after a proof of identity: copies of its cookies made before open nothing.

    The caller commits.
    """
    auth_session = current_user.auth_session
    secret = sessions.renew(auth_session)
    login_user(SessionUser(current_user.user, auth_session, secret))
    keep_refresh_cookie(response, jwt_tokens.renew_refresh(auth_session), auth_session)
    return response


def keep_refresh_cookie(response: Response, token: str, auth_session: AuthSession) -> None:
    """Set the cookie of a refresh token. It outlives the browser only where the person asked to stay logged in."""
    lifetime = sessions.PERSISTENT_LIFETIME if auth_session.persistent else sessions.IDLE_LIFETIME
    set_refresh_cookies(response, token, max_age=int(lifetime.total_seconds()))


def forget_device(response: Response) -> None:
    """Empty the browser of what it holds of the session; pages behind the login were never cached."""
    session.clear()
    unset_refresh_cookies(response)
    response.headers["Clear-Site-Data"] = '"storage"'


def _marks() -> list[str]:
    """Marks of the people who logged in with this browser; none when the cookie is not ours."""
    try:
        marks = signer(MARK_SALT).loads(request.cookies.get(current_app.config["DEVICE_COOKIE_NAME"], ""))
    except BadSignature:
        return []
    return [str(mark) for mark in marks] if isinstance(marks, list) else []


def _keep_mark(response: Response, user: User) -> None:
    """Let this browser be known at the next login, after a log-out too; the cookie goes to the login's pages only."""
    mark = known_devices.mark_of(user)
    response.set_cookie(
        current_app.config["DEVICE_COOKIE_NAME"],
        str(signer(MARK_SALT).dumps([mark, *(other for other in _marks() if other != mark)][:MOST_MARKS])),
        max_age=int(MARK_LIFETIME.total_seconds()),
        path="/connexion",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def open_session_here(
    user: User, *, kind: SessionKind, persistent: bool, second_factor: bool
) -> tuple[AuthSession, str]:
    """A session of the device that asks, and its secret; the acts of this request are told to come from it."""
    auth_session, secret = sessions.open_session(
        user,
        kind=kind,
        persistent=persistent,
        ip_truncated=network.truncated(request.remote_addr),
        device_label=device_label(),
        second_factor=second_factor,
    )
    note_origin(auth_session.id)
    return auth_session, secret


def device_label() -> str:
    """``Chrome, Windows`` for the list of devices; empty when the client does not say."""
    agent = geo.parsed(request.headers.get("User-Agent", "")[:400])
    families = (agent.browser.family, agent.os.family)
    return ", ".join(family for family in families if family and family != "Other")
