"""From the commit to the letter box: the PDF is made once and mailed once, whatever happens in between."""

import hashlib

from flask import Flask
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.files import store
from calmness.jobs.billing import render_invoice
from calmness.jobs.drain import drain_everything
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.delivery import Delivery
from calmness.services.billing import credit_notes, purchases
from tests import factories
from tests.billing import shop
from tests.fixtures.servers import Mailbox


def issued() -> Invoice:
    """An invoice whose transaction is committed, with nothing else done."""
    shop.identity()
    payment = shop.submitted(factories.student(email="Elodie.ND@Example.test"), shop.signals_offer(), "AB1234")
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    return invoice


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
