"""Mails about invoices."""

from calmness.channels import Attachment, Message
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.handlers import composer
from calmness.jobs.messages.letter import letter
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceKind, PaymentStatus
from calmness.models.delivery import Delivery
from calmness.models.sale import Withdrawal
from calmness.presentation import money
from calmness.services.billing import withdrawals

_PAID = (
    "Votre paiement de {amount} est validé et votre accès est ouvert.",
    "Vous trouverez la facture {number} en pièce jointe\u202f; elle reste disponible dans votre espace.",
)
_PARTLY_CREDITED = (
    "Nous vous rendons {amount} par virement\u202f; votre achat et son accès restent ce qu’ils sont.",
    "Vous trouverez l’avoir {number} en pièce jointe\u202f; il reste disponible dans votre espace.",
)
_CREDITED = (
    "Votre achat est annulé\u00a0: nous vous remboursons {amount} par virement, et l’accès correspondant est fermé.",
    "Vous trouverez l’avoir {number} en pièce jointe\u202f; il reste disponible dans votre espace.",
)


@composer("billing.invoice_issued")
def invoice_issued(delivery: Delivery) -> Message:
    """An invoice or a credit note, with its PDF."""
    invoice = db.session.get_one(Invoice, delivery.params["invoice_id"])
    document = db.session.get_one(InvoiceDocument, invoice.id)
    content = store().get(document.file_key)
    amount = money(invoice.total_incl_cents, invoice.currency)
    credit = invoice.kind is InvoiceKind.CREDIT_NOTE
    if credit:
        ended = invoice.payment is None or invoice.payment.status is PaymentStatus.REFUNDED
        paragraphs = _CREDITED if ended else _PARTLY_CREDITED
    else:
        paragraphs = _PAID
    return letter(
        delivery,
        f"Votre {'avoir' if credit else 'facture'} {invoice.number}",
        [text.format(amount=amount, number=invoice.number) for text in paragraphs],
        path=f"/espace/paiements/{invoice.payment_id}",
        action="Voir le paiement",
        attachments=(Attachment(f"{invoice.number}.pdf", "application/pdf", content),),
    )


@composer(withdrawals.RECEIPT)
def withdrawal_receipt(delivery: Delivery) -> Message:
    """The acknowledgement of a withdrawal: its content, day and hour, on something that lasts."""
    declared = db.session.get_one(Withdrawal, delivery.params["withdrawal_id"])
    return letter(delivery, "Accusé de réception de votre rétractation", withdrawals.receipt_lines(declared))
