"""The person's own pages: profile, settings, security, notifications."""

from flask import Blueprint

bp = Blueprint("account", __name__, url_prefix="/espace")

from calmness.blueprints.account import api_tokens, avatar, notifications, privacy, profile, security, settings  # noqa: E402

__all__ = ["api_tokens", "avatar", "bp", "notifications", "privacy", "profile", "security", "settings"]
