"""Opening and closing the session of a device: the page's cookie and the API's refresh cookie together."""

from flask import Response, flash, request, session
from flask_babel import gettext as _
from flask_jwt_extended import set_refresh_cookies, unset_refresh_cookies
from flask_login import current_user, login_user
from user_agents import parse

from calmness import network
from calmness.access import SessionUser
from calmness.models.account import AuthSession, SessionKind, User
from calmness.services import grace, jwt_tokens, sessions

SECRET_ADDRESS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
"""Headers of a page whose address holds a token."""


def open_device(user: User, *, persistent: bool) -> SessionUser:
    """Open a session in this browser. Whatever the cookie held before is dropped; a chat's visitor stays known."""
    if current_user.is_authenticated:
        # Logging in again, or as somebody else, ends what this browser held.
        sessions.revoke(current_user.auth_session.id, "replaced")
    auth_session, secret = sessions.open_session(
        user,
        kind=SessionKind.PAGE,
        persistent=persistent,
        ip_truncated=network.truncated(request.remote_addr),
        device_label=device_label(),
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


def keep_refresh_cookie(response: Response, token: str, auth_session: AuthSession) -> None:
    """Set the cookie of a refresh token. It outlives the browser only where the person asked to stay logged in."""
    lifetime = sessions.PERSISTENT_LIFETIME if auth_session.persistent else sessions.IDLE_LIFETIME
    set_refresh_cookies(response, token, max_age=int(lifetime.total_seconds()))


def forget_device(response: Response) -> None:
    """Empty the browser of what it holds of the session; pages behind the login were never cached."""
    session.clear()
    unset_refresh_cookies(response)
    response.headers["Clear-Site-Data"] = '"storage"'


def device_label() -> str:
    """``Chrome, Windows`` for the list of devices; empty when the client does not say."""
    agent = parse(request.headers.get("User-Agent", "")[:400])
    families = (agent.browser.family, agent.os.family)
    return ", ".join(family for family in families if family and family != "Other")
