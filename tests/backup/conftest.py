"""Backups of PostgreSQL use the client programs that come with the server of the run."""

import pytest

from tests.fixtures.postgresql import find_programs


@pytest.fixture(autouse=True)
def _client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_BIN", str(find_programs()[0]))
