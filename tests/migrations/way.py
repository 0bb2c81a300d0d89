"""The way from nothing to the schema and back, in one process: each that loads the product costs seconds.

``python -m tests.migrations.way MODELS_URL FILE`` walks it on DATABASE_URL and writes what it saw into the file.
"""

import json
import re
import sys
from pathlib import Path

from flask_migrate import check, downgrade, upgrade
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from calmness.extensions import db

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


def main(models_url: str, file: str) -> None:
    """Upgrade, compare with the models, downgrade, upgrade again. Ends with an error when autogenerate finds work."""
    from wsgi import app

    with app.app_context():
        url = db.engine.url.render_as_string(hide_password=False)
        upgrade()
        seen: dict[str, object] = {"migrated": schema_of(url)}
        check()
        db.metadata.create_all(create_engine(models_url, poolclass=NullPool))
        seen["models"] = schema_of(models_url)
        downgrade(revision="base")
        seen["left"] = sorted(tables_of(url))
        upgrade()
        seen["again"] = schema_of(url)
    Path(file).write_text(json.dumps(seen))


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


if __name__ == "__main__":
    main(*sys.argv[1:])
