"""A program writes the journal of a trade, and puts pictures beside it."""

import io
import json
from typing import Any

import pytest
from flask import Flask
from PIL import Image, PngImagePlugin
from sqlalchemy import select
from time_machine import TimeMachineFixture

from calmness import files
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.journal import TradeJournal, TradeScreenshot
from calmness.models.trading import Trade
from calmness.services.trading import screenshots
from tests import factories
from tests.api.conftest import ApiFor
from tests.trading.terminal import NOW, linked, trade, work


@pytest.fixture(autouse=True)
def _now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def owner(site: Flask) -> User:
    """A student with a purchase that won 50 points behind a stop of 20."""
    account, ea = linked(site)
    ea.sync(trade("1", open_price="1.08000", close_price="1.08500", sl="1.07800"))
    work()
    return account.user


def place() -> str:
    return f"/me/trading/trades/{db.session.scalars(select(Trade.id)).one()}"


def picture(word: str = "") -> bytes:
    sink, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", word)
    Image.new("RGB", (64, 48), (200, 30, 30)).save(sink, "PNG", pnginfo=info)
    return sink.getvalue()


def test_a_journal_is_written_whole_and_measures_the_trade(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    empty = call("GET", f"{place()}/journal").get_json()

    written = call(
        "PUT",
        f"{place()}/journal",
        json={
            "note": "Cassure du range",
            "tags": ["range", "londres"],
            "mistakes": ["Stop déplacé", "de nulle part"],
            "planned_entry": "1.08",
            "planned_stop": "1.0750",
            "planned_target": "1.09",
            "plan_followed": False,
        },
    ).get_json()
    shown = call("GET", place()).get_json()

    assert (empty["revision"], empty["note"], empty["planned_stop"], empty["updated_at"]) == (0, "", None, None)
    assert (written["tags"], written["mistakes"]) == (["londres", "range"], ["Stop déplacé"])
    assert (written["planned_stop"], written["planned_r"], written["plan_followed"]) == ("1.075", "2", False)
    assert (shown["result_r"], shown["journal"], shown["ticket"]) == ("1", written, "1")
    row = db.session.scalars(select(TradeJournal)).one()
    assert (row.note, row.user_id, row.revision) == ("Cassure du range", owner.id, 1)
    assert call("GET", "/me/trading/tags").get_json() == {"items": ["londres", "range"]}
    assert len(call("GET", "/me/trading/trades?tag=range").get_json()["items"]) == 1


def test_an_older_revision_and_an_older_etag_write_over_nothing(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    tag = call("GET", f"{place()}/journal").headers["ETag"]
    call("PUT", f"{place()}/journal", json={"note": "un"})

    by_revision = call("PUT", f"{place()}/journal", json={"note": "deux", "revision": 0})
    by_tag = call("PUT", f"{place()}/journal", json={"note": "trois"}, headers={"If-Match": tag})

    assert (by_revision.status_code, by_revision.get_json()["type"]) == (409, "/problems/journal-changed-meanwhile")
    assert (by_tag.status_code, by_tag.get_json()["type"]) == (412, "/problems/stale")
    assert db.session.scalars(select(TradeJournal.note)).one() == "un"


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"planned_stop": "1.09"}, "#/planned_stop"),
        ({"planned_entry": "0"}, "#/planned_entry"),
        ({"planned_entry": "1,08"}, "#/planned_entry"),
        ({"tags": ["a,b"]}, "#/tags/0"),
        ({"tags": ["x"] * 13}, "#/tags"),
        ({"note": "x" * 10_001}, "#/note"),
        ({"user_id": 1}, "#/user_id"),
    ],
)
def test_what_no_journal_holds_is_refused_by_its_field(
    api_for: ApiFor, owner: User, given: dict[str, object], pointer: str
) -> None:
    refused = api_for(owner)("PUT", f"{place()}/journal", json=given)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.get_json()["errors"]] == [pointer]
    assert db.session.scalars(select(TradeJournal)).all() == []


