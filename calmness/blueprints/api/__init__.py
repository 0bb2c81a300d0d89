"""JSON API ``/api/v1``: bearer tokens only, never the session's cookie."""

from apiflask import APIBlueprint

bp = APIBlueprint("api", __name__, url_prefix="/api/v1")

from calmness.blueprints.api import auth, authentication, invoices, me, offers, openapi, payments  # noqa: E402

__all__ = ["auth", "authentication", "bp", "invoices", "me", "offers", "openapi", "payments"]
