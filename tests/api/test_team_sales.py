"""The staff's side of a sale by program: the queue, credit notes, withdrawals, offers and codes."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.audit import AuditEntry
from calmness.models.billing import Invoice, InvoiceKind, Payment, PaymentStatus
from calmness.models.catalogue import Offer, OfferKind
from calmness.models.sale import DiscountCode, OfferVersion, Withdrawal, WithdrawalState
from calmness.services.billing import purchases, withdrawals
from tests import factories
from tests.api.conftest import ApiFor
from tests.billing import shop

OFFER = {
    "kind": "signals",
    "name": "Signaux 90 jours",
    "price_cents": 12900,
    "vat_regime": "standard",
    "vat_rate": "20.00",
    "duration_days": 90,
}


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def validated(number: str = "AB1234") -> tuple[Payment, Invoice]:
    """A payment with its invoice."""
    payment = shop.submitted(factories.student(), shop.signals_offer(slug=f"offre-{number.lower()}"), number)
    return payment, purchases.validate_payment(payment.id, number, by=factories.agent())


def acts() -> set[str]:
    return set(db.session.scalars(select(AuditEntry.action)))


def test_the_queue_is_searched_and_tells_a_number_that_looks_like_another(api_for: ApiFor) -> None:
    offer, other = shop.signals_offer(), shop.formation_offer()
    first = shop.submitted(factories.student(email="zoe.martin@example.test"), offer, "VIR20261101")
    alike = shop.submitted(factories.student(), other, "VIR20261107")
    alone = shop.submitted(factories.student(), offer, "ZZ998877")
    agent = api_for(factories.agent())

    def found(query: str) -> list[int]:
        return [row["id"] for row in agent("GET", f"/admin/payments/queue?{query}").get_json()["items"]]

    page = agent("GET", "/admin/payments/queue?status=transaction_submitted&limit=2").get_json()
    rest = agent("GET", f"/admin/payments/queue?status=transaction_submitted&limit=2&cursor={page['next']}").get_json()
    stray = agent("GET", f"/admin/payments/queue?limit=2&cursor={page['next']}")
    one = agent("GET", f"/admin/payments/{first.id}").get_json()

    assert page["total"] == 3
    assert [row["id"] for row in (*page["items"], *rest["items"])] == [first.id, alike.id, alone.id]
    assert [row["look_alike"] for row in (*page["items"], *rest["items"])] == [True, True, False]
    assert stray.get_json()["type"] == "/problems/bad-cursor"
    assert found("q=zoe.martin") == found("q=vir20261101") == [first.id]
    assert found("kind=formation") == [alike.id]
    assert found("late=true") == []
    assert [row["id"] for row in one["look_alikes"]] == [alike.id]
    assert [row["status"] for row in one["events"]][-1] == "transaction_submitted"
    assert one["payer"]["email"] == "zoe.martin@example.test"
    assert agent("GET", "/admin/payments/queue?status=unknown").status_code == 422


def test_part_of_an_invoice_is_credited_then_the_rest_and_never_more(api_for: ApiFor) -> None:
    payment, invoice = validated()
    agent = api_for(factories.agent())
    path = f"/admin/invoices/{invoice.number}"

    part = agent(
        "POST", f"{path}/credit-note", json={"reason": "Geste", "lines": [{"position": 1, "amount_cents": 990}]}
    )
    left = agent("GET", path).get_json()
    more = agent(
        "POST", f"{path}/credit-note", json={"reason": "Trop", "lines": [{"position": 1, "amount_cents": 4001}]}
    )
    rest = agent("POST", f"{path}/credit-note", json={"reason": "Rétractation"})
    again = agent("POST", f"{path}/credit-note", json={"reason": "Encore"})

    assert (part.status_code, part.get_json()["total_incl"]["amount"]) == (201, 990)
    assert left["left"] == [{"position": 1, "incl": {"amount": 4000, "currency": "EUR"}}]
    assert left["credit_notes"] == [part.get_json()["number"]]
    assert (more.status_code, more.get_json()["errors"][0]["pointer"]) == (409, "#/lines")
    assert rest.get_json()["total_incl"]["amount"] == 4000
    assert again.get_json()["type"] == "/problems/already-credited"
    db.session.expire_all()
    assert payment.status is PaymentStatus.REFUNDED
    assert db.session.scalar(select(func.count()).where(Invoice.kind == InvoiceKind.CREDIT_NOTE)) == 2


def test_invoices_are_searched_by_number_and_buyer(api_for: ApiFor) -> None:
    _payment, invoice = validated()
    agent = api_for(factories.agent())

    def found(text: str) -> list[str]:
        return [row["number"] for row in agent("GET", f"/admin/invoices?q={text}").get_json()["items"]]

    assert found(invoice.number.lower()) == found("brien") == [invoice.number]
    assert found("absent") == []
    assert agent("GET", f"/admin/invoices/{invoice.number}/pdf").status_code == 404, "not made yet"
    assert agent("GET", "/admin/invoices/CT-20000101-0001").status_code == 404


def test_a_withdrawal_is_found_refunded_and_its_invoice_credited_once(api_for: ApiFor) -> None:
    payment, invoice = validated()
    withdrawals.declare_outside("Zoé", payment.user.email, payment.reference)
    declared = db.session.scalars(select(Withdrawal)).one()
    agent, path = api_for(factories.agent()), f"/admin/withdrawals/{declared.id}"

    listed = agent("GET", "/admin/withdrawals").get_json()["items"][0]
    early = agent("POST", f"{path}/refund", json={"refund_reference": "VIR 77"})
    accepted = agent("POST", f"{path}/contract", json={"payment_id": payment.id}).get_json()
    nothing = agent("POST", f"{path}/refund", json={"refund_reference": " "})
    paid = agent("POST", f"{path}/closure")
    key = {"Idempotency-Key": str(uuid4())}
    done = [agent("POST", f"{path}/refund", json={"refund_reference": "VIR 77"}, headers=key) for _turn in range(2)]

    assert (listed["status"], listed["candidates"]) == ("to_check", [payment.id])
    assert (early.status_code, early.get_json()["type"]) == (409, "/problems/withdrawal-settled")
    assert (accepted["status"], accepted["owed"]["amount"]) == ("declared", 4990)
    assert nothing.get_json()["errors"][0]["pointer"] == "#/refund_reference"
    assert paid.status_code == 409
    assert done[0].get_json() == done[1].get_json() == agent("GET", path).get_json()
    db.session.expire_all()
    assert (declared.state, declared.refund_reference) == (WithdrawalState.REFUNDED, "VIR 77")
    note = db.session.scalars(select(Invoice).where(Invoice.kind == InvoiceKind.CREDIT_NOTE)).one()
    assert note.corrects_id == invoice.id


def test_a_declaration_that_means_no_contract_is_refused_with_its_reason(api_for: ApiFor) -> None:
    declared = withdrawals.declare_outside("Zoé", "zoe@example.test", "RF00")
    agent, path = api_for(factories.agent()), f"/admin/withdrawals/{declared.id}"

    blank = agent("POST", f"{path}/refusal", json={"reason": "  "})
    refused = agent("POST", f"{path}/refusal", json={"reason": "Aucun contrat"}).get_json()

    assert blank.get_json()["errors"][0]["pointer"] == "#/reason"
    assert (refused["status"], refused["note"]) == ("refused", "Aucun contrat")
    assert agent("POST", f"{path}/refusal", json={"reason": "Encore"}).status_code == 409


def test_an_offer_is_created_changed_and_published_each_time_as_a_new_version(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    created = admin("POST", "/admin/offers", json=OFFER).get_json()
    path = f"/admin/offers/{created['id']}"
    seen = admin("GET", path)
    changed = admin("PUT", path, json={key: OFFER[key] for key in OFFER if key != "kind"} | {"price_cents": 9900})
    stale = admin("PUT", path, json={"name": "x", "price_cents": 1, "vat_regime": "standard"}, headers=tag(seen))
    published = admin("PUT", f"{path}/status", json={"status": "published"}).get_json()

    assert (created["status"], created["vat_rate"], created["version"]) == ("draft", "20.00", 1)
    assert (changed.get_json()["price"]["amount"], changed.get_json()["version"]) == (9900, 2)
    assert (stale.status_code, stale.get_json()["type"]) == (412, "/problems/stale")
    assert (published["status"], published["version"], published["price"]["amount"]) == ("published", 3, 9900)
    versions = admin("GET", f"{path}/versions").get_json()["items"]
    assert [(row["version"], row["content"]["price_cents"]) for row in versions] == [(3, 9900), (2, 9900), (1, 12900)]
    offer = db.session.get_one(Offer, created["id"])
    assert (offer.kind, offer.vat_rate_bp, offer.duration_days) == (OfferKind.SIGNALS, 2000, 90)
    assert db.session.scalar(select(func.count()).select_from(OfferVersion)) == 3
    assert acts() >= {"offer.created", "offer.changed"}


def tag(answer: Any) -> dict[str, str]:
    """Change only what is still as this answer showed it."""
    return {"If-Match": answer.headers["ETag"]}


def test_what_no_offer_can_be_is_refused_at_its_field(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    def pointer(**wrong: object) -> str:
        answer = admin("POST", "/admin/offers", json=OFFER | wrong)
        assert answer.status_code == 422
        found: str = answer.get_json()["errors"][0]["pointer"]
        return found

    service = {"kind": "service", "duration_days": None}
    assert pointer(duration_days=None) == "#/duration_days"
    assert pointer(kind="formation") == pointer(kind="formation", formation_id=999) == "#/formation_id"
    assert pointer(valid_from="2027-02-01", valid_until="2027-01-01") == "#/valid_until"
    assert pointer(**service, deposit_percent="30", instalments=3) == "#/deposit"
    assert pointer(vat_rate="5.555") == "#/vat_rate"
    assert pointer(price_cents=0) == "#/price_cents"
    assert pointer(role="admin") == "#/role"
    assert db.session.scalar(select(func.count()).select_from(Offer)) == 0


def test_a_code_is_made_closed_and_opened_again(api_for: ApiFor) -> None:
    admin = api_for(factories.admin())

    made = admin("POST", "/admin/discounts", json={"code": "Noël 20", "percent": "20"})
    code = made.get_json()
    twin = admin("POST", "/admin/discounts", json={"code": "NOËL20", "percent": 10})
    both = admin("POST", "/admin/discounts", json={"code": "ÉTÉ2027", "percent": 10, "amount_cents": 500})
    absent = admin("POST", "/admin/discounts", json={"code": "HIVER", "amount_cents": 500, "offer_id": 999})
    closed = admin("PUT", f"/admin/discounts/{code['id']}/state", json={"active": False}).get_json()

    assert (made.status_code, code["percent"], code["uses"], code["active"]) == (201, "20.00", 0, True)
    assert (twin.status_code, twin.get_json()["type"]) == (409, "/problems/discount-exists")
    assert both.get_json()["errors"][0]["pointer"] == "#/percent"
    assert absent.get_json()["errors"][0]["pointer"] == "#/offer_id"
    assert closed["active"] is False
    assert [row["code"] for row in admin("GET", "/admin/discounts").get_json()["items"]] == [code["code"]]
    assert db.session.scalars(select(DiscountCode.is_active)).all() == [False]
    assert acts() >= {"discount.created", "discount.changed"}


@pytest.mark.parametrize("path", ["/admin/offers", "/admin/discounts"])
def test_an_agent_cannot_configure_the_sale(api_for: ApiFor, path: str) -> None:
    agent: Callable[..., Any] = api_for(factories.agent())

    assert agent("GET", path).status_code == agent("POST", path, json=OFFER).status_code == 403
