"""The migrations and the models say the same, and the way back works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures import databases, postgresql
from tests.migrations import way


@pytest.fixture(params=databases.wanted())
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database of its own, on each database of this run."""
    return make_empty(request, tmp_path, "empty")


def make_empty(request: pytest.FixtureRequest, folder: Path, name: str) -> str:
    """Make an empty database of the kind that the test runs on."""
    kind = request.node.callspec.params["empty_url"]
    if kind == "sqlite":
        return f"sqlite:///{folder / name}.db"
    server: str = request.getfixturevalue("postgresql_server")
    database = f"calmness_{databases.WORKER}_{name}"
    databases.create(server, database)
    return postgresql.named(server, database)


def test_models_migrations_and_the_way_back_agree(
    request: pytest.FixtureRequest, empty_url: str, tmp_path: Path
) -> None:
    """One after the other on one database: each migration of the whole product takes seconds."""
    from_models = make_empty(request, tmp_path, "models")
    file = tmp_path / "seen.json"
    walked = subprocess.run(
        [sys.executable, "-m", way.__name__, from_models, file],
        cwd=databases.ROOT,
        env=databases.environment_for(empty_url),
        capture_output=True,
        text=True,
        check=False,
    )

    # Ends with an error when autogenerate finds something to do.
    assert walked.returncode == 0, f"{walked.stdout}{walked.stderr}"
    seen = json.loads(file.read_text())
    # What autogenerate cannot see: texts of CHECKs, guards, partial and expression indexes.
    assert all(seen["migrated"].values())
    assert json.dumps(seen["migrated"], indent=1, sort_keys=True) == json.dumps(
        seen["models"], indent=1, sort_keys=True
    )
    assert seen["left"] == ["alembic_version"]
    assert seen["again"] == seen["migrated"]
