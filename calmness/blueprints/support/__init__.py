"""Support for everybody: the widget's endpoints, the plain page ``/support``, the socket namespace ``/support``."""

from flask import Blueprint

bp = Blueprint("support", __name__, url_prefix="/support")

from calmness.blueprints.support import desk_events, events, pages, visitors, widget  # noqa: E402

__all__ = ["bp", "desk_events", "events", "pages", "visitors", "widget"]
