"""A formation has as many places as its sheet says: pages, orders and validations respect it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.models.catalogue import Offer
from calmness.models.training import EnrollmentStatus, Formation, UserFormationEnrollment
from calmness.services.billing import catalogue, purchases
from calmness.services.training import enrollments
from tests import factories
from tests.billing import shop
from tests.training import school

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture
def formation(site: Flask) -> Formation:
    shop.identity()
    offer = shop.formation_offer()
    assert offer.formation is not None
    offer.formation.capacity = 2
    return offer.formation


def offer_of(formation: Formation) -> Offer:
    offer = catalogue.of_formation(formation.id)
    assert offer is not None
    return offer


def places() -> int:
    return db.session.scalar(select(func.count()).select_from(UserFormationEnrollment)) or 0


def test_a_paid_order_gives_the_place(formation: Formation, client_for: ClientFor) -> None:
    student = factories.student()
    payment = shop.submitted(student, offer_of(formation), "AB1234")

    client_for(factories.agent()).post(
        f"/admin/paiements/{payment.id}/validation", data={"transaction_id": payment.transaction_id}
    )

    place = db.session.scalars(select(UserFormationEnrollment)).one()
    assert (place.user_id, place.payment_id, place.status) == (student.id, payment.id, EnrollmentStatus.ACTIVE)
    page = client_for(student).get("/espace/formations").text
    assert "Lire les marchés" in page
    assert "Dates à venir" in page


def test_a_full_formation_says_so_everywhere_and_takes_no_order(formation: Formation, client_for: ClientFor) -> None:
    for _one in range(2):
        school.enrolled(formation)
    visitor = client_for(factories.student())

    for page in ("/formations", "/formations/lire-les-marches", "/tarifs"):
        assert "Complet" in visitor.get(page).text, page
    assert "S’inscrire" not in visitor.get("/formations/lire-les-marches").text
    answer = visitor.post("/commande/formation-lire-les-marches", follow_redirects=True)

    assert "Cette formation est complète" in answer.text
    assert db.session.scalar(select(func.count()).select_from(Payment)) == 0


def test_the_last_places_are_announced(formation: Formation, visitor: FlaskClient) -> None:
    assert "Plus que 2 places" in visitor.get("/formations/lire-les-marches").text
    school.enrolled(formation)
    assert "Plus qu’une place" in visitor.get("/formations/lire-les-marches").text


def test_the_agent_reads_why_a_payment_cannot_be_validated(formation: Formation, client_for: ClientFor) -> None:
    payment = shop.submitted(factories.student(), offer_of(formation), "AB1234")
    for _one in range(2):
        school.enrolled(formation)

    page = client_for(factories.agent()).post(
        f"/admin/paiements/{payment.id}/validation", data={"transaction_id": "AB1234"}
    )

    assert page.status_code == 409
    assert "Cette formation est complète" in page.text
    db.session.expire_all()
    assert payment.status is PaymentStatus.TRANSACTION_SUBMITTED
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 0
    assert places() == 2


def test_a_place_that_ends_is_free_again(formation: Formation) -> None:
    for _one in range(2):
        school.enrolled(formation)
    first = db.session.scalars(select(UserFormationEnrollment)).first()
    assert first is not None
    with pytest.raises(enrollments.FormationFull):
        school.enrolled(formation)

    first.status = EnrollmentStatus.WITHDRAWN
    school.enrolled(formation)

    assert enrollments.places_left(formation) == 0


def test_who_has_a_place_keeps_it_when_the_formation_is_full(formation: Formation) -> None:
    student = school.enrolled(formation)
    school.enrolled(formation)

    again = enrollments.enroll(student.id, formation.id, None, formation.created_at)

    assert again.user_id == student.id
    assert places() == 2
    with pytest.raises(purchases.AlreadyOwned):
        purchases.declare(student, "formation-lire-les-marches")
