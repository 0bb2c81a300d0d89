"""The mail of a document sent again: the same bytes, to the person's address of today."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from calmness import clock
from calmness.errors import Conflict
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.delivery import Delivery
from calmness.services import audit, delivery
from calmness.services.billing import invoicing

KIND = "billing.invoice_issued"
FIRST, AGAIN = "invoice-issued:{id}", "invoice-again:{id}:"


class NotRenderedYet(Conflict):
    """The document has no file yet: its first mail leaves by itself once it has."""

    slug = "not-rendered-yet"
    message = _l("Le PDF se prépare\u00a0: l’e-mail partira de lui-même dès qu’il sera là.")


class SentJustNow(Conflict):
    """It was sent within this minute: a second click is no second wish."""

    slug = "sent-just-now"
    message = _l("Ce document vient d’être envoyé\u00a0: patientez une minute avant de recommencer.")


def send_again(number: str, *, by: User, at: datetime | None = None) -> Invoice:
    """Mail a document once more. Raises ``NotFound``, ``NotRenderedYet``, ``SentJustNow``."""
    invoice = invoicing.by_number(number)
    if db.session.get(InvoiceDocument, invoice.id) is None:
        raise NotRenderedYet
    minute = (at or clock.now()).strftime("%Y%m%d%H%M")
    written = delivery.deliver(
        KIND,
        AGAIN.format(id=invoice.id) + minute,
        channel=Channel.EMAIL,
        user_id=invoice.user_id,
        params={"invoice_id": invoice.id},
    )
    if not written:
        raise SentJustNow
    audit.record("invoice.sent_again", "invoice", invoice.id, actor=by)
    return invoice


def mails_of(invoice: Invoice) -> list[Delivery]:
    """Mails of a document, oldest first, as long as messages are kept."""
    mine = (Delivery.key == FIRST.format(id=invoice.id)) | Delivery.key.startswith(AGAIN.format(id=invoice.id))
    return list(db.session.scalars(select(Delivery).where(Delivery.kind == KIND, mine).order_by(Delivery.id)))
