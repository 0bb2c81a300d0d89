"""Withdrawal by consumers: declared in two steps, acknowledged at once by mail, refunded and credited by the staff.

It counts from the instant of the declaration. Access closes with it. Without logging in, a declaration is kept and
acknowledged all the same; a person of the staff finds its contract before anything is closed.
"""

from datetime import datetime, timedelta

from flask_babel import format_datetime
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from calmness import clock
from calmness.banking import plain
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.billing import Invoice, Payment, PaymentEvent, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.sale import Withdrawal, WithdrawalState
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.presentation import money
from calmness.services import audit, delivery, live
from calmness.services.account import names
from calmness.services.billing import credit_notes, invoice_lines, purchases, supplied, withdrawal_period

REFUND_DAYS = 14
"""Paid back at the latest, by the same means (C. conso. L221-24)."""
RECEIPT = "billing.withdrawal_receipt"
IN_FORCE = (WithdrawalState.DECLARED, WithdrawalState.REFUNDED, WithdrawalState.NOTHING_DUE)


class NoWithdrawal(Conflict):
    """The contract gives no right to withdraw, or no longer."""

    slug = "no-withdrawal"
    message = _l(
        "Le délai de rétractation de ce contrat est passé, ou le service a été entièrement fourni à votre demande. "
        "Écrivez-nous si vous pensez que c’est une erreur."
    )


class AlreadySettled(Conflict):
    """Somebody has settled this withdrawal."""

    slug = "withdrawal-settled"
    message = _l("Cette rétractation est déjà traitée.")


def contract_of(payment: Payment) -> Payment:
    """The payment that stands for the contract: the first one of instalments."""
    return db.session.get_one(Payment, payment.first_id) if payment.first_id else payment


def is_open(payment: Payment, at: datetime | None = None) -> bool:
    """Whether the button is shown. Businesses have no such right; who has not paid yet always has it."""
    now = at or clock.now()
    contract = contract_of(payment)
    if contract.terms_accepted_at is None or contract.user.siren or of_payment(contract.id) is not None:
        return False
    if contract.status in purchases.OPEN:
        return True
    if contract.status is not PaymentStatus.VALIDATED or contract.validated_at is None:
        return False
    until = contract.withdrawal_until or withdrawal_period.period_end(contract.validated_at)
    return now < until and not _wholly_supplied(contract, now)


def of_payment(payment_id: int) -> Withdrawal | None:
    """The withdrawal from a contract."""
    return db.session.scalar(
        select(Withdrawal).where(Withdrawal.payment_id == payment_id, Withdrawal.state.in_(IN_FORCE))
    )


def open_contracts(user_id: int) -> list[Payment]:
    """Own contracts from which one may withdraw now."""
    mine = db.session.scalars(
        select(Payment)
        .where(Payment.user_id == user_id, Payment.first_id.is_(None), Payment.terms_accepted_at.is_not(None))
        .order_by(Payment.id.desc())
    )
    return [payment for payment in mine if is_open(payment)]


def declare(payment: Payment, *, by: User, at: datetime | None = None) -> Withdrawal:
    """Withdraw from one's own contract. Asked twice, it gives the first declaration. Raises ``NoWithdrawal``."""
    now = at or clock.now()
    contract = purchases.locked(contract_of(payment).id)
    existing = of_payment(contract.id)
    if existing is not None:
        return existing
    if not is_open(contract, now):
        raise NoWithdrawal
    declared = _written(by.full_name, by.email, contract.reference, contract.label, now)
    declared.user_id = by.id
    _take_effect(declared, contract, by, now)
    _acknowledge(declared)
    return declared


def declare_outside(name: str, email: str, reference: str, at: datetime | None = None) -> Withdrawal:
    """A declaration without logging in. It counts from now; the staff finds the contract."""
    now = at or clock.now()
    name, email, reference = " ".join(name.split())[:200], email.strip()[:320], reference.strip()[:80]
    twin = db.session.scalar(
        select(Withdrawal).where(
            Withdrawal.email == email,
            Withdrawal.reference == reference,
            Withdrawal.state == WithdrawalState.TO_CHECK,
            Withdrawal.at > now - timedelta(days=1),
        )
    )
    if twin is not None:
        return twin
    declared = _written(name, email, reference, reference, now)
    declared.state = WithdrawalState.TO_CHECK
    db.session.add(declared)
    db.session.flush()
    _acknowledge(declared)
    live.emit_after_commit("payment:updated", {"id": 0}, room="agents")
    return declared


def candidates(declared: Withdrawal) -> list[Payment]:
    """Contracts that a declaration made without logging in may mean: by reference, or by the person's address."""
    key = names.email_key(declared.email)
    reference = plain(declared.reference)
    rows = db.session.scalars(
        select(Payment)
        .join(User, User.id == Payment.user_id)
        .where(
            (Payment.reference == reference) | (User.email_key == key),
            Payment.first_id.is_(None),
            Payment.terms_accepted_at.is_not(None),
        )
        .options(joinedload(Payment.user))
        .order_by(Payment.id.desc())
        .limit(10)
    )
    return [payment for payment in rows if is_open(payment, declared.at)]


