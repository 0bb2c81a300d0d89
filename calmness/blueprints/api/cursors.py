"""Cursors of lists: opaque, signed, good for one list of one person only."""

from typing import Any

from flask_babel import lazy_gettext as _l
from itsdangerous import BadSignature

from calmness.errors import DomainError
from calmness.signing import signer


class BadCursor(DomainError):
    """Made up, cut off, or from another list."""

    status = 400
    slug = "bad-cursor"
    field = "cursor"
    message = _l("Ce curseur n’est pas valable pour cette liste. Reprenez au début.")


def make(place: Any, *, of: str) -> str:
    """Cursor for what follows ``place`` in the list named ``of``."""
    return str(signer(f"cursor:{of}").dumps(place))


def read(cursor: str, *, of: str) -> Any:
    """Place of a cursor. Raises ``BadCursor``."""
    try:
        return signer(f"cursor:{of}").loads(cursor)
    except BadSignature as error:
        raise BadCursor from error
