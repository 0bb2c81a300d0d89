"""ETag, ``If-None-Match`` and ``If-Match``: nothing is sent twice, nothing is overwritten unseen."""

import hashlib
from typing import Any

from apiflask import Schema
from flask import Response, current_app, jsonify, request
from flask_babel import lazy_gettext as _l

from calmness.access import AccessKind, access_of
from calmness.blueprints.api import bp
from calmness.errors import DomainError


class Stale(DomainError):
    """What the caller saw is no longer what is there."""

    status = 412
    slug = "stale"
    message = _l("Cette ressource a changé depuis que vous l’avez lue. Relisez-la, puis recommencez.")


def require_unchanged(schema: type[Schema], shown: Any) -> None:
    """Refuse a change whose ``If-Match`` does not name what GET would show now. Raises ``Stale``."""
    if request.if_match and not request.if_match.contains(_tag(jsonify(schema().dump(shown)).get_data())):
        raise Stale


@bp.after_request
def set_etag(response: Response) -> Response:
    """Give each read JSON its tag; who has it already gets 304 without a body."""
    if request.method not in {"GET", "HEAD"} or response.status_code != 200 or not response.is_json:
        return response
    access = access_of(current_app.view_functions.get(request.endpoint or ""))
    if access is not None and access.kind is AccessKind.PUBLIC:
        response.headers["Cache-Control"] = "no-cache"
    response.set_etag(_tag(response.get_data()))
    response.make_conditional(request)
    return response


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
