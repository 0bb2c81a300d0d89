"""Flows to the approved platform: which, once each, and where they stand; invoices of suppliers that came.

A row is written in the transaction of its cause and carries the tracking id. Before a flow is given a second time the
platform is asked for it by that id, so that a crash between giving and recording never doubles it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from calmness import clock
from calmness.errors import NotFound
from calmness.extensions import db
from calmness.files import store
from calmness.models.billing import Invoice, InvoiceDocument
from calmness.models.catalogue import VatRegime
from calmness.models.closing import ClosingSpan, PeriodClosing
from calmness.models.dialect import insert_once
from calmness.models.platform import FlowKind, FlowState, PlatformFlow, SupplierInvoice
from calmness.platforms import FlowStatus, IncomingFlow, OutgoingFlow, flux10
from calmness.platforms.reading import SupplierData, Unreadable, supplier_data
from calmness.services import delivery
from calmness.services.billing import e_reporting, invoicing

SEND = "platform.send"
STATES = {
    202: FlowState.DELIVERED,
    203: FlowState.DELIVERED,
    204: FlowState.DELIVERED,
    205: FlowState.APPROVED,
    206: FlowState.APPROVED,
    210: FlowState.REFUSED,
    211: FlowState.APPROVED,
    212: FlowState.COLLECTED,
    213: FlowState.REJECTED,
}
"""Codes of the life cycle; others (deposited, in dispute...) leave a flow where it is."""
FINAL = (FlowState.COLLECTED, FlowState.REFUSED, FlowState.REJECTED)
FLOW_TYPES = {
    FlowKind.INVOICE: ("CustomerInvoice", "Factur-X"),
    FlowKind.SALES: ("AggregatedCustomerTransactionReport", "FRR"),
    FlowKind.RECEIPTS: ("AggregatedCustomerPaymentReport", "FRR"),
}
REGISTRATION_LENGTH = 4
CHECKED_AT_ONCE = 50
CHECK_EVERY = timedelta(minutes=30)


def plan_invoice(invoice: Invoice) -> bool:
    """Write that a document goes to the platform. False when it does not: a consumer, abroad, exempt training alone."""
    exempt = all(item.vat_regime is VatRegime.TRAINING_EXEMPT for item in invoice.items)
    if not invoice.buyer.get("siren") or invoice.buyer.get("country", "FR") != "FR" or exempt:
        return False
    return _plan([(f"invoice:{invoice.number}", FlowKind.INVOICE, invoice.id, None)]) == 1


def plan_reports(at: datetime | None = None) -> int:
    """Write the flows 10.3 and 10.4 of the last month when it is closed: nothing can change in it any more."""
    today = (at or clock.now()).astimezone(clock.PARIS).date()
    first = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    closed = db.session.scalar(
        select(PeriodClosing.id).where(PeriodClosing.span == ClosingSpan.MONTH, PeriodClosing.first_on == first)
    )
    if closed is None:
        return 0
    kinds = ((FlowKind.SALES, "10.3"), (FlowKind.RECEIPTS, "10.4"))
    return _plan([(f"{name}:{first:%Y-%m}", kind, None, first) for kind, name in kinds])


def enqueue_waiting(at: datetime | None = None) -> None:
    """Give what waits its work; a new key each day, so that what the platform refused to answer is tried again."""
    now = at or clock.now()
    for flow_id in db.session.scalars(select(PlatformFlow.id).where(PlatformFlow.state == FlowState.WAITING)):
        delivery.enqueue(SEND, f"{SEND}:{flow_id}:{now:%Y%m%d}", {"flow_id": flow_id})


@dataclass(frozen=True)
class Sender:
    """The platform as a report names it: registration of four signs and name."""

    registration: str
    name: str


def outgoing(flow: PlatformFlow, sender: Sender) -> OutgoingFlow | None:
    """The file of a flow, the same bytes whenever it is asked; None while something is missing: ``reason`` says it."""
    if flow.kind is FlowKind.INVOICE:
        document = db.session.get(InvoiceDocument, flow.invoice_id)
        if document is None:
            return None
        name, content = f"{flow.key.partition(':')[2]}.pdf", store().get(document.file_key)
    elif len(sender.registration) != REGISTRATION_LENGTH or not sender.name:
        flow.reason = "Renseignez PLATFORM_NAME et PLATFORM_REGISTRATION (matricule de quatre caractères)."
        return None
    else:
        try:
            name, content = f"{flow.key.replace(':', '-')}.xml", _report(flow, sender)
        except e_reporting.MoreGivenBack as error:
            rate = f"{error.rate_bp / 100:g}".replace(".", ",")
            flow.reason = (
                f"Au taux de {rate}\u00a0%, le mois rend plus qu’il n’encaisse\u00a0: à déclarer avec la plateforme."
            )
            return None
    return OutgoingFlow(flow.key, name, *FLOW_TYPES[flow.kind], content)


def note_try(flow: PlatformFlow, content: bytes, at: datetime | None = None) -> bool:
    """Record that a flow is about to be given. True when it may have been given before."""
    again = flow.tried_at is not None
    flow.tried_at, flow.sha256 = at or clock.now(), hashlib.sha256(content).hexdigest()
    return again


def note_sent(flow: PlatformFlow, flow_id: str, at: datetime | None = None) -> None:
    """Record the platform's number of a flow."""
    flow.state, flow.flow_id, flow.sent_at, flow.reason = FlowState.SENT, flow_id, at or clock.now(), ""


