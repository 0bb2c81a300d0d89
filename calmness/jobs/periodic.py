"""Jobs of the clock, run by a worker."""

import structlog

from calmness.context import caused_by
from calmness.extensions import db
from calmness.jobs.handlers import PERIODIC

log = structlog.get_logger(__name__)


def run_periodic(name: str) -> None:
    """Run one job of the clock in its own transactions. An unknown name is an old wake-up: nothing to do."""
    job = PERIODIC.get(name)
    if job is None:
        log.warning("unknown_periodic_job", job=name)
        return
    with caused_by(None):
        try:
            job.function()
        finally:
            db.session.remove()
