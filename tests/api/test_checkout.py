"""A program pays: identity, bank instructions, quantity, giving up; and withdraws, also without an account."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import Offer
from calmness.models.sale import Withdrawal, WithdrawalState
from calmness.services.billing import purchases
from tests import factories
from tests.account.people import subjects_to
from tests.api.conftest import ApiFor
from tests.billing import shop
from tests.fixtures.servers import Mailbox
from tests.training import school

IDENTITY = {
    "accept_terms": True,
    "first_name": "Élodie",
    "last_name": "Martin",
    "address": "3 rue des Lilas",
    "postcode": "69003",
    "city": "Lyon",
}


@pytest.fixture
def offer(site: Flask) -> Offer:
    """An offer of which three can be bought at once, and a school that sells it."""
    shop.identity()
    made = shop.signals_offer(max_quantity=3)
    db.session.commit()
    return made


@pytest.fixture
def buyer(offer: Offer) -> User:
    """A student who has begun to buy it."""
    user = factories.student()
    purchases.declare(user, offer.slug)
    db.session.commit()
    return user


def place() -> str:
    return f"/me/payments/{db.session.scalars(select(Payment.id)).one()}"


def test_bank_instructions_come_with_the_accepted_conditions(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)
    before = call("GET", place()).get_json()

    told = call("PUT", f"{place()}/identity", json=IDENTITY).get_json()

    assert (before["transfer"], before["may_withdraw"], before["events"][0]["status"]) == (None, False, "declared")
    transfer = told["transfer"]
    assert (transfer["iban"], transfer["reference"]) == (shop.IDENTITY["iban"], told["reference"])
    lines = transfer["qr"].splitlines()
    assert (lines[0], lines[7], lines[9]) == (
        "BCD",
        f"EUR{Decimal(told['amount']['amount']) / 100:.2f}",
        told["reference"],
    )
    assert told["terms_accepted_at"]
    db.session.expire_all()
    assert (buyer.first_name, buyer.city) == ("Élodie", "Lyon")
    assert call("GET", place()).get_json() == told


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"accept_terms": False}, "#/terms"),
        ({"siren": "123456789"}, "#/siren"),
        ({"vat_number": "FR00"}, "#/vat_number"),
        ({"first_name": ""}, "#/first_name"),
        ({"status": "validated"}, "#/status"),
    ],
)
def test_what_no_invoice_holds_is_refused(api_for: ApiFor, buyer: User, given: dict[str, object], pointer: str) -> None:
    refused = api_for(buyer)("PUT", f"{place()}/identity", json=IDENTITY | given)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.get_json()["errors"]] == [pointer]
    assert db.session.scalars(select(Payment.terms_accepted_at)).one() is None


def test_another_quantity_is_another_price_to_agree_to(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)
    one = call("PUT", f"{place()}/identity", json=IDENTITY).get_json()

    three = call("PUT", f"{place()}/quantity", json={"quantity": 3}).get_json()
    too_many = call("PUT", f"{place()}/quantity", json={"quantity": 4})

    assert three["amount"]["amount"] == 3 * one["amount"]["amount"]
    assert (three["quantity"], three["terms_accepted_at"], three["transfer"]) == (3, None, None)
    assert too_many.status_code == 422


def test_a_purchase_is_given_up_and_stays_so(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)

    first, again = (call("PUT", f"{place()}/cancellation").get_json() for _time in range(2))
    afterwards = call("PUT", f"{place()}/identity", json=IDENTITY)

    assert first == again
    assert (first["status"], first["transfer"]) == ("cancelled", None)
    assert (afterwards.status_code, afterwards.get_json()["type"]) == (409, "/problems/payment-closed")


def test_the_answer_to_a_refusal_reaches_the_team(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)
    call("PUT", f"{place()}/identity", json=IDENTITY)
    call("POST", f"{place()}/transaction", json={"transaction_id": "AB1234"})
    purchases.reject_payment(db.session.scalars(select(Payment.id)).one(), "Introuvable", by=factories.agent())
    db.session.commit()

    call("POST", f"{place()}/transaction", json={"transaction_id": "AB5678", "answer": "C’était l’autre compte"})

    shown = call("GET", place()).get_json()
    assert (shown["status"], shown["transaction_id"]) == ("transaction_submitted", "AB5678")
    assert [event["reason"] for event in shown["events"]][-2:] == ["Introuvable", "C’était l’autre compte"]


def test_a_contract_is_open_to_withdrawal_until_it_is_withdrawn_from(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)
    call("PUT", f"{place()}/identity", json=IDENTITY)
    opened = call("GET", "/me/withdrawals/contracts").get_json()["items"]

    call("POST", f"{place()}/withdrawal")

    shown = call("GET", place()).get_json()
    assert [row["reference"] for row in opened] == [shown["reference"]]
    assert (shown["may_withdraw"], shown["withdrawal"]["payment"]) == (False, shown["id"])
    assert call("GET", "/me/withdrawals/contracts").get_json()["items"] == []


def test_own_payments_are_found_by_state_and_year(api_for: ApiFor, buyer: User) -> None:
    call = api_for(buyer)
    year = clock.paris_today().year

    found = {
        query: len(call("GET", f"/me/payments?{query}").get_json()["items"])
        for query in ("", "status=declared", "status=validated", f"year={year}", f"year={year - 1}")
    }

    assert found == {"": 1, "status=declared": 1, "status=validated": 0, f"year={year}": 1, f"year={year - 1}": 0}


def test_another_ones_payment_is_absent(api_for: ApiFor, buyer: User) -> None:
    call = api_for(factories.admin())

    answers = [
        call("GET", place()),
        call("PUT", f"{place()}/identity", json=IDENTITY),
        call("PUT", f"{place()}/quantity", json={"quantity": 2}),
        call("PUT", f"{place()}/cancellation"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert db.session.scalars(select(Payment.status)).one() is PaymentStatus.DECLARED


def test_who_cannot_log_in_withdraws_all_the_same_once(visitor: FlaskClient, mailbox: Mailbox, offer: Offer) -> None:
    given = {"name": "Zoé Ferrand", "email": "zoe@example.test", "reference": "Signaux 30 jours"}

    first, again = (visitor.post("/api/v1/withdrawals", json=given) for _time in range(2))
    wrong = visitor.post("/api/v1/withdrawals", json=given | {"email": "zoe"})

    assert (first.status_code, first.get_json()) == (201, again.get_json())
    assert wrong.get_json()["errors"][0]["pointer"] == "#/email"
    row = db.session.scalars(select(Withdrawal)).one()
    assert (row.state, row.email) == (WithdrawalState.TO_CHECK, "zoe@example.test")
    assert len(subjects_to(mailbox, "zoe@example.test")) == 1


def test_the_agenda_holds_own_sessions_and_nobody_elses(site: Flask, api_for: ApiFor) -> None:
    course = school.formation()
    student = school.enrolled(course)
    session = school.session_of(course, clock.now() + timedelta(days=2))
    db.session.commit()
    call, other = api_for(student), api_for(factories.student())

    mine = call("GET", "/me/agenda").get_json()["items"]
    one = call("GET", f"/me/sessions/{session.id}").get_json()

    assert mine == [one]
    assert (one["id"], one["presence"], one["open"]) == (session.id, None, False)
    assert other("GET", "/me/agenda").get_json()["items"] == []
    assert other("GET", f"/me/sessions/{session.id}").status_code == 404
