"""What the staff may send on its way again: work that was given up, and messages that may or may not have left."""

from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.delivery import Delivery, DeliveryState, OutboxTask, TaskState
from calmness.services import audit, delivery


def failed_tasks(limit: int = 50) -> list[OutboxTask]:
    """Work that was given up, newest first."""
    return list(
        db.session.scalars(
            select(OutboxTask).where(OutboxTask.state == TaskState.FAILED).order_by(OutboxTask.id.desc()).limit(limit)
        )
    )


def uncertain_messages(limit: int = 50) -> list[Delivery]:
    """Messages whose process died while they left, newest first: sent again they may arrive twice."""
    return list(
        db.session.scalars(
            select(Delivery).where(Delivery.state == DeliveryState.UNKNOWN).order_by(Delivery.id.desc()).limit(limit)
        )
    )


def retry_task(task_id: int, *, by: User) -> None:
    """Put a piece of work that was given up back in its lane. Asked twice, it goes once."""
    now = clock.now()
    lane = db.session.scalar(
        update(OutboxTask)
        .where(OutboxTask.id == task_id, OutboxTask.state == TaskState.FAILED)
        .values(state=TaskState.PENDING, due_at=now, attempts=0, finished_at=None)
        .returning(OutboxTask.lane)
    )
    if lane:
        delivery.wake_after_commit(lane, now, now)
        audit.record("task.retried", "outbox_task", task_id, actor=by)


def send_again(delivery_id: int, *, by: User) -> None:
    """Put an uncertain message back in its lane; its composer looks once more whether it still makes sense."""
    now = clock.now()
    lane = db.session.scalar(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == DeliveryState.UNKNOWN)
        .values(state=DeliveryState.PENDING, due_at=now, lease_until=None)
        .returning(Delivery.lane)
    )
    if lane:
        delivery.wake_after_commit(lane, now, now)
        audit.record("message.sent_again", "delivery", delivery_id, actor=by)
