"""A WhatsApp number is linked by six digits that arrive there."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import Channel, ChannelCode, ChannelIdentity, User, UserNotification
from calmness.models.delivery import Delivery
from calmness.services.account import whatsapp_numbers
from tests import factories
from tests.account.test_own_account_by_api import Client
from tests.fakes.providers import Providers

LogIn = Callable[[User], FlaskClient]
NUMBER = "33612345678"


def ask(browser: FlaskClient, typed: str = "06 12 34 56 78") -> None:
    assert browser.post("/espace/profil/whatsapp", data={"number": typed}).status_code == 302
    drain_everything()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def linked() -> list[tuple[int | None, str]]:
    db.session.expire_all()
    rows = db.session.execute(
        select(ChannelIdentity.user_id, ChannelIdentity.external_id).where(
            ChannelIdentity.channel == Channel.WHATSAPP, ChannelIdentity.disabled_at.is_(None)
        )
    )
    return [(user_id, number) for user_id, number in rows]


def test_the_digits_that_arrive_link_the_number(client_for: LogIn, providers: Providers) -> None:
    user = factories.student()
    browser = client_for(user)
    ask(browser)
    [code] = providers.whatsapp.codes_to(NUMBER)

    page = browser.get("/espace/profil/whatsapp").text
    answer = browser.post("/espace/profil/whatsapp/code", data={"code": f"{code[:3]} {code[3:]}"})
    drain_everything()

    assert "+33 6 12 34 56 78" in page
    assert answer.location == "/espace/profil"
    assert linked() == [(user.id, NUMBER)]
    assert "+33 6 12 34 56 78" in browser.get("/espace/profil").text
    assert len(providers.whatsapp.to(NUMBER)) == 2  # the code, then the greeting


def test_no_row_holds_the_digits(client_for: LogIn, providers: Providers) -> None:
    ask(client_for(factories.student()))
    [code] = providers.whatsapp.codes_to(NUMBER)

    rows = [*db.session.scalars(select(ChannelCode.code_hash)), *map(str, db.session.scalars(select(Delivery.params)))]

    assert not [row for row in rows if code in str(row)]


def test_after_five_wrong_tries_the_right_digits_open_nothing(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())
    ask(browser)
    [code] = providers.whatsapp.codes_to(NUMBER)

    answers = [browser.post("/espace/profil/whatsapp/code", data={"code": wrong(code)}) for _ in range(5)]
    late = browser.post("/espace/profil/whatsapp/code", data={"code": code})

    assert [answer.status_code for answer in answers] == [422] * 4 + [410]
    assert "Essais restants\u00a0: 4" in answers[0].text
    assert 'aria-describedby="code-erreur"' in answers[0].text
    assert late.status_code == 410
    assert linked() == []


def test_tries_at_the_same_moment_are_counted_each(client_for: LogIn, site: Flask, providers: Providers) -> None:
    user = factories.student()
    ask(client_for(user))
    [code] = providers.whatsapp.codes_to(NUMBER)
    ready = threading.Barrier(8)
    results: list[str] = []

    def guess() -> None:
        with site.app_context():
            person = db.session.get_one(User, user_id)
            db.session.commit()
            ready.wait()
            try:
                whatsapp_numbers.confirm(person, wrong(code))
            except whatsapp_numbers.WrongChannelCode:
                results.append("looked at")
            except whatsapp_numbers.CodeOver:
                results.append("over")
            finally:
                db.session.rollback()

    user_id = user.id
    db.session.commit()
    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (results.count("looked at"), results.count("over")) == (4, 4)
    db.session.expire_all()
    assert db.session.scalars(select(ChannelCode.attempts)).one() == 5


def test_the_digits_live_ten_minutes(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())
    ask(browser)
    [code] = providers.whatsapp.codes_to(NUMBER)

    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=1), tick=False):
        answer = browser.post("/espace/profil/whatsapp/code", data={"code": code})

    assert answer.status_code == 410
    assert "Demandez-en un nouveau" in answer.text
    assert linked() == []


def test_a_code_that_could_not_leave_in_time_does_not_leave(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())
    browser.post("/espace/profil/whatsapp", data={"number": "0612345678"})

    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        drain_everything()

    assert providers.whatsapp.codes_to(NUMBER) == []


def test_a_second_code_ends_the_first_and_a_code_is_good_for_its_number_only(
    client_for: LogIn, providers: Providers
) -> None:
    user = factories.student()
    browser = client_for(user)
    ask(browser)
    ask(browser, "+32 470 12 34 56")
    first, second = providers.whatsapp.codes_to(NUMBER)[0], providers.whatsapp.codes_to("32470123456")[0]

    if first != second:
        assert browser.post("/espace/profil/whatsapp/code", data={"code": first}).status_code == 422
    browser.post("/espace/profil/whatsapp/code", data={"code": second})

    assert linked() == [(user.id, "32470123456")]


def test_a_number_serves_one_account_and_its_former_owner_is_told(client_for: LogIn, providers: Providers) -> None:
    former, user = factories.student(), factories.student()
    for person in (former, user):
        browser = client_for(person)
        ask(browser)
        browser.post("/espace/profil/whatsapp/code", data={"code": providers.whatsapp.codes_to(NUMBER)[-1]})

    assert linked() == [(user.id, NUMBER)]
    titles = db.session.scalars(select(UserNotification.title).where(UserNotification.user_id == former.id)).all()
    assert "WhatsApp n’est plus relié à votre compte" in titles


def test_asking_says_the_same_for_a_number_that_is_linked_already(client_for: LogIn, providers: Providers) -> None:
    first = client_for(factories.student())
    ask(first)
    first.post("/espace/profil/whatsapp/code", data={"code": providers.whatsapp.codes_to(NUMBER)[-1]})
    second = client_for(factories.student())

    answers = [
        second.post("/espace/profil/whatsapp", data={"number": number}) for number in ("0612345678", "0698765432")
    ]

    assert [(answer.status_code, answer.location) for answer in answers] == [(302, "/espace/profil/whatsapp")] * 2


@pytest.mark.parametrize(
    "typed", ["", "abc", "12345", "0012", "+0612345678", "061234567", "+336123456789", "٠٦١٢٣٤٥٦٧٨", "06 12 34 56 78 x"]
)
def test_what_is_no_number_is_said_beside_the_field(client_for: LogIn, providers: Providers, typed: str) -> None:
    browser = client_for(factories.student())

    answer = browser.post("/espace/profil/whatsapp", data={"number": typed})

    assert answer.status_code == 422
    assert 'aria-describedby="number-aide number-erreur"' in answer.text
    drain_everything()
    assert providers.whatsapp.sent == []


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("06.12.34.56.78", NUMBER),
        ("+33 (0)6 12 34 56 78", NUMBER),
        ("0033612345678", NUMBER),
        ("+33\u202f6\u00a012 34 56 78", NUMBER),
        ("+41 79 123 45 67", "41791234567"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, number: str) -> None:
    assert whatsapp_numbers.normalised(typed) == number


def test_five_codes_an_hour_for_a_person_and_for_a_number(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())
    for _ in range(5):
        ask(browser)

    mine = browser.post("/espace/profil/whatsapp", data={"number": "0698765432"})
    theirs = client_for(factories.student()).post("/espace/profil/whatsapp", data={"number": "0612345678"})

    assert (mine.status_code, theirs.status_code) == (429, 429)
    assert "Cinq codes en une heure suffisent" in mine.text
    assert int(mine.headers["Retry-After"]) > 0


def test_a_number_without_whatsapp_is_said_on_the_page(client_for: LogIn, providers: Providers) -> None:
    providers.whatsapp.absent.add(NUMBER)
    browser = client_for(factories.student())
    ask(browser)

    assert "n’a pas pu joindre ce numéro" in browser.get("/espace/profil/whatsapp").text


def test_somebody_else_s_code_is_not_mine(client_for: LogIn, providers: Providers) -> None:
    ask(client_for(factories.student()))
    [code] = providers.whatsapp.codes_to(NUMBER)

    answer = client_for(factories.student()).post("/espace/profil/whatsapp/code", data={"code": code})

    assert answer.status_code == 410
    assert linked() == []


def test_without_whatsapp_there_is_neither_button_nor_page(
    client_for: LogIn, site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "WHATSAPP_TOKEN", "")
    browser = client_for(factories.student())

    assert "Relier WhatsApp" not in browser.get("/espace/profil").text
    assert browser.get("/espace/profil/whatsapp").status_code == 404
    for path in ("", "/code", "/annulation"):
        assert browser.post(f"/espace/profil/whatsapp{path}").status_code == 404


def test_a_program_links_and_unlinks_a_number(visitor: FlaskClient, providers: Providers) -> None:
    user = factories.student()
    client = Client(visitor, user)

    asked = client.send("POST", "me/channels/whatsapp", {"number": "0612345678"})
    drain_everything()
    [code] = providers.whatsapp.codes_to(NUMBER)
    refused = client.send("POST", "me/channels/whatsapp/confirmation", {"code": wrong(code)})
    taken = client.send("POST", "me/channels/whatsapp/confirmation", {"code": code})

    assert (asked.status_code, asked.get_json()["number"]) == (202, f"+{NUMBER}")
    assert (refused.status_code, refused.get_json()["type"]) == (422, "/problems/wrong-channel-code")
    [row] = taken.get_json()["items"]
    assert (row["channel"], row["name"]) == ("whatsapp", "+33 6 12 34 56 78")
    assert client.send("DELETE", f"me/channels/{row['id']}").status_code == 204
    left = client.send("GET", "me/channels").get_json()
    assert (left["items"], left["waiting"]) == ([], None)
