"""Opening and closing the session of a device: the page's cookie and the API's refresh cookie together."""

from flask import Response, request, session
from flask_jwt_extended import set_refresh_cookies, unset_refresh_cookies
from flask_login import login_user
from user_agents import parse

from calmness import network
from calmness.access import SessionUser
from calmness.models.account import SessionKind, User
from calmness.services import jwt_tokens, sessions


def open_device(user: User, *, persistent: bool) -> SessionUser:
    """Open a session in this browser. Whatever the cookie held before is dropped; a chat's visitor stays known."""
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
    return person


def give_refresh_cookie(response: Response, person: SessionUser) -> None:
    """Give the browser the refresh token of its session, as an HttpOnly cookie that only the API's path gets."""
    set_refresh_cookies(response, jwt_tokens.issue_refresh(person.auth_session))


def forget_device(response: Response) -> None:
    """Empty the browser: cookies, storage and cache of this site."""
    session.clear()
    unset_refresh_cookies(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def device_label() -> str:
    """``Chrome, Windows`` for the list of devices."""
    agent = parse(request.headers.get("User-Agent", ""))
    return f"{agent.browser.family}, {agent.os.family}"
