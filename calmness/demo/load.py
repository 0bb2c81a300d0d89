"""Load the demo, once."""

import heapq
import random
from datetime import datetime, time, timedelta
from decimal import Decimal

import structlog
from sqlalchemy import bindparam, insert, select, update

from calmness import clock
from calmness.demo import conversations, formations, journals, people, rates, sales, trades, traffic, training
from calmness.demo.size import FULL, Size
from calmness.extensions import db
from calmness.models.account import Channel, User, UserNotification
from calmness.models.billing import Invoice, InvoiceKind, Payment, Subscription
from calmness.models.delivery import Delivery, DeliveryState, Lane, OutboxTask
from calmness.models.settings import Setting
from calmness.models.signal import Direction, OrderKind, Signal
from calmness.services import live, signals
from calmness.services.account.preferences import NoticeKind
from calmness.services.analytics import analytics_rollups
from calmness.services.billing import subscriptions
from calmness.services.signals import Draft
from calmness.services.trading import trading_statistics

log = structlog.get_logger(__name__)

DEMO_PASSWORD = "calmness-demo"  # noqa: S105 - the password of the demo, printed by make run
SEED = 20_261_124
MARKER = "demo.loaded"
PAUSE_BETWEEN_DOCUMENTS = timedelta(seconds=0.4)
LIVING = 3
"""Signals that are not over."""


def is_loaded() -> bool:
    """Whether the database holds the demo."""
    return db.session.get(Setting, MARKER) is not None


def load(seed: int = SEED, size: Size = FULL) -> bool:
    """Load everything in one transaction. False when it was there."""
    if is_loaded():
        return False
    rng, now = random.Random(seed), clock.now()
    staff = people.make(rng, now, DEMO_PASSWORD, size)
    admin, agent, camille = staff["admin"], staff["agent"], staff["camille"]
    students = list(db.session.scalars(select(User).where(User.email.endswith("@exemple.test")).order_by(User.id)))
    formations.make(now)
    training.program(now, admin)
    sales.make(rng, now, agent, camille, students, size)
    training.attend(rng, now)
    _signals(rng, now, admin, size.signals)
    rates.make(clock.paris_today())
    accounts = trades.make(rng, now, camille, students, size)
    journals.open_positions(now, accounts[0])
    for account in accounts:
        trading_statistics.rebuild(account.id)
    journals.make(camille, accounts)
    conversations.make(rng, now, agent, camille, students, size.rooms)
    traffic.make(rng, now, size.views)
    today = clock.paris_today()
    analytics_rollups.rebuild(today - timedelta(days=traffic.DAYS), today)
    _quiet_the_past()
    _spread_documents(now, camille)
    db.session.add(Setting(key=MARKER, value={"seed": seed}, updated_at=now))
    live.keep_quiet()
    db.session.commit()
    log.info("demo_loaded", accounts=len(accounts), students=len(students))
    return True


def _signals(rng: random.Random, now: datetime, author: User, count: int) -> None:
    """Publications and ends in the order of time: the chain is read in that order."""
    start, span = now - timedelta(days=395), timedelta(days=392)
    moments = sorted(_trading_hour(rng, start + span * rng.random()) for _ in range(count - LIVING))
    moments += [now - timedelta(hours=hours) for hours in (9, 5, 2)[:LIVING]]
    heap: list[tuple[datetime, int, Signal | None]] = [(at, index, None) for index, at in enumerate(moments)]
    heapq.heapify(heap)
    while heap:
        at, index, signal = heapq.heappop(heap)
        if signal is not None:
            _end(rng, signal, author, at)
            continue
        alive = index >= count - LIVING
        signal = signals.publish(_draft(rng), author=author, at=at, announce=alive)
        if not alive:
            heapq.heappush(heap, (at + timedelta(hours=rng.randrange(1, 20)), count + index, signal))


def _draft(rng: random.Random) -> Draft:
    market = rng.choices(trades.MARKETS, weights=[market.weight for market in trades.MARKETS])[0]
    unit = Decimal(1).scaleb(-market.digits)
    side = 1 if rng.random() < 0.55 else -1
    risk = market.pip * market.stop_pips
    entry = (market.price * (1 + Decimal(str(round(rng.uniform(-0.05, 0.05), 4))))).quantize(unit)
    return Draft(
        instrument=market.symbol,
        direction=Direction.BUY if side > 0 else Direction.SELL,
        order_kind=OrderKind.MARKET,
        entry=entry,
        stop=(entry - side * risk).quantize(unit),
        targets=tuple((entry + side * risk * factor).quantize(unit) for factor in (1, 2)),
        reasoning=rng.choice(REASONS),
        horizon="Intraday",
        conflict_notice="L’auteur ne détient pas de position sur cet instrument.",
        author_title="Formatrice, responsable des signaux",
    )


