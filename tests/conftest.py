"""What tests share: stores of both kinds, a fixed clock, and the addresses of the real servers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from intake.events import Origin
from intake.register import Policy
from intake.settings import Settings, load
from intake.store import schema_version
from intake.store.database import AnyStore, open_store

IN_CI = os.environ.get("CI") == "true"


class FixedClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def policy() -> Policy:
    origin = Origin("https://complaints.example", "http://private.example")
    return Policy(b"test secret", origin, ("tr", "en"), "support")


def _missing(what: str) -> None:
    reason = f"{what} is not running; start it with: scripts/services up"
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A fresh PostgreSQL database, dropped afterwards."""
    server = os.environ.get("DEV_POSTGRES_URL", "")
    if not server:
        _missing("PostgreSQL")
    url = sa.make_url(server)
    name = f"test_{uuid4().hex}"
    _administer(url, f"CREATE DATABASE {name}")
    yield url.set(database=name).render_as_string(hide_password=False)
    _administer(url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(url: sa.URL, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, database=url.database
        )
        await connection.execute(statement)
        await connection.close()

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of store in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'intake.db'}"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with everything in a temporary folder."""

    def make(**given: object) -> Settings:
        return load(None, {}, **{"data_dir": tmp_path, **given})

    return make


@pytest.fixture
async def store(store_url: str, make_settings: Callable[..., Settings]) -> AsyncIterator[AnyStore]:
    """An empty store with today's schema."""
    opened = open_store(make_settings(store={"url": store_url}))
    await schema_version.upgrade(opened)
    yield opened
    await opened.close()
