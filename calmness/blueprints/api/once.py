"""``Idempotency-Key``: a POST that creates has its effect once, however often it is sent."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, request
from flask_babel import lazy_gettext as _l

from calmness.access import current_account
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.services import idempotency

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{16,128}")
_KEPT_HEADERS = ("Content-Type", "Location")
View = Callable[..., Any]


class MalformedKey(DomainError):
    """Too short to be unique, or with signs that no header holds."""

    status = 400
    slug = "malformed-idempotency-key"
    message = _l("Une clé d’idempotence compte 16 à 128 caractères imprimables, sans espace\u202f: un UUID convient.")


def once(view: View) -> View:
    """Make the view idempotent by key. It must not commit: the answer is kept in the transaction of the effect.

    Stands right under the route, so that it sees the finished answer.
    """

    @wraps(view)
    def answer(*arguments: Any, **values: Any) -> Response:
        act = _act()
        known = idempotency.begin(act) if act else None
        if known is not None:
            return Response(known.body, known.status, known.headers | {"Idempotency-Replayed": "true"})
        response: Response = current_app.make_response(view(*arguments, **values))
        if act is not None:
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            idempotency.keep(act, idempotency.Answer(response.status_code, headers, response.get_data()))
        db.session.commit()
        return response

    answer.once = True  # type: ignore[attr-defined]
    return answer


def _act() -> idempotency.Act | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    key = given.strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise MalformedKey
    return idempotency.Act(current_account().id, request.method, request.path[:300], key, _body_hash())


def _body_hash() -> str:
    """SHA-256 of the body whatever the order of its names; of a form with a file, of what its fields hold."""
    if request.mimetype == "multipart/form-data":
        return _form_hash()
    body = request.get_json(silent=True) if request.is_json else None
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode() if body is not None else b""
    return hashlib.sha256(canonical).hexdigest()


def _form_hash() -> str:
    """The boundary between the parts is another one each time: it does not count."""
    parts = [[name, value] for name, value in request.form.items(multi=True)]
    for name, given in request.files.items(multi=True):
        parts.append([name, given.filename or "", hashlib.file_digest(given.stream, "sha256").hexdigest()])  # type: ignore[arg-type]
        given.stream.seek(0)
    return hashlib.sha256(json.dumps(sorted(parts)).encode()).hexdigest()
