"""The sale by pages: four steps that survive reload and two tabs, the agent's desk, what others may not see."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.jobs.billing import end_subscriptions, render_invoice
from calmness.models.account import User, UserNotification
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceTemplate, Payment, PaymentStatus
from calmness.models.catalogue import Offer, OfferKind
from calmness.models.delivery import Delivery
from calmness.services.billing import credit_notes, purchases
from tests import factories
from tests.billing import shop

ClientFor = Callable[[User], FlaskClient]
FORM = {
    "first_name": "Élodie",
    "last_name": "O'Brien-Ñandú <b>",
    "address": "3 rue des Lilas",
    "postcode": "69003",
    "city": "Lyon",
    "terms": "y",
}


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def only_payment() -> Payment:
    return db.session.scalars(select(Payment)).one()


def invoice_of(number: str = "AB1234") -> Invoice:
    """An issued invoice, its PDF made."""
    payment = shop.submitted(factories.student(), shop.signals_offer(), number)
    invoice = purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.commit()
    render_invoice({"invoice_id": invoice.id})
    return invoice


def test_the_whole_sale_by_pages(client_for: ClientFor) -> None:
    offer = shop.signals_offer()
    student, agent = client_for(factories.student()), client_for(factories.agent())

    begun = student.post(f"/commande/{offer.slug}")
    steps = begun.headers["Location"]
    assert "Adresse" in student.get(steps).text
    student.post(f"{steps}/identite", data=FORM)
    instructions = student.get(f"{steps}?etape=2").text
    assert "FR1420041010050500013M02606" in "".join(instructions.split())
    assert only_payment().reference in instructions
    assert "<svg" in instructions
    student.post(f"{steps}/transaction", data={"transaction_id": "vir 2026-001"})
    assert "VIR2026001" not in student.get(f"{steps}?etape=4").text
    assert "vir 2026-001" in student.get(f"{steps}?etape=4").text

    payment_id = only_payment().id
    assert "vir 2026-001" in agent.get("/admin/paiements").text
    validated = agent.post(f"/admin/paiements/{payment_id}/validation", data={"transaction_id": "VIR2026001"})
    assert validated.status_code == 302

    invoice = db.session.scalars(select(Invoice)).one()
    render_invoice({"invoice_id": invoice.id})
    page = student.get(f"/espace/paiements/{payment_id}").text
    assert invoice.number in page
    pdf = student.get(f"/espace/factures/{invoice.number}.pdf")
    assert pdf.data.startswith(b"%PDF")
    assert "private" in pdf.headers["Cache-Control"] or "no-store" in pdf.headers["Cache-Control"]
    assert "O&#39;Brien-Ñandú &lt;b&gt;" in agent.get(f"/admin/paiements/{payment_id}").text


def test_two_tabs_and_a_double_click_begin_one_purchase(client_for: ClientFor) -> None:
    offer, student = shop.signals_offer(), client_for(factories.student())

    places = {student.post(f"/commande/{offer.slug}").headers["Location"] for _click in range(3)}

    assert len(places) == 1


def test_a_purchase_begun_on_one_device_goes_on_where_it_was_on_another(client_for: ClientFor) -> None:
    user, offer = factories.student(), shop.signals_offer()
    phone, desk = client_for(user), client_for(user)
    steps = phone.post(f"/commande/{offer.slug}").headers["Location"]
    phone.post(f"{steps}/identite", data=FORM)

    begun_again = desk.post(f"/commande/{offer.slug}").headers["Location"]
    shown = desk.get(begun_again, follow_redirects=True).text

    assert begun_again.split("?")[0] == steps.split("?")[0]
    assert "Numéro de transaction" in shown
    assert "Qui est facturé" not in shown


def test_a_step_ahead_of_its_time_shows_the_first(client_for: ClientFor) -> None:
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer().slug)

    page = client_for(user).get(f"/espace/commandes/{payment.id}?etape=4").text

    assert "Qui est facturé" in page


def test_a_refused_form_keeps_what_was_typed(client_for: ClientFor) -> None:
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer().slug)
    client = client_for(user)

    refused = client.post(f"/espace/commandes/{payment.id}/identite", data=FORM | {"terms": "", "siren": "123"})

    assert refused.status_code == 422
    assert "3 rue des Lilas" in refused.text
    assert "Ce SIREN n’existe pas" in refused.text
    assert "Acceptez les conditions" in refused.text


def test_a_student_reads_that_a_number_is_taken_but_not_by_whom(client_for: ClientFor) -> None:
    offer = shop.signals_offer()
    shop.submitted(factories.student(last_name="Autrui"), offer, "AB1234")
    user = factories.student()
    payment = purchases.declare(user, offer.slug)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)

    refused = client_for(user).post(f"/espace/commandes/{payment.id}/transaction", data={"transaction_id": "ab-1234"})

    assert refused.status_code == 422
    assert "déjà attribué à un autre paiement" in refused.text
    assert "ab-1234" in refused.text
    assert "Autrui" not in refused.text


def test_an_agent_reads_whose_number_it_is(client_for: ClientFor) -> None:
    offer = shop.signals_offer()
    first = shop.submitted(factories.student(), offer, "AB1234")
    purchases.validate_payment(first.id, "AB1234", by=factories.agent())
    second = shop.submitted(factories.student(), offer, "CD5678")

    refused = client_for(factories.agent()).post(
        f"/admin/paiements/{second.id}/validation", data={"transaction_id": "ab 1234"}
    )

    assert refused.status_code == 409
    assert f"/admin/paiements/{first.id}" in refused.text
    db.session.expire_all()
    assert second.status is PaymentStatus.TRANSACTION_SUBMITTED


def test_an_almost_equal_number_is_shown_beside(client_for: ClientFor) -> None:
    offer = shop.signals_offer()
    shop.submitted(factories.student(), offer, "VIR20261124001")
    payment = shop.submitted(factories.student(), offer, "XIR20261124001")

    agent = client_for(factories.agent())

    assert "VIR20261124001" in agent.get(f"/admin/paiements/{payment.id}").text
    assert "numéro voisin" in agent.get("/admin/paiements").text


def test_the_queue_is_filtered_by_kind_and_by_what_is_late(client_for: ClientFor) -> None:
    shop.submitted(factories.student(last_name="Signaux"), shop.signals_offer(), "AB1234")
    course = shop.formation_offer(instalments=2)
    bought = purchases.declare(factories.student(), course.slug)
    given = purchases.Identity(**shop.IDENTITY_GIVEN.__dict__ | {"last_name": "Tardif", "instalments": 2})
    purchases.confirm_identity(bought, given)
    purchases.validate_payment(bought.id, "CD5678", by=factories.agent())
    late = db.session.scalars(select(Payment).where(Payment.instalment == 2)).one()
    late.due_on = date(2026, 1, 1)
    agent = client_for(factories.agent())

    assert "AB1234" in agent.get("/admin/paiements?type=signals").text
    assert "AB1234" not in agent.get("/admin/paiements?type=formation").text
    page = agent.get("/admin/paiements?etat=tous&retard=1").text
    assert f"/admin/paiements/{late.id}" in page
    assert f'/admin/paiements/{bought.id}"' not in page


def test_the_history_is_filtered_by_state_and_year(client_for: ClientFor) -> None:
    user = factories.student()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    client = client_for(user)
    link = f"/espace/paiements/{payment.id}"

    assert link in client.get("/espace/paiements?etat=transaction_submitted").text
    assert "Nous cherchons votre virement" in client.get("/espace/paiements").text
    none = client.get("/espace/paiements?etat=refunded").text
    assert link not in none
    assert "Aucun paiement ne correspond" in none
    assert link not in client.get("/espace/paiements?annee=2001").text


def test_each_change_is_told_once(client_for: ClientFor) -> None:
    user = factories.student()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    purchases.reject_payment(payment.id, "Montant reçu\u00a0: 49,00 €.", by=factories.agent())
    purchases.submit_transaction(payment, "CD5678")
    invoice = purchases.validate_payment(payment.id, "CD5678", by=factories.agent())
    credit_notes.credit_whole(invoice.number, "Geste", by=factories.agent())

    titles = list(db.session.scalars(select(UserNotification.title).order_by(UserNotification.id)))

    assert [title.split("\u00a0: ")[0] for title in titles[:4]] == [
        "Numéro de transaction reçu",
        "Paiement à revoir",
        "Numéro de transaction reçu",
        "Paiement validé",
    ]
    assert titles[4].startswith("Remboursement")


def test_another_persons_pages_are_not_found(client_for: ClientFor) -> None:
    invoice = invoice_of()
    stranger = client_for(factories.student())

    for path in (
        f"/espace/factures/{invoice.number}.pdf",
        f"/espace/paiements/{invoice.payment_id}",
        f"/espace/commandes/{invoice.payment_id}",
    ):
        assert stranger.get(path).status_code == 404
    assert stranger.get("/admin/paiements").status_code == 403
    assert client_for(factories.agent()).get(f"/admin/factures/{invoice.number}.pdf").status_code == 200


def test_a_refused_payment_tells_why_and_can_be_answered(client_for: ClientFor) -> None:
    user = factories.student()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    agent, student = client_for(factories.agent()), client_for(user)

    agent.post(f"/admin/paiements/{payment.id}/rejet", data={"reason": "Montant reçu\u00a0: 49,00 €."})
    assert "Montant reçu" in student.get(f"/espace/paiements/{payment.id}").text
    answer = {"transaction_id": "CD5678", "answer": "Le reste est parti ce matin."}
    student.post(f"/espace/commandes/{payment.id}/transaction", data=answer)
    assert "Le reste est parti ce matin." in agent.get(f"/admin/paiements/{payment.id}").text

    db.session.expire_all()
    assert payment.status is PaymentStatus.TRANSACTION_SUBMITTED


def test_an_abandoned_purchase_shows_its_payment(client_for: ClientFor) -> None:
    user = factories.student()
    payment = purchases.declare(user, shop.signals_offer().slug)
    client = client_for(user)

    for _click in range(2):
        assert client.post(f"/espace/commandes/{payment.id}/abandon").status_code == 302

    shown = client.get(f"/espace/commandes/{payment.id}")
    assert shown.headers["Location"].endswith(f"/espace/paiements/{payment.id}")


def test_the_pdf_is_made_once_and_mailed_once(site: Flask) -> None:
    invoice = invoice_of()
    before = db.session.get_one(InvoiceDocument, invoice.id).sha256

    render_invoice({"invoice_id": invoice.id})

    assert db.session.get_one(InvoiceDocument, invoice.id).sha256 == before
    assert db.session.scalar(select(func.count()).where(Delivery.kind == "billing.invoice_issued")) == 1


def test_a_credit_note_by_page(client_for: ClientFor) -> None:
    invoice = invoice_of()
    agent, student = client_for(factories.agent()), client_for(invoice.user)

    assert agent.post(f"/admin/paiements/{invoice.payment_id}/avoir", data={"reason": ""}).status_code == 422
    agent.post(f"/admin/paiements/{invoice.payment_id}/avoir", data={"reason": "Rétractation"})
    credit = db.session.scalars(select(Invoice).where(Invoice.corrects_id == invoice.id)).one()
    render_invoice({"invoice_id": credit.id})

    page = student.get(f"/espace/paiements/{invoice.payment_id}").text
    for document in (invoice, credit):
        assert f'<span class="nowrap">{document.number}</span></span>' in page, "a number is not broken at its hyphens"
    assert student.get(f"/espace/factures/{credit.number}.pdf").data.startswith(b"%PDF")


def test_an_admin_creates_and_archives_an_offer(client_for: ClientFor, visitor: FlaskClient) -> None:
    client = client_for(factories.admin())
    form = {
        "kind": "signals",
        "formation_id": "0",
        "name": "Signaux été 90 jours",
        "duration_days": "90",
        "price": "129.90",
        "vat_regime": "standard",
        "vat_rate": "20",
        "status": "published",
    }

    refused = client.post("/admin/offres/nouvelle", data=form | {"duration_days": ""})
    window = {"valid_from": "2027-02-01", "valid_until": "2027-01-01"}
    backwards = client.post("/admin/offres/nouvelle", data=form | window).get_data(as_text=True)
    assert refused.status_code == 422
    assert "Donnez la durée" in refused.text
    assert "La vente se termine avant de commencer." in backwards
    assert client.post("/admin/offres/nouvelle", data=form).status_code == 302

    offer = db.session.scalars(select(Offer)).one()
    assert (offer.slug, offer.kind, offer.price_cents) == ("signaux-ete-90-jours", OfferKind.SIGNALS, 12990)
    client.post(f"/admin/offres/{offer.id}", data=form | {"status": "archived"})
    assert visitor.get("/api/v1/offers").get_json()["items"] == []


def test_each_saved_identity_is_a_new_version(client_for: ClientFor) -> None:
    client = client_for(factories.admin())
    form = {name: value for name, value in shop.IDENTITY.items() if name != "siren"}

    assert client.get("/admin/identite").status_code == 200
    refused = client.post("/admin/identite", data=form | {"iban": "FR00"})
    assert refused.status_code == 422
    assert client.post("/admin/identite", data=form | {"city": "Lyon"}).status_code == 302

    versions = db.session.scalars(select(InvoiceTemplate).order_by(InvoiceTemplate.version)).all()
    assert [(row.version, row.city, row.is_active) for row in versions] == [(1, "Paris", False), (2, "Lyon", True)]


@pytest.mark.parametrize(
    "path", ["/admin/paiements?etat=tous&q=a%25b", "/admin/factures?q=CT", "/admin/offres", "/admin/offres/nouvelle"]
)
def test_the_staffs_lists_open(client_for: ClientFor, path: str) -> None:
    invoice_of()

    assert client_for(factories.admin()).get(path).status_code == 200


def test_lists_open_when_nothing_is_there(client_for: ClientFor) -> None:
    student, admin = client_for(factories.student()), client_for(factories.admin())

    assert "Aucun paiement" in student.get("/espace/paiements").text
    assert "Rien à valider" in admin.get("/admin/paiements").text
    assert "Aucune facture" in admin.get("/admin/factures").text


def test_the_clocks_job_runs_twice_without_harm(site: Flask) -> None:
    invoice_of()

    end_subscriptions()
    end_subscriptions()
