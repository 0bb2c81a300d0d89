"""Cursor pagination: lists answer ``{"items": [...], "next": cursor or null}``, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apiflask import Schema
from apiflask.fields import Integer
from apiflask.validators import Range

MAX_LIMIT = 100


class PageIn(Schema):
    """Which part of a list."""

    cursor = Integer(load_default=None, allow_none=True, validate=Range(min=1))
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
