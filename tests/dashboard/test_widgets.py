"""The dashboard of cards: arranged by each person, kept on the server, and never taken down by one card."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from calmness.blueprints.dashboard import widgets
from calmness.blueprints.dashboard.widgets import WIDGETS, Widget
from calmness.extensions import db
from calmness.models.account import User
from calmness.services import notifications
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature, NoticeKind
from calmness.services.dashboard import layouts
from tests import factories
from tests.signals import desk

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture
def user(site: Flask) -> User:
    """Whose dashboard it is."""
    person = factories.student()
    db.session.commit()
    return person


@pytest.fixture
def browser(client_for: ClientFor, user: User) -> FlaskClient:
    """The person's browser."""
    return client_for(user)


def order(user: User) -> tuple[str, ...]:
    db.session.rollback()
    return layouts.of_user(user.id).widgets


def shown(browser: FlaskClient) -> list[str]:
    """Labels of the cards in the order of the page, as the person who arranges them sees them."""
    return re.findall(r'widget__bar">\s*<strong>([^<]+)<', browser.get("/espace?modifier=1").text)


def test_a_newcomer_sees_every_card_and_what_to_do_next(browser: FlaskClient) -> None:
    page = browser.get("/espace").text

    assert shown(browser) == [str(WIDGETS[name].label) for name in layouts.DEFAULT]
    assert "Relier MetaTrader" in page
    assert "Aucune séance programmée" in page


@pytest.mark.parametrize(("act", "place"), [("first", 0), ("last", -1), ("earlier", 3), ("later", 5)])
def test_a_card_moves_and_stays_where_it_was_put(browser: FlaskClient, user: User, act: str, place: int) -> None:
    name = layouts.DEFAULT[4]

    assert browser.post(f"/espace/widgets/{name}/{act}").status_code == 302

    assert order(user)[place] == name
    assert sorted(order(user)) == sorted(layouts.DEFAULT)
    assert shown(browser) == [str(WIDGETS[kept].label) for kept in order(user)]


@pytest.mark.parametrize(("name", "act"), [(layouts.DEFAULT[0], "earlier"), (layouts.DEFAULT[-1], "later")])
def test_a_card_at_the_edge_stays_there(browser: FlaskClient, user: User, name: str, act: str) -> None:
    browser.post(f"/espace/widgets/{name}/{act}")

    assert order(user) == layouts.DEFAULT


def test_a_card_is_removed_added_once_and_all_is_reset(browser: FlaskClient, user: User) -> None:
    browser.post("/espace/widgets/payments/remove")
    assert "payments" not in order(user)
    assert "Cartes à ajouter" in browser.get("/espace?modifier=1").text

    for _click in range(2):
        browser.post("/espace/widgets/payments/add")
    assert order(user).count("payments") == 1
    browser.post("/espace/widgets/payments/first")

    browser.post("/espace/widgets")
    assert order(user) == layouts.DEFAULT


def test_all_cards_may_go_and_the_page_still_offers_them(browser: FlaskClient, user: User) -> None:
    for name in WIDGETS:
        browser.post(f"/espace/widgets/{name}/remove")

    assert order(user) == ()
    assert browser.get("/espace").status_code == 200
    assert browser.get("/espace?modifier=1").text.count("/add") == len(WIDGETS)


@pytest.mark.parametrize("address", ["/espace/widgets/inconnu/first", "/espace/widgets/payments/explode"])
def test_what_is_no_card_or_no_act_does_not_exist(browser: FlaskClient, user: User, address: str) -> None:
    assert browser.post(address).status_code == 404
    assert order(user) == layouts.DEFAULT


def test_an_arrangement_is_nobody_elses(browser: FlaskClient, user: User, client_for: ClientFor) -> None:
    other = factories.student()
    browser.post("/espace/widgets/payments/remove")

    assert len(shown(client_for(other))) == len(layouts.DEFAULT)


def test_a_card_that_no_longer_exists_is_left_out(browser: FlaskClient, user: User) -> None:
    layouts.change(user.id, "of_last_year", "add", known=(*WIDGETS, "of_last_year"))
    db.session.commit()

    assert browser.get("/espace").status_code == 200
    assert len(shown(browser)) == len(WIDGETS)


@pytest.mark.parametrize(
    "fault", [OperationalError("select", {}, Exception("gone")), KeyError("x"), ZeroDivisionError()]
)
def test_a_card_that_fails_says_so_and_takes_nothing_down(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(_user: User) -> str:
        raise fault

    monkeypatch.setitem(widgets.WIDGETS, "capital", Widget(WIDGETS["capital"].label, fail))

    page = browser.get("/espace")

    assert page.status_code == 200
    assert "Cette carte ne répond pas pour l’instant" in page.text
    assert "Relier MetaTrader" in page.text
    assert browser.get("/espace/widgets/capital").status_code == 200


def test_a_card_comes_alone_for_who_refreshes_it(browser: FlaskClient, user: User) -> None:
    notifications.notify(user.id, NoticeKind.SIGNAL, "test:1", title="Une nouvelle", body="", url="/espace")
    db.session.commit()

    card = browser.get("/espace/widgets/notifications").text

    assert "Une nouvelle" in card
    assert "<html" not in card
    assert browser.get("/espace/widgets/inconnu").status_code == 404


def test_what_is_switched_off_leaves_the_dashboard(site: Flask, client_for: ClientFor) -> None:
    user = desk.subscriber()
    browser = client_for(user)
    assert "Aucun signal en cours" in browser.get("/espace").text

    preferences.set_feature(user.id, Feature.SIGNALS, on=False)
    db.session.commit()

    assert "Aucun signal en cours" not in browser.get("/espace").text


def test_days_left_of_a_subscription_stand_on_its_card(site: Flask, client_for: ClientFor) -> None:
    card = client_for(desk.subscriber()).get("/espace/widgets/subscriptions").text

    assert "Signaux 30 jours" in card
    # Thirty were bought a moment ago: who reads 29 counts again.
    assert "30\u00a0jours restants" in card
