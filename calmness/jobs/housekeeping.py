"""Jobs that keep the spine itself in order."""

import structlog

from calmness.extensions import db, work_queue
from calmness.jobs import claims
from calmness.jobs.handlers import periodic
from calmness.services import delivery, idempotency

log = structlog.get_logger(__name__)


@periodic("delivery.sweep", every_seconds=30)
def sweep() -> None:
    """Finish what a crash left, and wake the lanes that have work."""
    given_back = claims.give_back_of_the_dead()
    counts = {"given_back": given_back} | delivery.sweep()
    lanes = delivery.lanes_with_work()
    db.session.commit()
    if any(counts.values()):
        log.info("swept", **counts)
    for lane in lanes:
        work_queue.wake(lane.value)


@periodic("api.forget_answers", every_seconds=3600)
def forget_answers() -> None:
    """Answers kept for repeated requests go after a day."""
    idempotency.forget_old()
    db.session.commit()
