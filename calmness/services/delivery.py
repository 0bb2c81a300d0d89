"""The spine of work: rows that say what must happen, claimed once, done, recorded.

The row is written in the transaction of its cause. After the commit the lanes touched are woken; a sweep finds what a
crash left. A message that may have left when its process died is never sent again on a channel that can't tell twice
from once: it ends as ``unknown`` and says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update

from calmness import clock, transaction_end
from calmness.context import cause_id
from calmness.extensions import db, work_queue
from calmness.models.account import Channel
from calmness.models.delivery import (
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Heartbeat,
    Lane,
    OutboxTask,
    TaskState,
)
from calmness.models.dialect import claim, claiming, insert_once, upsert

LEASE = timedelta(minutes=6)
TASK_ATTEMPTS = 12
KEEP_TRYING = timedelta(hours=24)
BACKOFF_SECONDS = (2, 10, 30, 60, 120, 300)
IDEMPOTENT_CHANNELS = frozenset({Channel.DISCORD, Channel.SITE})
CHANNEL_LANES = {
    Channel.EMAIL: Lane.MAIL,
    Channel.TELEGRAM: Lane.PUSH,
    Channel.DISCORD: Lane.PUSH,
    Channel.WHATSAPP: Lane.PUSH,
    Channel.PUSH: Lane.PUSH,
}


# Built once: workers ask these all day, and on SQLite nobody writes while they do.
_TASK_IS_DUE = and_(OutboxTask.state == TaskState.PENDING, OutboxTask.due_at <= bindparam("now"))
_DELIVERY_IS_DUE = and_(Delivery.state == DeliveryState.PENDING, Delivery.due_at <= bindparam("now"))
_TAKEN: dict[str, Any] = {"lease_until": bindparam("lease"), "worker": bindparam("taker")}
_CLAIM_TASKS = claiming(
    OutboxTask,
    and_(OutboxTask.lane == bindparam("wanted"), _TASK_IS_DUE),
    OutboxTask.due_at,
    {"state": TaskState.CLAIMED, "attempts": OutboxTask.attempts + 1} | _TAKEN,
)
_CLAIM_DELIVERIES = claiming(
    Delivery,
    and_(Delivery.lane == bindparam("wanted"), _DELIVERY_IS_DUE),
    Delivery.due_at,
    {"state": DeliveryState.CLAIMED, "attempts": Delivery.attempts + 1} | _TAKEN,
)
_LANES_WITH_WORK = select(OutboxTask.lane).where(_TASK_IS_DUE).union(select(Delivery.lane).where(_DELIVERY_IS_DUE))
_TASKS: Any = OutboxTask.__table__
_IS_HELD = and_(
    OutboxTask.id == bindparam("task"), OutboxTask.attempts == bindparam("try"), OutboxTask.state == TaskState.CLAIMED
)
_FINISH = update(_TASKS).where(_IS_HELD).values(state=TaskState.DONE, finished_at=bindparam("now"), error=None)


@dataclass(frozen=True)
class Result:
    """What a try to send gave, in the ledger's words: ``sent``, ``retry``, ``failed``, ``unknown``, ``skipped``..."""

    state: DeliveryState
    outcome: str
    provider_id: str | None = None
    retry_after: float | None = None
    code: str | None = None
    text: str | None = None
    latency_ms: int = 0


def backoff(attempt: int) -> timedelta:
    """Pause before the next try: 2 s at first, 5 min at most."""
    return timedelta(seconds=BACKOFF_SECONDS[min(max(attempt, 1), len(BACKOFF_SECONDS)) - 1])


def enqueue(
    kind: str, key: str, payload: dict[str, Any], *, lane: Lane = Lane.DEFAULT, due_at: datetime | None = None
) -> bool:
    """Write a piece of work. False when the key is already there: the same cause is worked once."""
    now = clock.now()
    row = {
        "key": key,
        "kind": kind,
        "lane": lane,
        "payload": payload,
        "state": TaskState.PENDING,
        "due_at": due_at or now,
        "attempts": 0,
        "cause_id": cause_id(),
        "created_at": now,
    }
    wake_after_commit(lane, due_at or now, now)
    return insert_once(db.session(), OutboxTask, [row]) == 1


