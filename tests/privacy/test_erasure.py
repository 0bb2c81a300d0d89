"""Thirty days after it was asked for, an account is erased: what the law asks for stays, the rest goes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from calmness import clock
from calmness.extensions import db
from calmness.jobs import privacy as jobs
from calmness.jobs.drain import drain_everything
from calmness.models.account import AuthSession, Role, User, UserNotification
from calmness.models.audit import AuditEntry
from calmness.models.billing import Invoice, Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.privacy import AccountDeletion
from calmness.models.trading import Trade, TradingAccount
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.services import audit
from calmness.services.billing import invoice_ledger, purchases
from calmness.services.privacy import erasure, personal_data
from calmness.services.privacy.personal_data import TABLES, Fate
from tests import factories
from tests.account.people import PASSWORD, log_in, with_password
from tests.api.belongings import Belongings, belongings
from tests.billing import shop
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]
SUPPRESSION = "/espace/compte/suppression"


def after(**time: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(**time), tick=False)


def subjects(mailbox: Mailbox, address: str) -> list[str]:
    drain_everything()
    return [str(message["Subject"]) for message in mailbox.to(address)]


def count(name: str, user_id: int) -> int:
    rows = personal_data.rows_of(name, user_id).subquery()
    return db.session.scalar(select(func.count()).select_from(rows)) or 0


def erased(school: Belongings) -> None:
    """Ask, wait thirty days, let the clock work."""
    db.session.query(AccountDeletion).delete()
    waiting = select(Payment).where(Payment.status == PaymentStatus.TRANSACTION_SUBMITTED)
    for payment in db.session.scalars(waiting):
        purchases.cancel(payment, by=school.owner)
    erasure.ask(school.owner)
    db.session.commit()
    with after(days=30, seconds=1):
        jobs.erase_accounts()
    db.session.expire_all()


def test_asking_ends_every_device_and_says_how_to_stop_it(site: Flask, client_for: LogIn, mailbox: Mailbox) -> None:
    user = factories.student()
    browser, phone = client_for(user), client_for(user)

    answer = browser.post(SUPPRESSION, data={"understood": "y"})

    assert answer.location == "/connexion"
    assert "Votre compte sera supprimé dans 30" in browser.get("/connexion").text
    assert phone.get("/espace").location.startswith("/connexion")
    assert subjects(mailbox, user.email) == ["Votre compte sera supprimé dans 30 jours"]
    assert db.session.scalars(select(AuthSession.revoke_reason)).all() == ["deletion_asked"] * 2


def test_the_box_must_be_ticked_and_the_session_fresh(site: Flask, client_for: LogIn) -> None:
    browser = client_for(factories.student())

    assert browser.post(SUPPRESSION).status_code == 422
    for row in db.session.scalars(select(AuthSession)):
        row.fresh_at = None
    assert browser.post(SUPPRESSION, data={"understood": "y"}).location.startswith("/confirmation")
    assert db.session.scalar(select(func.count()).select_from(AccountDeletion)) == 0


def test_the_page_says_what_the_law_keeps(client_for: LogIn) -> None:
    page = client_for(factories.student()).get(SUPPRESSION).text.replace("\u00a0", " ")

    assert "dix ans (C. com. L123-22" in page


def test_logging_in_within_the_days_cancels_and_the_page_says_so(
    site: Flask, visitor: FlaskClient, client_for: LogIn, mailbox: Mailbox
) -> None:
    user = with_password(email="zoe@example.test")
    client_for(user).post(SUPPRESSION, data={"understood": "y"})

    with after(days=29):
        page = log_in(visitor, user.email)
        shown = visitor.get(page.location, follow_redirects=True).text
    with after(days=31):
        jobs.erase_accounts()
        told = subjects(mailbox, user.email)

    db.session.expire_all()
    assert "Votre demande de suppression est annulée" in shown.replace("\u00a0", " ")
    assert user.deleted_at is None
    assert user.first_name == "Élodie"
    assert "La suppression de votre compte est annulée" in told


def test_after_thirty_days_every_table_does_what_its_line_says(site: Flask) -> None:
    school = belongings()
    owner = school.owner.id
    before = {name: count(name, owner) for name, place in TABLES.items() if place.owner is not None}

    erased(school)

    left = {name: count(name, owner) for name in before}
    assert {name: left[name] for name, place in TABLES.items() if place.fate is Fate.DELETED and left[name]} == {}
    kept = [name for name, place in TABLES.items() if place.fate is Fate.KEPT]
    assert [name for name in kept if left[name] < before[name]] == []
    assert (before["trade"], before["trading_account"]) == (2, 1)
    assert left["payment"] == before["payment"] > 0
    assert db.session.scalars(select(AccountDeletion.erased_at)).one() is not None


def test_nothing_names_the_person_but_the_invoice(site: Flask) -> None:
    school = belongings()
    person = school.owner
    person.phone, person.address, person.city = "+33612345678", "12 rue de l’Ile", "Nantes"
    address, name = person.email, person.last_name
    db.session.commit()

    erased(school)

    told = {
        table.name: [row for row in db.session.execute(table.select()) if address in str(row) or name in str(row)]
        for table in db.metadata.sorted_tables
    }
    places = {table for table, rows in told.items() if rows}
    # The last mail still has to leave; other people of the test share the name.
    assert places - {"users", "invoice", "delivery"} == set()
    assert [row for row in told["users"] if f"id={person.id}," in str(row)] == []
    assert person.full_name == "Compte supprimé"
    assert [value for value in (person.phone, person.address, person.city) if value] == []


def test_the_owner_of_the_school_still_opens_the_invoice(site: Flask, client_for: LogIn) -> None:
    school = belongings()
    number = db.session.scalars(select(Invoice.number)).one()
    name = db.session.scalars(select(Invoice.buyer)).one()["name"]

    erased(school)
    browser = client_for(factories.admin())

    assert browser.get(f"/admin/factures/{number}.pdf").data.startswith(b"%PDF-")
    listing = browser.get("/admin/factures").text
    assert number in listing
    assert name.split()[0].replace("'", "&#39;") in listing
    assert browser.get(f"/admin/paiements/{db.session.scalars(select(Invoice.payment_id)).one()}").status_code == 200
    assert invoice_ledger.first_broken() is None
    assert audit.first_broken() is None


def test_what_ran_is_ended(site: Flask) -> None:
    school = belongings()

    erased(school)

    open_payments = select(Payment.status).where(Payment.user_id == school.owner.id)
    assert set(db.session.scalars(open_payments)) <= {PaymentStatus.VALIDATED, PaymentStatus.CANCELLED}
    assert set(db.session.scalars(select(Subscription.status))) == {SubscriptionStatus.CANCELLED}
    assert set(db.session.scalars(select(UserFormationEnrollment.status))) == {EnrollmentStatus.WITHDRAWN}


def test_the_last_mail_goes_to_the_address_and_the_address_is_free_again(
    site: Flask, visitor: FlaskClient, client_for: LogIn, mailbox: Mailbox
) -> None:
    user = with_password(email="zoe@example.test")
    erasure.ask(user)
    db.session.commit()

    with after(days=31):
        jobs.erase_accounts()
        refused = log_in(visitor, "zoe@example.test")
        again = with_password(email="zoe@example.test")
        welcomed = log_in(visitor, "zoe@example.test", PASSWORD)
        told = subjects(mailbox, "zoe@example.test")

    assert told == ["Votre compte est supprimé"]
    assert refused.status_code == 401
    assert welcomed.status_code == 302
    assert again.id != user.id


def test_an_operator_asks_for_somebody_who_wrote_and_the_admin_sees_it(site: Flask, client_for: LogIn) -> None:
    user = factories.student(email="zoe@example.test")
    team = factories.agent(email="agent@example.test")
    db.session.commit()
    runner = site.test_cli_runner()

    done = runner.invoke(args=["users", "erase", user.email])
    refused = runner.invoke(args=["users", "erase", team.email])

    assert done.exit_code == 0
    assert refused.exit_code == 1
    db.session.expire_all()
    assert db.session.scalars(select(AccountDeletion.user_id)).all() == [user.id]
    assert "Suppression demandée" in client_for(factories.admin()).get(f"/admin/utilisateurs/{user.id}").text


def test_a_crash_in_the_middle_is_gone_on_with(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    school = belongings()
    db.session.query(AccountDeletion).delete()
    erasure.ask(school.owner)
    db.session.commit()
    delete_portion: Any = erasure._delete_portion

    def dies(source: Any, user_id: int, file: str) -> int:
        if source.name == "trading_account":
            raise OSError("power cut")
        return int(delete_portion(source, user_id, file))

    with after(days=31):
        monkeypatch.setattr(erasure, "_delete_portion", dies)
        with pytest.raises(OSError, match="power cut"):
            jobs.erase_accounts()
        db.session.rollback()
        monkeypatch.undo()
        assert db.session.scalars(select(TradingAccount)).all()
        jobs.erase_accounts()

    db.session.expire_all()
    assert db.session.scalars(select(TradingAccount)).all() == []
    assert db.session.scalars(select(Trade)).all() == []
    assert db.session.scalars(select(AuditEntry.action)).all().count("privacy.account_erased") == 1


def test_one_that_fails_keeps_nobody_else_waiting(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = factories.student(), factories.student()
    for user in (first, second):
        erasure.ask(user)
    db.session.commit()
    numbers = first.id, second.id
    wipe = erasure.wipe

    def refuses_the_first(user_id: int) -> None:
        if user_id == numbers[0]:
            raise OperationalError("DELETE", {}, Exception("database is locked"))
        wipe(user_id)

    with after(days=31):
        monkeypatch.setattr(erasure, "wipe", refuses_the_first)
        assert erasure.erase_due() == 1
        monkeypatch.undo()
        assert erasure.erase_due() == 1

    assert len(db.session.scalars(select(AccountDeletion.erased_at)).all()) == 2


def test_a_transfer_in_review_comes_first(site: Flask, client_for: LogIn) -> None:
    user, agent = factories.student(), factories.agent()
    shop.identity()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")
    browser = client_for(user)

    refused = browser.post(SUPPRESSION, data={"understood": "y"})
    purchases.validate_payment(payment.id, "AB1234", by=agent)
    taken = browser.post(SUPPRESSION, data={"understood": "y"})

    assert refused.status_code == 409
    assert "en cours de vérification" in refused.text
    assert taken.location == "/connexion"


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_the_team_leaves_the_team_first(site: Flask, client_for: LogIn, role: Role) -> None:
    answer = client_for(factories.student(role=role)).post(SUPPRESSION, data={"understood": "y"})

    assert answer.status_code == 409
    assert "appartient à l’équipe" in answer.text
    assert db.session.scalars(select(UserNotification)).all() == []
