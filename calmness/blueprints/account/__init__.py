"""The person's own pages: profile, settings, security, notifications."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/espace")

from calmness.blueprints.account import (  # noqa: E402
    api_tokens,
    avatar,
    discord,
    email,
    notifications,
    passkeys,
    privacy,
    profile,
    second_factor,
    security,
    settings,
    whatsapp,
)

__all__ = [
    "api_tokens",
    "avatar",
    "bp",
    "discord",
    "email",
    "notifications",
    "passkeys",
    "privacy",
    "profile",
    "second_factor",
    "security",
    "settings",
    "whatsapp",
]
