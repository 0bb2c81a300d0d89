"""Files inside of a body, as base64: a request of this API is JSON and 1 MB at most."""

import base64

from apiflask.fields import String
from apiflask.validators import Length
from flask_babel import lazy_gettext as _l

from calmness.errors import DomainError


class NotBase64(DomainError):
    """Bytes travel in JSON as base64."""

    slug = "not-base64"
    message = _l("Le fichier doit être écrit en base64.")


class File(String):
    """Input: the bytes of a file, written as base64."""

    def __init__(self, **options: object) -> None:
        super().__init__(validate=Length(min=1), metadata={"contentEncoding": "base64"}, **options)  # type: ignore[arg-type]


def decoded(text: str, field: str) -> bytes:
    """The bytes. Raises ``NotBase64`` at the field."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NotBase64(field=field) from error
