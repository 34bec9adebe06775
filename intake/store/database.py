"""How a unit of work runs: whole, in its own transaction, on SQLite's one writer thread or on PostgreSQL."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from intake.errors import ConfigError, Conflict, TransientError
from intake.settings import Settings

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

_READERS = 2
# classes 08 connection, 53 resources (disk full, too many connections), 57 shut down, 58 system error
_PG_TRANSIENT = ("08", "53", "57", "58")
_PG_CONFLICT = ("40001", "40P01", "55P03")
_PG_REFUSED = ("28", "3D")  # who we are, and which database we ask for
_SQLITE_TRANSIENT = (
    "SQLITE_FULL",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_READONLY",
    "SQLITE_CANTOPEN",
    "SQLITE_NOMEM",
    "SQLITE_PROTOCOL",
)


class SqliteStore:
    """One file, owned by one process; one thread writes and checkpoints, readers only read.

    Raises `ConfigError` when another process owns the file.
    """

    dialect: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._lock = None if read_only else _own(path)
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")
        self._write_engine = None if read_only else _sqlite_engine(path, read_only=False)
        self._read_engine = _sqlite_engine(path, read_only=True)
        try:
            (self._write_engine or self._read_engine).connect().close()  # readers cannot make the file
        except sa.exc.DatabaseError as error:
            if self._lock is not None:
                self._lock.close()
            raise ConfigError(f"store.url: cannot use {path} as a database: {error.orig}") from error

    async def write(self, work: Work[T]) -> T:
        if self._write_engine is None:
            raise TransientError("the database was opened for reading only")
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._writer, _run, self._write_engine, work))

    async def read(self, work: Work[T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, _run, self._read_engine, work)

    async def close(self) -> None:
        """Wait for the running unit of work, then let go of the file."""
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.shutdown)
        self._read_engine.dispose()
        if self._write_engine is not None:
            self._write_engine.dispose()
        if self._lock is not None:
            self._lock.close()


class PostgresStore:
    """PostgreSQL through asyncpg; units of work run side by side, READ COMMITTED."""

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: sa.URL, pool_size: int) -> None:
        self._engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=30,
            hide_parameters=True,
        )
        self._running: set[asyncio.Task[Any]] = set()

    async def write(self, work: Work[T]) -> T:
        task = asyncio.create_task(self._transaction(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def read(self, work: Work[T]) -> T:
        return await self.write(work)

    async def _transaction(self, work: Work[T]) -> T:
        try:
            async with self._engine.begin() as connection:
                result = await connection.run_sync(work)
                # failpoint: postgresql before commit
        except sa.exc.TimeoutError as error:
            raise TransientError("no database connection became free") from error
        except sa.exc.DBAPIError as error:
            raise _postgres_error(error) from error
        except OSError as error:
            raise TransientError(f"database not reachable: {type(error).__name__}") from error
        # failpoint: postgresql committed
        return result

    async def close(self) -> None:
        """Wait for running units of work, then close the connections."""
        if self._running:
            await asyncio.wait(self._running)
        await self._engine.dispose()


AnyStore = SqliteStore | PostgresStore


def open_store(settings: Settings, *, read_only: bool = False) -> AnyStore:
    """The store the configuration names. Raises `ConfigError` for a URL of another kind."""
    try:
        url = sa.make_url(settings.store_url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ConfigError("store.url: cannot be read as a URL") from error
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("store.url: SQLite needs a file: sqlite:///path/intake.db")
        path = Path(url.database)
        if read_only and not path.exists():
            raise ConfigError(f"store.url: {path} does not exist yet; run: intake db upgrade")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"store.url: cannot make {path.parent}: {error.strerror}") from error
        return SqliteStore(path, read_only=read_only)
    if url.get_backend_name() in ("postgresql", "postgres"):
        password = settings.store.password.get_secret_value() if settings.store.password else url.password
        url = url.set(drivername="postgresql+asyncpg", password=password)
        return PostgresStore(url, settings.store.pool_size)
    raise ConfigError("store.url: must begin with sqlite:/// or postgresql://")


def _own(path: Path) -> IO[str]:
    try:
        handle = Path(f"{path}.lock").open("w", encoding="ascii")  # noqa: SIM115  held while the store is open
    except OSError as error:
        raise ConfigError(f"store.url: cannot write {path}.lock: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise ConfigError(
            f"{path}: another process is using this database (is the service running?); "
            "stop it first, or use PostgreSQL for several processes"
        ) from error
    return handle


def _sqlite_engine(path: Path, *, read_only: bool) -> sa.Engine:
    uri = f"file:{path}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5, cached_statements=512
        )
        if read_only:
            connection.execute("PRAGMA query_only = 1")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA cache_size = -65536")
        return connection

    pool = None if read_only else StaticPool
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=pool, hide_parameters=True)
    sa.event.listen(engine, "begin", _begin_deferred if read_only else _begin_immediate)
    return engine


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _run(engine: sa.Engine, work: Work[T]) -> T:
    try:
        with engine.begin() as connection:
            result = work(connection)
            # failpoint: sqlite before commit
    except sa.exc.OperationalError as error:
        name = getattr(error.orig, "sqlite_errorname", "")
        if name.startswith(_SQLITE_TRANSIENT):
            raise TransientError(f"the database did not take the transaction: {name}") from error
        raise
    # failpoint: sqlite committed
    return result


def _postgres_error(error: sa.exc.DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _PG_CONFLICT:
        return Conflict(f"transaction undone by PostgreSQL: {state}")
    if state.startswith(_PG_REFUSED):
        cause = type(getattr(error.orig, "__cause__", None)).__name__
        return TransientError(f"the database refuses the connection: {cause}")
    if error.connection_invalidated or state.startswith(_PG_TRANSIENT):
        return TransientError(f"the database did not take the transaction: {state or 'connection lost'}")
    return error
