"""Numbered pages of lists."""

from flask import request

MOST = 100_000


def page_number() -> int:
    """Page asked for, from 1; nonsense is the first page, and no number is too large for the database."""
    return min(max(1, request.values.get("page", 1, type=int)), MOST)