def deliver(
    kind: str,
    key: str,
    *,
    channel: Channel,
    user_id: int | None = None,
    address: str | None = None,
    params: dict[str, Any] | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    session_notification_id: int | None = None,
) -> bool:
    """Write a message to a person or an address on a channel. False when the key is already there."""
    now = clock.now()
    lane = CHANNEL_LANES[channel]
    row = {
        "key": key,
        "kind": kind,
        "channel": channel,
        "lane": lane,
        "user_id": user_id,
        "address": address,
        "session_notification_id": session_notification_id,
        "params": params or {},
        "state": DeliveryState.PENDING,
        "due_at": due_at or now,
        "expires_at": expires_at,
        "attempts": 0,
        "cause_id": cause_id(),
        "created_at": now,
    }
    wake_after_commit(lane, due_at or now, now)
    return insert_once(db.session(), Delivery, [row]) == 1


def claim_tasks(lane: Lane, worker: str, *, limit: int = 8) -> list[OutboxTask]:
    """Take work that is due. The caller commits at once."""
    return claim(db.session(), _CLAIM_TASKS, OutboxTask.due_at, _claim_of(lane, worker, limit))


def finish_task(task_id: int, attempt: int) -> bool:
    """Record that a piece of work is done. False when the claim was lost meanwhile."""
    given = {"task": task_id, "try": attempt, "now": clock.now()}
    return db.session.connection().execute(_FINISH, given).rowcount == 1


def fail_task(task_id: int, attempt: int, error: str) -> bool:
    """Record a failure: tried again after a pause, given up after ``TASK_ATTEMPTS`` tries."""
    now = clock.now()
    values: dict[str, Any] = {"error": error[:2000], "lease_until": None}
    if attempt >= TASK_ATTEMPTS:
        values |= {"state": TaskState.FAILED, "finished_at": now}
    else:
        values |= {"state": TaskState.PENDING, "due_at": now + backoff(attempt)}
    failed = update(_TASKS).where(_IS_HELD).values(**values)
    return db.session.connection().execute(failed, {"task": task_id, "try": attempt}).rowcount == 1


def claim_deliveries(lane: Lane, worker: str, *, limit: int = 16) -> list[Delivery]:
    """Take messages that are due, nearest first. The caller commits at once."""
    return claim(db.session(), _CLAIM_DELIVERIES, Delivery.due_at, _claim_of(lane, worker, limit))


def start_sending(delivery_id: int, attempt: int) -> bool:
    """Mark a claimed message as about to leave. False when the claim was lost: then don't send."""
    return _changed(
        update(Delivery)
        .where(
            Delivery.id == delivery_id,
            Delivery.attempts == attempt,
            Delivery.state == DeliveryState.CLAIMED,
        )
        .values(state=DeliveryState.SENDING)
    )


def record_result(delivery: Delivery, attempt: int, result: Result) -> bool:
    """Write what a try gave. A passing failure goes back to its lane until it expires, or for a day."""
    now = clock.now()
    values: dict[str, Any] = {
        "state": result.state,
        "lease_until": None,
        "error_code": result.code,
        "error": result.text,
    }
    if result.state is DeliveryState.SENT:
        values |= {"sent_at": now, "provider_id": result.provider_id}
    if result.state is DeliveryState.PENDING:
        pause = timedelta(seconds=result.retry_after) if result.retry_after else backoff(attempt)
        give_up_at = delivery.expires_at or delivery.created_at + KEEP_TRYING
        if now + pause > give_up_at:
            values["state"] = DeliveryState.EXPIRED if delivery.expires_at else DeliveryState.FAILED
        else:
            values["due_at"] = now + pause
    db.session.add(
        DeliveryAttempt(
            delivery_id=delivery.id,
            attempt=attempt,
            at=now,
            outcome=result.outcome,
            code=result.code,
            text=result.text,
            latency_ms=result.latency_ms,
        )
    )
    return _changed(update(Delivery).where(Delivery.id == delivery.id, Delivery.attempts == attempt).values(**values))


