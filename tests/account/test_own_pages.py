"""Profile, settings and notifications of a person."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Channel, Consent, Gender, User
from calmness.services import notifications
from calmness.services.account import preferences
from calmness.services.account.preferences import Feature, NoticeKind
from tests import factories
from tests.fixtures.site import Socket

LogIn = Callable[[User], FlaskClient]
PROFILE = {
    "first_name": "Élodie",
    "last_name": "O'Brien-Ñandú <b>",
    "phone": "+33 6 12 34 56 78",
    "address": "12 rue de l’Île",
    "postcode": "44000",
    "city": "Nantes",
    "country": "FR",
    "time_zone": "Europe/Paris",
    "company": "",
    "siren": "",
    "vat_number": "",
    "gender": "",
    "age_bracket": "",
}


def notices(user: User, count: int, url: str = "") -> None:
    for number in range(count):
        notifications.notify(
            user.id, NoticeKind.PAYMENT, f"n{number}", title=f"Notice {number}.", url=url, message_kind=None
        )


def test_a_profile_is_saved_and_shown_as_typed(client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)

    answer = browser.post("/espace/profil", data=PROFILE | {"siren": "552 100 554", "vat_number": "FR 83 404833048"})

    assert answer.location == "/espace/profil"
    assert "O&#39;Brien-Ñandú &lt;b&gt;" in browser.get("/espace/profil").text
    db.session.expire_all()
    assert (user.city, user.siren, user.vat_number) == ("Nantes", "552100554", "FR83404833048")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("first_name", " \u200b ", "Entrez votre prénom"),
        ("phone", "call me", "Entrez un numéro comme"),
        ("siren", "123456789", "SIREN n’est pas valable"),
        ("vat_number", "FR1", "TVA n’est pas valable"),
        ("time_zone", "Mars/Olympus", "Not a valid choice"),
        ("country", "EU", "Not a valid choice"),
    ],
)
def test_a_refused_profile_keeps_what_was_typed(client_for: LogIn, field: str, value: str, told: str) -> None:
    user = factories.student(city="Lyon")

    answer = client_for(user).post("/espace/profil", data=PROFILE | {field: value})

    assert answer.status_code == 422
    assert "Nantes" in answer.text
    if told != "Not a valid choice":
        assert told in answer.text
    db.session.expire_all()
    assert user.city == "Lyon"


def test_demographic_answers_need_consent_and_go_with_it(client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)
    answers = {"gender": "femme", "age_bracket": "25-34"}

    browser.post("/espace/profil", data=PROFILE | answers)
    db.session.expire_all()
    assert not user.gender

    browser.post("/espace/profil", data=PROFILE | answers | {"demographics": "y"})
    db.session.expire_all()
    assert str(user.gender) == Gender.WOMAN.value

    browser.post("/espace/profil", data=PROFILE | answers)
    db.session.expire_all()
    assert user.gender is None
    assert db.session.scalars(select(Consent.given).order_by(Consent.id)).all() == [True, False]


def test_without_a_bot_the_page_says_so(site: Flask, client_for: LogIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.config, "TELEGRAM_BOT_NAME", "")

    assert "dès que l’école aura configuré son bot" in client_for(factories.student()).get("/espace/profil").text


def test_settings_are_saved_and_a_feature_that_is_off_leaves_the_menu_and_its_pages(client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)
    assert browser.get("/espace/signaux").status_code == 200
    choices: dict[str, Any] = {"feature.history": "1", "notice.session.email": "1", "locale": "fr", "theme": "light"}

    answer = browser.post("/espace/parametres", data=choices)

    assert answer.location == "/espace/parametres"
    assert preferences.features_of(user.id) == {feature: feature is Feature.HISTORY for feature in Feature}
    row = preferences.notice_matrix(user.id)[NoticeKind.SESSION]
    assert [channel for channel, on in row.items() if on and channel is not Channel.PUSH] == [Channel.EMAIL]
    assert browser.get("/espace/signaux").status_code == 404
    assert 'href="/espace/signaux"' not in browser.get("/espace/parametres").text
    db.session.expire_all()
    assert user.theme == "light"


def test_opening_a_notice_reads_it_and_the_badge_follows(client_for: LogIn, socket_for: Callable[..., Socket]) -> None:
    user = factories.student()
    notices(user, 2, url="/espace/profil")
    browser = client_for(user)
    socket = socket_for(browser)
    number = notifications.listing(user.id, limit=1)[0][0].id

    answer = browser.get(f"/espace/notifications/{number}")

    assert answer.location == "/espace/profil"
    assert [event["count"] for event in socket.received("unread")] == [2, 1]
    page = browser.get("/espace/notifications").text
    assert "1 notification non lue" in page.replace("\u00a0", " ").replace("\u202f", " ")


def test_one_notice_and_all_notices_are_marked_by_buttons(client_for: LogIn) -> None:
    user = factories.student()
    notices(user, 3)
    browser = client_for(user)
    number = notifications.listing(user.id, limit=1)[0][0].id

    browser.post(f"/espace/notifications/{number}/lue")
    assert notifications.unread_count(user.id) == 2
    browser.post("/espace/notifications/lues")

    db.session.rollback()
    assert notifications.unread_count(user.id) == 0
    assert "Tout marquer comme lu" not in browser.get("/espace/notifications").text


def test_a_list_has_pages_and_survives_nonsense(client_for: LogIn) -> None:
    user = factories.student()
    notices(user, 35)
    browser = client_for(user)

    assert "Notice 34." in browser.get("/espace/notifications?page=x").text
    assert "Notice 4." in browser.get("/espace/notifications?page=2").text
    assert browser.get("/espace/notifications?page=99999999999999999999").location == "/espace/notifications?page=2"
    assert browser.get("/espace/notifications/99999999999999999999").status_code == 404


def test_somebody_elses_notice_does_not_exist(client_for: LogIn) -> None:
    owner = factories.student()
    notices(owner, 1)
    theirs = notifications.listing(owner.id, limit=1)[0][0].id

    assert client_for(factories.student()).get(f"/espace/notifications/{theirs}").status_code == 404
    assert notifications.unread_count(owner.id) == 1


def test_an_empty_list_says_what_will_come(client_for: LogIn) -> None:
    assert "Rien de nouveau" in client_for(factories.student()).get("/espace/notifications").text
