"""What the first bytes of a page say: theme, icons, and the card that other sites show."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

pytestmark = pytest.mark.once


def test_the_first_byte_has_the_chosen_theme(visitor: FlaskClient) -> None:
    visitor.set_cookie("ct_theme", "light")

    page = visitor.get("/tarifs").text

    assert 'data-theme="light"' in page
    assert page.count('name="theme-color"') == 1


def test_an_automatic_theme_names_both_grounds(visitor: FlaskClient) -> None:
    visitor.set_cookie("ct_theme", "auto")

    assert visitor.get("/tarifs").text.count('name="theme-color"') == 2


def test_a_shared_link_has_a_picture_that_is_there(visitor: FlaskClient) -> None:
    page = visitor.get("/tarifs").text
    picture = re.search(r'og:image" content="http://[^/]+(/static/[^"]+card\.png)"', page)

    assert picture is not None
    assert visitor.get(picture.group(1), buffered=True).mimetype == "image/png"
    assert 'property="og:title" content="Tarifs' in page


def test_every_icon_of_the_web_app_is_there(visitor: FlaskClient, site: Flask) -> None:
    root = f"/static/{site.extensions['static_hash']}"
    manifest = visitor.get(f"{root}/manifest.webmanifest", buffered=True).get_json(force=True)

    assert [visitor.get(f"{root}/{icon['src']}", buffered=True).status_code for icon in manifest["icons"]] == [
        200,
        200,
        200,
    ]


def test_an_address_of_an_older_release_leads_to_the_current_one(visitor: FlaskClient, site: Flask) -> None:
    answer = visitor.get("/static/000000000000/js/app.js")

    assert answer.status_code == 302
    assert answer.location == f"/static/{site.extensions['static_hash']}/js/app.js"
