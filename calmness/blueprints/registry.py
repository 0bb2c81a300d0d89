"""The one list of blueprints and socket namespaces."""

from importlib import import_module

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from calmness.extensions import csrf

BLUEPRINTS: tuple[str, ...] = (
    "calmness.blueprints.account",
    "calmness.blueprints.admin.analytics",
    "calmness.blueprints.admin.billing",
    "calmness.blueprints.admin.home",
    "calmness.blueprints.admin.privacy",
    "calmness.blueprints.admin.results",
    "calmness.blueprints.admin.signals",
    "calmness.blueprints.admin.support",
    "calmness.blueprints.admin.system",
    "calmness.blueprints.admin.training",
    "calmness.blueprints.admin.users",
    "calmness.blueprints.api",
    "calmness.blueprints.auth",
    "calmness.blueprints.billing",
    "calmness.blueprints.dashboard",
    "calmness.blueprints.docs",
    "calmness.blueprints.ea",
    "calmness.blueprints.hooks",
    "calmness.blueprints.live",
    "calmness.blueprints.signals",
    "calmness.blueprints.site",
    "calmness.blueprints.support",
    "calmness.blueprints.trading",
    "calmness.blueprints.training",
)

CSRF_EXEMPT = frozenset({"api", "ea", "hooks"})
"""Blueprints that never authenticate by the session's cookie, so that no other site can act through a browser."""


class RowNumber(IntegerConverter):
    """``<int:...>`` of an address: no larger than a key of the database, else the address does not exist.

    Its pattern says so too: what the conversion alone refuses is answered with 405 where the address has a second
    rule for other methods.
    """

    regex = r"\d{1,18}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def register_all(app: Flask) -> None:
    """Register every area; ``composants`` (live preview of the components) only in demo, development and tests."""
    app.url_map.converters["int"] = RowNumber
    paths = BLUEPRINTS
    if app.config["ENVIRONMENT"] != "production":
        paths += ("calmness.blueprints.composants", "calmness.blueprints.mailbox")
    for path in paths:
        module = import_module(path)
        for blueprint in getattr(module, "blueprints", None) or [module.bp]:
            app.register_blueprint(blueprint)
            if blueprint.name in CSRF_EXEMPT:
                csrf.exempt(blueprint)
