"""Register, confirm the address, log in and out, recover a password."""

from flask import Blueprint

bp = Blueprint("auth", __name__)

from calmness.blueprints.auth import confirmation, email, passwords, registration, second_step, session  # noqa: E402

__all__ = ["bp", "confirmation", "email", "passwords", "registration", "second_step", "session"]
