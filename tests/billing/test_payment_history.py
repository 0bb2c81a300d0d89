"""A student's own history with thousands of payments: by key, with its filters, each payment once."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from calmness import clock
from calmness.blueprints.billing.payments import PAGE
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import VatRegime
from calmness.services.billing import payment_history
from tests import factories
from tests.billing import shop

THOUSANDS = 2_510
NEW_YEAR_IN_PARIS = datetime(2025, 12, 31, 23, tzinfo=UTC)


def bought(user: User, count: int, newest: datetime, status: PaymentStatus = PaymentStatus.CANCELLED) -> list[int]:
    """Payments a minute apart, the newest first; their keys. Keys don't follow the time."""
    offer = db.session.query(shop.Offer).first() or shop.signals_offer()
    start = (db.session.scalar(db.func.max(Payment.id)) or 0) + 1
    validated = status is PaymentStatus.VALIDATED
    rows: list[dict[str, Any]] = [
        {
            "id": start + (rank * 7) % count if count % 7 else start + rank,
            "reference": f"H{start + rank}",
            "user_id": user.id,
            "offer_id": offer.id,
            "label": f"Achat {start + rank}",
            "status": status,
            "amount_cents": 4990,
            "vat_regime": VatRegime.STANDARD,
            "vat_rate_bp": 2000,
            "created_at": newest - timedelta(minutes=rank),
            "validated_at": newest - timedelta(minutes=rank) if validated else None,
            "transaction_id": f"T{start + rank}" if validated else None,
            "transaction_key": f"T{start + rank}" if validated else None,
        }
        for rank in range(count)
    ]
    db.session.execute(insert(Payment), rows)
    db.session.commit()
    return [row["id"] for row in rows]


def shown(page: str) -> list[int]:
    """Keys of the payments of a page, in order."""
    table = page.split("<table", 1)[1].split("</table>", 1)[0] if "<table" in page else ""
    return [int(key) for key in re.findall(r'href="/espace/paiements/(\d+)"', table)]


def link(page: str, name: str) -> str:
    """Address behind a button of the pages; empty without it."""
    found = re.search(
        rf'<a[^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*{name}', page.split('aria-label="Pages"', 1)[-1], re.S
    )
    return unescape(found[1]) if found else ""


def walked(client: FlaskClient, address: str, name: str = "Suivant") -> Iterator[list[int]]:
    """Each page that one comes to by the button."""
    while address:
        page = client.get(address).text
        yield shown(page)
        address = link(page, name)


def test_every_payment_of_thousands_is_on_one_page_in_order(site: Flask, client_for: Any) -> None:
    person = factories.student()
    keys = bought(person, THOUSANDS, NEW_YEAR_IN_PARIS + timedelta(days=40))

    pages = list(walked(client_for(person), "/espace/paiements"))

    assert [key for page in pages for key in page] == keys
    assert {len(page) for page in pages[:-1]} == {PAGE}


def test_a_new_purchase_moves_nothing_and_one_comes_back_the_same_way(site: Flask, client_for: Any) -> None:
    person = factories.student()
    keys = bought(person, 3 * PAGE, NEW_YEAR_IN_PARIS)
    client = client_for(person)
    second = client.get(link(client.get("/espace/paiements").text, "Suivant")).text

    newest = bought(person, 1, NEW_YEAR_IN_PARIS + timedelta(days=1))
    third = client.get(link(second, "Suivant")).text

    assert shown(third) == keys[2 * PAGE :]
    assert shown(client.get(link(third, "Précédent")).text) == keys[PAGE : 2 * PAGE]
    assert shown(client.get("/espace/paiements").text) == newest + keys[: PAGE - 1]


def test_filters_stay_from_page_to_page(site: Flask, client_for: Any) -> None:
    person = factories.student()
    wanted = bought(person, 2 * PAGE + 1, NEW_YEAR_IN_PARIS + timedelta(days=3), PaymentStatus.VALIDATED)
    bought(person, PAGE, NEW_YEAR_IN_PARIS + timedelta(days=3, seconds=30))
    bought(person, PAGE, NEW_YEAR_IN_PARIS - timedelta(days=3), PaymentStatus.VALIDATED)

    pages = list(walked(client_for(person), "/espace/paiements?etat=validated&annee=2026"))

    assert [key for page in pages for key in page] == wanted


def test_the_key_of_another_person_is_no_place_and_nonsense_neither(site: Flask, client_for: Any) -> None:
    person, other = factories.student(), factories.student()
    keys = bought(person, PAGE + 5, NEW_YEAR_IN_PARIS)
    (foreign,) = bought(other, 1, NEW_YEAR_IN_PARIS - timedelta(minutes=3))
    client = client_for(person)

    for place in (
        f"avant={foreign}",
        f"apres={foreign}",
        "avant=99999999",
        "avant=x",
        "apres=-1",
        "page=0",
        "annee=9999",
    ):
        assert shown(client.get(f"/espace/paiements?{place}").text) == keys[:PAGE], place


def test_a_year_begins_at_midnight_in_paris(site: Flask) -> None:
    person = factories.student()
    (last,) = bought(person, 1, NEW_YEAR_IN_PARIS - timedelta(seconds=1), PaymentStatus.VALIDATED)
    (first,) = bought(person, 1, NEW_YEAR_IN_PARIS, PaymentStatus.VALIDATED)
    bought(person, 1, NEW_YEAR_IN_PARIS + timedelta(days=700))

    assert payment_history.years(person.id) == [2027, 2026, 2025]
    assert [row.id for row in payment_history.page_of(person.id, year=2026, limit=9)[0]] == [first]
    assert [row.id for row in payment_history.page_of(person.id, year=2025, limit=9)[0]] == [last]
    assert payment_history.spent_by_year(person.id) == [(2026, 4990), (2025, 4990)]
    assert payment_history.states(person.id) == [PaymentStatus.VALIDATED, PaymentStatus.CANCELLED]


@pytest.mark.parametrize("address", ["/espace/paiements", "/espace"])
def test_no_page_reads_all_of_thousands(site: Flask, client_for: Any, address: str) -> None:
    person = factories.student()
    bought(person, THOUSANDS, clock.now(), PaymentStatus.CANCELLED)
    client, read = client_for(person), []
    client.get(address)

    def note(payment: Payment, _context: Any) -> None:
        read.append(payment.id)

    event.listen(Payment, "load", note)
    try:
        assert client.get(address).status_code == 200
    finally:
        event.remove(Payment, "load", note)

    assert 0 < len(read) <= PAGE
