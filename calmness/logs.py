"""Structured logs: JSON lines with the id of their cause, without secrets or personal data."""

import logging
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from calmness.context import cause_id

_SECRET_WORDS = ("password", "otp", "token", "authorization", "cookie", "iban", "email", "secret", "api_key")


def _add_cause(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    current = cause_id()
    if current:
        event["cause_id"] = current
    return event


def _drop_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if _is_secret(key):
            event[key] = "[removed]"
    return event


@lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET_WORDS)


def configure(level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's records through one JSON line each on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_cause,
        _drop_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # geventwebsocket writes whole paths and addresses: tokens and people. The product logs requests itself, by rule.
    for noisy in (
        "rq.worker",
        "engineio",
        "socketio",
        "geventwebsocket",
        "alembic.runtime.migration",
        "urllib3",
        "fontTools",
        "xhtml2pdf",
        "factur-x",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)
