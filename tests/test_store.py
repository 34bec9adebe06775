"""What every store promises its units of work, and the schema's history."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from intake.errors import ConfigError, TransientError
from intake.store import schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, SqliteStore, open_store
from intake.store.leases import LIFE, take
from intake.store.ledger import StoreLedger, balance


def customer(name: str) -> Any:
    row = {"id": name, "name": name, "created_at": _moment()}
    return lambda c: c.execute(sa.insert(t.customers), [row])


def _moment() -> Any:
    return datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)


async def names(store: AnyStore) -> list[str]:
    return await store.read(lambda c: list(c.scalars(sa.select(t.customers.c.id).order_by(t.customers.c.id))))


async def test_a_unit_of_work_is_whole(store: AnyStore) -> None:
    """What raises leaves nothing behind, and the error comes out as it is."""

    def broken(connection: sa.Connection) -> None:
        customer("a")(connection)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await store.write(broken)
    assert await names(store) == []


async def test_a_cancelled_caller_reaches_no_transaction(store: AnyStore) -> None:
    """The unit of work runs to its end, and the store is free for the next."""
    started, go = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        started.set()
        if isinstance(store, SqliteStore):
            go.wait(10)
        customer("a")(connection)

    task = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    go.set()
    await store.write(customer("b"))
    assert "b" in await names(store)
    assert "a" in await names(store)


async def test_moments_come_back_as_they_went_in(store: AnyStore) -> None:
    """Aware, UTC, to the microsecond, on both databases."""
    await store.write(customer("a"))
    assert await store.read(lambda c: c.scalar(sa.select(t.customers.c.created_at))) == _moment()


async def test_the_migrations_make_the_tables_of_the_code(store: AnyStore) -> None:
    """A change of a table without a migration is seen here."""

    def differences(connection: sa.Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), t.metadata))

    assert await store.write(differences) == []
    assert await schema_version.current(store) == schema_version.newest()


async def test_upgrading_twice_is_harmless(store: AnyStore) -> None:
    """Nothing to do the second time."""
    newest = schema_version.newest()
    assert await schema_version.upgrade(store) == (newest, newest)


async def test_an_old_schema_is_refused_with_the_command(tmp_path: Path, make_settings: Any) -> None:
    """The service says what to run, and does not start."""
    store = open_store(make_settings())
    with pytest.raises(ConfigError, match="run: intake db upgrade"):
        await schema_version.require(store)
    await store.close()


async def test_one_process_owns_the_sqlite_file(make_settings: Any) -> None:
    """A second writer is refused in one line; a reader is not."""
    store = open_store(make_settings())
    await schema_version.upgrade(store)
    with pytest.raises(ConfigError, match="another process is using this database"):
        open_store(make_settings())
    reader = open_store(make_settings(), read_only=True)
    assert await schema_version.current(reader) == schema_version.newest()
    with pytest.raises(TransientError):
        await reader.write(customer("a"))
    await reader.close()
    await store.close()


async def test_sqlite_commits_are_on_disk(tmp_path: Path, make_settings: Any) -> None:
    """WAL with synchronous FULL: what a commit answered survives a power cut."""
    store = open_store(make_settings())
    pragmas = await store.write(
        lambda c: [c.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("journal_mode", "synchronous")]
    )
    assert pragmas == ["wal", 2]
    await store.close()


async def test_a_full_disk_is_transient(make_settings: Any) -> None:
    """SQLITE_FULL undoes the transaction, says so, and the store goes on when there is room again."""
    store = open_store(make_settings())
    await schema_version.upgrade(store)
    pages = await store.write(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    await store.write(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())
    with pytest.raises(TransientError, match="SQLITE_FULL"):
        await store.write(lambda c: [customer(f"{n:0500d}"[-36:])(c) for n in range(3000)])
    await store.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1000000").scalar())
    await store.write(customer("a"))
    assert await names(store) == ["a"]
    await store.close()


async def test_a_lease_has_one_holder(store: AnyStore, clock: Any) -> None:
    """It is renewed by its holder, refused to others, and changes hands once it ran out."""
    first = await store.write(lambda c: take(c, "relay", "a", clock()))
    assert await store.write(lambda c: take(c, "relay", "a", clock())) == first
    assert await store.write(lambda c: take(c, "relay", "b", clock())) is None
    clock.forward(seconds=LIFE.total_seconds() + 1)
    second = await store.write(lambda c: take(c, "relay", "b", clock()))
    assert first is not None
    assert second == first + 1


async def test_the_books_count_what_the_source_showed(store: AnyStore, clock: Any) -> None:
    """Positions are counted once however often they are shown; what is not accounted for is the gap."""
    ledger = StoreLedger(store, clock, "email")
    await ledger.sight("support", "INBOX/1", [1, 2, 3])
    await ledger.sight("support", "INBOX/1", [2, 3, 4])
    await ledger.set_aside("email", "support", "INBOX/1", [1, 2, 2], "before_cut_off")
    (book,) = await store.read(balance)
    assert (book["seen"], book["set_aside"], book["gap"]) == (4, 2, 2)
    assert await ledger.missing("email", "support", "INBOX/1", [1, 2, 3, 4]) == [3, 4]


async def test_the_cursor_never_goes_back(store: AnyStore, clock: Any) -> None:
    """A late writer cannot undo a reader's progress."""
    ledger = StoreLedger(store, clock, "email")
    await ledger.advance("support", "INBOX/1", 9)
    await ledger.advance("support", "INBOX/1", 4)
    assert (await ledger.position("support", "INBOX/1")).cursor == 9
    assert await ledger.scopes("support") == ["INBOX/1"]
