"""Many rows of one table at once, straight to the driver: the hot path of registration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import asyncpg
import sqlalchemy as sa

COPY_FROM: Final = 16
"""Rows from which COPY is faster than a statement a row; it takes one round trip more."""

# what the server refuses, and what the driver cannot write: a number too large is an OverflowError
_REFUSED = (asyncpg.PostgresError, asyncpg.InterfaceError, OverflowError, TypeError, ValueError)

Processor = Callable[[Any], Any]
Values = list[tuple[Any, ...]]


class _Column(NamedTuple):
    name: str
    default: Any
    convert: Processor | None


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; what a row leaves out is the column's default, or else NULL.

    Writes what `connection.execute(table.insert(), rows)` would write, with the work done once a table and
    column rather than once a value, and on PostgreSQL many rows by COPY. Raises what SQLAlchemy raises.
    """
    sql, columns = _plan(table, connection.dialect)
    values: Values = list(zip(*(_column(one, rows) for one in columns), strict=True))
    if connection.dialect.name == "postgresql" and len(values) >= COPY_FROM:
        _copy(connection, table.name, [one.name for one in columns], values)
    else:
        connection.exec_driver_sql(sql, values)


def _column(column: _Column, rows: Sequence[dict[str, Any]]) -> list[Any]:
    name, default, convert = column
    values = [row.get(name, default) for row in rows]
    return values if convert is None else list(map(convert, values))


def _copy(connection: sa.Connection, name: str, columns: Sequence[str], values: Values) -> None:
    adapted: Any = connection.connection.dbapi_connection
    if not adapted.driver_connection.is_in_transaction():
        connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins with its first statement
    try:
        adapted.run_async(lambda driver: driver.copy_records_to_table(name, records=values, columns=columns))
    except (*_REFUSED, OSError) as error:
        is_lost = adapted.driver_connection.is_closed()
        raise sa.exc.DBAPIError(
            f"COPY {name}", None, error, hide_parameters=True, connection_invalidated=is_lost
        ) from error


@lru_cache(maxsize=64)
def _plan(table: sa.Table, dialect: sa.Dialect) -> tuple[str, tuple[_Column, ...]]:
    chosen = {c.name: c for c in table.columns if not (c.primary_key and c.autoincrement is True)}
    statement = sa.insert(table).values({name: sa.bindparam(name) for name in chosen})
    compiled = statement.compile(dialect=dialect)
    order = compiled.positiontup or list(chosen)
    return str(compiled), tuple(_planned(chosen[name], dialect) for name in order)


def _planned(column: sa.Column[Any], dialect: sa.Dialect) -> _Column:
    default = column.default.arg if isinstance(column.default, sa.ColumnDefault) else None
    return _Column(column.name, default, column.type.dialect_impl(dialect).bind_processor(dialect))
