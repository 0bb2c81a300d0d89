"""Several people at once: a line settles once, a place is sold once, a code is used as often as it may."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.bank import BankAllocation, BankLine
from calmness.models.billing import Invoice, Payment
from calmness.services.billing import bank_statements, discounts, purchases, reconciliation
from tests import factories
from tests.billing import bank_files, shop

PEOPLE = 6


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def at_once(site: Flask, acts: list[Callable[[], object]]) -> Counter[str]:
    """Let each act go at the same moment in a transaction of its own; counts what became of them."""
    db.session.commit()
    db.session.remove()
    gate = threading.Barrier(len(acts))

    def alone(act: Callable[[], object]) -> str:
        with site.app_context():
            gate.wait(60)
            try:
                act()
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                return error.slug
            finally:
                db.session.remove()
            return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(alone, acts))


def test_two_agents_confirm_the_same_line(site: Flask) -> None:
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    agent = factories.agent()
    content = bank_files.camt_of(bank_files.transfer("49.90", payment.reference))
    bank_statements.import_lines(bank_statements.receive("a.xml", content, by=agent).id, by=agent)
    line_id, payment_id, agent_id = db.session.scalars(select(BankLine.id)).one(), payment.id, agent.id

    def confirm() -> None:
        reconciliation.confirm(line_id, payment_id, by=db.session.get_one(User, agent_id))

    became = at_once(site, [confirm] * PEOPLE)

    assert became == {"done": 1, "line-settled": PEOPLE - 1}
    assert db.session.scalar(select(func.count()).select_from(BankAllocation)) == 1
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 1


def test_the_same_file_imported_by_several(site: Flask) -> None:
    agent = factories.agent()
    content = bank_files.camt_of(bank_files.transfer("49.90", "x"))
    statement_id, agent_id = bank_statements.receive("a.xml", content, by=agent).id, agent.id

    def take() -> None:
        bank_statements.import_lines(statement_id, by=db.session.get_one(User, agent_id))

    assert at_once(site, [take] * PEOPLE) == {"done": PEOPLE}
    assert db.session.scalar(select(func.count()).select_from(BankLine)) == 1


def test_the_last_two_places_are_sold_to_two(site: Flask) -> None:
    offer = shop.signals_offer(places=2)
    ids = [purchases.declare(factories.student(), offer.slug).id for _person in range(PEOPLE)]

    def agree(payment_id: int) -> Callable[[], object]:
        return lambda: purchases.confirm_identity(db.session.get_one(Payment, payment_id), shop.IDENTITY_GIVEN)

    assert at_once(site, [agree(payment_id) for payment_id in ids]) == {"done": 2, "sold-out": PEOPLE - 2}


def test_a_code_for_two_is_used_by_two(site: Flask) -> None:
    offer = shop.signals_offer()
    discounts.create(discounts.DiscountDraft("DEUX", 1000, None, max_uses=2), by=factories.admin())
    ids = [purchases.declare(factories.student(), offer.slug).id for _person in range(PEOPLE)]

    def use(payment_id: int) -> Callable[[], object]:
        return lambda: discounts.apply(db.session.get_one(Payment, payment_id), "DEUX")

    became = at_once(site, [use(payment_id) for payment_id in ids])

    assert became == {"done": 2, "discount-used-up": PEOPLE - 2}
