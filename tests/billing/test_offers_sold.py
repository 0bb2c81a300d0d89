"""What was sold stays as sold: versions, prices that change between two steps, places, instalments, reminders."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from calmness.extensions import db
from calmness.models.account import Consent, User, UserNotification
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.models.catalogue import Offer, PublicationStatus
from calmness.models.sale import OfferVersion, PaymentReminder
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.services.billing import catalogue, credit_notes, dunning, instalments, purchases, sale_terms
from tests import factories
from tests.billing import shop
from tests.billing.test_pages import FORM

ClientFor = Callable[[User], FlaskClient]
START = datetime(2026, 10, 31, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def change(offer: Offer, **values: Any) -> Offer:
    """Save an offer anew."""
    given = {
        name: getattr(offer, name)
        for name in ("name", "summary", "price_cents", "vat_regime", "vat_rate_bp", "duration_days", "status")
    }
    return catalogue.change(offer.id, catalogue.OfferDraft(**given | values), by=factories.admin())


def test_versions_are_kept_and_never_change(site: Flask) -> None:
    offer = change(shop.signals_offer(), price_cents=5990)

    kept = catalogue.versions(offer.id)

    assert [(version.version, version.content["price_cents"]) for version in kept] == [(2, 5990), (1, 4990)]
    db.session.commit()
    with pytest.raises(IntegrityError):
        db.session.query(OfferVersion).update({"version": 9})
    db.session.rollback()


def test_a_price_agreed_upon_holds_until_the_invoice(site: Flask) -> None:
    offer = shop.signals_offer()
    payment = purchases.declare(factories.student(), offer.slug)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    change(offer, price_cents=9990, status=PublicationStatus.ARCHIVED)

    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())

    assert (invoice.total_incl_cents, payment.offer_version) == (4990, 1)


def test_a_price_that_changed_before_consent_is_read_again(client_for: ClientFor) -> None:
    offer, user = shop.signals_offer(), factories.student()
    payment = purchases.declare(user, offer.slug)
    change(offer, price_cents=9990)
    client = client_for(user)

    asked = client.post(f"/espace/commandes/{payment.id}/identite", data=FORM)
    assert asked.status_code == 409
    assert "relisez le prix" in asked.text
    assert "99,90" in asked.text
    assert "3 rue des Lilas" in asked.text, "nothing typed is lost"
    agreed = client.post(f"/espace/commandes/{payment.id}/identite", data=FORM)

    assert agreed.status_code == 302
    db.session.expire_all()
    assert (payment.amount_cents, payment.offer_version) == (9990, 2)


def test_an_offer_that_left_the_shelf_is_not_sold(client_for: ClientFor) -> None:
    offer, user = shop.signals_offer(), factories.student()
    payment = purchases.declare(user, offer.slug)
    change(offer, status=PublicationStatus.ARCHIVED)

    refused = client_for(user).post(f"/espace/commandes/{payment.id}/identite", data=FORM)

    assert refused.status_code == 409
    assert "n’est plus en vente" in refused.text


def test_the_last_place_is_sold_once_and_freed_by_who_gives_up(site: Flask) -> None:
    offer = shop.signals_offer(places=1)
    first, second = (purchases.declare(factories.student(), offer.slug) for _buyer in range(2))
    purchases.confirm_identity(first, shop.IDENTITY_GIVEN)

    with pytest.raises(sale_terms.SoldOut):
        purchases.confirm_identity(second, shop.IDENTITY_GIVEN)
    with pytest.raises(sale_terms.SoldOut):
        purchases.declare(factories.student(), offer.slug)
    purchases.cancel(first)
    purchases.confirm_identity(second, shop.IDENTITY_GIVEN)

    assert sale_terms.places_left(offer) == 0


def test_an_offer_is_sold_within_its_days(site: Flask) -> None:
    today = date(2026, 11, 26)
    offer = shop.signals_offer(valid_from=today, valid_until=today)

    days = [today + timedelta(days=offset) for offset in (-1, 0, 1)]

    assert [catalogue.is_for_sale(offer, day) for day in days] == [False, True, False]
    assert [bool(catalogue.published(on=day)) for day in days] == [False, True, False]


def in_three(user: User) -> Payment:
    """The first of three parts of 100,00 €, validated on 31 October."""
    offer = shop.formation_offer(price_cents=10000, instalments=3)
    with time_machine.travel(START, tick=False):
        payment = purchases.declare(user, offer.slug)
        given = purchases.Identity(**shop.IDENTITY_GIVEN.__dict__ | {"instalments": 3})
        purchases.confirm_identity(payment, given)
        purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
        db.session.commit()
    return payment


def test_three_parts_have_their_days_their_transfers_and_their_invoices(site: Flask) -> None:
    first = in_three(factories.student(created_at=START - timedelta(days=3)))

    parts = instalments.of_contract(first)

    assert [part.amount_cents for part in parts] == [3334, 3333, 3333]
    assert [part.due_on for part in parts] == [None, date(2026, 11, 30), date(2026, 12, 31)]
    assert len({part.reference for part in parts}) == 3
    purchases.validate_payment(parts[1].id, "CD5678", by=factories.agent())
    labels = [invoice.items[0].label for invoice in db.session.scalars(select(Invoice).order_by(Invoice.id))]
    assert labels == ["Lire les marchés (échéance 1 sur 3)", "Lire les marchés (échéance 2 sur 3)"]
    assert db.session.scalar(select(func.count()).select_from(UserFormationEnrollment)) == 1


def test_the_parts_by_pages(client_for: ClientFor) -> None:
    user = factories.student()
    offer = shop.formation_offer(price_cents=10000, instalments=3)
    client = client_for(user)
    place = client.post(f"/commande/{offer.slug}").headers["Location"]
    assert "En 3 fois" in client.get(place).text

    client.post(f"{place}/identite", data=FORM | {"instalments": "3"})
    payment = db.session.scalars(select(Payment)).one()
    assert payment.amount_cents == 3334
    purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()

    page = client.get(f"/espace/paiements/{payment.id}").text
    assert "Vos échéances" in page
    second = instalments.of_contract(payment)[1]
    assert second.reference in client.get(f"/espace/commandes/{second.id}?etape=2").text
    assert "avant le" in client.get("/espace/paiements").text


def test_an_unpaid_part_is_reminded_of_then_suspends_and_paying_opens_again(site: Flask) -> None:
    first = in_three(factories.student(created_at=START - timedelta(days=3)))
    second = instalments.of_contract(first)[1]
    due = datetime(2026, 11, 30, 10, tzinfo=UTC)
    place = db.session.scalars(select(UserFormationEnrollment)).one()

    left = [dunning.run(due + timedelta(days=days)) for days in (2, 3, 4, 7, 14, 15, 20)]
    assert left == [0, 1, 0, 1, 1, 0, 0]
    dunning.run(due + timedelta(days=21))
    db.session.expire_all()
    seen = [place.status]
    with time_machine.travel(due + timedelta(days=22), tick=False):
        purchases.validate_payment(second.id, "CD5678", by=factories.agent())

    db.session.expire_all()
    assert [*seen, place.status] == [EnrollmentStatus.SUSPENDED, EnrollmentStatus.ACTIVE]


def declared() -> Payment:
    with time_machine.travel(START, tick=False):
        payment = purchases.declare(
            factories.student(created_at=START - timedelta(days=9)), shop.signals_offer(places=1).slug
        )
        purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
        db.session.commit()
    return payment


def keys() -> list[str]:
    rows = db.session.scalars(select(UserNotification.key).order_by(UserNotification.id))
    return [key.split(":", 2)[2] for key in rows if key.startswith("payment:")]


def test_each_step_is_told_once_then_the_order_ends_and_frees_its_place(site: Flask) -> None:
    payment = declared()

    for days in (3, 3, 7, 7, 14, 14, 20, 21, 22):
        dunning.run(START + timedelta(days=days))

    assert keys() == ["reminder:3", "reminder:7", "reminder:14", "unpaid-cancelled"]
    db.session.expire_all()
    assert payment.status is PaymentStatus.CANCELLED
    assert sale_terms.places_left(payment.offer) == 1
    (begun, ended) = purchases.events(payment.id)
    assert (begun.by_id, ended.by_id, ended.reason) == (payment.user_id, None, "Aucun virement reçu")


def test_the_staff_sees_which_reminders_left(client_for: ClientFor) -> None:
    payment = declared()
    dunning.run(START + timedelta(days=3))

    page = client_for(factories.agent()).get(f"/admin/paiements/{payment.id}").text

    assert "J+3 le 3 nov. 2026" in " ".join(page.split())


def test_downtime_tells_only_the_last_step_and_ends_nothing_without_a_warning(site: Flask) -> None:
    payment = declared()

    late = [dunning.run(START + timedelta(days=days)) for days in (40, 41, 46)]

    assert late == [1, 0, 0]
    assert keys() == ["reminder:14"]
    assert db.session.scalar(select(func.count()).select_from(PaymentReminder)) == 3
    seen = [payment.status]
    dunning.run(START + timedelta(days=47))
    db.session.expire_all()
    assert [*seen, payment.status] == [PaymentStatus.DECLARED, PaymentStatus.CANCELLED]


def test_a_contract_that_was_paid_back_asks_for_nothing_more(site: Flask) -> None:
    first = in_three(factories.student(created_at=START - timedelta(days=3)))
    credit_notes.credit_whole(first.invoice.number, "Geste", by=factories.agent())  # type: ignore[union-attr]

    assert dunning.run(datetime(2026, 12, 7, 10, tzinfo=UTC)) == 0

    db.session.expire_all()
    assert [part.status for part in instalments.of_contract(first)] == [
        PaymentStatus.REFUNDED,
        PaymentStatus.CANCELLED,
        PaymentStatus.CANCELLED,
    ]


def test_an_order_never_agreed_upon_ends_without_a_word(site: Flask) -> None:
    with time_machine.travel(START, tick=False):
        payment = purchases.declare(factories.student(created_at=START - timedelta(days=9)), shop.signals_offer().slug)

    dunning.run(START + timedelta(days=14))
    seen = [payment.status]
    dunning.run(START + timedelta(days=30))

    assert [*seen, payment.status] == [PaymentStatus.DECLARED, PaymentStatus.CANCELLED]
    assert keys() == []


def test_the_form_of_a_later_part_leaves_it_as_it_is(site: Flask) -> None:
    second = instalments.of_contract(in_three(factories.student(created_at=START - timedelta(days=3))))[1]

    purchases.confirm_identity(second, shop.IDENTITY_GIVEN)

    assert (second.amount_cents, second.instalment, second.instalments) == (3333, 2, 3)


def test_nobody_is_reminded_at_night_or_after_an_answer(site: Flask) -> None:
    payment = declared()

    assert dunning.run(datetime(2026, 11, 4, 2, tzinfo=UTC)) == 0
    purchases.submit_transaction(payment, "AB1234")
    assert dunning.run(START + timedelta(days=7)) == 0


def test_a_business_gives_its_numbers(client_for: ClientFor) -> None:
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer().slug)
    client = client_for(user)
    business = FORM | {"company": "Exemple SARL", "siren": "732 829 320", "vat_number": "fr 44 732829320"}

    refused = client.post(f"/espace/commandes/{payment.id}/identite", data=business | {"vat_number": "FR00 1"})
    assert refused.status_code == 422
    assert "n’a pas la forme attendue" in refused.text
    assert "FR00 1" in refused.text
    assert client.post(f"/espace/commandes/{payment.id}/identite", data=business).status_code == 302

    db.session.expire_all()
    assert (user.siren, user.vat_number) == ("732829320", "FR44732829320")


def test_the_consents_are_kept_with_their_versions(site: Flask) -> None:
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    purchases.confirm_identity(payment, purchases.Identity(**shop.IDENTITY_GIVEN.__dict__ | {"early_start": True}))

    assert payment.terms_version
    assert payment.withdrawal_version == "retractation-2026-11"
    assert payment.early_start_requested
    kept = db.session.scalars(select(Consent)).one()
    assert (kept.purpose, kept.text_version, kept.given) == ("early_start", payment.withdrawal_version, True)
    assert kept.source == f"payment:{payment.id}"


def test_the_form_of_an_offer_shows_the_figures_that_it_has(client_for: ClientFor) -> None:
    """A browser leaves a field of type ``number`` empty when its value has a comma, and the next save would lose it."""
    offer = shop.formation_offer(deposit_bp=3000)

    page = client_for(factories.admin()).get(f"/admin/offres/{offer.id}").text

    inputs = re.findall(r"<input[^>]*>", page)
    for name, value in (("price", "599,00"), ("vat_rate", "20,00"), ("deposit", "30,00")):
        (field,) = [each for each in inputs if f'name="{name}"' in each]
        assert 'type="text"' in field
        assert 'inputmode="decimal"' in field
        assert f'value="{value}"' in field
    assert not [each for each in inputs if 'type="number"' in each and re.search(r'value="[^"]*,', each)]


def test_a_year_without_a_sale_draws_no_chart(client_for: ClientFor) -> None:
    client = client_for(factories.admin())
    assert "Chiffre d’affaires HT par mois" not in client.get("/admin/comptabilite").text

    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()

    assert "Chiffre d’affaires HT par mois" in client.get("/admin/comptabilite").text
