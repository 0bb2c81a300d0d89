"""JSON API ``/api/v1``: bearer tokens only, never the session's cookie."""

from apiflask import APIBlueprint

bp = APIBlueprint("api", __name__, url_prefix="/api/v1")

from calmness.blueprints.api import (  # noqa: E402
    admin_analytics,
    admin_people,
    admin_training,
    auth,
    authentication,
    bodies,
    channels,
    conditional,
    invoices,
    me,
    offers,
    openapi,
    payments,
    privacy,
    rates,
    security,
    signals,
    trading,
    training,
    widgets,
)

__all__ = [
    "admin_analytics",
    "admin_people",
    "admin_training",
    "auth",
    "authentication",
    "bodies",
    "bp",
    "channels",
    "conditional",
    "invoices",
    "me",
    "offers",
    "openapi",
    "payments",
    "privacy",
    "rates",
    "security",
    "signals",
    "trading",
    "training",
    "widgets",
]
