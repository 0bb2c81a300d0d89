"""What a whole sale asks of the database: nothing twice. The demo plays nine hundred of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.catalogue import Offer
from calmness.services.billing import purchases
from tests import factories
from tests.billing import shop


@contextmanager
def heard() -> Iterator[list[str]]:
    """Statements that go to the database meanwhile, without savepoints."""
    asked: list[str] = []

    def note(*arguments: object) -> None:
        if "SAVEPOINT" not in str(arguments[2]):
            asked.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def sell(user: User, offer: Offer, number: str, agent: User) -> None:
    purchases.validate_payment(shop.submitted(user, offer, number).id, number, by=agent)
    db.session.flush()


@pytest.mark.parametrize(("sold", "most"), [(shop.signals_offer, 34), (shop.formation_offer, 38)])
def test_a_sale_asks_nothing_twice(site: Flask, sold: Callable[[], Offer], most: int) -> None:
    shop.identity()
    offer, agent = sold(), factories.agent()
    first, second = factories.student(), factories.student()
    sell(first, offer, "VIR-2026-0001", agent)

    with heard() as asked:
        sell(second, offer, "VIR-2026-0002", agent)

    assert len(asked) <= most, "\n".join(asked)
    written = [statement for statement in asked if statement.startswith("UPDATE payment ")]
    # Its reference, its terms, its number, its end.
    assert len(written) == 4
