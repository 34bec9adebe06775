"""Real brokers for tests of the Kafka side: one of a test's own, and what is read back from any."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiokafka
import aiokafka.admin
import sqlalchemy as sa

from intake.settings import Settings
from intake.store.database import AnyStore
from intake.store.outbox import IS_SENT, Bell
from intake.store.tables import outbox as table
from router import topics
from router.relay import Relay
from tests.conftest import FixedClock
from tests.spine import free_port

ROOT = Path(__file__).parent.parent
_WAIT_SECONDS = 60.0


@dataclass
class Broker:
    """A Kafka of a test's own, which it may kill or stop for a while."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def run(self, command: str) -> None:
        """`scripts/services` up, start, kill or down."""
        environment = {**os.environ, "DEV_SERVICES_DIR": str(self.folder), "DEV_KAFKA_PORT": str(self.port)}
        arguments = [str(ROOT / "scripts" / "services"), command, "kafka"]
        subprocess.run(arguments, env=environment, check=True, capture_output=True, timeout=300)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the broker's process alone."""
        os.kill(int((self.folder / "kafka" / "pid").read_text()), number)


def kafka_settings(make: Callable[..., Settings], address: str, **kafka: Any) -> Settings:
    """Settings for a broker, with topics of this test's own."""
    given = {"topic_prefix": f"t{uuid4().hex[:12]}", "partitions": 3, **kafka}
    return make(kafka={"bootstrap_servers": address, **given})


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[aiokafka.admin.AIOKafkaAdminClient]:
    client = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=settings.kafka.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def make_topic(settings: Settings, name: str, **configs: str) -> None:
    """One topic, and wait until the broker knows it."""
    full = topics.full_name(settings, name)
    new = aiokafka.admin.NewTopic(full, settings.kafka.partitions, 1, topic_configs=configs)
    async with admin(settings) as client:
        answer = await client.create_topics([new])
        assert [error[1] for error in answer.topic_errors] == [0], answer


async def delete_topics(settings: Settings) -> None:
    """Leave nothing of this test on a shared broker."""
    async with admin(settings) as client:
        names = [n for n in await client.list_topics() if n.startswith(f"{settings.kafka.topic_prefix}.")]
        if names:
            await client.delete_topics(names)


async def read_back(settings: Settings) -> list[Any]:
    """Everything in this test's topics, as the broker has it, by topic, partition and offset."""
    async with admin(settings) as client:
        names = [n for n in await client.list_topics() if n.startswith(f"{settings.kafka.topic_prefix}.")]
        described = await client.describe_topics(names)
    places = [aiokafka.TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
    address = settings.kafka.bootstrap_servers
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    found: list[Any] = []
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
    finally:
        await consumer.stop()
    return sorted(found, key=lambda r: (r.topic, r.partition, r.offset))


class Desk:
    """A store with a relay on it: rows go in at one end, and the test waits for what becomes of them."""

    def __init__(self, store: AnyStore, settings: Settings) -> None:
        self.store, self.settings, self.bell = store, settings, Bell()

    async def add(self, events: Sequence[dict[str, Any]]) -> None:
        """Commit rows, and ring."""
        await self.store.write(lambda connection: connection.execute(sa.insert(table), list(events)))
        self.bell.ring()

    async def count(self, *where: sa.ColumnElement[bool]) -> int:
        chosen = sa.select(sa.func.count()).select_from(table).where(*where)
        return await self.store.read(lambda connection: int(connection.scalar(chosen) or 0))

    async def until(self, count: int, *where: sa.ColumnElement[bool], seconds: float = _WAIT_SECONDS) -> None:
        """Wait until so many rows are so."""
        async with asyncio.timeout(seconds):
            while await self.count(*where) != count:  # noqa: ASYNC110  the relay tells nobody what it marked
                await asyncio.sleep(0.02)

    async def until_any(self, *where: sa.ColumnElement[bool]) -> None:
        """Wait until at least one row is so."""
        async with asyncio.timeout(_WAIT_SECONDS):
            while not await self.count(*where):  # noqa: ASYNC110  the same
                await asyncio.sleep(0.005)

    async def until_sent(self, seconds: float = _WAIT_SECONDS) -> None:
        """Wait until nothing waits for the broker."""
        await self.until(0, ~IS_SENT, table.c.dead_at.is_(None), seconds=seconds)

    def relay(self, **given: Any) -> Relay:
        return Relay(self.store, self.settings, FixedClock(), bell=self.bell, **given)

    @asynccontextmanager
    async def relaying(self, **given: Any) -> AsyncIterator[asyncio.Task[None]]:
        """A running relay; cancelled at the end."""
        task = asyncio.create_task(self.relay(**given).run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
