"""A lost second factor goes a day after its owner was warned, and not when the owner says no."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.account import factor_removals_due
from calmness.jobs.drain import drain_everything
from calmness.models.account import AuthSession, Channel, FactorRemoval, Role, User
from calmness.models.audit import AuditEntry
from calmness.services import contacts, second_factor
from tests import factories
from tests.account.people import OTHER_PASSWORD, PASSWORD, code_now, log_in, path_in_mail, subjects_to, with_factor
from tests.fakes.providers import Providers
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]
ADDRESS = "zoe@example.test"
REASON = "Appel au numéro connu, pièce d’identité vue en visio"


@pytest.fixture
def travel(site: Flask) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield traveller


def page_of(person: User) -> str:
    return f"/admin/utilisateurs/{person.id}"


def ask_as(chief: FlaskClient, person: User, reason: str = REASON) -> str | None:
    return chief.post(f"{page_of(person)}/double-authentification/fin", data={"reason": reason}).location


def outcome() -> str:
    db.session.expire_all()
    return str(db.session.scalars(select(FactorRemoval.outcome)).one())


def actions() -> list[str]:
    mine = AuditEntry.action.like("second_factor.%")
    return list(db.session.scalars(select(AuditEntry.action).where(mine).order_by(AuditEntry.seq)))


def is_on(person: User) -> bool:
    db.session.expire_all()
    return second_factor.is_on(person.id)


def test_an_administrator_asks_the_owner_is_warned_and_a_day_later_the_factor_is_gone(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    person, _key = with_factor(email=ADDRESS)
    chief = factories.admin()
    elsewhere = client_for(person)

    assert ask_as(client_for(chief), person) == page_of(person)
    assert "Votre double authentification va être retirée" in subjects_to(mailbox, ADDRESS)
    travel.shift(timedelta(hours=23, minutes=59))
    factor_removals_due()
    assert is_on(person)
    travel.shift(timedelta(minutes=2))
    factor_removals_due()

    assert not is_on(person)
    assert outcome() == "removed"
    assert elsewhere.get("/espace/profil").location.startswith("/connexion")
    assert log_in(visitor, ADDRESS).location == "/espace"
    assert "Votre double authentification a été retirée par l’école" in subjects_to(mailbox, ADDRESS)
    assert actions() == ["second_factor.removal_asked", "second_factor.reset"]
    actors = db.session.scalars(select(AuditEntry.actor_id).where(AuditEntry.action.like("second_factor.%"))).all()
    assert actors == [chief.id, chief.id]


def test_one_click_in_the_warning_stops_it_and_throws_everybody_out(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    person, _key = with_factor(email=ADDRESS)
    ask_as(client_for(factories.admin()), person)
    elsewhere = client_for(person)
    path = path_in_mail(mailbox, ADDRESS, "/facteur-garde/")

    looked = visitor.get(path)  # as a scanner of mail does
    assert (looked.status_code, outcome()) == (200, "None")
    stopped = visitor.post(path)
    travel.shift(timedelta(hours=25))
    factor_removals_due()

    assert "Rien n’a été retiré" in stopped.text
    assert is_on(person)
    assert outcome() == "stopped"
    assert elsewhere.get("/espace/profil").location.startswith("/connexion")
    assert visitor.post(path).status_code == 410
    assert looked.headers["Referrer-Policy"] == "no-referrer"


def test_the_day_counts_from_the_warning_and_without_one_nothing_is_taken_away(
    client_for: LogIn, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    person, _key = with_factor(email=ADDRESS)
    mailbox.refuse = "450 later"
    ask_as(client_for(factories.admin()), person)
    drain_everything()
    travel.shift(timedelta(hours=25))

    factor_removals_due()
    assert is_on(person)
    mailbox.refuse = None
    drain_everything()
    assert mailbox.to(ADDRESS)
    travel.shift(timedelta(hours=23))
    factor_removals_due()
    assert is_on(person)
    travel.shift(timedelta(hours=1, minutes=1))
    factor_removals_due()

    assert not is_on(person)


def test_the_warning_goes_to_every_linked_channel_whatever_was_chosen(
    client_for: LogIn, providers: Providers, travel: time_machine.Traveller
) -> None:
    person, _key = with_factor(email=ADDRESS)
    contacts.tie(person, Channel.DISCORD, "80351110224678912", "Zoé")
    ask_as(client_for(factories.admin()), person)

    drain_everything()

    said = [message["content"] for message in providers.discord.to("80351110224678912")]
    assert any("va être retirée" in text for text in said)


def test_the_person_asks_with_password_and_mailbox(
    visitor: FlaskClient, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    person, _key = with_factor(email=ADDRESS)
    log_in(visitor, ADDRESS)
    assert "J’ai tout perdu" in visitor.get("/connexion/code?secours=1").text

    visitor.post("/connexion/code/perdu")
    path = path_in_mail(mailbox, ADDRESS, "/facteur-perdu/")
    assert visitor.get(path).status_code == 200
    assert "aura lieu dans 24\u00a0heures" in visitor.post(path).text
    assert visitor.post(path).status_code == 410
    assert "Votre double authentification va être retirée" in subjects_to(mailbox, ADDRESS)
    travel.shift(timedelta(hours=24, minutes=1))
    factor_removals_due()

    assert not is_on(person)
    assert log_in(visitor, ADDRESS).location == "/espace"


def test_the_mailbox_alone_asks_for_nothing(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_factor(email=ADDRESS)

    answer = visitor.post("/connexion/code/perdu")
    drain_everything()

    assert answer.location.startswith("/connexion")
    assert mailbox.to(ADDRESS) == []


def test_ten_minutes_hold_one_link_however_often_it_is_asked_for(
    visitor: FlaskClient, mailbox: Mailbox, travel: time_machine.Traveller
) -> None:
    travel.move_to(datetime.fromisoformat("2026-11-27T10:00:00+00:00"))
    with_factor(email=ADDRESS)
    log_in(visitor, ADDRESS)

    for _ in range(3):
        visitor.post("/connexion/code/perdu")
    drain_everything()

    assert len(mailbox.to(ADDRESS)) == 1


@pytest.mark.parametrize("act", ["code", "password", "recovery"])
def test_whoever_finds_the_factor_again_or_changes_the_password_ends_it(
    site: Flask,
    client_for: LogIn,
    visitor: FlaskClient,
    mailbox: Mailbox,
    travel: time_machine.Traveller,
    act: str,
) -> None:
    person, key = with_factor(email=ADDRESS)
    browser = client_for(person)
    ask_as(client_for(factories.admin()), person)
    drain_everything()
    stop = path_in_mail(mailbox, ADDRESS, "/facteur-garde/")

    if act == "code":
        log_in(visitor, ADDRESS)
        assert visitor.post("/connexion/code", data={"code": code_now(key)}).location == "/espace"
    elif act == "password":
        browser.post("/espace/compte/mot-de-passe", data={"current": PASSWORD, "password": OTHER_PASSWORD})
    else:
        visitor.post("/mot-de-passe-oublie", data={"email": ADDRESS})
        chosen = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
        visitor.post(path_in_mail(mailbox, ADDRESS, "/nouveau-mot-de-passe/"), data=chosen)
    travel.shift(timedelta(hours=25))
    factor_removals_due()

    assert is_on(person)
    assert outcome() == ("found_again" if act == "code" else "withdrawn")
    assert visitor.post(stop).status_code == 410


def test_a_second_administrator_shortens_the_day_and_who_asked_does_not(client_for: LogIn, mailbox: Mailbox) -> None:
    person, _key = with_factor(email=ADDRESS)
    first, second = client_for(factories.admin()), client_for(factories.admin())
    act = f"{page_of(person)}/double-authentification/fin/sans-attendre"
    ask_as(first, person)

    assert "Retirer sans attendre" not in first.get(page_of(person)).text
    assert "Retirer sans attendre" in second.get(page_of(person)).text
    first.post(act)
    assert is_on(person)
    second.post(act)

    assert not is_on(person)
    assert actions() == ["second_factor.removal_asked", "second_factor.reset"]


def test_who_asked_alone_by_mail_waits_the_day_whoever_presses(
    visitor: FlaskClient, client_for: LogIn, mailbox: Mailbox
) -> None:
    person, _key = with_factor(email=ADDRESS)
    log_in(visitor, ADDRESS)
    visitor.post("/connexion/code/perdu")
    visitor.post(path_in_mail(mailbox, ADDRESS, "/facteur-perdu/"))

    client_for(factories.admin()).post(f"{page_of(person)}/double-authentification/fin/sans-attendre")

    assert is_on(person)


def test_an_administrator_says_how_it_was_made_sure_who_asks(client_for: LogIn) -> None:
    person, _key = with_factor(email=ADDRESS)
    chief = client_for(factories.admin())

    answer = chief.post(f"{page_of(person)}/double-authentification/fin", data={"reason": "oui"})
    assert answer.status_code == 422
    assert 'aria-describedby="reason-aide reason-erreur"' in answer.text
    assert re.search(r"<textarea[^>]*>oui</textarea>", answer.text)
    ask_as(chief, person)

    assert REASON.split("’")[0] in chief.get(page_of(person)).text
    chief.post(f"{page_of(person)}/double-authentification/fin/abandon")
    assert outcome() == "withdrawn"
    assert is_on(person)


def test_asking_twice_waits_once_and_for_oneself_another_asks(client_for: LogIn) -> None:
    person, _key = with_factor(email=ADDRESS)
    chief, _chief_key = with_factor(email="chief@example.test", role=Role.ADMIN)
    browser = client_for(chief)

    ask_as(browser, person)
    ask_as(browser, person)
    ask_as(browser, chief)

    assert db.session.scalars(select(FactorRemoval.user_id)).all() == [person.id]


def test_the_team_does_not_get_rid_of_its_factor_by_mail(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "STAFF_SECOND_FACTOR", True)
    with_factor(email=ADDRESS, role=Role.ADMIN)
    log_in(visitor, ADDRESS)

    page = visitor.get("/connexion/code?secours=1").text
    visitor.post("/connexion/code/perdu")
    drain_everything()

    assert "J’ai tout perdu" not in page
    assert mailbox.to(ADDRESS) == []


def test_an_agent_neither_asks_nor_shortens(client_for: LogIn) -> None:
    person, _key = with_factor(email=ADDRESS)
    agent = client_for(factories.agent())

    for act in ("", "/sans-attendre", "/abandon"):
        answer = agent.post(f"{page_of(person)}/double-authentification/fin{act}", data={"reason": REASON})
        assert answer.status_code == 403
    assert db.session.scalars(select(AuthSession.user_id)).all() != []


@pytest.mark.parametrize("path", ["/facteur-perdu/nonsense", "/facteur-garde/nonsense"])
def test_links_of_nobody_are_told_so(visitor: FlaskClient, path: str) -> None:
    assert visitor.get(path).status_code == 410
    assert visitor.post(path).status_code == 410