def test_the_own_list_of_mistakes_grows_once_and_shrinks(api_for: ApiFor, owner: User) -> None:
    call, key = api_for(owner), {"Idempotency-Key": "0123456789abcdef"}
    before = call("GET", "/me/trading/mistakes").get_json()["items"]

    added = call("POST", "/me/trading/mistakes", json={"name": "Sans stop"}, headers=key)
    again = call("POST", "/me/trading/mistakes", json={"name": "Sans stop"}, headers=key)
    gone = call("DELETE", "/me/trading/mistakes?name=Sans%20stop")
    empty = call("POST", "/me/trading/mistakes", json={"name": "   "})

    assert (added.status_code, added.get_json()["items"]) == (201, [*before, "Sans stop"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert gone.get_json()["items"] == before
    assert empty.get_json()["type"] == "/problems/wrong-mistake"
    assert call("GET", "/me/trading/mistakes").get_json()["items"] == before


def test_a_picture_is_sent_seen_and_deleted_with_its_file(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)

    def send(name: str, content: bytes, **more: str) -> Any:
        data = {"picture": (io.BytesIO(content), name), **more}
        headers = {"Idempotency-Key": "0123456789abcdef"}
        return call("POST", f"{place()}/pictures", data=data, headers=headers)

    sent = send("x.png", picture("Zoé"), caption="Entrée")
    again = send("x.png", picture("Zoé"), caption="Entrée")
    other = send("x.png", picture("Léo"), caption="Entrée")
    listed = call("GET", f"{place()}/pictures").get_json()["items"]
    key = db.session.scalars(select(TradeScreenshot.file_key)).one()
    address = f"/me/trading/pictures/{listed[0]['id']}"
    seen = call("GET", address)

    assert (sent.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert other.get_json()["type"] == "/problems/idempotency-key-reused"
    assert listed == [sent.get_json()]
    assert (listed[0]["width"], listed[0]["height"], listed[0]["caption"]) == (64, 48, "Entrée")
    assert (seen.mimetype, Image.open(io.BytesIO(seen.data)).size) == ("image/png", (64, 48))
    assert "Zoé".encode() not in seen.data
    assert call("DELETE", address).status_code == 204
    assert call("GET", address).status_code == 404
    with pytest.raises(FileNotFoundError):
        files.store().get(key)


def test_a_file_comes_as_a_form_and_is_looked_at(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    address = f"{place()}/pictures"

    as_json = call("POST", address, json={"picture": "QUJD"})
    no_picture = call("POST", address, data={"picture": (io.BytesIO(b"MZ\x90"), "x.png")})
    no_file = call("POST", address, data={"picture": "texte"}, content_type="multipart/form-data")
    unknown = call("POST", address, data={"picture": (io.BytesIO(picture()), "x.png"), "trade_id": "1"})
    forbidden = call("POST", address, data={"picture": (io.BytesIO(picture()), "x.png"), "caption": "a\x00b"})
    too_large = call(
        "POST",
        address,
        data={"picture": (io.BytesIO(picture()), "x.png")},
        environ_overrides={"CONTENT_LENGTH": str(screenshots.MAX_BYTES + 70_000)},
    )

    assert (as_json.status_code, no_file.status_code, unknown.status_code) == (415, 422, 422)
    assert no_picture.get_json()["type"] == "/problems/no-picture"
    assert no_picture.get_json()["errors"][0]["pointer"] == "#/picture"
    assert (forbidden.status_code, forbidden.get_json()["type"]) == (400, "/problems/forbidden-character")
    assert too_large.status_code == 413
    assert db.session.scalars(select(TradeScreenshot)).all() == []


def test_refusals_come_in_english_too(api_for: ApiFor, owner: User) -> None:
    call = api_for(owner)
    french, english = (
        call("PUT", f"{place()}/journal", json={"planned_stop": "1.09"}, headers={"Accept-Language": language})
        for language in ("fr", "en")
    )

    assert "stop prévu" in json.dumps(french.get_json(), ensure_ascii=False)
    assert "planned stop" in json.dumps(english.get_json())


def test_nobody_reads_or_writes_another_ones_journal(api_for: ApiFor, owner: User) -> None:
    api_for(owner)("PUT", f"{place()}/journal", json={"note": "à moi"})
    call = api_for(factories.admin())

    answers = [
        call("GET", place()),
        call("GET", f"{place()}/journal"),
        call("PUT", f"{place()}/journal", json={"note": "à nous"}),
        call("POST", f"{place()}/pictures", data={"picture": (io.BytesIO(picture()), "x.png")}),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert db.session.scalars(select(TradeJournal.note)).one() == "à moi"