def cancel(*, key_prefix: str, state: DeliveryState = DeliveryState.CANCELLED) -> int:
    """Kill the messages not sent yet whose key starts like this, as ``state`` says why. Gives how many."""
    result = db.session.execute(
        update(Delivery)
        .where(Delivery.key.startswith(key_prefix, autoescape=True), Delivery.state == DeliveryState.PENDING)
        .values(state=state)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def sweep() -> dict[str, int]:
    """Finish what a crash left: expired claims go back, messages that may have left end by their channel's policy."""
    now = clock.now()
    return {
        "tasks": _updated(
            update(OutboxTask)
            .where(OutboxTask.state == TaskState.CLAIMED, OutboxTask.lease_until < now)
            .values(state=TaskState.PENDING, lease_until=None)
        ),
        "claimed": _updated(
            update(Delivery)
            .where(Delivery.state == DeliveryState.CLAIMED, Delivery.lease_until < now)
            .values(state=DeliveryState.PENDING, lease_until=None)
        ),
        "resent": _updated(
            update(Delivery)
            .where(
                Delivery.state == DeliveryState.SENDING,
                Delivery.lease_until < now,
                Delivery.channel.in_(IDEMPOTENT_CHANNELS),
            )
            .values(state=DeliveryState.PENDING, lease_until=None)
        ),
        "unknown": _updated(
            update(Delivery)
            .where(Delivery.state == DeliveryState.SENDING, Delivery.lease_until < now)
            .values(state=DeliveryState.UNKNOWN, lease_until=None)
        ),
        "expired": _updated(
            update(Delivery)
            .where(Delivery.state == DeliveryState.PENDING, Delivery.expires_at < now)
            .values(state=DeliveryState.EXPIRED)
        ),
    }


def holders() -> set[str]:
    """Names of the workers that hold a claim, living or dead."""
    tasks = select(OutboxTask.worker).where(OutboxTask.state == TaskState.CLAIMED)
    messages = select(Delivery.worker).where(Delivery.state.in_([DeliveryState.CLAIMED, DeliveryState.SENDING]))
    return {worker for worker in db.session.scalars(tasks.union(messages)) if worker}


def release(worker: str) -> int:
    """Give back what a worker holds that stops or has died, instead of waiting for the end of its lease.

    Claims go back to their lane. A message marked as leaving only loses its lease: ``sweep`` judges it.
    """
    now = clock.now()
    back = _updated(
        update(OutboxTask)
        .where(OutboxTask.state == TaskState.CLAIMED, OutboxTask.worker == worker)
        .values(state=TaskState.PENDING, lease_until=None)
    )
    back += _updated(
        update(Delivery)
        .where(Delivery.state == DeliveryState.CLAIMED, Delivery.worker == worker)
        .values(state=DeliveryState.PENDING, lease_until=None)
    )
    return back + _updated(
        update(Delivery)
        .where(Delivery.state == DeliveryState.SENDING, Delivery.worker == worker, Delivery.lease_until > now)
        .values(lease_until=now)
    )


def lanes_with_work() -> list[Lane]:
    """Lanes that have something due, in the order of ``Lane``: what the clock wakes and ``drain_everything`` works."""
    found = set(db.session.scalars(_LANES_WITH_WORK, {"now": clock.now()}))
    return [lane for lane in Lane if lane in found]


def note_heartbeat(process: str, kind: str) -> None:
    """Sign of life of a process, for the health pages."""
    row = {"process": process, "kind": kind, "at": clock.now()}
    upsert(db.session(), Heartbeat, [row], key=["process"], update_columns=["kind", "at"])


def forget_heartbeat(process: str) -> None:
    """A process that ends as asked is not silent: it is gone."""
    db.session.execute(delete(Heartbeat).where(Heartbeat.process == process))


def counts_by_state() -> dict[str, int]:
    """How many messages stand in each state, for the staff's health page."""
    rows = db.session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    return {state.value: count for state, count in rows}


def heartbeats() -> list[Heartbeat]:
    """Processes with their last sign of life, newest first; those silent for a day are left out."""
    since = clock.now() - timedelta(days=1)
    return list(db.session.scalars(select(Heartbeat).where(Heartbeat.at > since).order_by(Heartbeat.at.desc())))


def states_of_notices(notice_ids: list[int]) -> dict[int, dict[str, int]]:
    """How many messages of each notice stand in each state."""
    rows = db.session.execute(
        select(Delivery.session_notification_id, Delivery.state, func.count())
        .where(Delivery.session_notification_id.in_(notice_ids))
        .group_by(Delivery.session_notification_id, Delivery.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for notice_id, state, count in rows:
        if notice_id is not None:
            counts.setdefault(notice_id, {})[state.value] = count
    return counts


def _claim_of(lane: Lane, worker: str, limit: int) -> dict[str, Any]:
    now = clock.now()
    return {"wanted": lane, "taker": worker, "limit": limit, "now": now, "lease": now + LEASE}


def _changed(statement: Any) -> bool:
    return _updated(statement) == 1


def _updated(statement: Any) -> int:
    result: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(result.rowcount)


def wake_after_commit(lane: Lane, due_at: datetime, now: datetime) -> None:
    """Wake a lane when this transaction is committed, unless the work is for later: then the clock does."""
    if due_at <= now:
        transaction_end.after_commit("wake", partial(work_queue.wake, lane.value), once=lane)
