"""What was given up or may not have left goes on its way again when an admin says so, once, and the journal knows."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import Channel
from calmness.models.audit import AuditEntry
from calmness.models.delivery import Delivery, DeliveryState, OutboxTask, TaskState
from calmness.services import delivery
from tests import factories
from tests.fixtures.servers import Mailbox


@pytest.fixture
def admin(client_for: Callable[..., FlaskClient]) -> FlaskClient:
    return client_for(factories.admin())


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


def an_uncertain_mail() -> Delivery:
    params: dict[str, Any] = {"title": "Votre compte change", "body": "", "url": ""}
    delivery.deliver("notification", "one", channel=Channel.EMAIL, address="eva@example.test", params=params)
    row = db.session.scalars(select(Delivery)).one()
    row.state, row.attempts = DeliveryState.UNKNOWN, 1
    db.session.commit()
    return row


def test_an_uncertain_message_is_shown_and_sent_again_once(admin: FlaskClient, mailbox: Mailbox) -> None:
    row = an_uncertain_mail()
    assert "Messages incertains" in admin.get("/admin/systeme").text

    for _click in range(2):
        admin.post(f"/admin/systeme/messages/{row.id}/renvoi")
    drain_everything()

    assert len(mailbox.to("eva@example.test")) == 1
    assert db.session.get_one(Delivery, row.id).state is DeliveryState.SENT
    assert acts() == ["message.sent_again"]
    assert "Messages incertains" not in admin.get("/admin/systeme").text


def test_a_message_that_has_left_does_not_leave_again(admin: FlaskClient, mailbox: Mailbox) -> None:
    row = an_uncertain_mail()
    row.state = DeliveryState.SENT

    admin.post(f"/admin/systeme/messages/{row.id}/renvoi")
    drain_everything()

    assert mailbox.messages == []
    assert acts() == []


def test_work_that_was_given_up_is_tried_again_once(admin: FlaskClient) -> None:
    delivery.enqueue("tests.note", "note:1", {})
    task = db.session.scalars(select(OutboxTask)).one()
    task.state, task.attempts, task.finished_at = TaskState.FAILED, 12, clock.now()
    task_id = task.id

    for _click in range(2):
        assert admin.post(f"/admin/systeme/taches/{task_id}/reprise").status_code == 302

    db.session.expire_all()
    again = db.session.get_one(OutboxTask, task_id)
    assert (again.state, again.attempts) == (TaskState.PENDING, 0)
    assert acts() == ["task.retried"]


def test_only_admins_send_again(site: Flask, client_for: Callable[..., FlaskClient]) -> None:
    row = an_uncertain_mail()

    answer = client_for(factories.agent()).post(f"/admin/systeme/messages/{row.id}/renvoi")

    assert answer.status_code == 403
    assert db.session.scalar(select(func.count()).where(Delivery.state == DeliveryState.UNKNOWN)) == 1
