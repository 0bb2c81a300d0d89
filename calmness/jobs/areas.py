"""The one list of modules that register tasks, composers and periodic jobs."""

from importlib import import_module

MODULES = (
    "calmness.jobs.housekeeping",
    "calmness.jobs.messages.general",
    "calmness.jobs.messages.account",
)


def load() -> None:
    """Import every module of the list."""
    for module in MODULES:
        import_module(module)
