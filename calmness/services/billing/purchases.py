"""A purchase by bank transfer: declared, its transaction number given, validated by an agent.

Validation is one transaction: payment, right of access, numbered invoice, work to do. Asked twice, it gives the same
invoice; the database refuses a transaction number that another payment already has.
"""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Invoice, Payment, PaymentEvent, PaymentStatus
from calmness.models.catalogue import Offer, OfferKind
from calmness.pdf.epc import structured_reference
from calmness.services import audit, live
from calmness.services.account import accounts, names, profiles
from calmness.services.billing import (
    catalogue,
    instalments,
    invoicing,
    payment_notices,
    sale_terms,
    subscriptions,
    transactions,
    withdrawal_period,
)
from calmness.services.training import enrollments, reminders

OPEN = (PaymentStatus.DECLARED, PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.REJECTED)
FINAL = (PaymentStatus.VALIDATED, PaymentStatus.REFUNDED, PaymentStatus.CANCELLED)

# Built once: each step of a sale asks it.
_LOCKED = (
    select(Payment).where(Payment.id == bindparam("wanted")).with_for_update().execution_options(populate_existing=True)
)


class EmailNotVerified(DomainError):
    """Invoices go by mail: the address must be confirmed before anything is bought."""

    status = 403
    slug = "email-not-verified"
    message = _l("Confirmez d’abord votre adresse e-mail\u00a0: votre facture y sera envoyée.")


class AddressMissing(DomainError):
    """An invoice names its buyer with a whole address (CGI, annexe II, art. 242 nonies A, I-1°)."""

    slug = "address-missing"

    def __init__(self, field: str) -> None:
        message = _l("Donnez votre adresse complète (rue, code postal, ville)\u00a0: elle figure sur la facture.")
        super().__init__(message, field=field)


class TermsNotAccepted(DomainError):
    """The general conditions must be accepted before paying."""

    slug = "terms-not-accepted"
    field = "terms"
    message = _l("Acceptez les conditions générales de vente pour continuer.")


class PaymentClosed(Conflict):
    """The payment is at its end: nothing more happens to it."""

    slug = "payment-closed"
    message = _l("Ce paiement est déjà traité\u00a0: il ne peut plus changer.")


class AlreadyOwned(Conflict):
    """The person already has this formation."""

    slug = "already-owned"
    message = _l("Vous suivez déjà cette formation\u00a0: elle est dans votre espace.")


@dataclass(frozen=True)
class Identity:
    """First step of the checkout: who is invoiced."""

    first_name: str
    last_name: str
    address: str
    postcode: str
    city: str
    phone: str = ""
    company: str = ""
    siren: str = ""
    vat_number: str = ""
    country: str = ""
    terms: bool = False
    early_start: bool = False
    instalments: int = 1


def may_buy(user: User) -> bool:
    """Whether a person may buy: invoices need an address that reaches somebody."""
    return user.email_verified_at is not None


def declare(user: User, offer_slug: str, at: datetime | None = None) -> Payment:
    """Begin to buy an offer, or go on where one had stopped.

    Raises ``EmailNotVerified``, ``AlreadyOwned``, ``FormationFull``.
    """
    if not may_buy(user):
        raise EmailNotVerified
    now = at or clock.now()
    offer = catalogue.for_sale(offer_slug)
    if offer.formation_id and enrollments.is_enrolled(user.id, offer.formation_id):
        raise AlreadyOwned
    if offer.formation and enrollments.places_left(offer.formation) == 0:
        # Nobody sends money for a place that does not exist.
        raise enrollments.FormationFull
    unfinished = _unfinished(user, offer)
    if unfinished is not None:
        if unfinished.terms_accepted_at is None:
            # Nothing was agreed upon yet: today's price holds.
            sale_terms.copy(unfinished, offer)
        return unfinished
    if sale_terms.places_left(offer) == 0:
        raise sale_terms.SoldOut
    payment = Payment(
        reference=f"tmp-{user.id}-{now.timestamp()}",
        user_id=user.id,
        offer_id=offer.id,
        status=PaymentStatus.DECLARED,
        created_at=now,
    )
    sale_terms.copy(payment, offer)
    try:
        with db.session.begin_nested():
            db.session.add(payment)
            db.session.flush()
    except IntegrityError:
        # Another tab began the same purchase at the same instant: go on with that one.
        twin = _unfinished(user, offer)
        if twin is None:
            raise
        return twin
    payment.reference = structured_reference(payment.id)
    _note(payment, now, user)
    return payment


