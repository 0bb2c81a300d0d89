"""The description of the API: made from the code, kept in the repository, readable from our own origin."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.blueprints.api import openapi, scopes
from calmness.problems import problem_types

KEPT = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture(autouse=True)
def _request(site: Flask) -> object:
    with site.test_request_context():
        yield


def test_the_kept_description_is_that_of_the_code(site: Flask) -> None:
    assert openapi.written() == KEPT.read_text(), "Run: flask --app wsgi openapi > docs/openapi.json"


def test_every_route_is_described_with_its_access(site: Flask) -> None:
    described = {
        (path, method.upper())
        for path, operations in openapi.document()["paths"].items()
        for method in operations
        if method in openapi.BY_METHOD
    }
    existing = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method)
        for rule in site.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.openapi_document"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert described == existing


def test_operations_have_names_areas_and_no_twin_schemas() -> None:
    document = openapi.document()
    operations = [found for path in document["paths"].values() for found in path.values() if isinstance(found, dict)]
    names = [operation["operationId"] for operation in operations if "operationId" in operation]

    assert document["openapi"] == "3.1.0"
    assert len(names) == len(set(names))
    assert {tag for found in operations for tag in found.get("tags", ())} == set(scopes.AREAS)
    assert [name for name in document["components"]["schemas"] if name[-1].isdigit()] == []
    references = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document)))
    assert references <= set(document["components"]["schemas"])


def test_the_page_shows_every_operation_and_every_problem(visitor: FlaskClient) -> None:
    page = visitor.get("/api/docs")

    assert page.status_code == 200
    for path in openapi.document()["paths"]:
        assert f"<code>{path}</code>" in page.text
    for slug in problem_types():
        assert f"/problems/{slug}" in page.text
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_a_problem_type_leads_to_its_meaning(visitor: FlaskClient) -> None:
    page = visitor.get("/problems/idempotency-key-reused")

    assert "Cette clé d’idempotence a déjà servi" in page.text
    assert visitor.get("/problems/unknown").status_code == 200


def test_each_operation_is_told_in_french_where_it_is_read_in_french(visitor: FlaskClient) -> None:
    english, french = (
        {
            operation["operationId"]: operation["summary"]
            for path in visitor.get(f"/api/v1/openapi.json?lang={language}").get_json()["paths"].values()
            for operation in path.values()
        }
        for language in ("en", "fr")
    )
    page = visitor.get("/api/docs", headers={"Accept-Language": "fr"}).text
    page_in_english = visitor.get("/api/docs", headers={"Accept-Language": "en"}).text

    assert set(english) - set(openapi.FRENCH) == set(), "Tell them in blueprints/api/french.json"
    assert french == {name: openapi.FRENCH[name] for name in english}
    assert french["login"] in page
    assert english["login"] in page_in_english
    assert visitor.get("/api/v1/openapi.json").get_json() == openapi.document("en")


def test_french_sentences_are_written_as_french_is() -> None:
    wrong = [text for text in openapi.FRENCH.values() if re.search(r"[ '][;!?]| :|'", text) or text[-1] not in ".!"]

    assert wrong == []
