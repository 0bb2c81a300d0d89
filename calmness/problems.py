"""The stable types of the API's problems with their texts, read from the typed errors of the whole house."""

from collections.abc import Iterator

from calmness.errors import DomainError, Text


def problem_types() -> dict[str, tuple[int, Text]]:
    """(status, text) by slug, in order of the slugs."""
    found = {error.slug: (error.status, error.message) for error in _every(DomainError)}
    return dict(sorted(found.items()))


def _every(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    # The children first: of two errors with one slug the general one has the text.
    for child in kind.__subclasses__():
        yield from _every(child)
    yield kind
