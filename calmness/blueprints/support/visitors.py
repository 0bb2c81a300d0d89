"""The cookie of somebody who writes without an account: 128 random bits, signed, out of reach of scripts.

It is set when the chat is first opened, never on a page view: a chat that the person asked for needs no consent.
"""

import secrets
from typing import Any

from flask import Response, current_app, request
from flask_login import current_user, user_logged_in
from itsdangerous import BadSignature, URLSafeSerializer

from calmness.access import SessionUser
from calmness.blueprints.support import bp
from calmness.services.account import second_factor
from calmness.services.account.sessions import hash_secret
from calmness.services.support import chat_rooms
from calmness.services.support.chat_rooms import Person

MAX_AGE_SECONDS = 395 * 24 * 3600
"""Thirteen months, the longest that the CNIL allows."""


def visitor_hash() -> str | None:
    """What rooms know of this browser's cookie; None without one, or when its signature is wrong."""
    return hash_of(request.cookies.get(_cookie(), ""))


def hash_of(value: str) -> str | None:
    """What rooms know of a visitor by the signed value; None when there is none or its signature is wrong."""
    if not value:
        return None
    try:
        return hash_secret(str(_serializer().loads(value)))
    except BadSignature:
        return None


def person_of_request() -> Person:
    """Who asks, for pages and forms."""
    user = current_user.user if current_user.is_authenticated else None
    if user is not None and second_factor.is_lacking(user, current_user.auth_session):
        # Nobody of the team, before the second factor.
        user = None
    return Person(user, visitor_hash())


def new_visitor() -> tuple[Person, str]:
    """An anonymous person with the value of the cookie to set."""
    secret = secrets.token_urlsafe(16)
    return Person(None, hash_secret(secret)), str(_serializer().dumps(secret))


def remember(response: Response, value: str) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        _cookie(),
        value,
        max_age=MAX_AGE_SECONDS,
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
    )


@user_logged_in.connect
def _take_over(_app: Any, user: SessionUser, **_rest: Any) -> None:
    """What was written before the log-in belongs to the account from now on; the route that logs in commits."""
    known_as = visitor_hash()
    if known_as is not None:
        chat_rooms.adopt(user.user.id, known_as)


@bp.after_app_request
def _forget_at_log_out(response: Response) -> Response:
    """The next person at a shared computer must not see the last one's conversation."""
    if request.endpoint == "auth.end_session" and request.cookies.get(_cookie()):
        response.delete_cookie(_cookie())
    return response


def _cookie() -> str:
    name: str = current_app.config["VISITOR_COOKIE_NAME"]
    return name


def _serializer() -> URLSafeSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="support-visitor")
