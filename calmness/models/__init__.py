"""All tables, by area. Importing this package registers every model on the metadata."""

from calmness.extensions import Model
from calmness.models import (
    account,
    analytics,
    api,
    append_only,
    audit,
    bank,
    billing,
    catalogue,
    closing,
    delivery,
    mention,
    platform,
    positions,
    privacy,
    rates,
    sale,
    settings,
    sharing,
    signal,
    support,
    trading,
    training,
)

append_only.attach(Model.metadata)

__all__ = [
    "account",
    "analytics",
    "api",
    "audit",
    "bank",
    "billing",
    "catalogue",
    "closing",
    "delivery",
    "mention",
    "platform",
    "positions",
    "privacy",
    "rates",
    "sale",
    "settings",
    "sharing",
    "signal",
    "support",
    "trading",
    "training",
]
