"""All tables, by area. Importing this package registers every model on the metadata."""

from calmness.extensions import Model
from calmness.models import (
    account,
    analytics,
    append_only,
    audit,
    billing,
    catalogue,
    closing,
    delivery,
    settings,
    signal,
    support,
    trading,
    training,
)

append_only.attach(Model.metadata)

__all__ = [
    "account",
    "analytics",
    "audit",
    "billing",
    "catalogue",
    "closing",
    "delivery",
    "settings",
    "signal",
    "support",
    "trading",
    "training",
]
