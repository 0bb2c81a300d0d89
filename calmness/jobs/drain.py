"""Drain a lane: claim what is due, do it, record it, until nothing is left or the time is over."""

import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from calmness import clock
from calmness.channels import Message, Outcome, OutcomeKind
from calmness.context import caused_by
from calmness.database import reading
from calmness.extensions import db, work_queue
from calmness.jobs import claims, senders
from calmness.jobs.handlers import COMPOSERS, TASKS, NotWanted
from calmness.models.delivery import Delivery, DeliveryState, Lane, OutboxTask
from calmness.services import delivery
from calmness.services.account import contacts
from calmness.services.delivery import Result

log = structlog.get_logger(__name__)

TURN_SECONDS = 5.0
"""How long a lane keeps a worker while others wait: the PDFs of a closing month must not hold up a statement."""
LONGEST_SECONDS = 60.0
"""How long it keeps one when nobody else waits. A new process costs as much as eight pieces of work."""
WAIT_SECONDS = 1.0
"""How long a drain that did something waits for more. The process that it runs in costs more than a piece of work."""

_STATES = {
    OutcomeKind.OK: DeliveryState.SENT,
    OutcomeKind.RETRY: DeliveryState.PENDING,
    OutcomeKind.PERMANENT: DeliveryState.FAILED,
    OutcomeKind.UNLINK: DeliveryState.FAILED,
    OutcomeKind.UNKNOWN: DeliveryState.UNKNOWN,
}


def drain(lane_name: str) -> None:
    """Work a lane until it is empty or its turn is over; then ask for another turn.

    Asked to stop, it finishes the piece in hand and gives the rest back.
    """
    lane = Lane(lane_name)
    work_queue.forget_wake(lane.value)
    worker = claims.own_name()
    begun = time.monotonic()
    lanes = [one.value for one in Lane]
    did_something = False
    while True:
        if _one_round(lane, worker):
            did_something = True
        elif did_something and work_queue.wait_for_more(lane.value, WAIT_SECONDS, lanes):
            work_queue.forget_wake(lane.value)
        else:
            return
        worked = time.monotonic() - begun
        is_over = worked >= TURN_SECONDS and work_queue.others_wait(lane.value, lanes)
        if claims.stopping() or worked >= LONGEST_SECONDS or is_over:
            break
    delivery.release(worker)
    db.session.commit()
    work_queue.wake(lane.value)


def drain_everything() -> None:
    """Work all lanes until nothing is due; for tests, the demo and one-shot commands."""
    worker = claims.own_name()
    while sum(_one_round(lane, worker) for lane in _lanes_with_work()):
        pass


def _lanes_with_work() -> list[Lane]:
    """One question for all lanes: to claim from each empty one costs ten transactions."""
    with reading():
        found = delivery.lanes_with_work()
        db.session.commit()
    return found


def _one_round(lane: Lane, worker: str) -> bool:
    # Asked before it is claimed: an empty lane takes no lock. Nobody who writes on SQLite waits for a look.
    if lane not in _lanes_with_work():
        return False
    tasks = delivery.claim_tasks(lane, worker)
    messages = delivery.claim_deliveries(lane, worker)
    for row in (*tasks, *messages):
        # What was claimed is kept as it is now: a look at it after the commit would read it again.
        db.session.expunge(row)
    db.session.commit()
    for task in tasks:
        if claims.stopping():
            return True
        with caused_by(task.cause_id):
            _do(task)
    if messages:
        with senders.open_lane() as lane_senders:
            for message in messages:
                if claims.stopping():
                    return True
                with caused_by(message.cause_id):
                    _send(message, lane_senders)
    return bool(tasks or messages)


def _do(task: OutboxTask) -> None:
    try:
        TASKS[task.kind](dict(task.payload))
    except Exception as error:  # the outermost loop of work: it records, logs and goes on
        db.session.rollback()
        log.exception("task_failed", kind=task.kind, task_id=task.id, attempt=task.attempts)
        delivery.fail_task(task.id, task.attempts, f"{type(error).__name__}: {error}")
    else:
        delivery.finish_task(task.id, task.attempts)
    db.session.commit()


def _send(message: Delivery, lane_senders: "senders.LaneSenders") -> None:
    attempt = message.attempts
    if message.expires_at and message.expires_at < clock.now():
        _record(message, attempt, Result(DeliveryState.EXPIRED, "expired"))
        return
    try:
        content = COMPOSERS[message.kind](message)
    except NotWanted:
        content = None
    except Exception as error:  # a template's fault must not stop the lane
        db.session.rollback()
        log.exception("compose_failed", kind=message.kind, delivery_id=message.id)
        _record(message, attempt, Result(DeliveryState.PENDING, "compose_failed", text=type(error).__name__))
        return
    address = message.address or contacts.address_of(message.user_id, message.channel)
    if content is None or address is None:
        _record(message, attempt, Result(DeliveryState.SKIPPED, "skipped"))
        return
    leaving = delivery.start_sending(message.id, attempt)
    db.session.commit()
    if leaving:
        _record(message, attempt, _transmit(message, content, address, lane_senders), address)


def _transmit(message: Delivery, content: Message, address: str, lane_senders: "senders.LaneSenders") -> Result:
    started = time.monotonic()
    outcome: Outcome = lane_senders.send(message.channel, content, address, key=message.key)
    return Result(
        _STATES[outcome.kind],
        outcome.kind.value,
        provider_id=outcome.provider_id,
        retry_after=outcome.retry_after,
        code=outcome.code,
        text=outcome.text,
        latency_ms=int((time.monotonic() - started) * 1000),
    )


def _record(message: Delivery, attempt: int, result: Result, address: str | None = None) -> None:
    try:
        delivery.record_result(message, attempt, result)
        if result.outcome == OutcomeKind.UNLINK.value and address:
            contacts.disable(message.channel, address)
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("result_not_recorded", delivery_id=message.id, outcome=result.outcome)
        raise
