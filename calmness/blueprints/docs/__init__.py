"""Documentation of the API from our own origin: read from the OpenAPI document, no script needed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from calmness.access import public
from calmness.blueprints.api import openapi
from calmness.locale import language
from calmness.problems import problem_types

bp = Blueprint("docs", __name__)
METHODS = ("get", "post", "put", "patch", "delete")
DEEPEST = 6
AREAS: dict[str, LazyString] = {
    "account": _l("Votre compte\u00a0: profil, sécurité, choix, notifications, tableau de bord"),
    "billing": _l("Vos paiements, abonnements et factures"),
    "training": _l("Vos formations, séances et présences"),
    "trading": _l("Vos comptes MetaTrader, trades et statistiques"),
    "signals": _l("Les signaux, en lecture"),
    "support": _l("Vos conversations avec l’école"),
    "admin": _l("Le travail de l’équipe, dans les limites de chaque rôle"),
    "auth": _l("Entrer et sortir\u202f; fermé aux jetons personnels"),
    "catalogue": _l("Ce que chacun peut lire"),
}
"""Areas of ``scopes.AREAS`` as the page names them."""


@dataclass(frozen=True)
class Line:
    """A name of a schema as the page shows it. ``level`` is how deep it stands."""

    name: str
    kind: str
    note: str
    required: bool
    level: int


@bp.get("/api/docs")
@public
def reference() -> ResponseReturnValue:
    """Every operation, by area."""
    spoken = language()
    document = openapi.document(spoken)
    areas = [(tag["name"], AREAS[tag["name"]], list(_operations(document, tag["name"]))) for tag in document["tags"]]
    return render_template("docs/reference.html", areas=areas, problems=problem_types(), spoken=spoken)


def _operations(document: dict[str, Any], tag: str) -> Iterator[dict[str, Any]]:
    for path, operations in document["paths"].items():
        for method in METHODS:
            operation = operations.get(method)
            if operation is None or tag not in operation["tags"]:
                continue
            bodies = operation.get("requestBody", {}).get("content", {})
            body = next((found.get("schema") for found in bodies.values()), None)
            status, answer = next((code, found) for code, found in operation["responses"].items() if code[0] == "2")
            schema = answer.get("content", {}).get(openapi.JSON, {}).get("schema")
            yield {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation.get("summary", ""),
                "scope": operation.get("x-scope", ""),
                "public": not operation["security"],
                "parameters": operation.get("parameters", []),
                "body": list(_lines(document, body)) if body else [],
                "status": status,
                "answer": list(_lines(document, schema)) if schema else [],
                "files": [kind for kind in answer.get("content", {}) if kind != openapi.JSON],
                "refusals": sorted(code for code in operation["responses"] if code[0] in "45"),
            }


def _lines(document: dict[str, Any], schema: dict[str, Any], level: int = 0) -> Iterator[Line]:
    """Names of a schema and of what stands inside, in order."""
    schema = _resolved(document, schema)
    for name, part in schema.get("properties", {}).items():
        part = _resolved(document, part)
        inner = _resolved(document, part.get("items", {})) if part.get("type") == "array" else part
        yield Line(name, _kind(document, part), _note(part), name in schema.get("required", ()), level)
        if level < DEEPEST:
            yield from _lines(document, inner, level + 1)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    for choice in schema.get("anyOf", ()):
        if "$ref" in choice:
            schema = choice
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _kind(document: dict[str, Any], part: dict[str, Any]) -> str:
    kind = part.get("type", "object")
    names = " | ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        names = f"{_kind(document, _resolved(document, part.get('items', {})))}[]"
    return f"{names} ({part['format']})" if "format" in part else names


def _note(part: dict[str, Any]) -> str:
    choices = part.get("enum") or part.get("items", {}).get("enum") or ()
    if 0 < len(choices) <= 16:
        return ", ".join(str(choice) for choice in choices)
    limits = {"minLength": "≥", "maxLength": "≤", "minimum": "≥", "maximum": "≤"}
    return " ".join(f"{sign} {part[name]}" for name, sign in limits.items() if name in part)
