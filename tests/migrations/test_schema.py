"""The migrations and the models say the same, and the way back works."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from tests.fixtures import databases, postgresql

PARTS = {
    "tables": "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "guards": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "indexes": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
}
POSTGRESQL_PARTS = {
    "checks": (
        "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace"
    ),
    "columns": (
        "SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default) "
        "FROM information_schema.columns WHERE table_schema = 'public'"
    ),
    "guards": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
CREATE_FROM_MODELS = (
    "from wsgi import app; from calmness.extensions import db; app.app_context().push(); db.create_all()"
)


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
    databases.migrate(empty_url)
    migrated = schema_of(empty_url)

    checked = databases.run_flask(empty_url, "db", "check")
    assert checked.returncode == 0, f"autogenerate finds something to do: {checked.stdout}{checked.stderr}"

    # What autogenerate cannot see: texts of CHECKs, guards, partial and expression indexes.
    from_models = make_empty(request, tmp_path, "models")
    made = subprocess.run(
        [sys.executable, "-c", CREATE_FROM_MODELS],
        cwd=databases.ROOT,
        env=databases.environment_for(from_models),
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert json.dumps(migrated, indent=1, sort_keys=True) == json.dumps(
        schema_of(from_models), indent=1, sort_keys=True
    )

    databases.migrate(empty_url, "base", verb="downgrade")
    assert tables_of(empty_url) == {"alembic_version"}
    databases.migrate(empty_url)
    assert schema_of(empty_url) == migrated


def tables_of(url: str) -> set[str]:
    """Names of the tables that are there."""
    engine = create_engine(url, poolclass=NullPool)
    return set(inspect(engine).get_table_names())


def schema_of(url: str) -> dict[str, dict[str, str]]:
    """Everything a database was told, by name, with blanks and the order of a table's clauses made equal."""
    engine = create_engine(url, poolclass=NullPool)
    parts = PARTS if engine.dialect.name == "sqlite" else POSTGRESQL_PARTS
    return {part: _rows(engine, query) for part, query in parts.items()}


def _rows(engine: Engine, query: str) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {str(name): _levelled(definition) for name, definition in rows if "alembic_version" not in str(name)}


def _levelled(definition: str) -> str:
    definition = re.sub(r"\s+", " ", definition).replace('"', "").strip()
    definition = re.sub(r"DEFAULT \(([^()]*)\)", r"DEFAULT \1", definition)
    if not definition.startswith("CREATE TABLE"):
        return definition
    head, _, clauses = definition.partition("(")
    return f"{head.strip()} ({', '.join(sorted(_clauses(clauses.rpartition(')')[0])))})"


def _clauses(body: str) -> list[str]:
    """Clauses of a CREATE TABLE, cut at the commas that stand in no bracket and no text."""
    found, depth, quoted, current = [], 0, False, ""
    for letter in body:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and depth == 0 and not quoted:
            found.append(current.strip())
            current = ""
        else:
            current += letter
    return [*found, current.strip()]
