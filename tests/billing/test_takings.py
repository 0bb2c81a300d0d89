"""What the school took: by week of Paris, without what was given back, and the team reads it on its first page."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Invoice
from calmness.services.billing import credit_notes, purchases, takings
from tests import factories
from tests.billing import shop

SATURDAY = datetime(2026, 10, 31, 12, tzinfo=UTC)
"""Six days after the clocks of Paris went back."""
LAST_OF_A_WEEK = datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)
FIRST_OF_A_WEEK = datetime(2026, 10, 25, 23, tzinfo=UTC)


def sold_at(*moments: datetime) -> list[Invoice]:
    """One sale of 49,90 € at each moment."""
    shop.identity()
    offer, agent = shop.signals_offer(), factories.agent()
    invoices = []
    for number, at in enumerate(moments):
        with time_machine.travel(at, tick=False):
            payment = shop.submitted(factories.student(), offer, f"VIR-{number}")
            invoices.append(purchases.validate_payment(payment.id, f"VIR-{number}", by=agent))
    db.session.commit()
    return invoices


def weeks_of(at: datetime, count: int) -> list[tuple[date, int]]:
    return [(week.monday, week.cents) for week in takings.by_week(at, count)]


def test_a_week_ends_at_midnight_of_paris_though_the_clocks_changed(site: Flask) -> None:
    sold_at(datetime(2026, 10, 11, 22, tzinfo=UTC), LAST_OF_A_WEEK, FIRST_OF_A_WEEK, SATURDAY)

    assert weeks_of(SATURDAY, 3) == [
        (date(2026, 10, 12), 4990),
        (date(2026, 10, 19), 4990),
        (date(2026, 10, 26), 2 * 4990),
    ]
    assert weeks_of(LAST_OF_A_WEEK, 1) == [(date(2026, 10, 19), 4990)]


def test_what_was_given_back_whole_is_out(site: Flask) -> None:
    invoice, _other = sold_at(FIRST_OF_A_WEEK, SATURDAY)
    credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
    db.session.commit()

    assert weeks_of(SATURDAY, 1) == [(date(2026, 10, 26), 4990)]
    assert takings.revenue(FIRST_OF_A_WEEK, SATURDAY) == 0
    assert takings.sales(FIRST_OF_A_WEEK, SATURDAY) == 0
    assert takings.sales(FIRST_OF_A_WEEK, SATURDAY + timedelta(seconds=1)) == 1


def test_the_team_reads_its_weeks_once_something_was_sold(
    site: Flask, client_for: Callable[[User], FlaskClient]
) -> None:
    desk = client_for(factories.agent())

    assert "Chiffre d’affaires par semaine" not in desk.get("/admin").get_data(as_text=True)
    with time_machine.travel(SATURDAY, tick=False):
        desk = client_for(factories.agent(email="autre@calmness.test"))
        sold_at(SATURDAY)
        page = desk.get("/admin").get_data(as_text=True)

    assert "Chiffre d’affaires par semaine" in page
    assert "<title>26\xa0oct.\xa0: 50\xa0€</title>" in page
