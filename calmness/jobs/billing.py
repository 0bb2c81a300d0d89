"""Work of the billing: the PDF of an invoice, rendered once, then mailed; the end of subscriptions."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.handlers import periodic, task
from calmness.jobs.invoice_view import document_properties, invoice_page, invoice_view
from calmness.jobs.platform import port_of
from calmness.models.account import Channel
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceKind
from calmness.models.dialect import insert_once
from calmness.pdf.invoice import Properties
from calmness.services import delivery, live, notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import (
    closings,
    dunning,
    invoice_terms,
    mentions,
    platform,
    reminder_alarm,
    subscriptions,
)


@task("billing.render_invoice")
def render_invoice(payload: dict[str, Any]) -> None:
    """Render and store the PDF, then write the mail and the notice. Run twice, it changes nothing."""
    invoice = db.session.get_one(Invoice, payload["invoice_id"])
    if db.session.get(InvoiceDocument, invoice.id) is None:
        page = invoice_page(invoice_view(invoice))
        data, properties = invoice_terms.terms(invoice, invoice.corrects), document_properties(invoice)
        french = invoice_terms.is_between_french_businesses(invoice)
        # No transaction is open while the PDF is made: it takes a tenth of a second and more.
        db.session.commit()
        content = _document(page, data, properties, french=french)
        key = f"invoices/{invoice.number}.pdf"
        digest = store().put(key, content)
        row = {
            "invoice_id": invoice.id,
            "file_key": key,
            "sha256": digest,
            "size_bytes": len(content),
            "rendered_at": clock.now(),
        }
        insert_once(db.session(), InvoiceDocument, [row])
    if port_of() is not None and platform.plan_invoice(invoice):
        platform.enqueue_waiting()
    _announce(invoice)
    db.session.commit()


def _document(page: Callable[[int], str], data: Mapping[str, Any], properties: Properties, *, french: bool) -> bytes:
    # Slow to import, and the pages' processes register this work without ever doing it: the worker loads them itself.
    from calmness.pdf import facturx
    from calmness.pdf.render import draw

    xml = facturx.invoice_xml(data)
    facturx.require_valid(xml, french=french)
    with draw(page) as document:
        return facturx.with_invoice(document, xml, properties)


@periodic("billing.subscriptions", every_seconds=300)
def end_subscriptions() -> None:
    """Mark subscriptions that are over, and tell people whose last one ends soon."""
    subscriptions.end_due()
    subscriptions.remind_due()
    db.session.commit()


@periodic("billing.closings", every_seconds=3600)
def close_periods() -> None:
    """Close the days, months and years that are over."""
    closings.close_due()
    db.session.commit()


@periodic("billing.dunning", every_seconds=1800)
def remind_of_unpaid() -> None:
    """Remind of what is unpaid; end what stays so."""
    dunning.run()
    db.session.commit()


@periodic("billing.reminder_alarm", every_seconds=3600)
def raise_reminder_alarm() -> None:
    """Tell the admins when reminders were due and none left."""
    reminder_alarm.tell()
    db.session.commit()


@periodic("billing.mentions", every_seconds=86400)
def tell_of_ending_mentions() -> None:
    """Tell the admins when the law will soon take a wording of the invoices no more."""
    mentions.tell()
    db.session.commit()


def _announce(invoice: Invoice) -> None:
    delivery.deliver(
        "billing.invoice_issued",
        f"invoice-issued:{invoice.id}",
        channel=Channel.EMAIL,
        user_id=invoice.user_id,
        params={"invoice_id": invoice.id},
    )
    with force_locale(invoice.user.locale):
        credit = invoice.kind is InvoiceKind.CREDIT_NOTE
        notifications.notify(
            invoice.user_id,
            NoticeKind.INVOICE,
            f"invoice:{invoice.id}",
            title=_("Votre avoir %(number)s est disponible", number=invoice.number)
            if credit
            else _("Votre facture %(number)s est disponible", number=invoice.number),
            url=f"/espace/paiements/{invoice.payment_id}",
            message_kind=None,
        )
    # An open page of the payment shows the link to the PDF at once.
    for room in (f"user:{invoice.user_id}", "agents"):
        live.emit_after_commit("payment:updated", {"id": invoice.payment_id}, room=room)
