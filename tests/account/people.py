"""People who know their password, and what they do in a browser."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import TotpSecret, User
from calmness.services import sealing
from calmness.services.account import one_time_codes, passwords
from tests import factories
from tests.fixtures.servers import Mailbox

PASSWORD = "quatre mots sans lien commun"
OTHER_PASSWORD = "girafe bleue sous la tonnelle"


def with_password(**values: Any) -> User:
    """A student who can log in with ``PASSWORD``."""
    hashed = passwords.hash_password(PASSWORD)
    user = factories.student(password_hash=hashed, **values)
    db.session.commit()
    return user


def with_factor(**values: Any) -> tuple[User, str]:
    """A person who logs in with ``PASSWORD`` and a code of an app, and the app's key."""
    user = with_password(**values)
    key = one_time_codes.new_secret()
    sealed = sealing.seal(key, f"totp:{user.id}")
    now = clock.now()
    db.session.add(TotpSecret(user_id=user.id, secret_encrypted=sealed, created_at=now, confirmed_at=now))
    db.session.commit()
    return user, key


def code_now(key: str) -> str:
    """What the app shows."""
    return one_time_codes.code_of(key, one_time_codes.step_at(clock.now()))


def subjects_to(mailbox: Mailbox, address: str) -> list[str]:
    """Subjects of what a person was sent, once all work is done."""
    drain_everything()
    return [str(message["Subject"]) for message in mailbox.to(address)]


def texts_to(mailbox: Mailbox, address: str) -> str:
    """What a person was sent, as text."""
    drain_everything()
    return "\n".join(body.get_content() for message in mailbox.to(address) if (body := message.get_body(("plain",))))


def register(browser: FlaskClient, **values: str) -> TestResponse:
    """Fill in the registration form."""
    form = {
        "first_name": "Zoé",
        "last_name": "Ferrand",
        "email": "zoe@example.test",
        "password": PASSWORD,
        "adult": "y",
        "terms": "y",
    }
    return browser.post("/inscription", data=form | values)


def log_in(browser: FlaskClient, email: str, password: str = PASSWORD, **values: str) -> TestResponse:
    """Fill in the login form."""
    return browser.post("/connexion", data={"email": email, "password": password} | values)


def path_in_mail(mailbox: Mailbox, address: str, start: str) -> str:
    """Path of the newest link of a kind in the mail of a person."""
    drain_everything()
    texts = [body.get_content() for message in mailbox.to(address) if (body := message.get_body(("plain",)))]
    found = re.findall(rf"http://localhost({re.escape(start)}[\w-]+)", "\n".join(texts))
    return str(found[-1])
