"""Trading history, statistics, portfolio and the accounts behind them."""

from flask import Blueprint

bp = Blueprint("trading", __name__, url_prefix="/espace")

from calmness.blueprints.trading import (  # noqa: E402
    accounts,
    cash,
    figures,
    follow_up,
    history,
    imports,
    installation,
    journal,
    leaderboard,
    pictures,
    portfolio,
    statistics,
)

__all__ = [
    "accounts",
    "bp",
    "cash",
    "figures",
    "follow_up",
    "history",
    "imports",
    "installation",
    "journal",
    "leaderboard",
    "pictures",
    "portfolio",
    "statistics",
]
