"""What an agent's web worker does with an order to validate, in a process of its own."""

import os
import signal
from multiprocessing.connection import Connection

from calmness import create_app, database
from calmness.extensions import db
from calmness.models.account import User
from calmness.services import billing, enrollments
from tests.fixtures.site import settings_for_tests

CRASH = "CRASH"
"""A transaction number that starts like this kills the process after the invoice is written, before the commit."""


def work(url: str, instance: str, agent_id: int, orders: list[tuple[int, str]], pipe: Connection) -> None:
    """Say that one is ready, wait for the word to go, validate each payment and say what became of it."""
    # Ten writers in as many processes on a busy machine: they may wait for each other longer than a person would.
    database.LOCK_PATIENCE_SECONDS = 120
    app = create_app(settings_for_tests(DATABASE_URL=url, INSTANCE_DIR=instance, REDIS_URL=""))
    with app.app_context():
        pipe.send("ready")
        pipe.recv()
        for payment_id, number in orders:
            pipe.send((payment_id, *validate(payment_id, number, agent_id)))


def validate(payment_id: int, number: str, agent_id: int) -> tuple[str, str]:
    """What a person reads: ``issued`` with the invoice, ``taken`` with the other payment's reference, ``full``."""
    try:
        invoice = billing.validate_payment(payment_id, number, by=db.session.get_one(User, agent_id))
    except billing.TransactionNumberTaken as refused:
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
