"""Fifty who validate payments at the same moment, in processes of their own, against one who validates as many alone.

Numbers must follow each other without hole or double, and the chain must hold: the measure fails else. Writers wait
for each other at the counter of the day, so the ratio says what that costs: 1 would be no loss at all.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

from flask import Flask
from sqlalchemy import func, select, update

from bench.school import application
from calmness import clock, database
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.billing import Invoice, InvoiceTemplate
from calmness.models.catalogue import Offer, OfferKind, PublicationStatus, VatRegime
from calmness.services.account import accounts
from calmness.services.billing import invoice_ledger, purchases

ISSUERS, EACH = 50, 4
PATIENCE = 300
PEOPLE = "issuer-{:03d}@calmness.test"
AGENT = "issuing-agent@calmness.test"

PROCESSES = multiprocessing.get_context("fork")


def measures() -> list[tuple[str, float, float]]:
    """(name, seconds an invoice with fifty at once, seconds an invoice of one alone)."""
    database.LOCK_PATIENCE_SECONDS = PATIENCE
    app = application()
    with app.app_context():
        agent_id, ids = _school()
        before = _issued()
        started = time.perf_counter()
        _validate(agent_id, ids[: ISSUERS * EACH])
        alone = time.perf_counter() - started
        at_once = _at_once(app, agent_id, ids[ISSUERS * EACH :])
        numbers = list(db.session.scalars(select(Invoice.number).order_by(Invoice.serial)))
        assert len(numbers) == len(set(numbers)) == before + 2 * ISSUERS * EACH, "a number is missing or double"
        last = [int(number[-4:]) for number in numbers[before:]]
        assert last == list(range(last[0], last[0] + len(last))), "a hole among the numbers"
        broken = invoice_ledger.first_broken()
        assert broken is None, broken
    count = ISSUERS * EACH
    return [(f"an invoice, {ISSUERS} issuers at once: {count / at_once:.0f} /s", at_once / count, alone / count)]


def _at_once(app: Flask, agent_id: int, ids: list[int]) -> float:
    """Seconds from the word to go until the last of fifty processes is done."""
    # No connection may be shared with a child.
    db.session.remove()
    db.engine.dispose()
    ready, go = PROCESSES.Value("i", 0), PROCESSES.Event()
    started = []
    for rank in range(ISSUERS):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        orders = ids[rank * EACH : (rank + 1) * EACH]
        process = PROCESSES.Process(target=_work, args=(app, agent_id, orders, ready, go, theirs))
        process.start()
        theirs.close()
        started.append((process, ours))
    while ready.value < ISSUERS:
        time.sleep(0.01)
    begun = time.perf_counter()
    go.set()
    for process, pipe in started:
        assert pipe.poll(PATIENCE), "a process hangs"
        assert pipe.recv() == "done"
        process.join(PATIENCE)
    return time.perf_counter() - begun


def _work(app: Flask, agent_id: int, ids: list[int], ready: "Synchronized[int]", go: object, pipe: Connection) -> None:
    with app.app_context():
        db.engine.dispose(close=False)
        db.session.execute(select(func.count()).select_from(User))
        db.session.rollback()
        with ready.get_lock():
            ready.value += 1
        go.wait()  # type: ignore[attr-defined]
        _validate(agent_id, ids)
    pipe.send("done")


def _validate(agent_id: int, ids: list[int]) -> None:
    for payment_id in ids:
        purchases.validate_payment(payment_id, f"BENCH{payment_id:06d}", by=db.session.get_one(User, agent_id))
        db.session.commit()


def _issued() -> int:
    return db.session.scalar(select(func.count()).select_from(Invoice)) or 0


def _school() -> tuple[int, list[int]]:
    """An agent, and payments of as many people that wait for validation."""
    agent = accounts.create(AGENT, "four words without relation", ("Bench", "Agent"), Role.AGENT)
    _identity()
    offer = _offer()
    ids = []
    for rank in range(2 * ISSUERS * EACH):
        person = _person(rank)
        payment = purchases.declare(person, offer.slug)
        purchases.confirm_identity(payment, IDENTITY_GIVEN)
        purchases.submit_transaction(payment, f"SENT{rank:05d}")
        ids.append(payment.id)
    db.session.commit()
    return agent.id, ids


IDENTITY_GIVEN = purchases.Identity(
    first_name="Élodie", last_name="Martin", address="3 rue des Lilas", postcode="69003", city="Lyon", terms=True
)


def _person(rank: int) -> User:
    person = accounts.create(PEOPLE.format(rank), "four words without relation", ("Élodie", "Martin"), Role.STUDENT)
    db.session.flush()
    return person


def _identity() -> None:
    db.session.execute(update(InvoiceTemplate).values(is_active=False))
    words = dict.fromkeys(("company_name", "legal_form", "address", "postcode", "city", "email"), "x")
    db.session.add(
        InvoiceTemplate(
            version=1 + (db.session.scalar(select(func.max(InvoiceTemplate.version))) or 0),
            is_active=True,
            created_at=clock.now(),
            siren="732829320",
            siret="73282932000074",
            vat_number="FR44732829320",
            iban="FR1420041010050500013M02606",
            bic="PSSTFRPPPAR",
            **words,
        )
    )


def _offer() -> Offer:
    offer = Offer(
        slug="bench-signaux",
        kind=OfferKind.SIGNALS,
        name="Signaux 30 jours",
        summary="Un mois.",
        duration_days=30,
        price_cents=4990,
        vat_regime=VatRegime.STANDARD,
        vat_rate_bp=2000,
        status=PublicationStatus.PUBLISHED,
        created_at=clock.now(),
    )
    db.session.add(offer)
    db.session.flush()
    return offer
