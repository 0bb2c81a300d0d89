"""Photo of a person: made anew, square, without metadata, seen by its owner and the team."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from calmness import pictures
from calmness.extensions import db
from calmness.files import store
from calmness.models.account import User
from tests import factories

LogIn = Callable[[User], FlaskClient]


def picture(size: tuple[int, int] = (640, 480), form: str = "JPEG", **values: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 160, 40)).save(buffer, form, **values)
    return buffer.getvalue()


def send(browser: FlaskClient, content: bytes, name: str = "moi.jpg") -> TestResponse:
    data = {"file": (io.BytesIO(content), name)}
    return browser.post("/espace/profil/photo", data=data, content_type="multipart/form-data")


def photo_path(page: str) -> str:
    found = re.search(r'src="(/espace/photos/[^"]+)"', page)
    assert found, "no photo on the page"
    return found[1]


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60 000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00" * 9999))
        + chunk(b"IEND", b"")
    )


def test_a_photo_is_shown_where_the_person_is(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    browser, agent = client_for(user), client_for(factories.admin())

    answer = send(browser, picture())

    assert answer.location == "/espace/profil"
    shown = browser.get(photo_path(browser.get("/espace/profil").text))
    assert shown.mimetype == "image/webp"
    assert Image.open(io.BytesIO(shown.data)).size == (256, 256)
    assert photo_path(agent.get(f"/admin/utilisateurs/{user.id}").text)
    small = agent.get(photo_path(agent.get("/admin").text))
    assert Image.open(io.BytesIO(small.data)).size == (64, 64)


def test_nothing_of_the_file_but_its_pixels_survives(site: Flask) -> None:
    exif = Image.Exif()
    exif[0x010F] = "camera of Zoé"
    exif[0x0112] = 6
    content = picture(exif=exif, comment=b"<script>alert(1)</script>")
    assert b"camera" in content

    for square in pictures.squares(content):
        assert b"camera" not in square
        assert b"<script>" not in square
        assert not Image.open(io.BytesIO(square)).getexif()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "pas accepté"),
        (b"<html><script>alert(1)</script>", "pas accepté"),
        (b"GIF89a", "pas accepté"),
        (b"", "vide"),
        (b"\x89PNG\r\n\x1a\n broken", "ne se lit pas"),
        (picture()[:700], "ne se lit pas"),
        (bomb(), "ne se lit pas"),
    ],
)
def test_what_is_no_photo_is_refused_beside_the_field(
    site: Flask, client_for: LogIn, content: bytes, told: str
) -> None:
    user = factories.student()

    answer = send(client_for(user), content, "moi.png")

    assert answer.status_code == 422
    assert told in answer.text
    db.session.expire_all()
    assert user.avatar_file is None


def test_a_new_photo_or_none_deletes_the_files_of_the_old(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)
    send(browser, picture())
    db.session.expire_all()
    first = user.avatar_file or ""
    path = photo_path(browser.get("/espace/profil").text)

    send(browser, picture(form="PNG"))
    db.session.expire_all()
    second = user.avatar_file or ""
    browser.post("/espace/profil/photo/fin")

    small = [key.replace(".webp", "-64.webp") for key in (first, second)]
    assert [key for key in (first, second, *small) if store().exists(key)] == []
    assert browser.get(path).status_code == 404
    assert "/espace/photos/" not in browser.get("/espace/profil").text


def test_another_student_sees_no_photo(site: Flask, client_for: LogIn, visitor: FlaskClient) -> None:
    browser = client_for(factories.student())
    send(browser, picture())
    path = photo_path(browser.get("/espace/profil").text)

    assert client_for(factories.student()).get(path).status_code == 404
    assert visitor.get(path).status_code == 302
    assert client_for(factories.agent()).get(path).status_code == 200


def test_a_lying_header_fills_no_memory() -> None:
    with pytest.raises(pictures.Unreadable):
        pictures.squares(bomb())
    with pytest.raises(pictures.Unreadable):
        pictures.squares(picture((6000, 4200)))
