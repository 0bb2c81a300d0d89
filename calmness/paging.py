"""Numbered pages of lists."""

from flask import request

MOST = 100_000
LARGEST_KEY = 2**63


def page_number() -> int:
    """Page asked for, from 1; nonsense is the first page, and no number is too large for the database."""
    return min(max(1, request.values.get("page", 1, type=int)), MOST)


def key_of(name: str) -> int | None:
    """Key of the row at which a page begins, from the address; nonsense is no key."""
    value = request.args.get(name, type=int)
    return value if value is not None and 0 <= value < LARGEST_KEY else None
