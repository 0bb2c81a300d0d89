"""The OpenAPI document, made from the code: routes, schemas, access declarations, scopes and problem types."""

import json
import re
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import click
from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.routing import Rule

from calmness.access import AccessKind, access_of, public
from calmness.blueprints.api import bp, scopes

JSON, PROBLEM = "application/json", "application/problem+json"
Document = dict[str, Any]
_TWICE = re.compile(r"^(?P<name>.+?)\d+$")
_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")

REFUSALS = {
    "400": "Malformed request: no JSON, a forbidden character, a bad cursor.",
    "401": "No token, or one that has ended.",
    "403": "The account or the token does not allow it.",
    "404": "Absent, or not the caller's: told in the same words.",
    "409": "The state does not allow it.",
    "410": "The link of a mail has been used or is over.",
    "412": "`If-Match` names an older state.",
    "413": "More than 1 MB.",
    "415": "A body that is not `application/json`.",
    "422": "A field or a rule refused; `errors` points to the fields.",
    "429": "Too many requests; `Retry-After` says when to come back.",
    "503": "Busy; try again in `Retry-After` seconds.",
}
BY_METHOD = {
    "get": {"400", "404", "409", "422", "429", "503"},
    "post": set(REFUSALS) - {"412"},
    "put": set(REFUSALS) - {"410"},
    "patch": set(REFUSALS) - {"410"},
    "delete": set(REFUSALS) - {"410", "412"},
}
FILES = {
    "api.api_avatar": ["image/webp"],
    "api.api_export_file": ["application/zip"],
    "api.api_my_invoice_pdf": ["application/pdf"],
    "api.api_analytics_export": [
        "text/csv",
        JSON,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ],
    "api.api_documents_of_month": ["application/zip"],
    "api.api_fec": ["text/plain"],
    "api.api_identity_logo": ["image/png"],
    "api.api_identity_specimen": ["application/pdf"],
    "api.api_invoice_pdf": ["application/pdf"],
    "api.api_preview_identity": ["application/pdf"],
    "api.api_receipts_flow": ["text/csv"],
    "api.api_sales_flow": ["text/csv"],
    "api.api_sales_journal": ["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    "api.api_supplier_file": ["application/pdf", "application/xml"],
    "api.api_preview_mention": ["application/pdf"],
}
PROBLEM_SCHEMA: Document = {
    "type": "object",
    "description": "RFC 9457. `type` is stable; `title` and `detail` are in the language of `Accept-Language`.",
    "required": ["type", "title", "status", "instance"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z0-9-]+$"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
INTRODUCTION = """\
JSON over HTTPS. Bearer token in `Authorization`: an access token of `auth/login`, or a personal token `ct_pat_…` of the
account page. Instants are RFC 3339 in UTC, amounts integer cents with their currency, prices exact decimals as text.
Lists answer `{"items": […], "next": cursor or null}`. Errors are `application/problem+json`.
"""


@bp.get("/openapi.json")
@bp.doc(hide=True)
@public
def openapi_document() -> ResponseReturnValue:
    """OpenAPI 3.1 description of this API."""
    return jsonify(document())


def document() -> Document:
    """The description, made once for each application."""
    known: Document | None = current_app.extensions.get("calmness.openapi")
    if known is None:
        known = current_app.extensions["calmness.openapi"] = _made()
    return known


def written() -> str:
    """The description as the repository keeps it."""
    return json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def register_command(app: Flask) -> None:
    """Add ``flask openapi``."""

    @app.cli.command("openapi")
    def show() -> None:
        """Print the OpenAPI document: ``flask openapi > docs/openapi.json``."""
        with app.test_request_context():
            click.echo(written(), nl=False)


def _made() -> Document:
    with warnings.catch_warnings():
        # The generator registers a schema twice that stands inside another one; see _without_twins.
        warnings.filterwarnings("ignore", message=".*has already been added to the spec")
        raw: Document = current_app.spec  # type: ignore[attr-defined]
    made: Document = json.loads(_without_twins(json.dumps(raw, default=_plain)))
    made["info"] = {"title": "Calmness Trading", "version": "1.0", "description": INTRODUCTION}
    made["servers"] = [{"url": "/"}]
    components = made["components"]
    components["schemas"] = {
        name: schema
        for name, schema in components["schemas"].items()
        if name not in {"HTTPError", "ValidationError"} and not _twin_of(name, components["schemas"])
    } | {"Problem": PROBLEM_SCHEMA}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT or ct_pat_"}}
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {code: {"description": text, "content": problem} for code, text in REFUSALS.items()} | {
        "304": {"description": "Nothing new since the ETag of `If-None-Match`."}
    }
    for rule, method, operation in _operations(made):
        _complete(operation, rule, method)
    made["tags"] = [{"name": name, "description": text} for name, text in scopes.AREAS.items()]
    return made


def _plain(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def _without_twins(text: str) -> str:
    names = set(json.loads(text)["components"]["schemas"])
    for name in names:
        if twin := _twin_of(name, names):
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{twin}"')
    return text


def _twin_of(name: str, names: Any) -> str | None:
    found = _TWICE.match(name)
    return found["name"] if found and found["name"] in names else None


def _operations(made: Document) -> Iterator[tuple[Rule, str, Document]]:
    rules = {
        (_ARGUMENT.sub(r"{\1}", rule.rule), method.lower()): rule
        for rule in current_app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in rule.methods or ()
    }
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            if method in BY_METHOD:
                yield rules[path, method], method, operation


def _complete(operation: Document, rule: Rule, method: str) -> None:
    view = current_app.view_functions[rule.endpoint]
    access = access_of(view)
    is_public = access is not None and access.kind is AccessKind.PUBLIC
    operation["operationId"] = rule.endpoint.removeprefix("api.api_")
    operation["tags"] = [scopes.area_of(rule, view)]
    operation["security"] = [] if is_public else [{"bearer": []}]
    scope = scopes.scope_of(rule, view, method)
    if scope and not is_public:
        operation["x-scope"] = scope
        operation["description"] = f"{operation.get('description', '')}\n\nScope of personal tokens: `{scope}`.".strip()
    parameters = operation.setdefault("parameters", [])
    if getattr(view, "once", False):
        parameters.append(_header("Idempotency-Key", "^[!-~]{16,128}$", "Sent again with the same body: same answer."))
    if method in {"put", "patch"}:
        parameters.append(_header("If-Match", None, "Change only what still has this ETag."))
    if not parameters:
        del operation["parameters"]
    responses = {code: found for code, found in operation["responses"].items() if code.startswith("2")}
    for code in sorted(BY_METHOD[method] | (set() if is_public else {"401", "403"}) | {"403"}):
        responses[code] = {"$ref": f"#/components/responses/{code}"}
    if method == "get":
        responses["304"] = {"$ref": "#/components/responses/304"}
    if rule.endpoint in FILES:
        responses["200"] = {"description": "The file.", "content": {kind: {} for kind in FILES[rule.endpoint]}}
    if "204" in responses:
        responses["204"] = {"description": "Done."}
    operation["responses"] = responses
    if "requestBody" in operation:
        operation["requestBody"]["required"] = rule.endpoint != "api.api_refresh"


def _header(name: str, pattern: str | None, text: str) -> Document:
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {"in": "header", "name": name, "required": False, "schema": schema, "description": text}
