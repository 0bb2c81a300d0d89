"""The few statements that differ between PostgreSQL and SQLite: locked rows, upserts, claims."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.sql.functions import FunctionElement

from calmness.models.types import UtcDateTime

_SQLITE_INSTANT = "datetime(?, 'unixepoch') || '.000000'"
"""SQLite keeps instants as text; this is the form of SQLAlchemy's own type."""

Row = TypeVar("Row", bound=DeclarativeBase)


def locked(session: Session, model: type[Row], key: dict[str, Any], defaults: dict[str, Any]) -> Row:
    """The row with this key, made from ``defaults`` if absent, held until the transaction ends.

    On SQLite the transaction itself is the lock (BEGIN IMMEDIATE); FOR UPDATE is left out there by SQLAlchemy.
    """
    wanted: Select[Row] = _locked_statement(model, tuple(key))
    found: Row | None = session.scalars(wanted, key).one_or_none()
    if found is not None:
        return found
    dialect = session.get_bind().dialect.name
    insert_ignore = (postgresql if dialect == "postgresql" else sqlite).insert(model).values(**key, **defaults)
    # Whoever makes the same row at this instant is waited for.
    session.execute(insert_ignore.on_conflict_do_nothing())
    made: Row = session.scalars(wanted, key).one()
    return made


@lru_cache(maxsize=64)
def _locked_statement(model: type[DeclarativeBase], key: tuple[str, ...]) -> Select[Any]:
    where = (getattr(model, name) == bindparam(name) for name in key)
    return select(model).where(*where).with_for_update().execution_options(populate_existing=True)


def counted(session: Session, model: type[Row], key: dict[str, Any], column: str) -> int:
    """One more in a counter's row, made at one if absent and held until the transaction ends. Gives the number."""
    connection = session.connection()
    statement = _counted_statement(connection.dialect.name, model, column)
    return int(connection.execute(statement, key | {column: 1}).scalar_one())


@lru_cache(maxsize=16)
def _counted_statement(dialect: str, model: type[DeclarativeBase], column: str) -> Any:
    table: Table = model.__table__  # type: ignore[assignment]
    counter = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    one_more = counter.on_conflict_do_update(
        index_elements=list(table.primary_key.columns), set_={column: table.c[column] + 1}
    )
    return one_more.returning(table.c[column])


