"""Trading history, statistics, portfolio and the accounts behind them."""

from flask import Blueprint

bp = Blueprint("trading", __name__, url_prefix="/espace")

from calmness.blueprints.trading import accounts, history, imports, installation, statistics  # noqa: E402

__all__ = ["accounts", "bp", "history", "imports", "installation", "statistics"]
