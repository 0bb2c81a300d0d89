"""What a person is told of a payment, at each change, once each."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _

from calmness.models.billing import Invoice, Payment
from calmness.presentation import money
from calmness.services import notifications
from calmness.services.account.preferences import NoticeKind


def validated(payment: Payment, invoice: Invoice) -> None:
    """Access is open; the mail is the invoice's."""
    with force_locale(payment.user.locale):
        _tell(
            payment,
            "validated",
            _("Paiement validé\u00a0: %(label)s", label=payment.label),
            _("Votre accès est ouvert. La facture %(number)s part par e-mail.", number=invoice.number),
            on_site=True,
        )


def rejected(payment: Payment, at: datetime) -> None:
    """The reason, word for word."""
    with force_locale(payment.user.locale):
        _tell(
            payment,
            f"rejected:{at:%Y%m%d%H%M%S%f}",
            _("Paiement à revoir\u00a0: %(label)s", label=payment.label),
            payment.rejection_reason,
        )


def submitted(payment: Payment, at: datetime) -> None:
    """The number is received; on the site only, the person has just given it."""
    with force_locale(payment.user.locale):
        _tell(
            payment,
            f"submitted:{at:%Y%m%d%H%M%S%f}",
            _("Numéro de transaction reçu\u00a0: %(label)s", label=payment.label),
            _("Nous cherchons votre virement de %(amount)s sur notre relevé.", amount=money(payment.amount_cents)),
            on_site=True,
        )


def cancelled(payment: Payment) -> None:
    """Given up, by the person or by the house."""
    with force_locale(payment.user.locale):
        _tell(
            payment,
            "cancelled",
            _("Commande annulée\u00a0: %(label)s", label=payment.label),
            _("Rien n’est dû. Vous pouvez recommencer quand vous voulez."),
            on_site=True,
        )


def _tell(payment: Payment, event: str, title: str, body: str, *, on_site: bool = False) -> None:
    notifications.notify(
        payment.user_id,
        NoticeKind.PAYMENT,
        f"payment:{payment.id}:{event}",
        title=title,
        body=body,
        url=f"/espace/paiements/{payment.id}",
        message_kind=None if on_site else notifications.GENERIC_MESSAGE,
    )
