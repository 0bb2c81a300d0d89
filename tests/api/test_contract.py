"""Schemathesis over the whole description, as visitor and as each role: no breakdown, no answer beside its schema.

``CALMNESS_FUZZ`` raises the number of requests an operation gets; the default ends in well under a minute.
"""

import contextvars
import os

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from calmness.blueprints.api import openapi
from tests import factories
from tests.api.belongings import belongings
from tests.api.conftest import access_token_of

EXAMPLES = int(os.environ.get("CALMNESS_FUZZ", "2"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


# Schemathesis keeps the answers of files open; a server closes them, and so do the other tests.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("role", ["visitor", "student", "agent", "admin"])
def test_every_answer_is_as_described(site: Flask, role: str, mode: GenerationMode) -> None:
    school = belongings()
    person = None if role == "visitor" else school.owner if role == "student" else getattr(factories, role)()
    with site.test_request_context():
        schema = schemathesis.openapi.from_dict(openapi.document())
    schema.app = site

    breaches = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        own = {parameter.name: school.values[parameter.name] for parameter in operation.path_parameters}
        for path_parameters in [None, own] if own else [None]:
            token = access_token_of(person) if person else None
            strategy = operation.as_strategy(generation_mode=mode, path_parameters=path_parameters)
            breaches += breaches_of(strategy, token)

    assert breaches == []


def breaches_of(strategy: SearchStrategy[Case], token: str | None) -> list[str]:
    """Send what the strategy gives; tell every answer that is not as described."""
    found = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def send(case: Case) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = contextvars.Context().run(case.call, headers=headers)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            reasons = "; ".join(str(failure) for failure in group.exceptions)
            found.append(f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}: {reasons}")

    try:
        send()
    except Unsatisfiable:
        # Nothing can be wrong with a request that has neither parameter nor body.
        assert not found
    return found