def note_refused(flow: PlatformFlow, reason: str) -> None:
    """Record that the platform will never take it."""
    flow.state, flow.reason = FlowState.REJECTED, reason[:500]


def to_check(at: datetime | None = None) -> list[PlatformFlow]:
    """Given flows whose state may have changed, those not asked for longest first."""
    before = (at or clock.now()) - CHECK_EVERY
    rows = db.session.scalars(
        select(PlatformFlow)
        .where(
            PlatformFlow.flow_id.is_not(None),
            PlatformFlow.state.not_in(FINAL),
            PlatformFlow.checked_at.is_(None) | (PlatformFlow.checked_at < before),
        )
        .order_by(PlatformFlow.checked_at.is_not(None), PlatformFlow.checked_at)
        .limit(CHECKED_AT_ONCE)
    )
    return list(rows)


def note_status(flow: PlatformFlow, status: FlowStatus, at: datetime | None = None) -> None:
    """Record where a flow stands. A final state stays."""
    flow.checked_at = at or clock.now()
    if flow.state not in FINAL:
        flow.state = STATES.get(status.code, flow.state)
        flow.reason = status.reason


def last_received() -> str | None:
    """The newest flow that we have."""
    return db.session.scalar(select(SupplierInvoice.flow_id).order_by(SupplierInvoice.id.desc()).limit(1))


def receive(incoming: IncomingFlow, content: bytes, at: datetime | None = None) -> bool:
    """Keep an invoice of a supplier, once; one that we can't read is kept and says so."""
    ending = "pdf" if content.startswith(b"%PDF") else "xml"
    digest = hashlib.sha256(content).hexdigest()
    key = f"received/{digest}.{ending}"
    store().put(key, content)
    data: SupplierData | None
    try:
        data = supplier_data(content)
    except Unreadable:
        data = None
    row = {
        "flow_id": incoming.flow_id,
        "name": incoming.name,
        "is_readable": data is not None,
        "file_key": key,
        "sha256": digest,
        "received_at": at or clock.now(),
        **(asdict(data) if data else {}),
    }
    return insert_once(db.session(), SupplierInvoice, [row]) == 1


def flows(limit: int = 200, before: int | None = None) -> list[PlatformFlow]:
    """Newest flows first; those with an id below ``before``."""
    query = select(PlatformFlow).order_by(PlatformFlow.id.desc()).limit(limit)
    return list(db.session.scalars(query if before is None else query.where(PlatformFlow.id < before)))


def counts() -> dict[FlowState, int]:
    """How many flows stand in each state."""
    rows = db.session.execute(select(PlatformFlow.state, func.count()).group_by(PlatformFlow.state))
    return {FlowState(state): count for state, count in rows}


def received(limit: int = 200, before: int | None = None) -> list[SupplierInvoice]:
    """Newest invoices of suppliers first; those with an id below ``before``."""
    query = select(SupplierInvoice).order_by(SupplierInvoice.id.desc()).limit(limit)
    return list(db.session.scalars(query if before is None else query.where(SupplierInvoice.id < before)))


def received_file(received_id: int) -> tuple[SupplierInvoice, bytes]:
    """An invoice of a supplier with its file. Raises ``NotFound``."""
    found = db.session.get(SupplierInvoice, received_id)
    if found is None:
        raise NotFound
    return found, store().get(found.file_key)


def _plan(planned: Iterable[tuple[str, FlowKind, int | None, date | None]]) -> int:
    now = clock.now()
    rows = [
        {
            "key": key,
            "kind": kind,
            "invoice_id": invoice_id,
            "month_on": month,
            "state": FlowState.WAITING,
            "created_at": now,
        }
        for key, kind, invoice_id, month in planned
    ]
    return insert_once(db.session(), PlatformFlow, rows)


def _report(flow: PlatformFlow, sender: Sender) -> bytes:
    """A month's facts, computed from its documents alone: the same bytes whenever they are asked for."""
    first = flow.month_on or date.min
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    school = invoicing.active_template()
    number = flow.key.partition(":")[0].replace(".", "")
    head = flux10.Head(
        identifier=f"{school.siren}-{number}-{first:%Y%m}",
        made_at=flow.created_at.astimezone(clock.PARIS),
        platform_registration=sender.registration,
        platform_name=sender.name,
        siren=school.siren,
        seller_name=school.company_name,
        first_on=first,
        last_on=last,
    )
    if flow.kind is FlowKind.RECEIPTS:
        received = e_reporting.not_below_zero(e_reporting.receipts(first, last))
        days = [flux10.Receipts(row.day, row.currency, row.rate_bp, row.incl_cents) for row in received]
        return flux10.receipts_file(head, days)
    documents = e_reporting.documents_a_day(first, last)
    sales = [
        flux10.Sales(
            row.day,
            row.currency,
            row.category,
            documents[row.day, row.currency, row.category],
            row.rate_bp,
            row.excl_cents,
            row.vat_cents,
        )
        for row in e_reporting.sales(first, last)
    ]
    return flux10.sales_file(head, sorted(sales, key=lambda row: (row.day, row.currency, row.category, -row.rate_bp)))
