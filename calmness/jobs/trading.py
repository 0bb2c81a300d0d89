"""Statistics, computed after a sync."""

from typing import Any

from calmness.extensions import db
from calmness.jobs.handlers import task
from calmness.services import trading_statistics


@task("trading.statistics")
def compute_statistics(payload: dict[str, Any]) -> None:
    """Compute what changed in an account; several syncs at once need it once."""
    trading_statistics.recompute(payload["account_id"])
    db.session.commit()
