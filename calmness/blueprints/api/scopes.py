"""What a personal token must be allowed for each route: ``area:read`` or ``area:write``."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

AREAS = {
    "account": "The own account: profile, choices, notices, dashboard.",
    "billing": "The own payments, subscriptions and invoices.",
    "training": "The own formations, sessions and presence.",
    "trading": "The own MetaTrader accounts, trades and figures.",
    "signals": "Signals as a reader.",
    "support": "The own conversations with the school.",
    "admin": "What the staff does, within the rights of its role.",
    "auth": "Log in and out; not open to personal tokens.",
    "catalogue": "What anybody may read.",
}
"""Areas with what they hold, in the order of the documentation."""

OPEN = ("account", "billing", "training", "trading", "signals", "support", "admin")
"""Areas that a personal token can be given."""

ALL = tuple(f"{area}:{act}" for area in OPEN for act in ("read", "write"))

_BY_MODULE = {
    "avatar": "account",
    "channels": "account",
    "checkout": "billing",
    "devices": "account",
    "figures": "trading",
    "follow_up": "trading",
    "imports": "trading",
    "invoices": "billing",
    "journal": "trading",
    "leaderboard": "trading",
    "me": "account",
    "offers": "catalogue",
    "openapi": "catalogue",
    "passkeys": "account",
    "payments": "billing",
    "pictures": "trading",
    "portfolio": "trading",
    "personal_tokens": "account",
    "security": "account",
    "privacy": "account",
    "signals": "signals",
    "support": "support",
    "statistics": "trading",
    "terminals": "trading",
    "trading": "trading",
    "training": "training",
    "training_effect": "trading",
    "widgets": "account",
}
_PUBLIC = ("/api/v1/offers", "/api/v1/formations", "/api/v1/signals/")


def area_of(rule: Rule, view: Callable[..., Any]) -> str:
    """Area of a route. One that no area claims belongs to the staff: closed to the tokens of students."""
    if rule.rule.startswith("/api/v1/admin/"):
        return "admin"
    if rule.rule.startswith("/api/v1/auth/"):
        return "auth"
    if rule.rule.startswith(_PUBLIC):
        return "catalogue"
    return _BY_MODULE.get(view.__module__.rpartition(".")[2], "admin")


def scope_of(rule: Rule, view: Callable[..., Any], method: str) -> str | None:
    """Scope that a personal token needs; None where no such token is taken."""
    area = area_of(rule, view)
    if area not in OPEN:
        return None
    return f"{area}:{'read' if method.upper() in {'GET', 'HEAD', 'OPTIONS'} else 'write'}"


def allows(granted: list[str], wanted: str) -> bool:
    """Whether granted scopes hold a wanted one; who may write may read."""
    return wanted in granted or wanted.replace(":read", ":write") in granted
