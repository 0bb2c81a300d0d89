"""Callers of the API with a person's token."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from calmness.extensions import db
from calmness.models.account import SessionKind, User
from calmness.services import jwt_tokens, sessions

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
