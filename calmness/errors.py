"""Errors of the rules. Services raise them; one handler turns them into a page or into problem+json (RFC 9457)."""

from typing import TypeAlias

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

Text: TypeAlias = str | LazyString


class DomainError(Exception):
    """A rule refused. ``message`` is for people; ``slug`` is the stable problem type; ``field`` names the input."""

    status = 422
    slug = "invalid"
    message: Text = _l("Cette demande n’a pas pu être traitée.")
    field: str | None = None

    def __init__(self, message: Text | None = None, *, field: str | None = None) -> None:
        super().__init__(self.slug)
        if message is not None:
            self.message = message
        if field is not None:
            self.field = field


class NotFound(DomainError):
    """Absent, or not this person's: told in the same words, so that nobody learns which."""

    status = 404
    slug = "not-found"
    message = _l("Cet élément n’existe pas ou n’est plus disponible.")


class Conflict(DomainError):
    """Somebody else was faster, or the state does not allow it."""

    status = 409
    slug = "conflict"
    message = _l("L’état a changé entre-temps. Rechargez la page pour voir où en sont les choses.")


class Forbidden(DomainError):
    """The person may not do this."""

    status = 403
    slug = "forbidden"
    message = _l("Votre compte ne permet pas cette action.")


class TooManyAttempts(DomainError):
    """Slow down. ``retry_after`` in seconds."""

    status = 429
    slug = "too-many-attempts"
    message = _l("Trop d’essais en peu de temps. Patientez quelques minutes avant de recommencer.")

    def __init__(self, retry_after: int, message: Text | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
