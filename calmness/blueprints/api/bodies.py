"""What a body may be: JSON in UTF-8, not too large, not too deep, without signs that no text holds.

A view that takes a file says so, and how large it may be: such a body is ``multipart/form-data``.
"""

import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from flask import abort, current_app, request
from flask_babel import lazy_gettext as _l

from calmness.blueprints.api import bp
from calmness.errors import DomainError

MAX_BYTES = 1_000_000
ROOM_FOR_THE_FORM = 64 * 1024
"""What a body with a file may have beside the file."""
MAX_DEPTH = 32
MAX_INTEGER = 2**53
"""Beyond it a JSON number is no longer the same number in every language (RFC 8259, section 6)."""

View = TypeVar("View", bound=Callable[..., Any])


class MalformedBody(DomainError):
    """No JSON, or none that every reader reads alike."""

    status = 400
    slug = "malformed-json"
    message = _l("Le corps de la demande n’est pas du JSON valable en UTF-8.")


class TooDeep(MalformedBody):
    """Nested without end."""

    slug = "json-too-deep"
    message = _l("Le JSON est imbriqué sur plus de 32 niveaux.")


class ForbiddenSign(MalformedBody):
    """A NUL or half a character."""

    slug = "forbidden-character"
    message = _l("La demande contient un caractère interdit\u202f: octet nul ou Unicode incomplet.")


class NumberTooLarge(DomainError):
    """A number that not every language reads alike."""

    slug = "number-too-large"
    message = _l("Un nombre de la demande est trop grand.")


def takes_file(most: int) -> Callable[[View], View]:
    """The view takes ``multipart/form-data`` with a file of at most so many bytes."""

    def mark(view: View) -> View:
        view.file_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


@bp.before_request
def check_request() -> None:
    """Refuse what no endpoint takes, with a reason, before any schema looks at it."""
    file_bytes = getattr(current_app.view_functions.get(request.endpoint or ""), "file_bytes", None)
    request.max_content_length = MAX_BYTES if file_bytes is None else file_bytes + ROOM_FOR_THE_FORM
    if any(_is_forbidden(text) for pair in request.args.items(multi=True) for text in (*pair,)):
        raise ForbiddenSign
    if _is_forbidden(request.path):
        raise ForbiddenSign
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return
    if file_bytes is not None:
        _check_form()
        return
    raw = request.get_data()
    if not raw:
        return
    if not request.is_json:
        abort(415)
    _walk(_parsed(raw))


def _check_form() -> None:
    if request.mimetype != "multipart/form-data":
        abort(415)
    names = (text for key, given in request.files.items(multi=True) for text in (key, given.filename or ""))
    fields = (text for pair in request.form.items(multi=True) for text in pair)
    if any(_is_forbidden(text) for texts in (names, fields) for text in texts):
        raise ForbiddenSign


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise TooDeep from error
    except ValueError as error:
        raise MalformedBody from error


def _refuse_constant(name: str) -> NoReturn:
    # Python's reader takes NaN and Infinity; they are no JSON.
    raise ValueError(name)


def _walk(body: Any) -> None:
    level, depth = [body], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise TooDeep
        below: list[Any] = []
        for value in level:
            _check(value, below)
        level = below


def _check(value: Any, below: list[Any]) -> None:
    if isinstance(value, dict):
        below += [*value, *value.values()]
    elif isinstance(value, list):
        below += value
    elif isinstance(value, str):
        if _is_forbidden(value):
            raise ForbiddenSign
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise NumberTooLarge


def _is_forbidden(text: str) -> bool:
    return "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text if sign > "\ud7ff")
