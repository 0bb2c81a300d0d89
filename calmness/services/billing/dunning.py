"""Reminders of what is unpaid: after 3, 7 and 14 days, once each, in daytime; then the order ends and frees its place.

Each step is a row before its message leaves. After downtime only the last step due is told, and nothing ends before
its last warning is a week old. A purchase that was paid, answered or given up is left alone.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from flask_babel import force_locale, format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from calmness import clock
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.dialect import insert_once
from calmness.models.sale import PaymentReminder
from calmness.presentation import money
from calmness.services import notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import instalments, purchases

STEPS = (3, 7, 14)
GRACE_DAYS = 7
"""Between the last reminder and the end."""
FORGOTTEN_DAYS = 30
"""After which an order whose conditions were never accepted ends without a word: nothing was owed."""
DAYTIME = range(9, 19)
"""Hours of Paris in which reminders leave."""


def run(at: datetime | None = None) -> int:
    """Tell what is due and end what nobody paid. Gives how many reminders left. Harmless to repeat."""
    now = at or clock.now()
    if now.astimezone(clock.PARIS).hour not in DAYTIME:
        return 0
    today = now.astimezone(clock.PARIS).date()
    for forgotten in _unpaid(now - timedelta(days=FORGOTTEN_DAYS), agreed=False):
        purchases.cancel(forgotten, reason="Commande restée sans suite")
    return sum(_look_at(payment, today, now) for payment in _unpaid(now - timedelta(days=STEPS[0]), agreed=True))


def steps_told(payment_id: int) -> list[PaymentReminder]:
    """Reminders of a payment that left, in order."""
    rows = db.session.scalars(
        select(PaymentReminder).where(PaymentReminder.payment_id == payment_id).order_by(PaymentReminder.step_days)
    )
    return list(rows)


def _unpaid(before: datetime, *, agreed: bool) -> list[Payment]:
    accepted = Payment.terms_accepted_at.is_not(None) if agreed else Payment.terms_accepted_at.is_(None)
    rows = db.session.scalars(
        select(Payment)
        .where(Payment.status == PaymentStatus.DECLARED, Payment.created_at <= before, accepted)
        .options(joinedload(Payment.user))
        .order_by(Payment.id)
    )
    return list(rows)


def _look_at(payment: Payment, today: date, now: datetime) -> bool:
    first = db.session.get(Payment, payment.first_id) if payment.first_id else None
    if first is not None and first.status is PaymentStatus.REFUNDED:
        # The contract was paid back: its other parts are not owed any more.
        purchases.cancel(payment, reason="Contrat remboursé")
        return False
    since = payment.due_on or payment.created_at.astimezone(clock.PARIS).date()
    days = (today - since).days
    due = [step for step in STEPS if step <= days]
    if not due:
        return False
    told = steps_told(payment.id)
    if told and told[-1].step_days == STEPS[-1]:
        if now - told[-1].at >= timedelta(days=GRACE_DAYS):
            _end(payment)
        return False
    rows = [{"payment_id": payment.id, "step_days": step, "at": now} for step in due]
    known = {row.step_days for row in told}
    if due[-1] in known or insert_once(db.session(), PaymentReminder, rows) == 0:
        return False
    _tell(payment, due[-1], today)
    return True


def _end(payment: Payment) -> None:
    if payment.first_id is None:
        purchases.cancel(payment, reason="Aucun virement reçu")
        _notify(
            payment,
            "unpaid-cancelled",
            lambda: _("Commande annulée\u00a0: %(label)s", label=payment.label),
            lambda: _("Nous n’avons pas reçu de virement. Rien n’est dû, et vous pouvez recommencer."),
        )
    elif instalments.suspend(payment):
        _notify(
            payment,
            "unpaid-suspended",
            lambda: _("Accès suspendu\u00a0: %(label)s", label=payment.label),
            lambda: _("Cette échéance n’est pas réglée. L’accès revient dès que le virement est validé."),
        )


def _tell(payment: Payment, step: int, today: date) -> None:
    def body() -> str:
        text: str = _("Nous n’avons pas encore vu votre virement de %(amount)s.", amount=money(payment.amount_cents))
        if step == STEPS[-1]:
            day = format_date(today + timedelta(days=GRACE_DAYS), "d MMMM")
            last = (
                _("Sans virement d’ici le %(day)s, la commande est annulée.", day=day)
                if payment.first_id is None
                else _("Sans virement d’ici le %(day)s, l’accès est suspendu.", day=day)
            )
            return f"{text} {last}"
        return f"{text} {_('S’il est parti, donnez-nous son numéro de transaction.')}"

    _notify(payment, f"reminder:{step}", lambda: _("À régler\u00a0: %(label)s", label=payment.label), body)


def _notify(payment: Payment, event: str, title: Callable[[], str], body: Callable[[], str]) -> None:
    with force_locale(payment.user.locale):
        notifications.notify(
            payment.user_id,
            NoticeKind.PAYMENT,
            f"payment:{payment.id}:{event}",
            title=title(),
            body=body(),
            url=f"/espace/paiements/{payment.id}",
        )