def confirm_identity(payment: Payment, identity: Identity, at: datetime | None = None) -> None:
    """Save who is invoiced, and the consents with the version of their texts; from here on the price holds.

    Raises ``TermsNotAccepted``, ``PaymentClosed``, ``OfferChanged``, ``SoldOut``, ``NameMissing``, ``AddressMissing``,
    ``WrongSiren``, ``WrongVatNumber``.
    """
    now = at or clock.now()
    payment = locked(payment.id)
    if payment.status not in OPEN:
        raise PaymentClosed
    if not identity.terms:
        raise TermsNotAccepted
    if payment.terms_accepted_at is None:
        sale_terms.agree(payment)
    if payment.status is PaymentStatus.DECLARED and payment.first_id is None:
        sale_terms.split(payment, identity.instalments)
    user = payment.user
    _set_buyer(user, identity)
    payment.terms_version = accounts.TERMS_VERSION
    payment.terms_accepted_at = now
    payment.withdrawal_version = withdrawal_period.TEXT_VERSION
    if payment.early_start_requested != identity.early_start or identity.early_start:
        accounts.record_consent(
            user.id,
            "early_start",
            given=identity.early_start,
            source=f"payment:{payment.id}",
            version=withdrawal_period.TEXT_VERSION,
            at=now,
        )
    payment.early_start_requested = identity.early_start
    db.session.flush()


def _set_buyer(user: User, identity: Identity) -> None:
    """Who is invoiced: what cannot be seen, such as marks of direction, is no name and no address."""
    given: dict[str, str | None] = {}
    for name in ("first_name", "last_name"):
        given[name] = names.own_name(getattr(identity, name), name)
        if not given[name]:
            raise names.NameMissing(field=name)
    for name in ("address", "postcode", "city"):
        given[name] = names.clean_text(getattr(identity, name))
        if not given[name]:
            raise AddressMissing(name)
    given["phone"] = names.clean_text(identity.phone) or user.phone
    given["company"] = names.clean_text(identity.company) or None
    given["siren"] = profiles.checked_siren(identity.siren)
    given["vat_number"] = profiles.checked_vat_number(identity.vat_number)
    given["country"] = identity.country.strip().upper() or user.country
    for name, value in given.items():
        # A person who is set, even to the same, is looked through with all that hangs on them when rows are written.
        if getattr(user, name) != value:
            setattr(user, name, value)


def submit_transaction(
    payment: Payment, transaction_id: str, at: datetime | None = None, *, answer: str = ""
) -> Payment:
    """Give the transfer's number. A typing error can be mended until an agent has validated. ``answer`` is what the
    student says to the reason of a refusal; the staff reads it.

    Raises ``TransactionNumberMissing``, ``TransactionNumberTaken``, ``TermsNotAccepted``, ``PaymentClosed``.
    """
    now = at or clock.now()
    payment = locked(payment.id)
    if payment.status not in OPEN:
        raise PaymentClosed
    if payment.terms_accepted_at is None:
        raise TermsNotAccepted
    is_new = payment.status is not PaymentStatus.TRANSACTION_SUBMITTED
    with transactions.numbered(payment, transaction_id):
        if is_new:
            payment.status = PaymentStatus.TRANSACTION_SUBMITTED
            payment.submitted_at = now
            payment.answer = answer.strip()[:500]
            _note(payment, now, payment.user, payment.answer)
    if is_new:
        payment_notices.submitted(payment, now)
    live.emit_after_commit("payment:updated", {"id": payment.id}, room="agents")
    return payment


def validate_payment(payment_id: int, transaction_id: str | None, *, by: User, at: datetime | None = None) -> Invoice:
    """Validate a transfer seen on the bank's statement: payment, right of access, invoice, in one transaction.

    A payment validated before gives its invoice again. Raises ``TransactionNumberMissing``,
    ``TransactionNumberTaken``, ``PaymentClosed``, ``FormationFull``, ``NoIdentity``.
    """
    now = at or clock.now()
    payment = locked(payment_id)
    if payment.status is PaymentStatus.VALIDATED:
        return _invoice_of(payment)
    _lock_person(payment.user_id)
    if payment.status in FINAL:
        raise PaymentClosed
    with transactions.numbered(payment, transaction_id):
        if payment.first_id is None and not payment.user.siren:
            payment.withdrawal_until = withdrawal_period.period_end(now)
        payment.validated_by_id, payment.validated_at = by.id, now
        payment.submitted_at = payment.submitted_at or now
        payment.status = PaymentStatus.VALIDATED
        payment.rejection_reason = ""
        db.session.add(_event(payment, now, by))
    # What is asked here does not depend on the rows above: they are written together with the access.
    with db.session.no_autoflush:
        if payment.first_id is not None:
            instalments.settled(payment)
        elif payment.offer.kind is OfferKind.FORMATION and payment.offer.formation_id:
            place = enrollments.enroll(payment.user_id, payment.offer.formation_id, payment.id, now)
            reminders.plan_for_enrollment(place, now)
        else:
            subscriptions.start(payment, payment.offer.kind, now)
    instalments.plan(payment, now)
    invoice = invoicing.issue_for_payment(payment, payment.user, now)
    payment_notices.validated(payment, invoice)
    audit.record("payment.validated", "payment", payment.id, actor=by, changes=("status", "transaction_id"))
    _announce(payment)
    return invoice


