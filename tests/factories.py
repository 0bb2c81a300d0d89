"""Valid objects with one call; a test states only what matters to it.

They belong to the session of the test's own context; each request commits them before it starts.
"""

from base64 import b64decode
from datetime import timedelta
from typing import Any, cast

from factory.alchemy import SQLAlchemyModelFactory
from factory.declarations import LazyAttribute, LazyFunction, Sequence

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User

PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
"""The smallest picture, as PNG."""

PASSWORD_HASH = "$argon2id$v=19$m=8,t=1,p=1$not-a-real-hash"


class Factory(SQLAlchemyModelFactory):
    """Base of the factories: adds to the session of the test and flushes."""

    class Meta:
        abstract = True
        sqlalchemy_session_factory = lambda: db.session  # noqa: E731
        sqlalchemy_session_persistence = "flush"


class UserFactory(Factory):
    """A student with a verified address."""

    class Meta:
        model = User

    email = Sequence(lambda n: f"eleve{n}@example.test")
    email_key = LazyAttribute(lambda user: user.email.casefold())
    password_hash = PASSWORD_HASH
    first_name = "Élodie"
    last_name = "O'Brien-Ñandú"
    role = Role.STUDENT
    created_at = LazyFunction(lambda: clock.now() - timedelta(days=30))
    email_verified_at = LazyAttribute(lambda user: user.created_at + timedelta(hours=1))


def student(**values: Any) -> User:
    """A student."""
    return cast("User", UserFactory(**values))


def agent(**values: Any) -> User:
    """A member of the team who answers and validates."""
    return student(role=Role.AGENT, **values)


def admin(**values: Any) -> User:
    """A member of the team who may do everything."""
    return student(role=Role.ADMIN, **values)
