"""From the cookie to the person: loads the account behind a page's session, and notes when it was last seen.

The cookie holds a random secret; the row ``auth_session`` decides. So a copied cookie dies with the row.
"""

from datetime import timedelta

from flask import Flask, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import current_user

from calmness import clock, network
from calmness.access import SessionUser
from calmness.database import reading, writing
from calmness.extensions import db, login_manager
from calmness.services import audit
from calmness.services import sessions as session_rules

SEEN_EVERY = timedelta(minutes=5)


class CookieSession(SecureCookieSessionInterface):
    """Writes the cookie, unless it would bring a secret back that was renewed while this request was under way."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Leave the browser the newer cookie that another tab's answer brought."""
        secret = session.get("_user_id")
        if secret and self.should_set_cookie(app, session):
            with reading(), db.engine.connect() as connection:
                if not session_rules.is_of_a_device(connection, str(secret)):
                    return
        super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Register the loader and the note of last use."""
    app.session_interface = CookieSession()
    login_manager.user_loader(load_user)
    app.before_request(_forget_origin)
    app.after_request(_note_last_seen)


def load_user(secret: str) -> SessionUser | None:
    """The person of a session's secret; None when the session has ended or was revoked."""
    found = session_rules.find(secret, clock.now())
    if found is None:
        return None
    note_origin(found[1].id)
    return SessionUser(*found, secret)


def note_origin(session_id: str | None) -> None:
    """Tell the journal from which device and network the acts of this request come."""
    audit.set_origin(audit.Origin(session_id, network.truncated(request.remote_addr)))


def _forget_origin() -> None:
    # Before anybody is known: a thread serves one person after the other.
    note_origin(None)


def _note_last_seen(response: Response) -> Response:
    person = g.get("_login_user")
    if not isinstance(person, SessionUser) or not current_user.is_authenticated:
        return response
    now = clock.now()
    if now - person.auth_session.last_seen_at > SEEN_EVERY:
        session_id, user_id = person.auth_session.id, person.user.id
        # The view has committed. On SQLite the request's own writing transaction would lock this one out.
        db.session.rollback()
        with writing(), db.engine.begin() as connection:
            session_rules.note_last_seen(connection, session_id, user_id, now)
        if session.permanent and person.get_id():
            # The cookie slides with the row, not with each answer: a late one must not bring an old cookie back.
            session.modified = True
    return response
