"""The one list of modules that register tasks, composers and periodic jobs."""

from importlib import import_module

MODULES = (
    "calmness.jobs.housekeeping",
    "calmness.jobs.account",
    "calmness.jobs.analytics",
    "calmness.jobs.billing",
    "calmness.jobs.channel_access",
    "calmness.jobs.privacy",
    "calmness.jobs.messages.privacy",
    "calmness.jobs.platform",
    "calmness.jobs.messages.billing",
    "calmness.jobs.signals",
    "calmness.jobs.trading",
    "calmness.jobs.training",
    "calmness.jobs.messages.training",
    "calmness.jobs.messages.general",
    "calmness.jobs.messages.account",
    "calmness.jobs.messages.support",
    "calmness.jobs.support",
)


def load() -> None:
    """Import every module of the list."""
    for module in MODULES:
        import_module(module)
