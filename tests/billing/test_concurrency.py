"""Many agents at once, in processes of their own, on each database: no hole, no double, and who loses reads why."""

import multiprocessing
import random
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.billing import Invoice, InvoiceCounter, InvoiceDocument, Payment, PaymentStatus, Subscription
from calmness.models.delivery import OutboxTask
from calmness.models.training import UserFormationEnrollment
from calmness.services.billing import invoice_ledger, purchases
from tests import factories
from tests.billing import issuer, shop
from tests.fixtures.servers import Mailbox

Run = Callable[[list[list[issuer.Order]]], list[issuer.Outcome]]

# The agents are forked from a process without threads, unlike this one.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([issuer.__name__])


@pytest.fixture(scope="module")
def _issuer(database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The process that the agents of all tests on one database are forked from."""
    ours, theirs = PROCESSES.Pipe()
    arguments = (database.url, str(tmp_path_factory.mktemp("issuer")), theirs)
    process = PROCESSES.Process(target=issuer.serve, args=arguments)
    process.start()
    theirs.close()
    assert ours.poll(issuer.PATIENCE)
    assert ours.recv() == "ready"
    yield ours
    ours.send(None)
    process.join(issuer.PATIENCE)
    assert not process.is_alive()
    process.close()


@pytest.fixture
def agents(site: Flask, _issuer: Connection) -> Run:
    """Starts a process a list of orders, lets all go at the same moment; gives what became of each order."""

    def run(lists: list[list[issuer.Order]]) -> list[issuer.Outcome]:
        agent_id = factories.agent().id
        db.session.commit()
        db.session.remove()
        _issuer.send((agent_id, lists))
        outcomes: list[issuer.Outcome] | None = _issuer.recv()
        assert outcomes is not None, "a process hangs"
        return outcomes

    return run


def waiting_payments(count: int) -> list[int]:
    """Payments of as many people, each ready to be validated."""
    shop.identity()
    offer = shop.signals_offer()
    ids = []
    for rank in range(count):
        payment = shop.submitted(factories.student(), offer, f"SENT{rank:04d}")
        ids.append(payment.id)
    return ids


def assert_no_hole(count: int) -> None:
    """Numbers 1 to ``count`` once each, one day; serials, counter and chain agree."""
    db.session.remove()
    invoices = list(db.session.scalars(select(Invoice).order_by(Invoice.id)))
    assert sorted(int(invoice.number[-4:]) for invoice in invoices) == list(range(1, count + 1))
    assert [invoice.serial for invoice in invoices] == list(range(1, count + 1))
    assert db.session.scalar(select(InvoiceCounter.last).where(InvoiceCounter.series == "CT")) == count
    assert invoice_ledger.first_broken() is None


def test_fifty_validations_at_once_leave_no_hole(agents: Run) -> None:
    ids = waiting_payments(50)

    outcomes = agents([[(own, f"SENT{rank:04d}") for rank, own in enumerate(ids)][start::10] for start in range(10)])

    assert Counter(what for _id, what, _text in outcomes) == {"issued": 50}
    assert_no_hole(50)
    assert db.session.scalar(select(func.count()).select_from(OutboxTask)) == 50


def test_one_payment_validated_by_all_at_once_has_one_invoice(agents: Run) -> None:
    (payment_id,) = waiting_payments(1)

    outcomes = agents([[(payment_id, "SENT0000")] * 3 for _agent in range(4)])

    assert len(outcomes) == 12
    assert len(set(outcomes)) == 1
    assert_no_hole(1)
    assert db.session.scalar(select(func.count()).select_from(Subscription)) == 1


def test_the_same_number_by_two_agents_at_once_one_reads_why(agents: Run) -> None:
    first, second = waiting_payments(2)
    references = {own: db.session.get_one(Payment, own).reference for own in (first, second)}

    outcomes = agents([[(first, "SAME 0001")], [(second, "same-0001")]])

    by_outcome = {what: (own, text) for own, what, text in outcomes}
    (winner, _number), (loser, other) = by_outcome["issued"], by_outcome["taken"]
    assert {winner, loser} == {first, second}
    assert other == references[winner]
    assert_no_hole(1)
    assert db.session.get_one(Payment, loser).status is PaymentStatus.TRANSACTION_SUBMITTED


def test_processes_killed_inside_the_transaction_leave_no_hole(agents: Run) -> None:
    ids = waiting_payments(12)
    killed, issued = ids[:4], ids[4:]

    outcomes = agents(
        [[(issued[rank], f"GOOD{rank}"), (own, f"{issuer.CRASH}{rank}")] for rank, own in enumerate(killed)]
        + [[(issued[rank], f"GOOD{rank}")] for rank in range(4, 8)]
    )

    assert sorted(own for own, _what, _text in outcomes) == issued
    assert_no_hole(8)
    for payment_id in killed:
        assert db.session.get_one(Payment, payment_id).status is PaymentStatus.TRANSACTION_SUBMITTED
    agent = factories.agent()
    for payment_id in killed:
        purchases.validate_payment(payment_id, f"AFTER{payment_id}", by=agent)
    db.session.commit()
    assert_no_hole(12)


def test_each_invoice_of_a_storm_with_killed_processes_has_one_document_and_one_mail(
    agents: Run, mailbox: Mailbox
) -> None:
    ids = waiting_payments(16)
    dice = random.Random(5)
    orders = [(own, f"{issuer.CRASH if dice.random() < 0.3 else 'GOOD'}{own}") for own in ids]

    agents([orders[start::8] for start in range(8)])
    # What died inside its transaction, or was never begun, is validated again by a person.
    person = factories.agent()
    for own in ids:
        purchases.validate_payment(own, f"AGAIN{own}", by=person)
        db.session.commit()
    drain_everything()
    drain_everything()

    assert_no_hole(16)
    assert db.session.scalar(select(func.count(Invoice.payment_id.distinct()))) == 16
    assert db.session.scalar(select(func.count()).select_from(InvoiceDocument)) == 16
    numbers = db.session.scalars(select(Invoice.number)).all()
    subjects = Counter(mail["Subject"] for mail in mailbox.messages)
    assert {number: subjects[f"Votre facture {number}"] for number in numbers} == dict.fromkeys(numbers, 1)


def test_renewals_validated_at_once_follow_each_other(agents: Run) -> None:
    shop.identity()
    student, offer = factories.student(), shop.signals_offer()
    ids = [shop.submitted(student, offer, f"SENT{rank}").id for rank in range(4)]

    agents([[(own, f"SENT{rank}")] for rank, own in enumerate(ids)])

    db.session.remove()
    spans = db.session.execute(
        select(Subscription.starts_at, Subscription.ends_at).order_by(Subscription.starts_at)
    ).all()
    assert len(spans) == 4
    assert [end for _start, end in spans[:-1]] == [start for start, _end in spans[1:]]


def test_the_last_places_go_to_as_many_and_the_others_read_why(agents: Run) -> None:
    shop.identity()
    offer = shop.formation_offer()
    assert offer.formation is not None
    ids = [shop.submitted(factories.student(), offer, f"SENT{rank}").id for rank in range(8)]
    offer.formation.capacity = 3

    outcomes = agents([[(own, f"SENT{rank}")] for rank, own in enumerate(ids)])

    assert Counter(what for _id, what, _text in outcomes) == {"issued": 3, "full": 5}
    assert_no_hole(3)
    assert db.session.scalar(select(func.count()).select_from(UserFormationEnrollment)) == 3
    refused = [own for own, what, _text in outcomes if what == "full"]
    states = {db.session.get_one(Payment, own).status for own in refused}
    assert states == {PaymentStatus.TRANSACTION_SUBMITTED}
