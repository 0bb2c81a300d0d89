"""Invoices: numbered without a hole, chained by hash, never changed.

The number follows the day's counter row, locked until the transaction ends (CGI, annexe II, art. 242 nonies A, I-7°);
``serial`` counts all documents of a kind without ever starting again, and the chain runs over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from calmness import clock
from calmness.errors import Conflict, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import (
    Invoice,
    InvoiceCounter,
    InvoiceItem,
    InvoiceKind,
    InvoiceTemplate,
    Payment,
)
from calmness.models.catalogue import VatRegime
from calmness.models.delivery import Lane
from calmness.models.dialect import counted, locked
from calmness.models.mention import MentionKind
from calmness.services import chain, delivery
from calmness.services.billing import mentions
from calmness.services.billing.invoice_lines import Line, deduction, items_of, left_by_line

CHAIN = "invoice"
SERIES = {InvoiceKind.INVOICE: "CT", InvoiceKind.CREDIT_NOTE: "AV"}


class NoIdentity(Conflict):
    """No legal identity is set: an invoice could not name its seller."""

    slug = "no-legal-identity"
    message = _l("L’identité légale de l’école n’est pas renseignée\u00a0: un administrateur doit la compléter.")


class SellerVatMissing(Conflict):
    """A sale that bears VAT names the seller's number (CGI, annexe II, art. 242 nonies A, I-2°)."""

    slug = "seller-vat-missing"
    message = _l(
        "Cette vente porte de la TVA\u00a0: un administrateur doit d’abord donner le numéro de TVA de l’école, "
        "dans l’identité légale."
    )


class BuyerVatMissing(Conflict):
    """The VAT is the buyer's to pay, but the buyer has no number by which the invoice could name them."""

    slug = "buyer-vat-missing"
    message = _l("Autoliquidation\u00a0: le client doit d’abord donner son numéro de TVA ou son SIREN.")


class OutsideScopeMixed(Conflict):
    """A line outside of the scope of VAT stands on an invoice of its own (EN 16931, BR-O-11)."""

    slug = "outside-scope-mixed"
    message = _l("Une vente hors de l’Union européenne se facture à part des autres.")


@dataclass(frozen=True)
class Draft:
    """A document before it is issued: it has no number, so that giving up leaves no hole."""

    kind: InvoiceKind
    user_id: int
    payment_id: int | None
    buyer: dict[str, Any]
    mentions: list[str | MentionKind]
    items: list[InvoiceItem]
    service_on: date | None = None
    paid_cents: int = 0
    currency: str = "EUR"
    corrects_id: int | None = None
    is_deposit: bool = False
    deducts_id: int | None = None
    template: InvoiceTemplate | None = None


def issue_for_payment(payment: Payment, user: User, at: datetime) -> Invoice:
    """The invoice of a validated payment, in the caller's transaction; that of a balance takes its deposit off."""
    deposit = _deposit_of(payment) if payment.is_balance else None
    left = left_by_line(deposit) if deposit else {}
    deducted = deduction(deposit, left, 2) if deposit else []
    incl = payment.amount_cents - sum(item.incl_cents for item in deducted)
    # The part of a price paid in instalments shows no discount of its own: the price of the contract bore it.
    whole = payment.list_cents - payment.discount_cents == incl and (bool(deducted) or payment.instalments == 1)
    line = Line(
        payment.contract_label if deducted else payment.label,
        _detail(payment),
        incl,
        payment.vat_regime,
        payment.vat_rate_bp,
        discount_incl_cents=payment.discount_cents if whole else 0,
        quantity=payment.quantity if whole else 1,
    )
    draft = draft_for_payment([line], payment, user, deducted)
    return issue(replace(draft, deducts_id=deposit.id) if deposit and deducted else draft, at)


def draft_for_payment(
    lines: Sequence[Line], payment: Payment, user: User, deducted: Sequence[InvoiceItem] = ()
) -> Draft:
    """What a payment's invoice will say. ``deducted``: lines of a deposit that it takes off.

    Raises ``SellerVatMissing``, ``BuyerVatMissing``, ``OutsideScopeMixed``.
    """
    buyer = _buyer(user)
    template = active_template()
    _require_complete(lines, buyer, template)
    return Draft(
        template=template,
        kind=InvoiceKind.INVOICE,
        user_id=user.id,
        payment_id=payment.id,
        buyer=buyer,
        mentions=_mentions(lines, payment, buyer, final=bool(deducted)),
        items=[*items_of(lines), *deducted],
        is_deposit=payment.is_deposit,
        service_on=payment.submitted_at.astimezone(clock.PARIS).date() if payment.submitted_at else None,
        paid_cents=payment.amount_cents,
        currency=payment.currency,
    )


