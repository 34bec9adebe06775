"""Where a measurement works: a folder, a database with today's schema, topics; all of it gone afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import sqlalchemy as sa
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.options import broker, postgres
from intake.events import Origin
from intake.register import Policy
from intake.settings import Settings, load
from intake.store import schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, open_store
from router import topics

_PARTITIONS = 3
POLICY = Policy(
    b"a secret of the benchmarks",
    Origin("https://complaints.example", "http://private.example"),
    ("tr", "en"),
    "support",
)


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder on a real disk: a memory file system would make every fsync free."""
    made = Path(tempfile.mkdtemp(prefix="intake-bench-", dir="/var/tmp"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def postgres_url() -> AsyncIterator[str]:
    """A database of our own on the real server."""
    server = sa.make_url(postgres())
    name = f"bench_{uuid4().hex[:16]}"
    connection = await asyncpg.connect(server.render_as_string(hide_password=False))
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


@asynccontextmanager
async def store_url(kind: str, where: Path) -> AsyncIterator[str]:
    """The URL of an empty database of one kind: "sqlite" or "postgresql"."""
    if kind == "sqlite":
        yield f"sqlite:///{where / 'intake.db'}"
        return
    async with postgres_url() as url:
        yield url


def settings(where: Path, url: str = "", prefix: str = "bench", kafka: str = "") -> Settings:
    """Today's defaults, on our places."""
    return load(
        None,
        {},
        data_dir=where,
        store={"url": url},
        limits={"free_disk_bytes": 0},
        kafka={"bootstrap_servers": kafka or broker(), "topic_prefix": prefix, "partitions": _PARTITIONS},
    )


async def upgraded(chosen: Settings) -> AnyStore:
    """The store with today's schema."""
    store = open_store(chosen)
    await schema_version.upgrade(store)
    return store


async def empty(store: AnyStore) -> None:
    """Take every row out of every table, so that each round meets the same database."""
    names = [table.name for table in t.metadata.sorted_tables]

    def work(connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
            return
        for name in names:
            connection.exec_driver_sql(f'DELETE FROM "{name}"')

    await store.write(work)


@asynccontextmanager
async def topic_prefix() -> AsyncIterator[str]:
    """All topics on the real broker under a prefix of our own."""
    prefix = f"bench-{uuid4().hex[:12]}"
    with folder() as where:
        await topics.create(settings(where, prefix=prefix))
    try:
        await asyncio.sleep(1.0)  # leaders are elected after the topics are made
        yield prefix
    finally:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker())
        await admin.start()
        try:
            names = [name for name in await admin.list_topics() if name.startswith(f"{prefix}.")]
            await admin.delete_topics(names)
        finally:
            await admin.close()


@contextmanager
def quiet_log() -> Iterator[None]:
    """Keep the log of the service out of the table."""
    import logging  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    yield
