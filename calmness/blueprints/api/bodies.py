"""What a body may be: JSON in UTF-8, not too large, not too deep, without signs that no text holds."""

import json
from typing import Any, NoReturn

from flask import abort, request
from flask_babel import lazy_gettext as _l

from calmness.blueprints.api import bp
from calmness.errors import DomainError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_INTEGER = 2**53
"""Beyond it a JSON number is no longer the same number in every language (RFC 8259, section 6)."""


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


@bp.before_request
def check_request() -> None:
    """Refuse what no endpoint takes, with a reason, before any schema looks at it."""
    request.max_content_length = MAX_BYTES
    if any(_is_forbidden(text) for pair in request.args.items(multi=True) for text in (*pair,)):
        raise ForbiddenSign
    if _is_forbidden(request.path):
        raise ForbiddenSign
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return
    raw = request.get_data()
    if not raw:
        return
    if not request.is_json:
        abort(415)
    _walk(_parsed(raw))


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
