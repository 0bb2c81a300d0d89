"""The sale by JSON: offers, one's own payments and invoices, the staff's side."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.extensions import db
from calmness.models.account import SessionKind, User
from calmness.services.account import jwt_tokens, sessions
from calmness.services.billing import discounts, purchases
from tests import factories
from tests.billing import shop

ApiFor = Callable[[User], Callable[..., Any]]


@pytest.fixture
def api_for(site: Flask) -> ApiFor:
    """Makes a caller of the API with a person's token."""

    def log_in(user: User) -> Callable[..., Any]:
        opened, _secret = sessions.open_session(
            user, kind=SessionKind.API, persistent=True, ip_truncated=None, device_label="Test"
        )
        opened.mfa_at = opened.created_at
        token = jwt_tokens.issue_access(opened)
        db.session.commit()
        client = site.test_client()

        def call(method: str, path: str, **options: Any) -> Any:
            return client.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {token}"}, **options)

        return call

    return log_in


ADDRESS = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}


def test_offers_are_public(visitor: FlaskClient) -> None:
    shop.signals_offer()
    shop.formation_offer()

    answer = visitor.get("/api/v1/offers?kind=signals").get_json()

    assert [offer["slug"] for offer in answer["items"]] == ["signaux-30-jours"]
    assert answer["items"][0]["price"] == {"amount": 4990, "currency": "EUR"}


def test_a_sale_by_the_api(api_for: ApiFor) -> None:
    shop.identity()
    offer = shop.signals_offer()
    student, agent = api_for(factories.student()), api_for(factories.agent())

    begun = student("POST", "/me/payments", json={"offer": offer.slug, "accept_terms": True, **ADDRESS})
    assert begun.status_code == 201
    payment = begun.get_json()
    assert payment["transfer"]["reference"] == payment["reference"]
    sent = student("POST", f"/me/payments/{payment['id']}/transaction", json={"transaction_id": "vir-2026"})
    assert sent.get_json()["status"] == "transaction_submitted"

    waiting = agent("GET", "/admin/payments?status=transaction_submitted").get_json()
    assert [row["id"] for row in waiting["items"]] == [payment["id"]]
    done = agent("POST", f"/admin/payments/{payment['id']}/validate", json={"transaction_id": "VIR2026"})
    assert done.status_code == 200
    again = agent("POST", f"/admin/payments/{payment['id']}/validate", json={"transaction_id": "VIR2026"})

    number = done.get_json()["invoice"]
    assert again.get_json()["invoice"] == number
    mine = student("GET", "/me/invoices").get_json()["items"]
    assert [(row["number"], row["total_incl"]["amount"]) for row in mine] == [(number, 4990)]
    assert student("GET", "/me/subscriptions").get_json()["items"][0]["status"] == "active"
    assert agent("GET", "/admin/invoices").get_json()["items"][0]["buyer_name"] == "Élodie O'Brien-Ñandú"


@pytest.mark.parametrize(
    ("number", "problem", "status"),
    [("", "transaction-number-missing", 422), ("ab1234", "transaction-number-taken", 409)],
)
def test_refusals_have_a_stable_type(api_for: ApiFor, number: str, problem: str, status: int) -> None:
    shop.identity()
    offer = shop.signals_offer()
    shop.submitted(factories.student(), offer, "AB 1234")
    other = purchases.declare(factories.student(), offer.slug)
    other_id = other.id

    answer = api_for(factories.agent())("POST", f"/admin/payments/{other_id}/validate", json={"transaction_id": number})

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == f"/problems/{problem}"


def test_nothing_goes_without_the_terms(api_for: ApiFor) -> None:
    shop.identity()
    offer = shop.signals_offer()
    student = api_for(factories.student())
    payment = student("POST", "/me/payments", json={"offer": offer.slug}).get_json()

    refused = student("POST", f"/me/payments/{payment['id']}/transaction", json={"transaction_id": "AB1234"})

    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/terms-not-accepted")


def test_another_persons_payment_and_invoice_are_not_found(api_for: ApiFor) -> None:
    shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    number = purchases.validate_payment(payment.id, "AB1234", by=factories.agent()).number
    stranger = api_for(factories.student())

    assert stranger("GET", f"/me/invoices/{number}/pdf").status_code == 404
    given = stranger("POST", f"/me/payments/{payment.id}/transaction", json={"transaction_id": "CD5678"})
    assert given.status_code == 404
    assert stranger("GET", "/me/payments").get_json() == {"items": [], "next": None}
    assert stranger("POST", f"/admin/payments/{payment.id}/reject", json={"reason": "x"}).status_code == 403


def test_lists_go_on_by_cursor(api_for: ApiFor) -> None:
    shop.identity()
    user = factories.student()
    for rank in range(3):
        purchases.declare(user, shop.signals_offer(slug=f"offre-{rank}").slug)
    student = api_for(user)

    first = student("GET", "/me/payments?limit=2").get_json()
    second = student("GET", f"/me/payments?limit=2&cursor={first['next']}").get_json()

    assert [row["offer"] for row in first["items"] + second["items"]] == ["offre-2", "offre-1", "offre-0"]
    assert second["next"] is None


def test_a_credit_note_by_the_api(api_for: ApiFor) -> None:
    shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    number = purchases.validate_payment(payment.id, "AB1234", by=factories.agent()).number

    answer = api_for(factories.agent())(
        "POST", f"/admin/invoices/{number}/credit-note", json={"reason": "Rétractation"}
    )

    assert answer.status_code == 201
    assert answer.get_json()["corrects"] == number
    assert answer.get_json()["kind"] == "credit_note"


def test_a_discount_and_a_withdrawal_by_json(api_for: ApiFor) -> None:
    shop.identity()
    offer, user = shop.signals_offer(), factories.student(address="3 rue des Lilas", postcode="69003", city="Lyon")
    draft = discounts.DiscountDraft("NOEL20", percent_bp=2000, amount_cents=None)
    discounts.create(draft, by=factories.admin())
    call = api_for(user)
    payment = call("POST", "/me/payments", json={"offer": offer.slug}).get_json()
    place = f"/me/payments/{payment['id']}"

    refused = call("PUT", f"{place}/discount", json={"code": "FAUX"})
    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/discount-unknown")
    lowered = call("PUT", f"{place}/discount", json={"code": "noel20"}).get_json()
    whole = call("DELETE", f"{place}/discount").get_json()
    assert lowered["amount"] != whole["amount"] == payment["amount"]
    early = call("POST", f"{place}/withdrawal")
    assert (early.status_code, early.get_json()["type"]) == (409, "/problems/no-withdrawal"), "nothing was agreed upon"

    call("PATCH", "/me", json=ADDRESS)
    call("POST", f"{place}/transaction", json={"transaction_id": "AB1234", "accept_terms": True})
    purchases.validate_payment(payment["id"], "AB1234", by=factories.agent())
    first, again = (call("POST", f"{place}/withdrawal") for _click in range(2))
    assert first.status_code == 201
    assert first.get_json() == again.get_json()
    assert first.get_json()["status"] == "declared"
    assert api_for(factories.student())("POST", f"{place}/withdrawal").status_code == 404
