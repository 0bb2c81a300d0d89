"""Work that a killed process held comes back at once; what may have left is judged, never sent twice."""

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from calmness import clock, database
from calmness.extensions import db, work_queue
from calmness.jobs import claims, drain
from calmness.jobs.handlers import TASKS
from calmness.jobs.housekeeping import sweep
from calmness.models.account import Channel
from calmness.models.delivery import Delivery, DeliveryState, Lane, OutboxTask, TaskState
from calmness.services import delivery
from tests.fixtures.live import wait_until


@pytest.fixture
def dead() -> str:
    """Name of a worker of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{socket.gethostname()}:{process.pid}"


def work(count: int) -> None:
    """Pieces of work of a kind that nobody else has."""
    for number in range(count):
        delivery.enqueue("tests.note", f"note:{number}", {"number": number})
    db.session.commit()


def mail(key: str) -> None:
    """A message to an address."""
    delivery.deliver("account.verify", key, channel=Channel.EMAIL, address="eva@example.test")
    db.session.commit()


def states() -> list[TaskState]:
    """What became of the work. Ends its transaction: on SQLite an open one would keep the drain from claiming."""
    db.session.rollback()
    found = list(db.session.scalars(select(OutboxTask.state).order_by(OutboxTask.id)))
    db.session.rollback()
    return found


def test_the_claims_of_a_dead_worker_come_back_at_once(site: Flask, dead: str) -> None:
    work(2)
    delivery.claim_tasks(Lane.DEFAULT, dead, limit=1)
    delivery.claim_tasks(Lane.DEFAULT, claims.own_name(), limit=1)
    db.session.commit()

    given_back = claims.give_back_of_the_dead()

    assert given_back == 1
    assert states() == [TaskState.PENDING, TaskState.CLAIMED]


def test_a_claim_takes_no_more_than_asked_whatever_the_plan(site: Flask) -> None:
    work(20)
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        for plan in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize"):
            db.session.execute(text(f"SET LOCAL enable_{plan} = off"))

    claimed = delivery.claim_tasks(Lane.DEFAULT, claims.own_name(), limit=3)

    assert len(claimed) == 3


def test_another_machine_is_not_judged_from_here(site: Flask) -> None:
    work(1)
    delivery.claim_tasks(Lane.DEFAULT, "another-machine:1", limit=1)
    db.session.commit()

    assert claims.give_back_of_the_dead() == 0
    assert states() == [TaskState.CLAIMED]


def test_a_mail_that_may_have_left_with_its_process_is_uncertain_at_the_next_sweep(site: Flask, dead: str) -> None:
    mail("one")
    mail("two")
    first, _second = delivery.claim_deliveries(Lane.MAIL, dead)
    delivery.start_sending(first.id, first.attempts)
    db.session.commit()

    sweep()

    found = dict(db.session.execute(select(Delivery.key, Delivery.state)).all())
    assert found == {first.key: DeliveryState.UNKNOWN, _second.key: DeliveryState.PENDING}


def test_a_drain_asked_to_stop_finishes_its_piece_and_gives_the_rest_back(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def note(payload: dict[str, int]) -> None:
        done.append(payload["number"])
        if len(done) == 2:
            claims.stop_soon()

    monkeypatch.setitem(TASKS, "tests.note", note)
    work(4)

    drain("default")
    claims._stopping.clear()

    assert done == [0, 1]
    assert states() == [TaskState.DONE, TaskState.DONE, TaskState.PENDING, TaskState.PENDING]
    leases = db.session.scalars(select(OutboxTask.lease_until).where(OutboxTask.state == TaskState.PENDING))
    assert set(leases) == {None}


def test_a_long_lane_ends_its_turn_and_asks_for_another(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setitem(TASKS, "tests.note", lambda _payload: None)
    monkeypatch.setattr(work_queue, "wake", woken.append)
    monkeypatch.setattr(sys.modules["calmness.jobs.drain"], "TURN_SECONDS", 0.0)
    work(20)
    woken.clear()

    drain("default")

    assert 0 < states().count(TaskState.PENDING) < 20
    assert woken == ["default"]


def test_a_drain_waits_a_moment_for_more_and_gives_way_when_another_lane_is_asked_for(
    site: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "tests.note", lambda _payload: None)
    monkeypatch.setattr(sys.modules["calmness.jobs.drain"], "WAIT_SECONDS", 600.0)
    monkeypatch.setattr(sys.modules["calmness.jobs.drain"], "TURN_SECONDS", 600.0)
    monkeypatch.setattr(work_queue, "_enabled", True)

    def work_the_lane() -> None:
        with site.app_context():
            drain("default")

    def one_more(number: int) -> None:
        delivery.enqueue("tests.note", f"note:{number}", {"number": number})
        db.session.commit()

    one_more(0)
    redis.delete("rq:queue:default")
    drains = threading.Thread(target=work_the_lane, daemon=True)
    drains.start()
    wait_until(lambda: redis.exists("ct:waiting:default"))
    one_more(1)
    wait_until(lambda: states() == [TaskState.DONE, TaskState.DONE])
    assert redis.llen("rq:queue:default") == 0, "a second process was asked for"
    assert drains.is_alive()

    wait_until(lambda: redis.exists("ct:waiting:default"))
    work_queue.wake("mail")
    drains.join(30)

    assert not drains.is_alive()
    # Whoever comes now must ask for a worker again: nobody waits any more.
    one_more(2)
    assert redis.llen("rq:queue:default") == 1


def test_a_drain_takes_back_its_lane_s_own_wake_up_but_leaves_other_work_to_the_next(
    site: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "_enabled", True)
    lanes = [lane.value for lane in Lane]

    # It came while the drain worked, and every worker was busy.
    work_queue.wake("default")
    assert redis.llen("rq:queue:default") == 1
    assert not work_queue.others_wait("default", lanes)
    assert work_queue.wait_for_more("default", 60.0, lanes)
    assert (redis.llen("rq:queue:default"), list(redis.scan_iter("rq:job:*"))) == (0, [])

    work_queue.forget_wake("default")
    work_queue.wake("default")
    work_queue.run_periodic("tests.periodic", 60)
    assert work_queue.others_wait("default", lanes)
    assert not work_queue.wait_for_more("default", 60.0, lanes)
    assert (redis.llen("rq:queue:default"), redis.llen("rq:queue:periodic")) == (1, 1)


def test_a_wake_up_that_relied_on_a_waiting_drain_is_answered_also_when_something_else_asks(
    site: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "_enabled", True)
    lanes = [lane.value for lane in Lane]
    redis.set("ct:waiting:default", "1")

    work_queue.wake("default")
    work_queue.wake("pdf")

    assert redis.llen("rq:queue:default") == 0, "the drain that waits was counted on"
    assert work_queue.wait_for_more("default", 60.0, lanes)


def test_periodic_jobs_do_not_stand_before_a_lane_s_drain(
    site: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_queue, "_enabled", True)
    for name in ("analytics.ingest", "delivery.sweep", "signals.expire"):
        work_queue.run_periodic(name, 60)

    work_queue.wake("default")

    assert (redis.llen("rq:queue:default"), redis.llen("rq:queue:periodic")) == (1, 3)


def test_a_long_lane_goes_on_while_nobody_else_waits(
    site: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TASKS, "tests.note", lambda _payload: None)
    work(20)
    monkeypatch.setattr(work_queue, "_enabled", True)
    monkeypatch.setattr(sys.modules["calmness.jobs.drain"], "TURN_SECONDS", 0.0)
    monkeypatch.setattr(sys.modules["calmness.jobs.drain"], "WAIT_SECONDS", 0.0)

    drain("default")

    assert set(states()) == {TaskState.DONE}


def test_an_empty_lane_takes_no_lock(site: Flask) -> None:
    with database.reading():
        drain("default")

    work(1)
    with database.reading(), pytest.raises(DBAPIError):
        drain("default")
    db.session.rollback()


def test_a_number_that_lives_is_left_to_its_lease(site: Flask) -> None:
    work(1)
    delivery.claim_tasks(Lane.DEFAULT, f"{socket.gethostname()}:{os.getpid()}", limit=1)
    db.session.commit()

    claims.give_back_of_the_dead()

    (task,) = db.session.scalars(select(OutboxTask))
    assert task.lease_until is not None
    assert task.lease_until > clock.now() + timedelta(minutes=1)
