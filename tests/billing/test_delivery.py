"""From the commit to the letter box: the PDF is made once and mailed once, whatever happens in between."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.billing import render_invoice
from calmness.jobs.drain import drain_everything
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.delivery import Delivery
from calmness.services.billing import credit_notes, purchases
from tests import factories
from tests.billing import shop
from tests.billing.test_api import ApiFor, api_for
from tests.fixtures.servers import Mailbox

__all__ = ["api_for"]

ClientFor = Callable[[User], FlaskClient]


def issued() -> Invoice:
    """An invoice whose transaction is committed, with nothing else done."""
    shop.identity()
    payment = shop.submitted(factories.student(email="Elodie.ND@Example.test"), shop.signals_offer(), "AB1234")
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    return invoice


def last_text(mailbox: Mailbox) -> str:
    """What the last mail says."""
    body = mailbox.to("Elodie.ND@Example.test")[-1].get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def test_the_invoice_arrives_with_its_pdf(site: Flask, mailbox: Mailbox) -> None:
    invoice = issued()

    drain_everything()
    drain_everything()

    (mail,) = mailbox.to("Elodie.ND@Example.test")
    assert mail["Subject"] == f"Votre facture {invoice.number}"
    (attached,) = mail.iter_attachments()
    content = attached.get_content()
    assert attached.get_filename() == f"{invoice.number}.pdf"
    document = db.session.get_one(InvoiceDocument, invoice.id)
    assert hashlib.sha256(content).hexdigest() == document.sha256
    assert store().get(document.file_key) == content


def test_a_crash_between_the_file_and_its_row_gives_the_same_bytes(site: Flask, mailbox: Mailbox) -> None:
    invoice = issued()
    store().put(f"invoices/{invoice.number}.pdf", b"left by a process that died")

    render_invoice({"invoice_id": invoice.id})
    drain_everything()

    (mail,) = mailbox.to("Elodie.ND@Example.test")
    (attached,) = mail.iter_attachments()
    assert attached.get_content().startswith(b"%PDF")
    assert db.session.scalar(select(func.count()).select_from(InvoiceDocument)) == 1


def test_the_credit_note_arrives_too(site: Flask, mailbox: Mailbox) -> None:
    invoice = issued()
    drain_everything()
    credit = credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
    db.session.commit()

    drain_everything()

    subjects = [mail["Subject"] for mail in mailbox.to("Elodie.ND@Example.test")]
    assert f"Votre avoir {credit.number}" in subjects
    assert db.session.scalar(select(func.count()).where(Delivery.kind == "billing.invoice_issued")) == 2


def test_a_part_given_back_does_not_say_that_the_access_is_closed(site: Flask, mailbox: Mailbox) -> None:
    invoice = issued()
    credit_notes.credit(invoice.number, {1: 1000}, "Geste commercial", by=factories.agent())
    db.session.commit()
    drain_everything()
    part = last_text(mailbox)

    credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
    db.session.commit()
    drain_everything()
    whole = last_text(mailbox)

    assert "10,00" in part
    assert "fermé" not in part
    assert "l’accès correspondant est fermé" in whole


def test_the_staff_sends_a_document_again_with_the_same_bytes(
    site: Flask, mailbox: Mailbox, client_for: ClientFor
) -> None:
    invoice = issued()
    agent = client_for(factories.agent())
    early = agent.post(f"/admin/factures/{invoice.number}/envoi", follow_redirects=True).text
    drain_everything()
    invoice.user.email, invoice.user.email_key = "nouvelle@example.test", "nouvelle@example.test"
    db.session.commit()

    for _click in range(2):
        page = agent.post(f"/admin/factures/{invoice.number}/envoi", follow_redirects=True).text
    drain_everything()

    assert "Le PDF se prépare" in early
    assert "vient d’être envoyé" in page, "a double click is one wish"
    (again,) = mailbox.to("nouvelle@example.test")
    (attached,) = again.iter_attachments()
    document = db.session.get_one(InvoiceDocument, invoice.id)
    assert hashlib.sha256(attached.get_content()).hexdigest() == document.sha256
    assert len(mailbox.to("Elodie.ND@Example.test")) == 1
    shown = agent.get(f"/admin/paiements/{invoice.payment_id}").text
    assert "Renvoyer par e-mail" in shown
    assert shown.count("(parti)") == 2
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        agent.post(f"/admin/factures/{invoice.number}/envoi")
        drain_everything()
    assert len(mailbox.to("nouvelle@example.test")) == 2
    acts = select(AuditEntry.action).where(AuditEntry.action == "invoice.sent_again")
    assert len(db.session.scalars(acts).all()) == 2


def test_a_student_sends_nothing_from_the_staffs_pages(site: Flask, client_for: ClientFor) -> None:
    invoice = issued()

    answer = client_for(invoice.user).post(f"/admin/factures/{invoice.number}/envoi")

    assert answer.status_code in {403, 404}


def test_a_document_is_sent_again_by_program(site: Flask, mailbox: Mailbox, api_for: ApiFor) -> None:
    invoice = issued()
    call, place = api_for(factories.agent()), f"/admin/invoices/{invoice.number}/mails"
    early = call("POST", place)
    drain_everything()

    first, again = call("POST", place), call("POST", place)
    drain_everything()

    assert (early.status_code, early.get_json()["type"]) == (409, "/problems/not-rendered-yet")
    assert (first.status_code, first.get_json()["number"]) == (202, invoice.number)
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/sent-just-now")
    assert len(mailbox.to("Elodie.ND@Example.test")) == 2
    assert api_for(invoice.user)("POST", place).status_code == 403
