"""What one process may do at a time, while the database hangs, is slow, or tells another time than we do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
import sqlalchemy as sa

from intake.store import leases, schema_version
from intake.store import tables as t
from intake.store.database import open_store
from intake.store.leases import Lease

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Database:
    """Grants every lease; `hangs` keeps it from answering until it is set free."""

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.answers.set()

    async def write(self, work: Callable[[sa.Connection], Any]) -> Any:
        await self.answers.wait()
        return 1

    read = write


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.02)
    monkeypatch.setattr(leases, "_MARGIN_SECONDS", leases.LIFE.total_seconds() - 0.2)
    monkeypatch.setattr(leases, "_RELEASE_SECONDS", 0.1)


async def test_a_database_that_hangs_ends_the_work_when_the_lease_runs_out() -> None:
    """The renewal that gets no answer does not leave the work running beside another holder's."""
    database = Database()
    lease, ended = Lease(database, "relay"), asyncio.Event()

    async def work() -> None:
        database.answers.clear()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await asyncio.wait_for(lease.hold(work), 5)
    assert ended.is_set()
    assert not lease.still_mine()


async def test_a_stop_waits_for_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Giving the lease back is a courtesy: it runs out by itself."""
    monkeypatch.setattr(leases, "_MARGIN_SECONDS", 3.0)
    database, running = Database(), asyncio.Event()

    async def work() -> None:
        database.answers.clear()
        running.set()
        await asyncio.Event().wait()

    holding = asyncio.create_task(Lease(database, "relay").hold(work))
    await asyncio.wait_for(running.wait(), 5)
    holding.cancel()
    await asyncio.wait({holding}, timeout=2)
    assert holding.done()


@pytest.mark.postgres
async def test_a_lease_lives_by_the_databases_clock(postgres_url: str, make_settings: Any) -> None:
    """Machines whose clocks differ do not take it from each other."""
    store = open_store(make_settings(store={"url": postgres_url}))
    await schema_version.upgrade(store)
    running = asyncio.Event()

    async def work() -> None:
        running.set()
        await asyncio.Event().wait()

    holding = asyncio.create_task(Lease(store, "relay").hold(work))
    await asyncio.wait_for(running.wait(), 10)
    clock = sa.select(sa.func.clock_timestamp(type_=sa.DateTime(timezone=True)))
    until, now = await store.read(
        lambda c: (c.scalars(sa.select(t.leases.c.expires_at)).one(), c.scalars(clock).one())
    )
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await store.close()
    assert 0 < (until - now).total_seconds() <= leases.LIFE.total_seconds()
