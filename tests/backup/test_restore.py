"""A backup brings database and files back; what was revoked since stays revoked."""

import io
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.models.account import AuthSession, Gender, Passkey, RecoveryCode, User
from calmness.models.audit import AuditEntry
from calmness.models.billing import Invoice
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.trading import Trade, TradingKey
from calmness.services import audit, backups
from calmness.services.account import accounts, passwords
from calmness.services.billing import invoice_ledger
from calmness.services.privacy import consents, erasure
from calmness.services.trading import trading_accounts
from tests import factories
from tests.account.people import OTHER_PASSWORD, PASSWORD, with_password
from tests.api.belongings import belongings
from tests.api.conftest import access_token_of

LogIn = Callable[[User], FlaskClient]


def made(folder: Path) -> Path:
    db.session.commit()
    return backups.make(folder)


def restored(archive: Path) -> None:
    db.session.commit()
    backups.restore(archive)
    db.session.expire_all()


def test_database_and_files_come_back_as_they_were(site: Flask, tmp_path: Path) -> None:
    belongings()
    number = db.session.scalars(select(Invoice.number)).one()
    archive = made(tmp_path)
    content = store().get(f"invoices/{number}.pdf")
    factories.student(email="later@example.test")
    db.session.commit()
    store().delete(f"invoices/{number}.pdf")

    restored(archive)

    assert db.session.scalar(select(func.count()).select_from(User).where(User.email == "later@example.test")) == 0
    assert store().get(f"invoices/{number}.pdf") == content
    assert "7001" in db.session.scalars(select(Trade.ticket)).all()
    assert invoice_ledger.first_broken() is None
    assert audit.first_broken() is None
    assert "system.restored" in db.session.scalars(select(AuditEntry.action)).all()


def test_the_archive_holds_no_key_and_no_copies_of_peoples_data(site: Flask, tmp_path: Path) -> None:
    store().put("exports/secret.zip", b"everything about somebody")
    archive = made(tmp_path)

    with tarfile.open(archive) as opened:
        names = opened.getnames()
        manifest = opened.extractfile("manifest.json")
        assert manifest is not None
        text = manifest.read().decode()

    assert not any("exports" in name for name in names)
    assert site.config["SECRET_KEY"] not in text
    assert archive.stat().st_mode & 0o077 == 0


def test_no_session_or_token_of_before_opens_anything(site: Flask, client_for: LogIn, tmp_path: Path) -> None:
    user = factories.student()
    number = user.id
    ended, living = client_for(user), client_for(user)
    token = access_token_of(user)
    archive = made(tmp_path)
    ended.post("/deconnexion")

    restored(archive)

    assert ended.get("/espace").location.startswith("/connexion")
    assert living.get("/espace").location.startswith("/connexion")
    bearer = {"Authorization": f"Bearer {token}"}
    assert site.test_client().get("/api/v1/me", headers=bearer).status_code == 401
    assert db.session.scalars(select(AuthSession).where(AuthSession.revoked_at.is_(None))).all() == []
    assert client_for(db.session.get_one(User, number)).get("/espace").status_code == 200


def test_what_was_closed_revoked_or_withdrawn_since_stays_so(site: Flask, tmp_path: Path) -> None:
    school = belongings()
    chief, closed = factories.admin(), factories.student()
    school.owner.gender = Gender.WOMAN
    consents.record(school.owner, "demographics", given=True, source="profile")
    key_id = db.session.scalars(select(TradingKey.id)).first()
    archive = made(tmp_path)
    numbers = school.owner.id, closed.id
    accounts.set_disabled(closed.id, True, by=chief)
    consents.withdraw(school.owner, "demographics")
    trading_accounts.rotate(trading_accounts.own(school.owner.id, school.values["account_id"]))

    restored(archive)

    assert db.session.get_one(User, numbers[1]).disabled_at is not None
    assert db.session.get_one(User, numbers[0]).gender is None
    assert db.session.get_one(TradingKey, key_id).revoked_at is not None


def test_a_password_or_factor_that_was_changed_since_stays_changed(site: Flask, tmp_path: Path) -> None:
    user, now = with_password(email="zoe@example.test"), clock.now()
    number = user.id
    stolen = Passkey(
        user_id=number, credential_id="stolen", public_key="x", sign_count=0, name="x", backed_up=False, created_at=now
    )
    db.session.add_all([stolen, RecoveryCode(code_hash="c", user_id=number, created_at=now)])
    archive = made(tmp_path)
    accounts.change_password(user, PASSWORD, OTHER_PASSWORD, keep_session="")
    db.session.delete(stolen)
    db.session.query(RecoveryCode).one().used_at = now

    restored(archive)

    assert passwords.matches(OTHER_PASSWORD, db.session.get_one(User, number).password_hash)
    assert db.session.query(Passkey).all() == []
    assert db.session.query(RecoveryCode).one().used_at is not None


@pytest.mark.parametrize("database_lost", [False, True])
def test_an_erased_person_does_not_come_back(site: Flask, tmp_path: Path, database_lost: bool) -> None:
    school = belongings()
    person, number = school.owner, school.owner.id
    archive = made(tmp_path)
    erasure.ask(person)
    db.session.commit()
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        assert erasure.erase_due() == 1
        if database_lost:
            # What is in place is the old state itself: only the list beside the database knows.
            backups.restore(archive)
            db.session.expire_all()
        restored(archive)

    assert db.session.get_one(User, number).full_name == "Compte supprimé"
    assert db.session.scalars(select(Trade)).all() == []
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 1


def test_a_message_that_may_have_left_does_not_leave_twice(site: Flask, tmp_path: Path) -> None:
    accounts.send_verification(factories.student(email_verified_at=None))
    archive = made(tmp_path)

    restored(archive)

    assert db.session.scalars(select(Delivery.state)).all() == [DeliveryState.UNKNOWN]


def test_a_damaged_or_foreign_archive_touches_nothing(site: Flask, tmp_path: Path) -> None:
    user = factories.student()
    archive = made(tmp_path)
    broken = tmp_path / "broken.tar.gz"
    broken.write_bytes(archive.read_bytes()[:-2000])
    other = tmp_path / "other.tar.gz"
    with tarfile.open(archive) as given, tarfile.open(other, "w:gz") as taken:
        for member in given:
            content = given.extractfile(member)
            data = content.read() if content else b""
            if member.name == "database":
                data = data[:-1] + b"!"
            member.size = len(data)
            taken.addfile(member, io.BytesIO(data))

    for wrong in (broken, other):
        with pytest.raises(backups.BackupFault):
            backups.restore(wrong)

    db.session.rollback()
    assert db.session.get(User, user.id) is not None


def test_the_commands_say_what_they_did(site: Flask, tmp_path: Path) -> None:
    runner = site.test_cli_runner()
    db.session.commit()

    done = runner.invoke(args=["backup", "--to", str(tmp_path)])
    archive = done.stdout.splitlines()[0]
    refused = runner.invoke(args=["restore", archive])
    taken = runner.invoke(args=["restore", archive, "--yes"])

    assert done.exit_code == 0
    assert (refused.exit_code, taken.exit_code) == (1, 0)
    assert "--yes" in refused.output
    assert "All sessions" in taken.output