def accept(withdrawal_id: int, payment_id: int, *, by: User) -> Withdrawal:
    """Say which contract a declaration means: it takes effect from the instant when it was made."""
    declared = _locked(withdrawal_id)
    if declared.state is not WithdrawalState.TO_CHECK:
        raise AlreadySettled
    contract = purchases.locked(payment_id)
    if of_payment(contract.id) is not None or not is_open(contract, declared.at):
        raise NoWithdrawal
    declared.user_id = contract.user_id
    _take_effect(declared, contract, by, declared.at)
    audit.record("withdrawal.accepted", "withdrawal", declared.id, actor=by, changes=("state",))
    return declared


def refuse(withdrawal_id: int, reason: str, *, by: User) -> Withdrawal:
    """Refuse a declaration that means no contract, with a reason that is kept."""
    declared = _locked(withdrawal_id)
    if declared.state is not WithdrawalState.TO_CHECK:
        raise AlreadySettled
    note = " ".join(reason.split())[:500]
    if not note:
        raise DomainError(_l("Dites pourquoi la déclaration est refusée."), field="reason")
    declared.note = note
    _settle(declared, WithdrawalState.REFUSED, by)
    return declared


def refund(withdrawal_id: int, reference: str, *, by: User, at: datetime | None = None) -> Withdrawal:
    """Record the transfer back: each invoice of the contract gets its credit note. Raises ``AlreadySettled``.

    What was given at the person's express demand before the withdrawal stays paid (C. conso. L221-25): an invoice is
    then credited for the rest alone. A refund after the end of a period is a credit note of the open one.
    """
    now = at or clock.now()
    declared = _locked(withdrawal_id)
    if declared.state is not WithdrawalState.DECLARED or declared.payment is None:
        raise AlreadySettled
    number = reference.strip()[:80]
    if not number:
        raise DomainError(_l("Entrez la référence du virement de remboursement."), field="refund_reference")
    reason = f"Rétractation du {format_datetime(declared.at.astimezone(clock.PARIS), 'dd/MM/yyyy')}"
    paid = _paid(declared.payment)
    kept = supplied.kept_cents(declared.payment, paid, declared.at)
    # The last one first: a final invoice is credited before the deposit that it takes off.
    for payment in reversed(paid):
        if payment.invoice is not None:
            _credit_rest(payment.invoice, kept[payment.id], reason, by, now)
    declared.refund_reference = number
    _settle(declared, WithdrawalState.REFUNDED, by)
    return declared


def close_without_refund(withdrawal_id: int, *, by: User) -> Withdrawal:
    """No money had come: nothing is paid back."""
    declared = _locked(withdrawal_id)
    if declared.state is not WithdrawalState.DECLARED:
        raise AlreadySettled
    if declared.payment is not None and any(
        payment.status is PaymentStatus.VALIDATED for payment in _parts(declared.payment)
    ):
        raise Conflict(_l("Ce contrat a été payé\u00a0: remboursez-le."))
    _settle(declared, WithdrawalState.NOTHING_DUE, by)
    return declared


def waiting() -> list[Withdrawal]:
    """Those that the staff has to settle, nearest term first, then the last ones settled."""
    rows = db.session.scalars(
        select(Withdrawal)
        .options(joinedload(Withdrawal.payment).joinedload(Payment.user))
        .order_by(Withdrawal.settled_at.is_not(None), Withdrawal.refund_due_on, Withdrawal.id.desc())
        .limit(200)
    )
    return list(rows)


def waiting_count() -> int:
    """How many wait for the staff."""
    states = (WithdrawalState.TO_CHECK, WithdrawalState.DECLARED)
    return db.session.scalar(select(func.count()).select_from(Withdrawal).where(Withdrawal.state.in_(states))) or 0


def get(withdrawal_id: int) -> Withdrawal:
    """A withdrawal. Raises ``NotFound``."""
    found = db.session.get(Withdrawal, withdrawal_id)
    if found is None:
        raise NotFound
    return found


def _written(name: str, email: str, reference: str, label: str, at: datetime) -> Withdrawal:
    moment = format_datetime(at.astimezone(clock.PARIS), "d MMMM y 'à' HH:mm:ss", rebase=False)
    return Withdrawal(
        name=name,
        email=email,
        reference=reference,
        statement=(
            f"Je soussigné(e) {name} ({email}) notifie par la présente ma rétractation du contrat "
            f"«\u00a0{label}\u00a0», référence {reference}. Déclaration reçue le {moment} (heure de Paris)."
        ),
        at=at,
    )