def reject_payment(payment_id: int, reason: str, *, by: User, at: datetime | None = None) -> Payment:
    """Refuse, with a reason that the student reads and can answer by giving another number."""
    now = at or clock.now()
    payment = locked(payment_id)
    if payment.status in FINAL:
        raise PaymentClosed
    reason = reason.strip()
    if not reason:
        raise DomainError(_l("Dites à l’élève pourquoi le paiement est refusé."), field="reason")
    payment.status, payment.rejected_at, payment.rejection_reason = PaymentStatus.REJECTED, now, reason[:500]
    # The number is free again: it may belong to the payment that it was mistaken for.
    payment.transaction_id = payment.transaction_key = None
    _note(payment, now, by, reason)
    payment_notices.rejected(payment, now)
    audit.record("payment.rejected", "payment", payment.id, actor=by, changes=("status",))
    _announce(payment)
    return payment


def cancel(payment: Payment, *, by: User | None = None, reason: str = "", at: datetime | None = None) -> None:
    """Give up a purchase that was not validated, by the student, or by the house with its ``reason``. Asked twice, it
    stays given up.
    """
    now = at or clock.now()
    payment = locked(payment.id)
    if payment.status is PaymentStatus.CANCELLED:
        return
    if payment.status in FINAL:
        raise PaymentClosed
    payment.status, payment.cancelled_at = PaymentStatus.CANCELLED, now
    payment.transaction_id = payment.transaction_key = None
    _note(payment, now, None if reason else by or payment.user, reason)
    if not reason:
        payment_notices.cancelled(payment)
    _announce(payment)


def own(user_id: int, payment_id: int) -> Payment:
    """A person's own payment. Raises ``NotFound``."""
    payment = db.session.scalar(select(Payment).where(Payment.user_id == user_id, Payment.id == payment_id))
    if payment is None:
        raise NotFound
    return payment


def get(payment_id: int) -> Payment:
    """A payment, for the staff. Raises ``NotFound``."""
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    return payment


def waiting_count(_user_id: int = 0) -> int:
    """How many payments wait for an agent."""
    return (
        db.session.scalar(
            select(func.count()).select_from(Payment).where(Payment.status == PaymentStatus.TRANSACTION_SUBMITTED)
        )
        or 0
    )


def events(payment_id: int) -> list[PaymentEvent]:
    """What happened to a payment, in order."""
    return list(
        db.session.scalars(select(PaymentEvent).where(PaymentEvent.payment_id == payment_id).order_by(PaymentEvent.id))
    )


def locked(payment_id: int) -> Payment:
    """A payment, held until the transaction ends. Raises ``NotFound``."""
    payment = db.session.scalar(_LOCKED, {"wanted": payment_id})
    if payment is None:
        raise NotFound
    return payment


def _lock_person(user_id: int) -> None:
    """One validation a person at a time: two renewals must follow each other, two places must not be made."""
    db.session.scalar(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def _unfinished(user: User, offer: Offer) -> Payment | None:
    """A purchase of the same thing to go on with. A formation is bought once; a subscription may be renewed."""
    going_on = OPEN if offer.formation_id else (PaymentStatus.DECLARED,)
    return db.session.scalar(
        select(Payment)
        .where(
            Payment.user_id == user.id,
            Payment.offer_id == offer.id,
            Payment.status.in_(going_on),
            Payment.first_id.is_(None),
        )
        .order_by(Payment.id.desc())
        .limit(1)
    )


def _invoice_of(payment: Payment) -> Invoice:
    invoice = db.session.scalar(select(Invoice).where(Invoice.payment_id == payment.id, Invoice.corrects_id.is_(None)))
    if invoice is None:
        raise NotFound
    return invoice


def _note(payment: Payment, at: datetime, by: User | None, reason: str = "") -> None:
    db.session.add(_event(payment, at, by, reason))
    db.session.flush()


def _event(payment: Payment, at: datetime, by: User | None, reason: str = "") -> PaymentEvent:
    by_id = by.id if by else None
    return PaymentEvent(payment_id=payment.id, status=payment.status, at=at, by_id=by_id, reason=reason)


def _announce(payment: Payment) -> None:
    for room in (f"user:{payment.user_id}", "agents"):
        live.emit_after_commit("payment:updated", {"id": payment.id}, room=room)