def issue(draft: Draft, at: datetime) -> Invoice:
    """Give a document its number, its place in the chain, and its PDF to make. Nothing slow happens in here."""
    template = draft.template or active_template()
    number, day = next_number(draft.kind, at)
    last = db.session.execute(
        select(Invoice.serial, Invoice.issued_at)
        .where(Invoice.kind == draft.kind)
        .order_by(Invoice.serial.desc())
        .limit(1)
    ).first()
    invoice = Invoice(
        number=number,
        kind=draft.kind,
        serial=last.serial + 1 if last else 1,
        user_id=draft.user_id,
        payment_id=draft.payment_id,
        corrects_id=draft.corrects_id,
        is_deposit=draft.is_deposit,
        deducts_id=draft.deducts_id,
        template_id=template.id,
        issued_on=day,
        # As with the day: a clock set back never makes a later number look older.
        issued_at=max(at, last.issued_at) if last else at,
        service_on=draft.service_on,
        buyer=draft.buyer,
        mentions=mentions.texts(draft.mentions, day),
        currency=draft.currency,
        total_excl_cents=sum(item.excl_cents for item in draft.items),
        total_vat_cents=sum(item.vat_cents for item in draft.items),
        total_incl_cents=sum(item.incl_cents for item in draft.items),
        paid_cents=draft.paid_cents,
        items=draft.items,
        prev_hash=chain.GENESIS,
        hash=b"",
    )
    _seq, invoice.prev_hash, invoice.hash = chain.append(CHAIN, content_of(invoice))
    db.session.add(invoice)
    db.session.flush()
    delivery.enqueue(
        "billing.render_invoice", f"render-invoice:{invoice.id}", {"invoice_id": invoice.id}, lane=Lane.PDF
    )
    return invoice


def next_number(kind: InvoiceKind, at: datetime) -> tuple[str, date]:
    """Next number of a series, such as ``CT-20261123-0007``, and its day in Paris.

    The day never goes back behind the last number's, whatever the clock says.
    """
    series = SERIES[kind]
    # One row holds the series' last day: locking it orders issuers also across midnight.
    head = locked(db.session(), InvoiceCounter, {"series": f"{series}-LAST", "day": date.min}, {"last": 0})
    day = at.astimezone(clock.PARIS).date()
    if head.last > day.toordinal():
        day = date.fromordinal(head.last)
    head.last = day.toordinal()
    number = counted(db.session(), InvoiceCounter, {"series": series, "day": day}, "last")
    return f"{series}-{day:%Y%m%d}-{number:04d}", day


def active_template() -> InvoiceTemplate:
    """Legal identity in force. Raises ``NoIdentity``."""
    template = db.session.scalar(select(InvoiceTemplate).where(InvoiceTemplate.is_active.is_(True)))
    if template is None:
        raise NoIdentity
    return template


def of_user(user_id: int) -> list[Invoice]:
    """A person's own documents, newest first."""
    return list(db.session.scalars(select(Invoice).where(Invoice.user_id == user_id).order_by(Invoice.id.desc())))


def of_payment(payment_id: int) -> list[Invoice]:
    """The invoice of a payment and its credit note, in order; for the staff."""
    return list(db.session.scalars(select(Invoice).where(Invoice.payment_id == payment_id).order_by(Invoice.id)))


def own(user_id: int, number: str) -> Invoice:
    """A person's own document. Raises ``NotFound``."""
    invoice = db.session.scalar(select(Invoice).where(Invoice.user_id == user_id, Invoice.number == number))
    if invoice is None:
        raise NotFound
    return invoice


def by_number(number: str) -> Invoice:
    """A document, for the staff. Raises ``NotFound``."""
    invoice = db.session.scalar(select(Invoice).where(Invoice.number == number))
    if invoice is None:
        raise NotFound
    return invoice


def listing(
    *, limit: int, text: str = "", before: int | None = None, after: int | None = None
) -> tuple[list[Invoice], int]:
    """Documents for the staff, newest first, with the total: those older than ``before`` or newer than ``after``.

    Pages are found by the key: the last page of 100 000 documents costs what the first one does.
    """
    query = searched(select(Invoice), text)
    total = db.session.scalar(query.with_only_columns(func.count(Invoice.id))) or 0
    if before is not None:
        query = query.where(Invoice.id < before)
    page = query.order_by(Invoice.id.desc())
    if after is not None:
        page = query.where(Invoice.id > after).order_by(Invoice.id)
    rows = list(db.session.scalars(page.options(joinedload(Invoice.document)).limit(limit)))
    return (rows[::-1] if after is not None else rows), total


