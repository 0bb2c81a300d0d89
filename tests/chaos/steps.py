"""The steps of the main job, each in many small acts, and what must be true of each when the storm is over.

Blows fall between parts of equal size: what happens there happens in the middle of all.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import requests
from redis import Redis
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.analytics import PageView
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceTemplate
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.support import ChatMessage, ChatRoom
from calmness.models.trading import Platform, SyncBatch, Trade, TradingAccount, TradingStatistics
from calmness.services.analytics import analytics_ingest
from calmness.services.billing import invoice_ledger
from calmness.services.trading import trading_accounts
from calmness.tracker import STREAM
from tests import factories
from tests.billing import shop
from tests.chaos.people import Person, Terminal
from tests.fakes.telegram import FakeTelegram
from tests.fixtures.live import LiveSite, wait_until
from tests.fixtures.servers import Mailbox
from tests.support.chat_client import Client, visitor_cookies
from tests.training import school

Act = Callable[[], Any]
UNDER_WAY = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.SENDING)


def somebody(**values: Any) -> User:
    """A student that no other storm knows."""
    return factories.student(email=f"{uuid.uuid4().hex}@example.test", **values)


class Step(Protocol):
    """A step of the main job."""

    def acts(self) -> list[Act]:
        """What is done, in order."""

    def check(self) -> int:
        """Fails when something is lost or doubled; gives how many messages are uncertain."""


class Letters:
    """What left for some people: each message once, or known as uncertain."""

    def __init__(self, user_ids: list[int], kind: str) -> None:
        self.user_ids, self.kind = user_ids, kind

    def states(self) -> Counter[DeliveryState]:
        """How the messages that are due stand."""
        db.session.rollback()
        due = Delivery.user_id.in_(self.user_ids), Delivery.kind == self.kind, Delivery.due_at <= clock.now()
        return Counter(db.session.scalars(select(Delivery.state).where(*due)))

    def settled(self, count: int) -> bool:
        """Whether all are written and none is under way any longer."""
        states = self.states()
        return states.total() >= count and not any(states[state] for state in UNDER_WAY)


class Sales:
    """An agent validates payment after payment: invoice, PDF, mail, and three notices for each with the first one."""

    def __init__(self, site: LiveSite, mailbox: Mailbox, count: int = 6) -> None:
        self.mailbox = mailbox
        if db.session.scalar(select(func.count()).select_from(InvoiceTemplate)) == 0:
            shop.identity()
        offer = shop.signals_offer(slug=f"signaux-{uuid.uuid4().hex[:8]}")
        self.buyers = [somebody() for _ in range(count)]
        self.addresses = {buyer.id: buyer.email for buyer in self.buyers}
        self.numbers = {shop.submitted(buyer, offer, uuid.uuid4().hex).id: buyer.id for buyer in self.buyers}
        self.agent = Person(site, factories.agent(email=f"{uuid.uuid4().hex}@example.test"))
        self.letters = Letters(list(self.addresses), "billing.invoice_issued")

    def acts(self) -> list[Act]:
        """One validation each."""
        return [partial(self._validate, payment_id) for payment_id in self.numbers]

    def _validate(self, payment_id: int) -> None:
        number = f"VIR-{payment_id}-{self.numbers[payment_id]}"
        page = f"/admin/paiements/{payment_id}"
        assert self.agent.post(f"{page}/validation", {"transaction_id": number}, page=page).status_code == 302

    def check(self) -> int:
        """One invoice, one PDF, one mail, three notices a payment. Gives how many mails are uncertain."""
        wait_until(lambda: self.letters.settled(len(self.numbers)), seconds=60)
        invoices = list(db.session.scalars(select(Invoice).where(Invoice.payment_id.in_(self.numbers))))
        assert sorted(invoice.payment_id or 0 for invoice in invoices) == sorted(self.numbers)
        assert invoice_ledger.first_broken() is None
        documents = select(func.count()).where(InvoiceDocument.invoice_id.in_([invoice.id for invoice in invoices]))
        assert db.session.scalar(documents) == len(invoices)
        wait_until(lambda: self._notices().total() >= 3 * len(self.addresses), seconds=20)
        assert self._notices() == dict.fromkeys(self.addresses, 3)
        return self._check_mail()

    def _notices(self) -> Counter[int]:
        db.session.rollback()
        # The invitation to the private channel comes in its own time, by the clock.
        rows = select(UserNotification.user_id).where(
            UserNotification.user_id.in_(self.addresses), UserNotification.key.not_like("channel-pass:%")
        )
        return Counter(db.session.scalars(rows))

    def _check_mail(self) -> int:
        rows = db.session.execute(
            select(Delivery.user_id, Delivery.state).where(
                Delivery.user_id.in_(self.addresses), Delivery.kind == self.letters.kind
            )
        ).all()
        assert len(rows) == len(self.numbers)
        for user_id, state in rows:
            # The invitation to the private channel leaves by mail too, whenever the clock comes to it.
            mails = [mail for mail in self.mailbox.to(self.addresses[user_id or 0]) if "facture" in mail["Subject"]]
            allowed = {DeliveryState.SENT: {1}, DeliveryState.UNKNOWN: {0, 1}}[state]
            assert len(mails) in allowed
            for mail in mails:
                assert [part.get_content_type() for part in mail.iter_attachments()] == ["application/pdf"]
        return sum(state is DeliveryState.UNKNOWN for _user_id, state in rows)


class Reminders:
    """Reminders of sessions fall due, one after the other, by mail and by Telegram."""

    SESSIONS = 4

    def __init__(self, mailbox: Mailbox, telegram: FakeTelegram) -> None:
        self.mailbox, self.telegram = mailbox, telegram
        course = school.formation(slug=f"cours-{uuid.uuid4().hex[:8]}")
        self.chats = [str(uuid.uuid4().int)[:12] for _ in range(3)]
        # An hour and a few moments ahead: what reminds an hour before is due in these moments.
        for rank in range(self.SESSIONS):
            school.session_of(course, clock.now() + timedelta(minutes=60, seconds=1 + 0.7 * rank))
        people = [school.on_telegram(somebody(), chat) for chat in self.chats]
        for person in people:
            school.enrollments.enroll(person.id, course.id, None, clock.now())
        for session in school.schedules.between(clock.now(), clock.now() + timedelta(hours=2)):
            school.reminders.plan_for_session(session)
        self.addresses = {person.id: person.email for person in people}
        self.letters = Letters(list(self.addresses), "training.reminder")

    def acts(self) -> list[Act]:
        """Time alone brings them."""
        return []

    def check(self) -> int:
        """One reminder a person, session and channel. Gives how many are uncertain."""
        expected = self.SESSIONS * len(self.chats) * 2
        wait_until(lambda: self.letters.settled(expected), seconds=60)
        states = self.letters.states()
        uncertain = states[DeliveryState.UNKNOWN]
        assert states[DeliveryState.SENT] + uncertain == expected == states.total()
        mails = [str(mail["Message-ID"]) for email in self.addresses.values() for mail in self.mailbox.to(email)]
        chats = [(sent["chat_id"], sent["text"]) for sent in self.telegram.sent if str(sent["chat_id"]) in self.chats]
        assert len(set(mails)) == len(mails)
        assert expected - uncertain <= len(mails) + len(chats) <= expected
        assert len(chats) <= self.SESSIONS * len(self.chats)
        return uncertain


class Sync:
    """An EA sends batch after batch."""

    BATCHES, TRADES = 10, 30

    def __init__(self, site: LiveSite) -> None:
        account, key = trading_accounts.add(somebody(), "Compte réel", Platform.MT4, "EUR")
        self.account_id = account.id
        self.terminal = Terminal(site, key)

    def acts(self) -> list[Act]:
        """One batch each."""
        return [lambda: self.terminal.sync(self.TRADES)] * self.BATCHES

    def check(self) -> int:
        """Each trade once, and the statistics know them all."""
        wait_until(self._computed, seconds=60)
        trades = select(func.count()).select_from(Trade).where(Trade.account_id == self.account_id)
        batches = select(func.count()).select_from(SyncBatch).where(SyncBatch.account_id == self.account_id)
        assert db.session.scalar(trades) == self.BATCHES * self.TRADES
        assert db.session.scalar(batches) == self.BATCHES
        return 0

    def _computed(self) -> bool:
        db.session.rollback()
        known = select(func.sum(TradingStatistics.trades)).where(TradingStatistics.account_id == self.account_id)
        clean = db.session.get_one(TradingAccount, self.account_id).dirty_from_at is None
        return clean and db.session.scalar(known) == self.BATCHES * self.TRADES


class Chat:
    """A visitor writes without waiting for anybody."""

    MESSAGES = 16

    def __init__(self, site: LiveSite) -> None:
        self.client = Client(site.url, visitor_cookies(site))
        self.room = self.client.open()["room"]["id"]

    def acts(self) -> list[Act]:
        """One message each."""
        return [partial(self.client.send, str(number)) for number in range(self.MESSAGES)]

    def check(self) -> int:
        """Each message once, in the order in which they were written."""
        db.session.rollback()
        rows = db.session.execute(
            select(ChatMessage.seq, ChatMessage.body)
            .join(ChatRoom)
            .where(ChatRoom.public_id == self.room)
            .order_by(ChatMessage.seq)
        )
        told = [(number + 1, str(number)) for number in range(self.MESSAGES)]
        assert [(row.seq, row.body) for row in rows] == told
        return 0

    def leave(self) -> None:
        """Close the connection."""
        self.client.io.disconnect()


class Visits:
    """Somebody reads page after page. ``margin``: views that a killed web process may take with it, untold."""

    VIEWS = 16

    def __init__(self, site: LiveSite, redis: Redis, margin: int = 0) -> None:
        self.redis, self.margin = redis, margin
        self.visitor = Person(site)
        self.shown = 0
        wait_until(self._all_read, seconds=20)
        self.length = int(redis.xlen(STREAM))
        self.before = self._told()

    def acts(self) -> list[Act]:
        """One page each."""
        return [self._look] * self.VIEWS

    def _look(self) -> None:
        assert self.visitor.get("/tarifs").status_code == 200
        self.shown += 1

    def written(self) -> bool:
        """Whether all views so far have come to the stream."""
        return int(self.redis.xlen(STREAM)) - self.length >= self.shown

    def check(self) -> int:
        """Every page shown is a view or counted as lost. Those that come later tell how many are missing."""
        for _turn in range(24):
            self._look()
            try:
                wait_until(self._all_told, seconds=1)
            except AssertionError:
                continue
            return 0
        raise AssertionError(f"{self.shown} shown, {self._told() - self.before} told")

    def _all_told(self) -> bool:
        missing = self.before + self.shown - self._told()
        assert missing >= -self.margin
        return missing <= self.margin

    def _all_read(self) -> bool:
        """Whether the views of others, before these, are counted."""
        if not self.redis.exists(STREAM):
            return True
        newest = self.redis.xinfo_stream(STREAM)["last-generated-id"]
        groups: Any = self.redis.xinfo_groups(STREAM)
        return bool(groups) and groups[0]["last-delivered-id"] == newest and groups[0]["pending"] == 0

    @staticmethod
    def _told() -> int:
        db.session.rollback()
        views = db.session.scalar(select(func.count()).select_from(PageView)) or 0
        return views + analytics_ingest.lost_views()


def is_answering(site: LiveSite) -> bool:
    """Whether pages, database and Redis are ready."""
    try:
        return requests.get(f"{site.url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False
