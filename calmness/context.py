"""The thread that runs from a request to its jobs and socket messages: one id in every log line and row."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ACCEPTED = re.compile(r"^[A-Za-z0-9-]{8,64}$")

_cause_id: ContextVar[str | None] = ContextVar("cause_id", default=None)


def new_cause_id(offered: str | None = None) -> str:
    """The id offered by a caller when it is well-formed, else a fresh one."""
    return offered if offered and _ACCEPTED.match(offered) else secrets.token_hex(12)


def cause_id() -> str | None:
    """Id of the request, socket event or job that runs now; None outside."""
    return _cause_id.get()


def set_cause_id(value: str | None) -> None:
    """Bind the id for what follows in this context."""
    _cause_id.set(value)


@contextmanager
def caused_by(value: str | None) -> Iterator[None]:
    """Run a block under the id of what caused it."""
    token = _cause_id.set(value or new_cause_id())
    try:
        yield
    finally:
        _cause_id.reset(token)