def _take_effect(declared: Withdrawal, contract: Payment, by: User, at: datetime) -> None:
    now = clock.now()
    parts = _parts(contract)
    paid = _paid(contract)
    may_have_paid = [payment for payment in parts if payment.status is PaymentStatus.TRANSACTION_SUBMITTED]
    declared.payment_id = contract.id
    declared.refund_cents = sum(payment.amount_cents for payment in (*paid, *may_have_paid))
    declared.keep_cents = sum(supplied.kept_cents(contract, paid, at).values())
    declared.state = WithdrawalState.DECLARED if declared.refund_cents else WithdrawalState.NOTHING_DUE
    declared.refund_due_on = (at.astimezone(clock.PARIS) + timedelta(days=REFUND_DAYS)).date()
    db.session.add(declared)
    for payment in parts:
        if payment.status in purchases.OPEN:
            purchases.cancel(payment, by=by)
        db.session.add(
            PaymentEvent(
                payment_id=payment.id, status=payment.status, at=now, by_id=by.id, reason="Rétractation déclarée"
            )
        )
    ids = [payment.id for payment in parts]
    db.session.execute(
        update(Subscription)
        .where(Subscription.payment_id.in_(ids), Subscription.status == SubscriptionStatus.ACTIVE)
        .values(status=SubscriptionStatus.CANCELLED)
    )
    db.session.execute(
        update(UserFormationEnrollment)
        .where(
            UserFormationEnrollment.payment_id.in_(ids),
            UserFormationEnrollment.status.in_((EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)),
        )
        .values(status=EnrollmentStatus.CANCELLED, ended_at=now)
    )
    db.session.flush()
    audit.record("withdrawal.declared", "payment", contract.id, actor=by, changes=("access",))
    for room in (f"user:{contract.user_id}", "agents"):
        live.emit_after_commit("payment:updated", {"id": contract.id}, room=room)


def _acknowledge(declared: Withdrawal) -> None:
    delivery.deliver(
        RECEIPT,
        f"withdrawal:{declared.id}",
        channel=Channel.EMAIL,
        user_id=declared.user_id,
        address=declared.email,
        params={"withdrawal_id": declared.id},
    )


def owed(declared: Withdrawal) -> int:
    """Cents to give back."""
    return declared.refund_cents - declared.keep_cents


def receipt_lines(declared: Withdrawal) -> list[str]:
    """What the receipt says: the declaration itself, its instant, and what follows."""
    follows = {
        WithdrawalState.TO_CHECK: "Nous retrouvons votre contrat et revenons vers vous sans délai.",
        WithdrawalState.NOTHING_DUE: "Aucun paiement n’a été reçu\u00a0: rien ne vous est dû et rien n’est à payer.",
    }.get(
        declared.state,
        f"Le remboursement se fait par virement au plus tard le {declared.refund_due_on:%d/%m/%Y}."
        if declared.refund_due_on
        else "",
    )
    amount = f"Montant concerné\u00a0: {money(declared.refund_cents)}." if declared.refund_cents else ""
    if declared.keep_cents:
        amount += (
            f" Le service avait commencé à votre demande\u00a0: sa part fournie, {money(declared.keep_cents)}, "
            f"reste due (art. L221-25 du code de la consommation). À vous rendre\u00a0: {money(owed(declared))}."
        )
    opening = "Nous accusons réception de votre rétractation, dont voici le contenu\u00a0:"
    keep = "Conservez ce message\u00a0: il fait foi de la date et de l’heure de votre déclaration."
    return [line for line in (opening, declared.statement, amount, follows, keep) if line]


def _parts(contract: Payment) -> list[Payment]:
    rows = db.session.scalars(
        select(Payment)
        .where((Payment.id == contract.id) | (Payment.first_id == contract.id))
        .order_by(Payment.instalment)
    )
    return list(rows)


def _paid(contract: Payment) -> list[Payment]:
    return [payment for payment in _parts(contract) if payment.status is PaymentStatus.VALIDATED]


def _wholly_supplied(contract: Payment, at: datetime) -> bool:
    """A service given whole at the person's own demand leaves no right (C. conso. L221-28, 1°)."""
    return supplied.share(contract, at) == supplied.ALL


def _credit_rest(invoice: Invoice, kept_cents: int, reason: str, by: User, at: datetime) -> None:
    """Credit what is left of an invoice but the part that was given, taken off its first lines."""
    cents = {position: incl for position, (incl, _excl) in invoice_lines.left_by_line(invoice).items()}
    left = sum(cents.values())
    if not kept_cents:
        credit_notes.credit_whole(invoice.number, reason, by=by, at=at)
        return
    # What earlier credit notes gave back is not given back again. Lines below 0, of a deposit, are never alone.
    back = left - min(kept_cents, left)
    parts = {}
    for position in sorted(cents, reverse=True):
        parts[position] = min(back, max(cents[position], 0))
        back -= parts[position]
    if any(parts.values()):
        text = f"{reason}, prestation fournie à la demande du client déduite (C. conso. L221-25)"
        credit_notes.credit(invoice.number, parts, text, by=by, at=at)


def _locked(withdrawal_id: int) -> Withdrawal:
    found = db.session.scalar(
        select(Withdrawal)
        .where(Withdrawal.id == withdrawal_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound
    return found


def _settle(declared: Withdrawal, state: WithdrawalState, by: User) -> None:
    declared.state, declared.settled_at, declared.settled_by_id = state, clock.now(), by.id
    db.session.flush()
    audit.record(f"withdrawal.{state.value}", "withdrawal", declared.id, actor=by, changes=("state",))
