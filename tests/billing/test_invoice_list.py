"""The list of invoices: pages by key, forwards and back, each document once, few queries."""

import re
from collections.abc import Callable
from html import unescape

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from calmness.extensions import db
from calmness.models.account import User
from calmness.services.billing import invoicing, purchases
from tests import factories
from tests.billing import shop

ClientFor = Callable[[User], FlaskClient]
DOCUMENTS = 55

NUMBER = r'<strong><span class="nowrap">(CT-\d{8}-\d{4})</span></strong>'


def sell(count: int) -> list[str]:
    """Numbers of as many invoices, oldest first."""
    shop.identity()
    offer, agent = shop.signals_offer(), factories.agent()
    numbers = []
    for rank in range(count):
        payment = shop.submitted(factories.student(), offer, f"LIST{rank:04d}")
        numbers.append(purchases.validate_payment(payment.id, f"LIST{rank:04d}", by=agent).number)
    db.session.commit()
    return numbers


def test_pages_hold_each_document_once_and_lead_back(site: Flask, client_for: ClientFor) -> None:
    numbers, staff = sell(DOCUMENTS), client_for(factories.agent())

    address, pages = "/admin/factures", []
    while address:
        page = staff.get(address).get_data(as_text=True)
        pages.append(re.findall(NUMBER, page))
        following = re.search(r'href="([^"]*avant=\d+[^"]*)"', page)
        back = re.search(r'href="([^"]*apres=\d+[^"]*)"', page)
        address = unescape(following[1]) if following else ""

    assert [number for shown in pages for number in shown] == numbers[::-1]
    assert len(pages) > 1
    assert back is not None
    before_last = staff.get(unescape(back[1])).get_data(as_text=True)
    assert re.findall(NUMBER, before_last) == pages[-2]
    assert staff.get("/admin/factures?avant=99999999999999999999999&page=x").status_code == 200


def test_a_page_costs_as_many_queries_with_two_documents_as_with_fifty(site: Flask, client_for: ClientFor) -> None:
    sell(DOCUMENTS)
    db.session.expire_all()
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        rows, total = invoicing.listing(limit=50)
        assert (len(rows), total) == (50, DOCUMENTS)
        assert all(row.document is None for row in rows)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    assert len(asked) == 2
