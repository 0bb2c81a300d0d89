"""Who is invoiced: a name and a whole address that can be read, by whatever way a purchase is made."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.extensions import db
from calmness.models.account import User
from calmness.services.billing import purchases
from tests import factories
from tests.account.test_own_pages import PROFILE
from tests.billing import shop
from tests.billing.test_api import ADDRESS, ApiFor, api_for

__all__ = ["api_for"]

ClientFor = Callable[[User], FlaskClient]
INVISIBLE = "\u200b\u202e\u2066"
FORM = {
    "first_name": "Élodie",
    "last_name": "Dupont",
    "address": "3 rue des Lilas",
    "postcode": "69003",
    "city": "Lyon",
    "terms": "y",
}


@pytest.mark.parametrize("field", ["first_name", "last_name", "address", "postcode", "city"])
def test_what_cannot_be_seen_is_no_name_and_no_address(site: Flask, client_for: ClientFor, field: str) -> None:
    shop.identity()
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer().slug)
    db.session.commit()

    answer = client_for(user).post(f"/espace/commandes/{payment.id}/identite", data=FORM | {field: INVISIBLE})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-erreur"' in page
    assert 'value="Dupont"' in page or field == "last_name"
    db.session.expire_all()
    assert payment.terms_accepted_at is None


def test_marks_of_direction_do_not_reach_the_invoice_and_an_invisible_company_is_none(site: Flask) -> None:
    shop.identity()
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    given = {"address": "\u202e3 rue\u200f des Lilas", "company": INVISIBLE, "last_name": "Dupont\u202e"}
    purchases.confirm_identity(payment, purchases.Identity(**vars(shop.IDENTITY_GIVEN) | given))

    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())

    assert (invoice.buyer["name"], invoice.buyer["address"]) == ("Élodie Dupont", "3 rue des Lilas")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "address-missing"),
        ({**ADDRESS, "city": " "}, "address-missing"),
        ({**ADDRESS, "siren": "123"}, "wrong-siren"),
        ({**ADDRESS, "siren": "732829321"}, "wrong-siren"),
    ],
)
def test_the_api_takes_no_order_that_could_not_be_invoiced(
    site: Flask, api_for: ApiFor, given: dict[str, Any], problem: str
) -> None:
    shop.identity()
    offer = shop.signals_offer()

    answer = api_for(factories.student())(
        "POST", "/me/payments", json={"offer": offer.slug, "accept_terms": True, **given}
    )

    assert (answer.status_code, answer.get_json()["type"]) == (422, f"/problems/{problem}")


def test_an_address_that_an_invoice_will_name_is_mended_and_not_emptied(site: Flask, api_for: ApiFor) -> None:
    shop.identity()
    user = factories.student()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    call = api_for(user)

    refused = call("PATCH", "/me", json={"address": ""})
    mended = call("PATCH", "/me", json={"address": "4 rue des Lilas"})
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    emptied = call("PATCH", "/me", json={"address": ""})

    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/address-in-use")
    assert (mended.status_code, invoice.buyer["address"]) == (200, "4 rue des Lilas")
    assert emptied.status_code == 200, "what is issued keeps its own"
    assert invoice.buyer["address"] == "4 rue des Lilas"


def test_the_profile_says_why_beside_the_field(site: Flask, client_for: ClientFor) -> None:
    shop.identity()
    user = factories.student()
    shop.submitted(user, shop.signals_offer(), "AB1234")
    db.session.commit()

    answer = client_for(user).post("/espace/profil", data=PROFILE | {"address": ""})

    assert answer.status_code == 422
    assert 'id="address-erreur"' in answer.get_data(as_text=True)
