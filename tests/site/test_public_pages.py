"""What anybody reads without an account: every page, in both languages, for people and for robots."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.extensions import db
from calmness.models.training import FormationStatus
from tests.billing import shop
from tests.training import school

PAGES = [
    "/",
    "/formations",
    "/tarifs",
    "/signaux",
    "/faq",
    "/contact",
    "/risques",
    "/mentions-legales",
    "/cgv",
    "/confidentialite",
    "/cookies",
    "/connexion",
    "/inscription",
    "/mot-de-passe-oublie",
]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_each_page_stands_before_anything_was_written(visitor: FlaskClient, address: str, language: str) -> None:
    answer = visitor.get(address, headers={"Accept-Language": language})

    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1
    assert re.search(r"<title>[^<]+ · Calmness Trading</title>", answer.text)
    assert 'id="contenu"' in answer.text


def test_titles_tell_pages_apart(visitor: FlaskClient) -> None:
    titles = [re.search(r"<title>([^<]+)</title>", visitor.get(address).text) for address in PAGES]

    assert len({title.group(1) for title in titles if title}) == len(PAGES)


def test_every_address_of_the_sitemap_answers(site: Flask, visitor: FlaskClient) -> None:
    formation = school.formation()
    db.session.commit()

    tree = ET.fromstring(visitor.get("/sitemap.xml").text)  # noqa: S314 - our own answer

    base = site.config["BASE_URL"]
    addresses = [found.text or "" for found in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert f"{base}/formations/{formation.slug}" in addresses
    for address in addresses:
        assert visitor.get(address.removeprefix(base)).status_code == 200, address


def test_robots_are_kept_out_of_what_is_not_public(site: Flask, visitor: FlaskClient) -> None:
    text = visitor.get("/robots.txt").text

    for line in ("Disallow: /espace", "Disallow: /admin", "Disallow: /api", f"Sitemap: {site.config['BASE_URL']}/"):
        assert line in text


def test_a_formation_is_described_for_search_engines(site: Flask, visitor: FlaskClient) -> None:
    shop.formation_offer()
    db.session.commit()

    page = visitor.get("/formations/lire-les-marches").text

    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    assert data
    course = json.loads(data.group(1))
    assert course["@type"] == "Course"
    assert course["name"] == "Lire les marchés"
    assert 'property="og:title"' in page


def test_a_draft_is_nowhere(site: Flask, visitor: FlaskClient) -> None:
    formation = school.formation()
    formation.status = FormationStatus.DRAFT
    db.session.commit()

    assert visitor.get(f"/formations/{formation.slug}").status_code == 404
    assert formation.title not in visitor.get("/formations").text
    assert formation.slug not in visitor.get("/sitemap.xml").text


def test_what_an_admin_typed_is_text_never_markup(site: Flask, visitor: FlaskClient) -> None:
    formation = school.formation()
    formation.title = "O'Brien-Ñandú <b>gras</b>"
    formation.summary = "</script><script>alert(1)</script>"
    db.session.commit()

    page = visitor.get(f"/formations/{formation.slug}").text

    assert "<b>gras</b>" not in page
    assert "<script>alert(1)" not in page
    assert "O&#39;Brien-Ñandú &lt;b&gt;gras" in page


@pytest.mark.parametrize("address", ["/nulle-part", "/formations/inconnue"])
def test_what_does_not_exist_says_so_with_a_way_on(visitor: FlaskClient, address: str) -> None:
    answer = visitor.get(address)

    assert answer.status_code == 404
    assert "Cette page n’existe pas" in answer.text
    assert 'href="/"' in answer.text


def test_a_shared_link_shows_our_picture(site: Flask, visitor: FlaskClient) -> None:
    page = visitor.get("/").text

    picture = re.search(r'property="og:image" content="([^"]+)"', page)
    assert picture
    assert picture.group(1).startswith(f"{site.config['BASE_URL']}/static/")


def test_a_foreign_host_is_refused(visitor: FlaskClient) -> None:
    assert visitor.get("/", base_url="http://evil.example").status_code == 400


@pytest.mark.parametrize(("theme", "kept"), [("light", "light"), ("auto", "auto"), ("purple", "dark")])
def test_the_chosen_theme_is_in_the_first_byte(visitor: FlaskClient, theme: str, kept: str) -> None:
    visitor.post("/theme", data={"theme": theme})

    assert f'data-theme="{kept}"' in visitor.get("/").text


@pytest.mark.parametrize(
    ("given", "goes_to"),
    [
        ("/tarifs", "/tarifs"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("\t//evil.example", "/"),
    ],
)
def test_a_choice_leads_back_into_the_house_only(visitor: FlaskClient, given: str, goes_to: str) -> None:
    answer = visitor.post("/langue", data={"locale": "en", "next": given})

    assert answer.headers["Location"] == goes_to


def test_an_address_shows_the_school_as_it_is_registered(site: Flask, visitor: FlaskClient) -> None:
    shop.identity()
    db.session.commit()

    page = visitor.get("/mentions-legales").text

    for words in ("Calmness Trading SAS", "732 829 320", "75002"):
        assert words in page.replace("\u202f", " ").replace("\u00a0", " ")


def test_the_contact_page_leads_to_a_conversation(visitor: FlaskClient) -> None:
    found = re.search(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?Ouvrir la conversation', visitor.get("/contact").text)

    assert found is not None
    assert visitor.get(found.group(1)).status_code == 200


def test_the_home_page_says_what_a_formation_costs(site: Flask, visitor: FlaskClient) -> None:
    shop.formation_offer(price_cents=34_900)
    db.session.commit()

    assert "349,00\u00a0€" in visitor.get("/").text


def test_links_of_templates_that_may_be_absent_are_spelt_right(site: Flask) -> None:
    endpoints = {rule.endpoint for rule in site.url_map.iter_rules()}
    named = {
        endpoint
        for template in (Path(site.root_path) / "templates").rglob("*.html")
        for endpoint in re.findall(r"url_if\(['\"]([a-z_.]+)['\"]", template.read_text())
    }

    assert named - endpoints == set()
