"""The main job on each database, by the same pages that people use, without a browser: rows, jobs, mails, counts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from time_machine import TimeMachineFixture

from calmness.clock import PARIS
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import User, UserNotification
from calmness.models.billing import Invoice, Payment, Subscription
from calmness.models.catalogue import OfferKind
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.support import ChatMessage, ChatRoom
from calmness.models.training import AdminFormationSession, AdminSessionAttendance, UserFormationEnrollment
from calmness.services import notifications
from calmness.services.billing import invoice_ledger
from tests import factories
from tests.billing import shop
from tests.fakes.providers import Providers
from tests.fixtures.servers import Mailbox
from tests.trading import terminal
from tests.training import school

ClientFor = Callable[[User], FlaskClient]
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
EMAIL = "Camille.Moreau@Example.test"
PASSWORD = "quatre mots sans lien entre eux"


def test_the_main_job(
    site: Flask,
    visitor: FlaskClient,
    client_for: ClientFor,
    mailbox: Mailbox,
    providers: Providers,
    time_machine: TimeMachineFixture,
) -> None:
    time_machine.move_to(NOW, tick=False)
    shop.identity()
    course = school.formation(slug="or", title="Lire l’Or")
    shop.signals_offer(
        slug="cours-or", kind=OfferKind.FORMATION, name="Lire l’Or", formation_id=course.id, duration_days=None
    )
    shop.signals_offer()
    agent, admin = client_for(factories.agent()), client_for(factories.admin())

    student = register(visitor, mailbox)
    pay(visitor, agent, "cours-or", "VIR 001")
    pay(visitor, agent, "signaux-30-jours", "VIR 002")
    drain_everything()
    check_books(student, mailbox)

    synchronise(visitor)
    talk(site, agent)
    admin.post("/admin/signaux", data=signal())
    drain_everything()
    check_the_dashboard(visitor, student)

    school.on_telegram(student, "4242")
    session = programme(admin, course.id)
    # A day later the session of yesterday's browser is over: the person logs in again.
    time_machine.move_to(session.start_at - timedelta(minutes=10), tick=False)
    log_in(visitor)
    drain_everything()
    check_reminders(mailbox, providers)
    join(visitor, session)


def register(visitor: FlaskClient, mailbox: Mailbox) -> User:
    visitor.post(
        "/inscription",
        data={
            "first_name": "Camille",
            "last_name": "O'Brien-Ñandú <b>",
            "email": EMAIL,
            "password": PASSWORD,
            "adult": "y",
            "terms": "y",
        },
    )
    drain_everything()
    body = mailbox.to(EMAIL)[0].get_body(("plain",))
    assert body is not None
    link = re.search(r"/verification/\S+", body.get_content())
    assert link is not None
    visitor.post(link.group(0))
    log_in(visitor)
    return db.session.scalars(select(User).where(User.email_key == EMAIL.casefold())).one()


def log_in(visitor: FlaskClient) -> None:
    visitor.post("/connexion", data={"email": EMAIL.lower(), "password": PASSWORD})
    assert "Bonjour Camille" in visitor.get("/espace").text


def pay(student: FlaskClient, agent: FlaskClient, slug: str, number: str) -> None:
    """Four steps of the student, one act of the agent, twice by mistake."""
    step = student.post(f"/commande/{slug}").location
    identity = {
        "first_name": "Camille",
        "last_name": "O'Brien-Ñandú <b>",
        "address": "12 rue des Lilas",
        "postcode": "69003",
        "city": "Lyon",
        "terms": "y",
        "early_start": "y",
    }
    payment = db.session.scalars(select(Payment).order_by(Payment.id.desc())).first()
    assert payment is not None
    assert student.post(f"/espace/commandes/{payment.id}/identite", data=identity).status_code == 302
    assert "<svg" in student.get(step.split("?")[0] + "?etape=2").text
    student.post(f"/espace/commandes/{payment.id}/transaction", data={"transaction_id": number})
    for _click in range(2):
        agent.post(f"/admin/paiements/{payment.id}/validation", data={"transaction_id": number})


def check_books(student: User, mailbox: Mailbox) -> None:
    db.session.rollback()
    numbers = list(db.session.scalars(select(Invoice.number).order_by(Invoice.id)))
    assert numbers == ["CT-20261124-0001", "CT-20261124-0002"]
    assert invoice_ledger.first_broken() is None
    assert db.session.scalar(select(func.count()).select_from(UserFormationEnrollment)) == 1
    assert db.session.scalar(select(func.count()).select_from(Subscription)) == 1
    pdfs = [part for mail in mailbox.to(student.email) for part in mail.iter_attachments()]
    assert [part.get_content_type() for part in pdfs] == ["application/pdf"] * 2


def programme(admin: FlaskClient, formation_id: int) -> AdminFormationSession:
    """A weekly series at 19 h 00 in Paris, from tomorrow on."""
    first = NOW.astimezone(PARIS).date() + timedelta(days=1)
    answer = admin.post(
        "/admin/programmation",
        data={
            "formation_id": formation_id,
            "starts_on": first.isoformat(),
            "starts_time": "19:00",
            "weekdays": ["WE"],
            "count": 4,
            "duration_minutes": 120,
            "holiday_policy": "keep",
            "meeting_url": school.LINK,
            "trainer_name": "Inès Caron",
        },
    )
    assert answer.status_code == 302
    sessions = list(db.session.scalars(select(AdminFormationSession).order_by(AdminFormationSession.start_at)))
    assert {row.start_at.astimezone(PARIS).strftime("%A %H:%M") for row in sessions} == {"Wednesday 19:00"}
    return sessions[0]


def check_reminders(mailbox: Mailbox, providers: Providers) -> None:
    db.session.rollback()
    rows = db.session.execute(
        select(Delivery.channel, Delivery.state).where(
            Delivery.kind == "training.reminder", Delivery.state == DeliveryState.SENT
        )
    ).all()
    assert sorted(row.channel.value for row in rows) == ["email", "telegram"]
    assert len([sent for sent in providers.telegram.sent if str(sent["chat_id"]) == "4242"]) >= 1
    assert school.LINK not in str(providers.telegram.sent) + str([str(mail) for mail in mailbox.messages])


def join(student: FlaskClient, session: AdminFormationSession) -> None:
    door = student.get(f"/espace/seances/{session.id}/rejoindre")
    assert (door.status_code, door.location) == (302, school.LINK)
    presence = db.session.scalars(select(AdminSessionAttendance)).one()
    assert presence.first_joined_at is not None


def synchronise(student: FlaskClient) -> None:
    page = student.post("/espace/metatrader", data={"name": "Compte réel", "platform": "mt4", "currency": "EUR"}).text
    key = re.search(r"ct_ea_\w+", page)
    assert key is not None
    trades = [terminal.trade(number) for number in range(1, 13)]
    body = {
        "v": 2,
        "batch_id": "b" * 32,
        "ea": "2.0.0",
        "account": {"login": "5012345", "server": "Broker-Demo"},
        "clock": {"gmt": int(NOW.timestamp()), "server": int(NOW.timestamp()) + terminal.OFFSET, "server_age_s": 1},
        "trades": trades,
    }
    for _turn in range(2):
        answer = student.post("/ea/v1/sync", json=body, headers={"X-API-Key": key.group(0)})
        assert answer.status_code == 200
    drain_everything()
    assert "EURUSD" in student.get("/espace/historique").text
    assert "12 gagnants" in student.get("/espace/statistiques").text


def talk(site: Flask, agent: FlaskClient) -> None:
    """Without scripts: forms on both sides, badges right on both."""
    guest = site.test_client()
    guest.get("/support")
    guest.post("/support", data={"body": "Une question", "client_id": "1" * 32})
    db.session.rollback()
    room = db.session.scalars(select(ChatRoom)).one()
    assert "Une question" in agent.get("/admin/support").text
    agent.post(f"/admin/support/{room.public_id}/reponse", data={"body": "Je vous écoute.", "seen": "1"})
    assert "Je vous écoute." in guest.get("/support").text
    assert db.session.scalar(select(func.count()).select_from(ChatMessage)) == 2


def signal() -> dict[str, str]:
    return {
        "instrument": "GBPJPY",
        "direction": "buy",
        "order_kind": "market",
        "entry": "192.10",
        "stop": "191.60",
        "targets": "193.10",
        "reasoning": "Retour sur la moyenne du jour.",
        "horizon": "Intraday",
        "author_title": "Formateur",
        "conflict_notice": "Aucune position.",
    }


def check_the_dashboard(student: FlaskClient, user: User) -> None:
    """The dashboard gathers it, and the badge is the number of rows that are not read."""
    page = student.get("/espace").text
    for words in ("Lire l’Or", "EURUSD", "GBPJPY"):
        assert words in page
    unread = notifications.unread_count(user.id)
    rows = db.session.scalar(
        select(func.count()).where(UserNotification.user_id == user.id, UserNotification.read_at.is_(None))
    )
    assert unread == rows
    shown = re.search(r'data-count="notifications"[^>]*>.*?data-count-shown[^>]*>(\d+)', page, re.S)
    assert shown is not None
    assert int(shown.group(1)) == unread
    student.post("/espace/notifications/lues")
    assert notifications.unread_count(user.id) == 0
