"""Accounts that nobody has used for three years are written to, then closed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs import privacy as jobs
from calmness.models.account import Role, User
from calmness.models.audit import AuditEntry
from calmness.models.privacy import AccountDeletion, DeletionCause
from calmness.models.trading import Platform
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.services import api_tokens, dormancy, trading_accounts
from tests import factories
from tests.account.people import log_in, subjects_to, texts_to, with_password
from tests.fixtures.servers import Mailbox
from tests.training import school

LogIn = Callable[[User], FlaskClient]
ADDRESS = "zoe@example.test"
WRITTEN = "Votre compte sera fermé dans 30 jours"


@pytest.fixture
def travel(site: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


def used(days_ago: float, **values: Any) -> User:
    at = clock.now() - timedelta(days=days_ago)
    user = with_password(created_at=at - timedelta(days=100), last_seen_at=at, **values)
    db.session.commit()
    return user


def is_gone(user: User) -> bool:
    db.session.expire_all()
    return user.deleted_at is not None


def wishes() -> list[tuple[int, DeletionCause]]:
    db.session.expire_all()
    rows = db.session.execute(select(AccountDeletion.user_id, AccountDeletion.cause))
    return [(user_id, cause) for user_id, cause in rows]


def test_after_three_years_a_mail_leaves_and_after_thirty_days_the_account_is_gone(
    mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    user = used(3 * 365 + 2, email=ADDRESS)
    used(3 * 365 - 2)

    jobs.write_to_unused()
    jobs.write_to_unused()
    assert wishes() == [(user.id, DeletionCause.UNUSED)]
    assert subjects_to(mailbox, ADDRESS) == [WRITTEN]
    assert "depuis trois ans" in texts_to(mailbox, ADDRESS)
    travel.shift(timedelta(days=29))
    jobs.erase_accounts()
    assert not is_gone(user)
    travel.shift(timedelta(days=1, seconds=1))
    jobs.erase_accounts()

    assert is_gone(user)
    assert user.email != ADDRESS
    assert "Comme nous vous l’avions écrit" in texts_to(mailbox, ADDRESS)
    actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert actions == ["privacy.unused_written_to", "privacy.erasure_started", "privacy.account_erased"]


def test_logging_in_keeps_the_account(visitor: FlaskClient, mailbox: Mailbox, travel: time_machine.Traveller) -> None:
    user = used(4 * 365, email=ADDRESS)
    jobs.write_to_unused()

    log_in(visitor, ADDRESS)
    travel.shift(timedelta(days=40))
    jobs.write_to_unused()
    jobs.erase_accounts()

    db.session.expire_all()
    assert user.deleted_at is None
    assert len(wishes()) == 1
    assert visitor.get("/espace").status_code in {200, 302}


def test_who_has_never_come_counts_from_the_registration(travel: time_machine.Traveller) -> None:
    old = factories.student(created_at=clock.now() - timedelta(days=1200), last_seen_at=None)
    factories.student(created_at=clock.now() - timedelta(days=900), last_seen_at=None)

    jobs.write_to_unused()

    assert wishes() == [(old.id, DeletionCause.UNUSED)]


def a_terminal(user: User) -> None:
    account, _key = trading_accounts.add(user, "Compte", Platform.MT5, "EUR")
    account.last_sync_at = clock.now() - timedelta(days=1)


def a_program(user: User) -> None:
    api_tokens.create(user, "Script", ["account:read"], days=7)


def a_formation(user: User) -> None:
    row = UserFormationEnrollment(
        user_id=user.id,
        formation_id=school.formation().id,
        status=EnrollmentStatus.ACTIVE,
        enrolled_at=clock.now() - timedelta(days=1300),
    )
    db.session.add(row)


def the_team(user: User) -> None:
    user.role = Role.AGENT


@pytest.mark.parametrize("reason", [a_terminal, a_program, a_formation, the_team])
def test_whoever_has_something_running_or_belongs_to_the_team_is_left_alone(
    travel: time_machine.Traveller, reason: Callable[[User], None]
) -> None:
    reason(used(4 * 365))
    db.session.commit()

    jobs.write_to_unused()

    assert wishes() == []


def test_who_comes_between_the_look_and_the_letter_is_not_written_to(
    mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    user = used(4 * 365, email=ADDRESS)
    [found] = dormancy.unused()
    user.last_seen_at = clock.now()
    db.session.commit()

    assert dormancy.write_to(found) is False
    assert wishes() == []


def test_no_more_than_a_portion_a_day(monkeypatch: pytest.MonkeyPatch, travel: time_machine.Traveller) -> None:
    people = [used(1500 + number) for number in range(3)]
    monkeypatch.setattr(dormancy.unused, "__defaults__", (2,))

    jobs.write_to_unused()

    assert sorted(user_id for user_id, _cause in wishes()) == sorted([people[1].id, people[2].id])
