"""Trading history, statistics, portfolio and the accounts behind them."""

from flask import Blueprint

bp = Blueprint("trading", __name__, url_prefix="/espace")

from calmness.blueprints.trading import accounts, figures, history, imports, installation, statistics  # noqa: E402

__all__ = ["accounts", "bp", "figures", "history", "imports", "installation", "statistics"]
