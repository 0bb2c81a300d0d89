"""JSON API ``/api/v1``: bearer tokens only, never the session's cookie."""

from apiflask import APIBlueprint

bp = APIBlueprint("api", __name__, url_prefix="/api/v1")

from calmness.blueprints.api import auth, authentication, me, openapi  # noqa: E402

__all__ = ["auth", "authentication", "bp", "me", "openapi"]
