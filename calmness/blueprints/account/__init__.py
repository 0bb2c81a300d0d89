"""The person's own pages: profile, settings, security, notifications."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/espace")

from calmness.blueprints.account import (  # noqa: E402
    api_tokens,
    email,
    notifications,
    passkeys,
    profile,
    second_factor,
    security,
    settings,
)

__all__ = ["api_tokens", "bp", "email", "notifications", "passkeys", "profile", "second_factor", "security", "settings"]
