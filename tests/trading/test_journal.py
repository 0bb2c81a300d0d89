"""Plan, mistakes, screenshots and notes of a trade: kept whole, found again, nobody else's."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, PngImagePlugin
from sqlalchemy import select
from time_machine import TimeMachineFixture
from werkzeug.test import TestResponse

from calmness import files
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.journal import TradeJournal, TradeScreenshot
from calmness.models.trading import Trade, TradingAccount
from calmness.services.trading import screenshots
from tests import factories
from tests.trading.terminal import NOW, SELL, linked, trade, work

ClientFor = Callable[[User], FlaskClient]
ROW = re.compile(r'href="/espace/historique/\d+">([^<]+)</a>')


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with a purchase of 100 points and a sale."""
    account, ea = linked(site)
    ea.sync(
        trade("1", open_price="1.08000", close_price="1.08500", sl="1.07800"),
        trade("2", type=SELL, open_price="1.08000", close_price="1.08500"),
    )
    work()
    return account.user


def address(ticket: str = "1") -> str:
    return f"/espace/historique/{db.session.scalars(select(Trade.id).where(Trade.ticket == ticket)).one()}"


def picture(size: tuple[int, int] = (64, 48), kind: str = "PNG", **more: Any) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(sink, kind, **more)
    return sink.getvalue()


def send(browser: FlaskClient, content: bytes, name: str = "x.png", **more: str) -> TestResponse:
    return browser.post(f"{address()}/captures", data={"picture": (io.BytesIO(content), name), **more})


