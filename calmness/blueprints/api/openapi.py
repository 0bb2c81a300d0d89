"""The OpenAPI document, made from the code."""

from flask import current_app
from flask.typing import ResponseReturnValue

from calmness.access import public
from calmness.blueprints.api import bp


@bp.get("/openapi.json")
@bp.doc(hide=True)
@public
def openapi_document() -> ResponseReturnValue:
    """OpenAPI 3.1 description of this API."""
    document: dict[str, object] = current_app.spec  # type: ignore[attr-defined]
    return document
