"""English comes by a catalogue that holds every text of the code, whole, with its place holders."""

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from flask.testing import FlaskClient

from calmness import locale
from scripts import translations

pytestmark = pytest.mark.once

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}


@pytest.fixture(scope="module")
def renewed() -> Catalog:
    """The catalogue with the texts of today's code. Reading all code takes seconds."""
    return translations.renewed(translations.read())


def test_every_text_has_its_english(renewed: Catalog) -> None:
    assert translations.missing(renewed) == []


def test_no_text_is_left_that_the_code_forgot(renewed: Catalog) -> None:
    assert {message.id for message in translations.read()} == {message.id for message in renewed}


def test_place_holders_survive_translation() -> None:
    assert translations.faults(translations.read()) == []


def test_what_is_compiled_is_what_is_written() -> None:
    assert translations.COMPILED.read_bytes() == translations.compiled(translations.read())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/", "Trading calmly can be learnt."),
        ("/connexion", "Forgotten your password?"),
        ("/inscription", "Create my account"),
        ("/nowhere", "This page does not exist"),
    ],
)
def test_a_visitor_whose_browser_speaks_english_reads_english(visitor: FlaskClient, address: str, words: str) -> None:
    page = visitor.get(address, headers=ENGLISH).text

    assert '<html lang="en"' in page
    assert words in page


def test_who_chose_french_keeps_it_whatever_the_browser_asks(visitor: FlaskClient) -> None:
    visitor.post("/langue", data={"locale": "fr", "next": "/"})

    assert "Mot de passe oublié" in visitor.get("/connexion", headers=ENGLISH).text


@pytest.mark.parametrize(("number", "words"), [(0, "trades"), (1, "trade"), (2, "trades")])
def test_counted_words_take_the_english_plural_at_zero(site: Flask, number: int, words: str) -> None:
    with site.test_request_context(headers=ENGLISH):
        assert locale.plural("%(num)s trade", "%(num)s trades", number) == f"%(num)s {words}"
