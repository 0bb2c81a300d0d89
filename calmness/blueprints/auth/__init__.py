"""Register, confirm the address, log in and out, recover a password."""

from flask import Blueprint

bp = Blueprint("auth", __name__)

from calmness.blueprints.auth import (  # noqa: E402
    confirmation,
    email,
    lost_factor,
    passkeys,
    passwords,
    registration,
    second_step,
    session,
)

__all__ = [
    "bp",
    "confirmation",
    "email",
    "lost_factor",
    "passkeys",
    "passwords",
    "registration",
    "second_step",
    "session",
]
