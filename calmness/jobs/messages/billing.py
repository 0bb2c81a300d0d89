"""Mails about invoices."""

from calmness.channels import Attachment, Message
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.handlers import composer
from calmness.jobs.messages.letter import letter
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.delivery import Delivery
from calmness.presentation import money


@composer("billing.invoice_issued")
def invoice_issued(delivery: Delivery) -> Message:
    """The invoice with its PDF."""
    invoice = db.session.get_one(Invoice, delivery.params["invoice_id"])
    document = db.session.get_one(InvoiceDocument, invoice.id)
    content = store().get(document.file_key)
    amount = money(invoice.total_incl_cents, invoice.currency)
    return letter(
        delivery,
        f"Votre facture {invoice.number}",
        [
            f"Votre paiement de {amount} est validé et votre accès est ouvert.",
            f"Vous trouverez la facture {invoice.number} en pièce jointe ; elle reste disponible dans votre espace.",
        ],
        path=f"/espace/paiements/{invoice.payment_id}",
        action="Voir le paiement",
        attachments=(Attachment(f"{invoice.number}.pdf", "application/pdf", content),),
    )