def insert_once(session: Session, model: type[Row], rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows, leaving out those that a unique constraint already holds. Gives the number inserted."""
    if not rows:
        return 0
    connection = session.connection()
    statement = insert_once_statement(connection.dialect.name, model)
    # What came back is counted: an insert that fetches its new key has no row count on PostgreSQL (-1 each time).
    return sum(len(connection.execute(statement, row).all()) for row in rows)


@lru_cache(maxsize=64)
def insert_once_statement(dialect: str, model: type[DeclarativeBase]) -> Any:
    """Insert a row unless a unique constraint holds it already; gives the key of what was inserted."""
    table: Table = model.__table__  # type: ignore[assignment]
    insert_ignore = (postgresql if dialect == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()
    return insert_ignore.returning(*table.primary_key.columns)


def upsert(
    session: Session,
    model: type[Row],
    rows: Sequence[dict[str, Any]],
    *,
    key: Sequence[str],
    update_columns: Sequence[str],
    only_if: ColumnElement[bool] | None = None,
) -> None:
    """Insert rows or update those whose key exists, in one statement executed with the list (the fast way).

    A row that would not change is not written. Give each key once: PostgreSQL refuses a key twice in a statement.
    """
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    table: Table = model.__table__  # type: ignore[assignment]
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    changed = or_(*(table.c[name].is_distinct_from(statement.excluded[name]) for name in update_columns))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_={name: statement.excluded[name] for name in update_columns},
            where=changed if only_if is None else and_(changed, only_if),
        ),
        list(rows),
    )


def upsert_stored(
    session: Session,
    model: type[Row],
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    key: tuple[str, ...],
    update_columns: tuple[str, ...],
) -> None:
    """Insert or update many rows given as the database keeps them: 1e-8 units, enums by value, instants in seconds.

    Four times as fast as ``upsert``, which converts value by value in Python. One statement: SQLite runs it row by row
    inside the driver, PostgreSQL takes all rows as one JSON parameter. Give each key once.
    """
    if not rows:
        return
    connection = session.connection()
    table: Table = model.__table__  # type: ignore[assignment]
    statement = _stored_statement(connection.dialect, table, columns, key, update_columns)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(statement, list(rows))
    else:
        whole = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
        connection.exec_driver_sql(statement, (whole,))


@lru_cache(maxsize=16)
def _stored_statement(
    dialect: Dialect, table: Table, columns: tuple[str, ...], key: tuple[str, ...], update_columns: tuple[str, ...]
) -> str:
    """The statement of ``upsert_stored``; names come from the model, values never stand in it."""
    names = ", ".join(columns)
    instants = {name for name in columns if isinstance(table.c[name].type, UtcDateTime)}
    if dialect.name == "sqlite":
        marks = (_SQLITE_INSTANT if name in instants else "?" for name in columns)
        source = f"VALUES ({', '.join(marks)})"
    else:
        types = (f"{name} {'BIGINT' if name in instants else table.c[name].type.compile(dialect)}" for name in columns)
        picked = (f"to_timestamp({name})" if name in instants else name for name in columns)
        source = f"SELECT {', '.join(picked)} FROM jsonb_to_recordset(%s::jsonb) AS given({', '.join(types)})"  # noqa: S608
    updates = ", ".join(f"{name} = excluded.{name}" for name in update_columns)
    return f"INSERT INTO {table.name} ({names}) {source} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}"


def among(session: Session, column: InstrumentedAttribute[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a text column is one of many values, given as one parameter instead of hundreds."""
    dialect = session.get_bind().dialect.name
    return among_given(dialect, column, literal(many(dialect, values), _type_of_many(dialect)))


def among_given(dialect: str, column: Any, given: ColumnElement[Any] | str) -> ColumnElement[bool]:
    """``among`` for a statement that is built once: the values come as ``many`` under the name of a parameter."""
    if isinstance(given, str):
        given = bindparam(given, type_=_type_of_many(dialect))
    if dialect == "postgresql":
        # Not "= ANY": without statistics of a new table its planner reads the whole account then.
        return column.in_(select(func.unnest(cast(given, postgresql.ARRAY(String)))))  # type: ignore[no-any-return]
    found = func.json_each(given).table_valued("value")
    return column.in_(select(found.c.value))  # type: ignore[no-any-return]


def many(dialect: str, values: Sequence[str]) -> Any:
    """Many texts as one parameter of ``among_given``."""
    return list(values) if dialect == "postgresql" else json.dumps(list(values))


def _type_of_many(dialect: str) -> Any:
    return postgresql.ARRAY(String) if dialect == "postgresql" else String()


def utc_hour(session: Session, column: InstrumentedAttribute[datetime]) -> ColumnElement[int]:
    """Hour of UTC of an instant."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.extract("hour", func.timezone("UTC", column)), Integer)
    # SQLite keeps instants as text in UTC.
    return cast(func.substr(type_coerce(column, String), 12, 2), Integer)


def plain_rows(session: Session, query: Select[Any]) -> list[Any]:
    """All rows of a query as the driver gives them, without an object for each: a hundred thousand in a blink.

    Columns must be of types that the driver reads by itself: whole numbers and texts.
    """
    return list(session.connection().execute(query).cursor.fetchall())


class posix_seconds(FunctionElement[int]):  # noqa: N801 - reads like a function of the database
    """Whole seconds from the first of January 1970 to an instant."""

    type = BigInteger()
    inherit_cache = True


@compiles(posix_seconds, "sqlite")
def _posix_seconds_on_sqlite(element: posix_seconds, compiler: Any, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(posix_seconds)
def _posix_seconds_on_postgresql(element: posix_seconds, compiler: Any, **kw: Any) -> str:
    return f"CAST(floor(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)})) AS BIGINT)"


def has_text(session: Session, column: InstrumentedAttribute[Any], text: str) -> ColumnElement[bool]:
    """Whether a JSON list of texts holds one."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(column, postgresql.JSONB).contains([text])
    given = func.json_each(column).table_valued("value")
    return exists(select(given.c.value).where(given.c.value == text))


def texts_in(session: Session, column: InstrumentedAttribute[Any]) -> ColumnElement[str]:
    """Each text of a JSON list of texts, as rows: select it together with conditions on the column's table."""
    if session.get_bind().dialect.name == "postgresql":
        given: Any = func.jsonb_array_elements_text(cast(column, postgresql.JSONB))
    else:
        given = func.json_each(column)
    value: ColumnElement[str] = given.table_valued("value", joins_implicitly=True).c.value
    return value


def unindexed(column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """The column for a comparison that must not choose the index: the rows are walked in the order of another one.

    SQLite has no statistics and would sort a million rows instead of walking to the first fifty.
    """
    if isinstance(column.type, BigInteger) or isinstance(getattr(column.type, "impl", None), BigInteger):
        return type_coerce(column, BigInteger) + 0
    return type_coerce(column, String).concat("")


def claiming(
    model: type[Row], where: ColumnElement[bool], order_by: InstrumentedAttribute[Any], values: dict[str, Any]
) -> Any:
    """The statement of ``claim``, built once; its parameters are those of ``where`` and ``values``, and ``limit``."""
    table: Table = model.__table__  # type: ignore[assignment]
    wanted = (
        select(table.c.id)
        .where(where)
        .order_by(order_by, table.c.id)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True)
    ).cte("wanted")
    # By a CTE, which PostgreSQL reads once: a subquery that locks may be read again for each row of a nested loop, skip
    # what it has locked itself and so take more rows than the limit.
    return update(model).where(table.c.id.in_(select(wanted.c.id))).values(**values).returning(model)


def claim(session: Session, statement: Any, order_by: InstrumentedAttribute[Any], given: dict[str, Any]) -> list[Any]:
    """Take up to ``limit`` rows for oneself: two callers never get the same one, nobody waits for another's rows.

    They come by ``order_by``, then as written. An UPDATE gives its rows back in any order, so they are sorted here.
    """
    options = {"synchronize_session": False, "populate_existing": True}
    rows = session.scalars(statement, given, execution_options=options)
    return sorted(rows, key=lambda row: (getattr(row, order_by.key), row.id))


def hold(session: Session, name: str) -> None:
    """One at a time, by name, until the transaction ends: for counting rows before adding one.

    SQLite has one writer at a time as it is; PostgreSQL takes an advisory lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


__all__ = [
    "among",
    "among_given",
    "claim",
    "claiming",
    "counted",
    "has_text",
    "hold",
    "insert_once",
    "insert_once_statement",
    "locked",
    "many",
    "plain_rows",
    "posix_seconds",
    "texts_in",
    "unindexed",
    "upsert",
    "upsert_stored",
    "utc_hour",
]
