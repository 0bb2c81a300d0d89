"""A program gives and takes back consents, a photo, and the account itself."""

import base64
from io import BytesIO

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Consent
from calmness.models.privacy import AccountDeletion
from tests import factories
from tests.account.people import PASSWORD, with_password
from tests.api.conftest import ApiFor


def picture() -> str:
    """A small PNG with a word in it that must not stay."""
    from PIL.PngImagePlugin import PngInfo

    written, info = BytesIO(), PngInfo()
    info.add_text("Author", "Zoé Ferrand")
    Image.new("RGB", (40, 30), "teal").save(written, "PNG", pnginfo=info)
    return base64.b64encode(written.getvalue()).decode()


def test_answers_want_a_consent_that_is_proved_and_taken_back(api_for: ApiFor) -> None:
    call = api_for(factories.student())

    without = call("PUT", "/me/demographics", json={"gender": "femme", "consent": False})
    given = call("PUT", "/me/demographics", json={"gender": "femme", "consent": True})
    told = {row["key"]: row for row in call("GET", "/me/consents").get_json()["items"]}
    taken = call("POST", "/me/consents/withdrawals", json={"key": "demographics"})
    contract = call("POST", "/me/consents/withdrawals", json={"key": "terms"})

    assert (without.status_code, given.get_json()) == (422, {"gender": "femme", "age_bracket": None})
    assert (told["demographics"]["given"], told["demographics"]["revocable"]) == (True, True)
    assert told["demographics"]["proof"][0]["source"] == "api"
    after = {row["key"]: row["given"] for row in taken.get_json()["items"]}
    assert after["demographics"] is False
    assert contract.get_json()["type"] == "/problems/consent-not-revocable"
    assert call("GET", "/me/demographics").get_json() == {"gender": None, "age_bracket": None}
    assert len(db.session.scalars(select(Consent).filter_by(purpose="demographics")).all()) == 2


def test_a_photo_is_made_anew_from_its_pixels(api_for: ApiFor) -> None:
    call = api_for(factories.student())

    nothing = call("GET", "/me/avatar")
    refused = [call("PUT", "/me/avatar", json={"content": text}).status_code for text in ("é", "QUJD", "")]
    given = call("PUT", "/me/avatar", json={"content": picture()})
    photo = call("GET", "/me/avatar")
    call("DELETE", "/me/avatar")

    assert (nothing.status_code, refused, given.status_code) == (204, [422] * 3, 204)
    assert (photo.mimetype, Image.open(BytesIO(photo.data)).size) == ("image/webp", (256, 256))
    assert "Zoé".encode() not in photo.data
    assert call("GET", "/me/avatar").status_code == 204


def test_a_wish_to_be_erased_ends_every_session_and_a_login_cancels_it(
    site: Flask, visitor: FlaskClient, api_for: ApiFor
) -> None:
    user = with_password(email="zoe@example.test")
    call = api_for(user)

    unsure = call("POST", "/me/deletion", json={"understood": False})
    asked = call("POST", "/me/deletion", json={"understood": True})
    afterwards = call("GET", "/me")
    visitor.post("/api/v1/auth/login", json={"email": "zoe@example.test", "password": PASSWORD})

    assert (unsure.status_code, asked.status_code, afterwards.status_code) == (422, 202, 401)
    wish = db.session.scalars(select(AccountDeletion)).one()
    assert asked.get_json()["due_at"].startswith(wish.due_at.date().isoformat())
    assert wish.cancelled_at is not None


def test_the_team_is_not_erased_by_program(api_for: ApiFor) -> None:
    refused = api_for(factories.agent())("POST", "/me/deletion", json={"understood": True})

    assert refused.get_json()["type"] == "/problems/staff-account"
