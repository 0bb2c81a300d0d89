"""Schemathesis over the whole description, as visitor and as each role: no breakdown, no answer beside its schema.

``CALMNESS_FUZZ`` raises the number of requests an operation gets; the default ends in well under a minute.
"""

import contextlib
import contextvars
import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

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
Values = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """Requests made up for an operation, to any path and to the path of what somebody owns."""

    names: list[str]
    anywhere: list[Case]
    at_own: list[Case]

    def to(self, values: Values) -> list[Case]:
        """All of them, with the owner's values in the paths."""
        for case in self.at_own:
            case.path_parameters = {name: values[name] for name in self.names}
        return [*self.anywhere, *self.at_own]


# Schemathesis keeps the answers of files open; a server closes them, and so do the other tests.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value),
]


@pytest.mark.parametrize("role", ["student", "admin"])
def test_every_answer_is_as_described(site: Flask, role: str, mode: GenerationMode) -> None:
    assert breaches_met_by(site, role, mode) == []


# An agent is answered like an administrator or refused like a visitor: no statement of theirs is new to a database.
@pytest.mark.once
@pytest.mark.parametrize("role", ["visitor", "agent"])
def test_every_answer_to_visitor_and_agent_is_as_described(site: Flask, role: str, mode: GenerationMode) -> None:
    assert breaches_met_by(site, role, mode) == []


def breaches_met_by(site: Flask, role: str, mode: GenerationMode) -> list[str]:
    """What somebody meets who sends everything to every operation."""
    school = belongings()
    person = None if role == "visitor" else school.owner if role == "student" else getattr(factories, role)()
    with site.test_request_context():
        document = json.dumps(openapi.document())

    breaches = []
    for made in requests_for(document, mode):
        token = access_token_of(person) if person else None
        breaches += [told for case in made.to(school.values) for told in breaches_of(site, case, token)]
    return breaches


@cache
def requests_for(document: str, mode: GenerationMode) -> list[Made]:
    """What every role sends. To make it up costs twice as much as to answer it, and it is the same for all."""
    made = []
    for result in schemathesis.openapi.from_dict(json.loads(document)).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        names = [parameter.name for parameter in operation.path_parameters]
        anywhere = drawn(operation.as_strategy(generation_mode=mode))
        given = dict.fromkeys(names, "1")
        at_own = drawn(operation.as_strategy(generation_mode=mode, path_parameters=given)) if names else []
        made.append(Made(names, anywhere, at_own))
    return made


def drawn(strategy: SearchStrategy[Case]) -> list[Case]:
    """Some of what the strategy gives, the same in each run."""
    cases: list[Case] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def keep(case: Case) -> None:
        cases.append(case)

    # Nothing can be wrong with a request that has neither parameter nor body.
    with contextlib.suppress(Unsatisfiable):
        keep()
    return cases


def breaches_of(site: Flask, case: Case, token: str | None) -> list[str]:
    """Send it; tell what of the answer is not as described."""
    case.operation.app = case.operation.schema.app = site
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = contextvars.Context().run(case.call, headers=headers)
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        reasons = "; ".join(str(failure) for failure in group.exceptions)
        return [f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}: {reasons}"]
    return []
