"""Statements compiled once and run by the driver itself, for what happens ten thousand times a minute.

SQLAlchemy's way to a statement it has seen before (parameters, cursor, result, events) costs ten times what SQLite
needs to run it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Dialect, Executable, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached
from sqlalchemy.orm.attributes import manager_of_class

Row = TypeVar("Row", bound=DeclarativeBase)


class _Bind(NamedTuple):
    """A parameter: its name, how its values are written, and its value where the statement itself has it."""

    name: str
    write: Callable[[Any], Any] | None
    constant: Any
    is_constant: bool


class _Compiled(NamedTuple):
    text: str
    binds: tuple[_Bind, ...]
    is_positional: bool
    has_rows: bool
    reads: tuple[tuple[int, Callable[[Any], Any]], ...]


class Prepared:
    """A statement for both databases. ``build`` makes it for the name of a dialect, at the first use of each."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, given: dict[str, Any]) -> list[list[Any]]:
        """Run it within the connection's transaction. Gives the rows; none where it has none."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name) or self._compile(dialect)
        values = [
            bind.constant if bind.is_constant else bind.write(given[bind.name]) if bind.write else given[bind.name]
            for bind in compiled.binds
        ]
        names = (bind.name for bind in compiled.binds)
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(
                compiled.text, values if compiled.is_positional else dict(zip(names, values, strict=True))
            )
        except dialect.loaded_dbapi.Error as error:
            raise DBAPIError.instance(
                compiled.text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
            ) from error
        if not compiled.has_rows:
            return []
        rows = [list(row) for row in cursor.fetchall()]
        for row in rows:
            for place, read in compiled.reads:
                row[place] = read(row[place])
        return rows

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement: Any = self._build(dialect.name)
        made = statement.compile(dialect=dialect)
        required = {name for name, bind in made.binds.items() if bind.required}
        state = made.construct_expanded_state(dict.fromkeys(required))
        binds = []
        for name in state.positiontup or state.parameters:
            # A list of constants stands in the text value by value, under names of its own.
            is_whole = name in made.binds
            write = _kind(made.binds[name], dialect).bind_processor(dialect) if is_whole else state.processors.get(name)
            is_constant = name not in required
            value = state.parameters[name]
            binds.append(_Bind(name, write, write(value) if is_constant and write else value, is_constant))
        readers = [_kind(column, dialect).result_processor(dialect, None) for column in statement.exported_columns]
        reads = tuple((place, read) for place, read in enumerate(readers) if read)
        compiled = _Compiled(state.statement, tuple(binds), made.positional, bool(readers), reads)
        self._compiled[dialect.name] = compiled
        return compiled


def _kind(element: Any, dialect: Dialect) -> Any:
    return element.type.dialect_impl(dialect)


def adopt(session: Session, model: type[Row], names: Sequence[str], values: Sequence[Any]) -> Row | None:
    """The object of a row that was read by a prepared statement, as a query would give it, at a sixth of the cost.

    ``names`` are all of the row's columns. None when the session has the object already, with values of its own.
    """
    found = dict(zip(names, values, strict=True))
    key = tuple(found[str(column.key)] for column in inspect(model).primary_key)
    if inspect(model).identity_key_from_primary_key(key) in session.identity_map:
        return None
    made: Row = manager_of_class(model).new_instance()
    made.__dict__.update(found)
    make_transient_to_detached(made)
    session.add(made)
    return made
