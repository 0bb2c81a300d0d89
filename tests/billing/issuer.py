"""What an agent's web worker does with an order to validate, in a process of its own."""

import contextlib
import gc
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from flask import Flask
from sqlalchemy.orm import configure_mappers

from calmness import create_app, database
from calmness.extensions import db
from calmness.models.account import User
from calmness.services.billing import purchases, transactions
from calmness.services.training import enrollments
from tests.fixtures.site import settings_for_tests

CRASH = "CRASH"
"""A transaction number that starts like this kills the process after the invoice is written, before the commit."""


PROCESSES = multiprocessing.get_context("fork")
PATIENCE = 90

Order = tuple[int, str]
Outcome = tuple[int, str, str]


def serve(url: str, instance: str, tests: Connection) -> None:
    """Make the application once, then fork it into the agents of each test, until there is no test any longer.

    Ten processes that each made it kept one core busy for longer than what they were to prove.
    """
    # Ten writers in as many processes on a busy machine: they may wait for each other longer than a person would.
    database.LOCK_PATIENCE_SECONDS = 120
    app = create_app(settings_for_tests(DATABASE_URL=url, INSTANCE_DIR=instance, REDIS_URL=""))
    configure_mappers()
    # Nobody looks for garbage in what is shared by all, which would copy it into each.
    gc.collect()
    gc.freeze()
    tests.send("ready")
    while (asked := tests.recv()) is not None:
        tests.send(_at_once(app, *asked))


def _at_once(app: Flask, agent_id: int, lists: list[list[Order]]) -> list[Outcome] | None:
    """Start a process a list of orders, let all go at the same moment. ``None`` when one hangs."""
    started: list[tuple[BaseProcess, Connection]] = []
    for orders in lists:
        ours, theirs = PROCESSES.Pipe()
        process: BaseProcess = PROCESSES.Process(target=work, args=(app, agent_id, orders, theirs), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours))
    for _process, pipe in started:
        if not pipe.poll(PATIENCE) or pipe.recv() != "ready":
            return None
    for _process, pipe in started:
        pipe.send("go")
    outcomes: list[Outcome] = []
    for process, pipe in started:
        with contextlib.suppress(EOFError):
            while True:
                if not pipe.poll(PATIENCE):
                    return None
                outcomes.append(pipe.recv())
        process.join(PATIENCE)
        if process.is_alive():
            return None
        pipe.close()
        process.close()
    return outcomes


def work(app: Flask, agent_id: int, orders: list[Order], pipe: Connection) -> None:
    """Say that one is ready, wait for the word to go, validate each payment and say what became of it."""
    with app.app_context():
        # Nobody has connected before the fork; should that change, the connections belong to the parent.
        db.engine.dispose(close=False)
        pipe.send("ready")
        pipe.recv()
        for payment_id, number in orders:
            pipe.send((payment_id, *validate(payment_id, number, agent_id)))


def validate(payment_id: int, number: str, agent_id: int) -> tuple[str, str]:
    """What a person reads: ``issued`` with the invoice, ``taken`` with the other payment's reference, ``full``."""
    try:
        invoice = purchases.validate_payment(payment_id, number, by=db.session.get_one(User, agent_id))
    except transactions.TransactionNumberTaken as refused:
        other = refused.payment.reference if refused.payment else ""
        db.session.rollback()
        return "taken", other
    except enrollments.FormationFull as refused:
        db.session.rollback()
        return "full", refused.slug
    if number.startswith(CRASH):
        os.kill(os.getpid(), signal.SIGKILL)
    written = invoice.number
    db.session.commit()
    return "issued", written