def searched(query: Select[Invoice], text: str) -> Select[Invoice]:
    """Those of a query whose number, or buyer's name or address, holds a text; all without one."""
    if not text:
        return query
    return query.join(User, User.id == Invoice.user_id).where(
        Invoice.number.contains(text.upper(), autoescape=True)
        | func.lower(User.last_name).contains(text.lower(), autoescape=True)
        | User.email_key.contains(text.lower(), autoescape=True)
    )


def content_of(invoice: Invoice) -> dict[str, Any]:
    """Everything of a document that the chain protects."""
    return {
        "number": invoice.number,
        "kind": invoice.kind.value,
        "serial": invoice.serial,
        "issued_on": invoice.issued_on,
        "issued_at": invoice.issued_at,
        "service_on": invoice.service_on,
        "user_id": invoice.user_id,
        "currency": invoice.currency,
        "template_id": invoice.template_id,
        "payment_id": invoice.payment_id,
        "corrects_id": invoice.corrects_id,
        "is_deposit": invoice.is_deposit,
        "deducts_id": invoice.deducts_id,
        "buyer": invoice.buyer,
        "mentions": invoice.mentions,
        "totals": [invoice.total_excl_cents, invoice.total_vat_cents, invoice.total_incl_cents, invoice.paid_cents],
        "items": [
            [
                item.position,
                item.label,
                item.detail,
                item.quantity,
                item.unit_excl_micros,
                item.discount_cents,
                item.vat_regime.value,
                item.vat_rate_bp,
                item.excl_cents,
                item.vat_cents,
                item.incl_cents,
            ]
            for item in invoice.items
        ],
    }


def _require_complete(lines: Sequence[Line], buyer: dict[str, str], template: InvoiceTemplate) -> None:
    regimes = {line.vat_regime for line in lines}
    if VatRegime.REVERSE_CHARGE in regimes and not ("vat_number" in buyer or "siren" in buyer):
        raise BuyerVatMissing
    if VatRegime.OUTSIDE_EU in regimes and len(regimes) > 1:
        raise OutsideScopeMixed
    taxed = any(line.vat_regime is VatRegime.STANDARD and line.vat_rate_bp for line in lines)
    if taxed and not template.vat_number:
        raise SellerVatMissing


def _buyer(user: User) -> dict[str, str]:
    parts = {
        "name": user.company or user.full_name,
        "contact": user.full_name if user.company else "",
        "address": user.address or "",
        "postcode": user.postcode or "",
        "city": user.city or "",
        "country": user.country,
        "siren": user.siren or "",
        "vat_number": user.vat_number or "",
        "email": user.email,
    }
    return {key: value for key, value in parts.items() if value}


def _deposit_of(payment: Payment) -> Invoice | None:
    """The invoice of a balance's deposit, held until the transaction ends: nobody credits it meanwhile."""
    return db.session.scalar(
        select(Invoice)
        .where(Invoice.payment_id == payment.first_id, Invoice.is_deposit, Invoice.kind == InvoiceKind.INVOICE)
        .with_for_update()
    )


def _mentions(
    lines: Sequence[Line], payment: Payment, buyer: dict[str, str], *, final: bool
) -> list[str | MentionKind]:
    """What the document says; the dated ones are worded when its day is known."""
    said: list[str | MentionKind] = ["Prestation de services."]
    if payment.is_deposit:
        said.append("Facture d’acompte\u00a0: la facture définitive suivra, acompte déduit.")
    elif final:
        said.append("Facture définitive, acompte déduit.")
    regimes = dict.fromkeys(line.vat_regime for line in lines)
    said += [mentions.OF_REGIME[regime] for regime in regimes if regime in mentions.OF_REGIME]
    if VatRegime.STANDARD in regimes:
        said.append(MentionKind.DEBITS)
    said.append(f"Facture acquittée par virement, référence {payment.reference}.")
    if "siren" in buyer or "vat_number" in buyer:
        said += mentions.OF_BUSINESS
    return said


def _detail(payment: Payment) -> str:
    if payment.is_deposit:
        whole = Decimal(payment.list_cents - payment.discount_cents) / 100
        return f"Acompte sur un prix de {whole:.2f}\u00a0€ TTC".replace(".", ",")
    return f"Durée\u00a0: {payment.duration_days}\u00a0jours" if payment.duration_days else ""