def _end(rng: random.Random, signal: Signal, author: User, at: datetime) -> None:
    multiple = Decimal(str(rng.choice((2, 1, 1, "1.5", "0.4", -1, -1, "-0.6"))))
    leave = signal.entry + (signal.entry - signal.stop) * multiple
    digits = next(market.digits for market in trades.MARKETS if market.symbol == signal.instrument)
    signals.close(signal.id, leave.quantize(Decimal(1).scaleb(-digits)), by=author, at=at, announce=False)


def _trading_hour(rng: random.Random, moment: datetime) -> datetime:
    while moment.weekday() >= 5:
        moment -= timedelta(days=2)
    return datetime.combine(moment.date(), time(rng.randrange(7, 17), rng.randrange(60)), tzinfo=moment.tzinfo)


def _quiet_the_past() -> None:
    """Nothing of the story leaves the house, and old news is read: invoices were mailed long ago."""
    now = clock.now()
    db.session.execute(
        update(Delivery)
        .where(Delivery.state == DeliveryState.PENDING, Delivery.due_at <= now)
        .values(state=DeliveryState.SENT, sent_at=now, provider_id="demo"),
        execution_options={"synchronize_session": False},
    )
    invoices = db.session.execute(
        select(Invoice.id, Invoice.number, Invoice.kind, Invoice.user_id, Invoice.payment_id, Invoice.issued_at)
    ).all()
    db.session.execute(
        insert(Delivery),
        [
            {
                "key": f"invoice-issued:{row.id}",
                "kind": "billing.invoice_issued",
                "channel": Channel.EMAIL,
                "lane": Lane.MAIL,
                "user_id": row.user_id,
                "params": {"invoice_id": row.id},
                "state": DeliveryState.SENT,
                "due_at": row.issued_at,
                "created_at": row.issued_at,
                "sent_at": row.issued_at,
                "attempts": 1,
                "provider_id": "demo",
            }
            for row in invoices
        ],
    )
    db.session.execute(
        insert(UserNotification),
        [
            {
                "user_id": row.user_id,
                "key": f"invoice:{row.id}",
                "kind": NoticeKind.INVOICE.value,
                "title": f"Votre {DOCUMENT_NAMES[row.kind]} {row.number} est disponible",
                "url": f"/espace/paiements/{row.payment_id}",
                "created_at": row.issued_at,
            }
            for row in invoices
        ],
    )
    # A notice is as old as what it tells; the rules wrote them all just now.
    told: dict[str, dict[int, Payment | Subscription | Signal | Invoice]] = {
        "payment": {row.id: row for row in db.session.scalars(select(Payment))},
        "subscription": {row.id: row for row in db.session.scalars(select(Subscription))},
        "signal": {row.id: row for row in db.session.scalars(select(Signal))},
        "credit-note": {
            row.id: row for row in db.session.scalars(select(Invoice).where(Invoice.kind == InvoiceKind.CREDIT_NOTE))
        },
    }
    dated = []
    for notice_id, key in db.session.execute(select(UserNotification.id, UserNotification.key)):
        topic, number, event = f"{key}::".split(":")[:3]
        if topic in told:
            dated.append({"id": notice_id, "created_at": _moment(told[topic][int(number)], event)})
    db.session.execute(update(UserNotification), dated)
    db.session.execute(
        update(UserNotification)
        .where(UserNotification.created_at < now - timedelta(days=3))
        .values(read_at=UserNotification.created_at),
        execution_options={"synchronize_session": False},
    )


def _moment(row: Payment | Subscription | Signal | Invoice, event: str) -> datetime:
    if isinstance(row, Invoice):
        return row.issued_at
    if isinstance(row, Subscription):
        return row.ends_at - subscriptions.REMIND_BEFORE if event == "ending" else row.ends_at
    at: datetime = getattr(row, f"{event}_at")
    return at


def _spread_documents(now: datetime, first: User) -> None:
    """The PDFs of a year come one by one, those of the demo's own student and the newest first: one that a person
    waits for now must not stand behind all of them.
    """
    wanted = db.session.scalars(select(Invoice.id).order_by(Invoice.user_id != first.id, Invoice.id.desc()))
    due = [
        {"work": f"render-invoice:{invoice_id}", "due": now + place * PAUSE_BETWEEN_DOCUMENTS}
        for place, invoice_id in enumerate(wanted)
    ]
    given = update(OutboxTask).where(OutboxTask.key == bindparam("work")).values(due_at=bindparam("due"))
    db.session.connection().execute(given, due)


DOCUMENT_NAMES = {InvoiceKind.INVOICE: "facture", InvoiceKind.CREDIT_NOTE: "avoir"}
REASONS = (
    "Rejet net de la zone de la veille, volume en baisse sur le repli, structure haussière intacte en H1.",
    "Double sommet sous un niveau hebdomadaire ; l’entrée se fait sur la cassure du creux intermédiaire.",
    "Consolidation étroite avant l’ouverture américaine, sortie accompagnée par le volume.",
    "Retour sur un ancien support devenu résistance, divergence visible sur le delta.",
    "Tendance de fond claire, repli de 38 % terminé par une bougie de rejet.",
)
