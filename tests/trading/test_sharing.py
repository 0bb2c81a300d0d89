"""What the school sees: nothing without a yes, nothing after a no, never one person in a sum."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Consent, User
from calmness.models.audit import AuditEntry
from calmness.models.catalogue import OfferKind
from calmness.models.trading import Trade, TradingAccount
from calmness.services.trading import cohorts, journals, sharing
from calmness.services.trading.sharing import Level
from calmness.services.training import enrollments
from tests import factories
from tests.billing import shop
from tests.trading.terminal import NOW, at, linked, trade, work
from tests.training import school

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with two trades, one with a note."""
    student = factories.student(first_name="Camille", last_name="Dupont")
    _account, ea = linked(site, student)
    ea.sync(trade("771", "30.00", symbol="GER40"), trade("772", "-10.00"))
    work()
    return student


def looks() -> list[tuple[int | None, str]]:
    rows = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "results.seen"))
    return [(row.actor_id, row.object_id) for row in rows]


def test_nothing_is_seen_without_a_yes_not_even_that_the_person_is_there(client_for: ClientFor, owner: User) -> None:
    for staff in (factories.agent(), factories.admin()):
        browser = client_for(staff)
        assert browser.get(f"/admin/resultats/{owner.id}").status_code == 404
        assert "Dupont" not in browser.get("/admin/resultats").text
    assert looks() == []


def test_figures_are_seen_with_consent_and_each_look_is_written_down(client_for: ClientFor, owner: User) -> None:
    agent = factories.agent()
    mine, staff = client_for(owner), client_for(agent)
    mine.post("/espace/suivi/partage", data={"level": "figures"})

    assert "Dupont" in staff.get("/admin/resultats").text
    page = staff.get(f"/admin/resultats/{owner.id}?periode=90").text
    staff.get(f"/admin/resultats/{owner.id}")

    assert "+20,00" in page
    assert "50,0" in page
    assert "GER40" not in page
    assert looks() == [(agent.id, str(owner.id))] * 2


def test_trades_are_seen_with_their_own_yes_and_notes_never(client_for: ClientFor, owner: User) -> None:
    mine, staff = client_for(owner), client_for(factories.admin())
    row = db.session.scalars(select(Trade).where(Trade.ticket == "771")).one()
    journals.write(owner.id, row.id, journals.Draft(note="Peur de perdre", tags="secret"))
    db.session.commit()

    mine.post("/espace/suivi/partage", data={"level": "trades"})
    page = staff.get(f"/admin/resultats/{owner.id}").text

    assert "GER40" in page
    assert "Peur de perdre" not in page
    assert "secret" not in page


def test_a_no_is_at_once_and_both_answers_are_kept(client_for: ClientFor, owner: User) -> None:
    mine, staff = client_for(owner), client_for(factories.admin())
    mine.post("/espace/suivi/partage", data={"level": "trades"})
    assert staff.get(f"/admin/resultats/{owner.id}").status_code == 200

    mine.post("/espace/suivi/partage", data={"level": "none"})

    assert staff.get(f"/admin/resultats/{owner.id}").status_code == 404
    assert "Dupont" not in staff.get("/admin/resultats").text
    assert cohorts.aggregates("365") == []
    rows = db.session.execute(select(Consent.purpose, Consent.given).order_by(Consent.id)).all()
    assert [tuple(row) for row in rows] == [
        ("trading_figures", True),
        ("trading_trades", True),
        ("trading_figures", False),
        ("trading_trades", False),
    ]
    page = mine.get("/espace/suivi").text
    assert page.count("Accordé") == 2
    assert page.count("Retiré") == 2
    assert sharing.TEXT_VERSION in page


def test_the_page_offers_the_school_s_services_beside_what_is_shared(owner: User, client_for: ClientFor) -> None:
    shop.signals_offer(kind=OfferKind.SERVICE, name="Suivi mensuel", slug="suivi-mensuel", price_cents=9900)
    db.session.commit()

    page = client_for(owner).get("/espace/suivi")

    assert "Suivi mensuel" in page.text
    assert "99,00" in page.text
    assert all(words in page.text for words in ("Rien", "Mes chiffres", "Mes chiffres et mes trades"))
    assert "elle ne passe aucun ordre à votre place" in page.text


@pytest.mark.parametrize("level", ["", "everything", "TRADES"])
def test_an_answer_nobody_offered_is_a_no(client_for: ClientFor, owner: User, level: str) -> None:
    client_for(owner).post("/espace/suivi/partage", data={"level": level})

    assert sharing.level_of(owner.id) is Level.NONE


def test_the_same_answer_twice_is_one_proof(owner: User) -> None:
    assert sharing.choose(owner.id, Level.FIGURES)
    assert not sharing.choose(owner.id, Level.FIGURES)
    assert len(sharing.proofs(owner.id)) == 1


