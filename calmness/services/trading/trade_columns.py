"""Columns of the history that a person chose; kept with the settings."""

from collections.abc import Iterable

from calmness.services.account import preferences

KEY = "history.columns"
COLUMNS = (
    "ticket",
    "account",
    "symbol",
    "direction",
    "volume",
    "opened",
    "closed",
    "duration",
    "open_price",
    "close_price",
    "stop",
    "target",
    "profit",
    "fees",
    "net",
    "multiple",
    "session",
    "tags",
    "mistakes",
    "comment",
)
USUAL = ("ticket", "symbol", "direction", "volume", "open_price", "close_price", "closed", "duration", "net")
"""Without a choice."""


def chosen(user_id: int) -> tuple[str, ...]:
    """Columns to show, in their own order; the ticket leads to the trade and always stands first."""
    kept = preferences.settings_of(user_id).get(KEY)
    return _in_order(kept) if isinstance(kept, list) and kept else USUAL


def choose(user_id: int, names: Iterable[str]) -> None:
    """Keep a choice. Names that no column has are left out; nothing is what stands without a choice."""
    wanted = [name for name in names if name in COLUMNS]
    preferences.keep(user_id, KEY, list(_in_order(wanted)) if wanted else [])


def _in_order(names: Iterable[object]) -> tuple[str, ...]:
    wanted = {*names, "ticket"}
    return tuple(name for name in COLUMNS if name in wanted)
