"""Consents: the proof of what was said to which words, and the way back."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.blueprints.account.profile import ProfileForm
from calmness.blueprints.billing.forms import IdentityForm
from calmness.extensions import db
from calmness.models.account import Consent, Gender, User
from calmness.services.account import accounts
from calmness.services.privacy import consents
from tests import factories
from tests.account.people import register
from tests.account.test_own_pages import PROFILE

LogIn = Callable[[User], FlaskClient]
FINGERPRINTS = {
    ("terms", "2026-11"): "e3083e31574a867fc996cc364beab6f7d245351ac67fb791050216b8a5c6d835",
    ("demographics", "2026-11"): "d3dff1e3455d1387bce70a4573ab507209cf3a18bbfc6a84bfce28653e36b618",
    ("early_start", "retractation-2026-11"): "e2a11aef7c5f811bcadb42a8e3aa2cb1d8d36cac293703271010a702be7a2582",
}
"""A purpose whose words change gets a new version, and its fingerprint a new line here."""


def test_words_change_with_their_version_only() -> None:
    assert {(key, one.version): one.fingerprint for key, one in consents.PURPOSES.items()} == FINGERPRINTS


def test_the_words_are_those_beside_the_box(site: Flask) -> None:
    with site.test_request_context("/"):
        assert str(ProfileForm().demographics.label.text) == consents.PURPOSES["demographics"].words
        assert str(IdentityForm().early_start.label.text) == consents.PURPOSES["early_start"].words


def test_the_page_shows_what_when_and_how(site: Flask, visitor: FlaskClient, client_for: LogIn) -> None:
    register(visitor)
    user = db.session.scalars(select(User)).one()
    browser = client_for(user)
    browser.post("/espace/profil", data=PROFILE | {"gender": "femme", "demographics": "y"})

    page = browser.get("/espace/compte/consentements").text

    assert "à l’inscription" in page
    assert "depuis le profil" in page
    assert consents.PURPOSES["demographics"].words in page
    assert page.count("Texte 2026-11") == 2


def test_a_withdrawal_erases_what_it_allowed_and_keeps_the_proof(client_for: LogIn) -> None:
    user = factories.student()
    browser = client_for(user)
    browser.post("/espace/profil", data=PROFILE | {"gender": "femme", "age_bracket": "25-34", "demographics": "y"})
    db.session.expire_all()
    assert user.gender is Gender.WOMAN

    for _twice in range(2):
        browser.post("/espace/compte/consentements/demographics/retrait")

    db.session.expire_all()
    assert (user.gender or user.age_bracket) is None
    rows = db.session.execute(select(Consent.given, Consent.source).order_by(Consent.id)).all()
    assert [tuple(row) for row in rows] == [(True, "profile"), (False, "consents")]
    page = browser.get("/espace/compte/consentements").text
    assert "Retiré le" in page
    assert "Retirer mon accord" not in page


def test_the_proof_of_another_areas_consent_is_shown_too(site: Flask, client_for: LogIn) -> None:
    user = factories.student()
    accounts.record_consent(user.id, "another", given=True, source="elsewhere", version="v7")

    page = client_for(user).get("/espace/compte/consentements").text.replace("\u00a0", " ")

    assert "Autre accord : another" in page
    assert "Texte v7" in page


def test_what_carries_the_contract_is_not_withdrawn_alone(site: Flask, client_for: LogIn) -> None:
    browser = client_for(factories.student())

    assert browser.post("/espace/compte/consentements/terms/retrait").status_code == 409
    assert browser.post("/espace/compte/consentements/unknown/retrait").status_code == 404
    assert db.session.scalars(select(Consent)).all() == []