def test_a_plan_is_kept_and_measures_the_result(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    assert "+2,50" in browser.get(address()).text

    plan = {"planned_entry": "1,0800", "planned_stop": "1,0750", "planned_target": "1.0950", "plan_followed": "no"}
    saved = browser.post(f"{address()}/note", data=plan)

    assert saved.status_code == 302
    page = browser.get(address()).text
    assert "+1,00" in page
    assert "+3,00" in page
    assert "votre stop prévu" in page
    assert re.search(r'value="1,075[0 ]*"', page)
    assert re.search(r'<input checked[^>]*value="no"', page)


@pytest.mark.parametrize(
    ("ticket", "data", "message"),
    [
        ("1", {"planned_stop": "1.09"}, "sous l’entrée"),
        ("2", {"planned_stop": "1.07"}, "sous l’entrée"),
        ("2", {"planned_stop": "1.07", "planned_entry": "1.06"}, ""),
        ("1", {"planned_entry": "abc"}, "Entrez un prix"),
        ("1", {"planned_target": "-3"}, "Entrez un prix"),
        ("1", {"planned_target": "1e300"}, "Entrez un prix"),
        ("1", {"planned_target": "NaN"}, "Entrez un prix"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_all_that_was_typed(
    client_for: ClientFor, owner: User, ticket: str, data: dict[str, str], message: str
) -> None:
    answer = client_for(owner).post(f"{address(ticket)}/note", data={"note": "Mes mots", **data})

    assert answer.status_code == (422 if message else 302)
    if message:
        assert message in answer.text
        assert "Mes mots" in answer.text
        assert all(f'value="{typed}"' in answer.text for typed in data.values())
        assert db.session.scalars(select(TradeJournal)).all() == []


def test_a_page_that_is_older_writes_over_nothing_and_loses_nothing(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    browser.post(f"{address()}/note", data={"note": "Écrit au bureau", "revision": "0"})

    refused = browser.post(f"{address()}/note", data={"note": "Écrit au téléphone", "revision": "0"})

    assert refused.status_code == 409
    assert "Écrit au bureau" in refused.text
    assert "Écrit au téléphone" in refused.text
    revision = re.findall(r'name="revision"[^>]*value="(\d+)"', refused.text)[0]
    browser.post(f"{address()}/note", data={"note": "Écrit au téléphone", "revision": revision})
    assert db.session.scalars(select(TradeJournal.note)).all() == ["Écrit au téléphone"]


def test_a_page_saves_by_itself_and_learns_where_it_stands(client_for: ClientFor, owner: User) -> None:
    browser, quiet = client_for(owner), {"X-Autosave": "1"}

    first = browser.post(f"{address()}/note", data={"note": "a", "revision": "0"}, headers=quiet)
    second = browser.post(f"{address()}/note", data={"note": "ab", "revision": "1"}, headers=quiet)
    late = browser.post(f"{address()}/note", data={"note": "b", "revision": "1"}, headers=quiet)
    wrong = browser.post(f"{address()}/note", data={"planned_stop": "x", "revision": "2"}, headers=quiet)

    assert [first.get_json()["revision"], second.get_json()["revision"]] == [1, 2]
    assert (late.status_code, wrong.status_code) == (409, 422)
    assert wrong.get_json()["field"] == "planned_stop"
    assert db.session.scalars(select(TradeJournal.note)).all() == ["ab"]


def test_mistakes_are_chosen_from_ones_own_list_and_filter_the_history(client_for: ClientFor, owner: User) -> None:
    browser, other = client_for(owner), client_for(factories.student())
    assert "Stop déplacé" in browser.get(address()).text

    browser.post("/espace/historique/erreurs", data={"name": "  Trop   de café <b> "})
    browser.post("/espace/historique/erreurs/retrait", data={"name": "Stop déplacé"})
    browser.post(f"{address()}/note", data={"mistakes": ["Trop de café <b>", "De personne"]})

    assert db.session.scalars(select(TradeJournal.mistakes)).all() == [["Trop de café <b>"]]
    found = browser.get("/espace/historique", query_string={"mistake": "Trop de café <b>"}).text
    assert ROW.findall(found) == ["1"]
    assert "Stop déplacé" not in browser.get("/espace/historique/erreurs").text
    browser.post("/espace/historique/erreurs/retrait", data={"name": "Trop de café <b>"})
    assert "Trop de café &lt;b&gt;" in browser.get(address()).text
    assert "Trop de café" not in other.get("/espace/historique/erreurs").text
    assert browser.post("/espace/historique/erreurs", data={"name": " "}).status_code == 422


def test_a_screenshot_is_drawn_again_without_what_was_hidden_in_it(client_for: ClientFor, owner: User) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "47 rue du Secret")
    browser, content = client_for(owner), picture(pnginfo=text) + b"PK hidden archive"

    sent = send(browser, content, caption="Cassure <i>")

    assert sent.status_code == 302
    row = db.session.scalars(select(TradeScreenshot)).one()
    shown = browser.get(f"/espace/historique/captures/{row.id}")
    assert (shown.mimetype, Image.open(io.BytesIO(shown.data)).size) == ("image/png", (64, 48))
    assert b"Secret" not in shown.data
    assert b"hidden" not in shown.data
    assert (shown.headers["Cache-Control"], shown.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert "Cassure &lt;i&gt;" in browser.get(address()).text


def test_a_photo_stands_upright_and_forgets_where_it_was_taken(client_for: ClientFor, owner: User) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Telephone of Camille"
    browser = client_for(owner)

    send(browser, picture((60, 20), "JPEG", exif=exif.tobytes()), "photo.png")

    row = db.session.scalars(select(TradeScreenshot)).one()
    content = browser.get(f"/espace/historique/captures/{row.id}").data
    assert Image.open(io.BytesIO(content)).size == (20, 60)
    assert not Image.open(io.BytesIO(content)).getexif()
    assert b"Camille" not in content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "pas une image lisible"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "pas une image lisible"),
        (b"GIF89a" + b"\x00" * 40, "pas une image lisible"),
        (picture()[:60], "pas une image lisible"),
        (picture((6000, 6000)), "30 millions de pixels"),
        (b"\x89PNG" + b"\x00" * (8 * 1024 * 1024), "Image trop grande"),
    ],
    ids=["empty", "svg", "gif", "cut", "bomb", "heavy"],
)
def test_what_is_no_picture_is_refused_beside_its_field(
    client_for: ClientFor, owner: User, content: bytes, message: str
) -> None:
    refused = send(client_for(owner), content, caption="Ma légende")

    assert refused.status_code == 422
    assert message in refused.text
    assert 'value="Ma légende"' in refused.text
    assert db.session.scalars(select(TradeScreenshot)).all() == []


def test_a_wide_screen_is_made_smaller_and_eight_are_enough(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    send(browser, picture((5120, 1000)))
    assert db.session.scalars(select(TradeScreenshot.width)).one() == screenshots.SIDE

    answers = [send(browser, picture()) for _turn in range(8)]

    assert [answer.status_code for answer in answers] == [302] * 7 + [422]
    assert "8 captures par trade" in answers[-1].text


def test_files_go_with_the_screenshot_and_with_the_account(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    send(browser, picture())
    send(browser, picture())
    first, second = db.session.scalars(select(TradeScreenshot).order_by(TradeScreenshot.id))
    keys = (first.file_key, second.file_key)

    browser.post(f"/espace/historique/captures/{first.id}/retrait")
    assert [files.store().exists(key) for key in keys] == [False, True]
    account = db.session.scalars(select(TradingAccount)).one()
    browser.post(f"/espace/metatrader/{account.id}/suppression", data={"name": account.name})

    assert not files.store().exists(keys[1])


def test_nobody_else_reads_a_note_or_a_screenshot_not_even_the_staff(client_for: ClientFor, owner: User) -> None:
    browser = client_for(owner)
    send(browser, picture())
    row_id = db.session.scalars(select(TradeScreenshot.id)).one()

    for person in (factories.student(), factories.agent(), factories.admin()):
        other = client_for(person)
        answers = [
            other.get(f"/espace/historique/captures/{row_id}"),
            other.post(f"/espace/historique/captures/{row_id}/retrait"),
            other.get(address()),
            other.post(f"{address()}/note", data={"note": "x"}),
            send(other, picture()),
        ]
        assert {answer.status_code for answer in answers} == {404}
    assert len(db.session.scalars(select(TradeScreenshot)).all()) == 1
