"""Callers of the API with a person's token."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from calmness import create_app
from calmness.extensions import db, limiter, socketio, work_queue
from calmness.models.account import SessionKind, User
from calmness.services import jwt_tokens, sessions
from tests.fixtures.site import settings_for_tests

Call = Callable[..., Any]
ApiFor = Callable[[User], Call]


def access_token_of(user: User) -> str:
    """An access token of a new session of the person."""
    opened, _secret = sessions.open_session(
        user, kind=SessionKind.API, persistent=True, ip_truncated=None, device_label="Test"
    )
    opened.mfa_at = opened.created_at
    token = jwt_tokens.issue_access(opened)
    db.session.commit()
    return token


@pytest.fixture
def api_for(site: Flask) -> ApiFor:
    """Makes a caller of the API: ``call(method, path below /api/v1, json=…, headers=…)``."""

    def log_in(user: User) -> Call:
        token = access_token_of(user)
        client = site.test_client()

        def call(method: str, path: str, **options: Any) -> Any:
            headers = {"Authorization": f"Bearer {token}"} | dict(options.pop("headers", {}))
            # Read to the end, as a program does: a file that is sent is closed with the answer.
            return client.open(f"/api/v1{path}", method=method, headers=headers, buffered=True, **options)

        return call

    return log_in


@pytest.fixture
def limited(site: Flask, database: Any, redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The same house with its limits on: they are bound when an application is made."""
    kept = work_queue._redis, work_queue._enabled, socketio.server
    settings = settings_for_tests(
        DATABASE_URL=database.url, REDIS_URL=redis_url, INSTANCE_DIR=str(tmp_path), RATELIMIT_ENABLED="1"
    )
    application = create_app(settings | {"RATELIMIT_STORAGE_URI": "memory://"})
    yield application
    with application.app_context():
        db.engine.dispose()
    limiter.enabled = False
    work_queue._redis, work_queue._enabled, socketio.server = kept
