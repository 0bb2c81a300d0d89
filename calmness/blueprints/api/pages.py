"""Cursor pagination: lists answer ``{"items": [...], "next": cursor or null}``, newest first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apiflask.fields import Integer, String
from apiflask.validators import Length, Range

from calmness.blueprints.api import cursors
from calmness.blueprints.api.schemas import ClosedSchema

MAX_LIMIT = 100
MAX_ID = 2**53


class PageIn(ClosedSchema):
    """Which part of a list: after the row that the cursor names."""

    cursor = Integer(load_default=None, allow_none=True, validate=Range(min=1, max=MAX_ID))
    limit = Integer(load_default=25, validate=Range(min=1, max=MAX_LIMIT))


class PlaceIn(ClosedSchema):
    """Which part of a list that is searched: the cursor is good for the same filter only."""

    cursor = String(validate=Length(min=1, max=300))
    limit = Integer(load_default=25, validate=Range(min=1, max=MAX_LIMIT))


class HasId(Protocol):
    """A row with a number."""

    id: Any


@dataclass(frozen=True)
class Window:
    """Rows with a smaller id than ``before``, one more than ``limit`` so that the next page is known."""

    before: int | None
    limit: int

    @classmethod
    def of(cls, page: dict[str, Any]) -> "Window":
        """From the query of a request."""
        return cls(page["cursor"], page["limit"])

    def cut(self, rows: Sequence[HasId]) -> tuple[Sequence[Any], int | None]:
        """The rows of this page, and the cursor of the next one."""
        shown = rows[: self.limit]
        return shown, shown[-1].id if len(rows) > self.limit else None


@dataclass(frozen=True)
class Place:
    """A stretch of a searched list, for services that take limit and offset. Its cursor is bound to list and filter."""

    offset: int
    limit: int
    of: str

    @classmethod
    def at(cls, page: dict[str, Any], name: str) -> "Place":
        """From the query of a request; ``name`` is the list and whose it is. Raises ``BadCursor``."""
        of = _name(page, name)
        return cls(int(cursors.read(page["cursor"], of=of)) if "cursor" in page else 0, page["limit"], of)

    def next(self, total: int) -> str | None:
        """Cursor of what follows, None at the end."""
        following = self.offset + self.limit
        return cursors.make(following, of=self.of) if following < total else None


@dataclass(frozen=True)
class KeyPlace:
    """A row of a searched list, for services that walk on from it; bound to list and filter like ``Place``."""

    after: str
    of: str

    @classmethod
    def at(cls, page: dict[str, Any], name: str) -> "KeyPlace":
        """From the query of a request; ``name`` is the list and whose it is. Raises ``BadCursor``."""
        of = _name(page, name)
        return cls(str(cursors.read(page["cursor"], of=of)) if "cursor" in page else "", of)

    def next(self, after: str | None) -> str | None:
        """Cursor of what follows a row, None at the end."""
        return None if after is None else cursors.make(after, of=self.of)


def _name(page: dict[str, Any], name: str) -> str:
    wanted = {key: value for key, value in page.items() if key not in {"cursor", "limit"}}
    return f"{name}:{json.dumps(wanted, sort_keys=True, default=str)}"