def test_students_reach_no_page_of_the_staff(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    paths = ("resultats", f"resultats/{owner.id}", "resultats/cohortes", "metatrader")

    assert {browser.get(f"/admin/{path}").status_code for path in paths} == {403}
    assert client_for(factories.agent()).get("/admin/resultats/cohortes").status_code == 403


# Cohorts


class Class:
    """Students of a formation, who trade and share."""

    def __init__(self, site: Flask, title: str) -> None:
        self.site, self.course = site, school.formation(title=title, slug=title.casefold().replace(" ", "-"))
        self.people: list[User] = []

    def add(self, count: int, *, wins: int = 1, losses: int = 1) -> "Class":
        for _turn in range(count):
            person = school.enrolled(self.course)
            _account, ea = linked(self.site, person)
            tickets = range(wins + losses)
            ea.sync(*(trade(n, "5.00" if n < wins else "-4.00", close_time=at(10)) for n in tickets))
            sharing.choose(person.id, Level.FIGURES)
            self.people.append(person)
        work()
        db.session.commit()
        return self


def shown(period: str = "365") -> dict[str, int | None]:
    return {cell.name: cell.people for cell in cohorts.aggregates(period)}


def test_four_people_stay_hidden_and_five_are_shown_without_an_amount(site: Flask, client_for: ClientFor) -> None:
    group = Class(site, "Lire le marché").add(4)
    browser = client_for(factories.admin())
    assert "Masqué" in browser.get("/admin/resultats/cohortes").text

    group.add(1, wins=3, losses=1)

    page = browser.get("/admin/resultats/cohortes").text
    assert "Lire le marché" in page
    # Mean of four halves and three quarters.
    assert "55\u00a0%" in page
    # Five of five gained: that is said as more than three quarters.
    assert "plus de 75\u00a0%" in page
    assert "€" not in page.split("<table")[1].split("</table>")[0]


def test_one_who_comes_or_goes_cannot_be_read_from_the_difference(site: Flask) -> None:
    group = Class(site, "Lire le marché").add(6)
    assert shown() == {"Lire le marché": 6, "": 6}

    sharing.choose(group.people[0].id, Level.NONE)
    assert shown() == {"Lire le marché": None, "": None}
    sharing.choose(group.people[0].id, Level.FIGURES)
    assert shown() == {"Lire le marché": 6, "": 6}
    group.add(4)
    assert shown()["Lire le marché"] is None
    group.add(1)
    assert shown() == {"Lire le marché": 11, "": 11}


def test_a_small_cell_cannot_be_read_from_the_total(site: Flask) -> None:
    Class(site, "A").add(6)
    small = Class(site, "B").add(2)
    assert shown() == {"A": 6, "B": None, "": None}

    small.add(3)

    assert shown() == {"A": 6, "B": 5, "": 11}


def test_each_person_counts_in_one_cell_alone(site: Flask) -> None:
    first, second = Class(site, "A").add(10), Class(site, "B").add(5)
    for person in first.people[:5]:
        enrollments.enroll(person.id, second.course.id, None, clock.now() + timedelta(minutes=1))
    db.session.commit()

    assert shown() == {"A": 5, "B": 10, "": 15}


# Health of the EAs


def test_the_board_tells_who_is_silent_out_of_date_or_refused(
    site: Flask, client_for: ClientFor, time_machine: TimeMachineFixture
) -> None:
    _silent, ea = linked(site, factories.student(last_name="Muet"))
    ea.sync(trade("1", "1.00"), trade("2", "NaN"))
    old, _ea = linked(site, factories.student(last_name="Ancien"))
    row = db.session.get_one(TradingAccount, old.id)
    row.ea_version, row.balance = "1.00", Decimal("123456.78")
    db.session.commit()
    time_machine.move_to(NOW + timedelta(hours=2), tick=False)
    browser = client_for(factories.agent())

    assert "Muet" in browser.get("/admin/metatrader?etat=silent").text
    outdated = browser.get("/admin/metatrader?etat=outdated").text
    assert "Ancien" in outdated
    assert "Muet" not in outdated
    assert "Muet" in browser.get("/admin/metatrader?etat=refused").text
    everything = browser.get("/admin/metatrader?etat=nonsense").text
    assert "Muet" in everything
    assert "New York" in everything
    assert "456" not in everything.split("<table")[1]


def test_the_board_counts_messages_that_were_refused_whole(site: Flask, client_for: ClientFor) -> None:
    account, ea = linked(site, factories.student(last_name="Tronqué"))
    ea.sync(trade("1", "1.00"))
    _well, other = linked(site, factories.student(last_name="Sain"))
    other.sync()
    assert ea.post(b'{"v": 2').status_code == 400
    assert ea.post({"v": 3}).status_code == 422
    assert ea.post(ea.body(*(trade(ticket) for ticket in range(501)))).status_code == 413

    page = client_for(factories.agent()).get("/admin/metatrader?etat=refused").text

    assert "Tronqué" in page
    assert "3 messages entiers" in page.replace("\u00a0", " ")
    assert "Sain" not in page
    db.session.rollback()
    # What was there before stays, and the account is still well connected.
    assert db.session.get_one(TradingAccount, account.id).login == ea.login
