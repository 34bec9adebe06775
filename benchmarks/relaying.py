"""From the outbox to Kafka: the relay against the bare producer that sends the same records."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from benchmarks import places
from benchmarks.accepting import offers
from benchmarks.options import Options, broker, postgres
from benchmarks.timing import Figure, interleaved_async, ratio, worker_gc
from intake.app import utc_now
from intake.register import register
from intake.settings import Settings
from intake.store import outbox
from intake.store import tables as t
from intake.store.database import AnyStore
from router import producer as producers
from router.relay import Relay

T = TypeVar("T")

_MESSAGES = 2_000  # two events each, to two topics
_GATHERED = 500
_TARGETS = {"sqlite": 0.75, "postgresql": 0.6}


class Marking:
    """A store that tells when so many events have been marked as sent."""

    def __init__(self, store: AnyStore) -> None:
        self._store, self.dialect = store, store.dialect
        self.marked = 0
        self._wanted, self._done = 0, asyncio.Event()

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        result = await self._store.write(work)
        if isinstance(work, partial) and work.func is outbox.mark_sent:
            self.marked += len(work.keywords["taken"])
            if self.marked >= self._wanted:
                self._done.set()
        return result

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._store.read(work)

    async def until(self, wanted: int) -> None:
        """Wait until so many have been marked since this object was made."""
        self._wanted = wanted
        self._done.clear()
        if self.marked < wanted:
            await self._done.wait()


class Relaying:
    """A relay at work on a store, for as long as it is needed."""

    def __init__(self, store: AnyStore, settings: Settings) -> None:
        self.store, self.bell = Marking(store), outbox.Bell()
        self._relay = Relay(self.store, settings, utc_now, bell=self.bell)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Relaying:
        self._task = asyncio.create_task(self._relay.run())
        # connected and idle: what is measured is relaying, not the start of a producer
        while getattr(self._relay, "_session", None) is None:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


Record = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, value, headers."""


class _Case:
    def __init__(self, store: AnyStore, settings: Settings, options: Options) -> None:
        self.store, self.settings = store, settings
        self._count = options.size(_MESSAGES)
        self.rows: list[dict[str, Any]] = []
        self.records: list[Record] = []

    async def fill(self) -> None:
        """Events as registration makes them, as rows and as records."""
        given = offers(self._count, seed=21)
        for start in range(0, len(given), 256):
            part = given[start : start + 256]
            await self.store.write(partial(register, offers=part, policy=places.POLICY, now=utc_now()))
        columns = [c for c in t.outbox.c if c.name != "id"]
        self.rows = await self.store.read(
            lambda c: [dict(r) for r in c.execute(sa.select(*columns).order_by(t.outbox.c.id)).mappings()]
        )
        prefix = self.settings.kafka.topic_prefix
        for row in self.rows:
            headers = row["headers"] if isinstance(row["headers"], dict) else json.loads(row["headers"])
            encoded = [(name, value.encode()) for name, value in headers.items()]
            self.records.append((f"{prefix}.{row['topic']}", row["case_id"].encode(), row["value"], encoded))

    async def relay(self, _: int) -> float:
        """From the commit of all rows until the last is marked as sent."""
        await places.empty(self.store)
        async with Relaying(self.store, self.settings) as running:
            await self.store.write(lambda c: c.execute(sa.insert(t.outbox), self.rows) and None)
            started = time.perf_counter()
            running.bell.ring()
            await running.store.until(len(self.rows))
            return (time.perf_counter() - started) / len(self.rows)

    async def bare(self, _: int) -> float:
        """The same records from memory, by the same producer."""
        producer = await producers.connect(self.settings)
        try:
            for topic in {record[0] for record in self.records}:
                await producer.partitions_for(topic)
            return await _send_all(producer, self.records)
        finally:
            await producers.end(producer, 5.0)


async def _send_all(producer: Any, records: Sequence[Record]) -> float:
    started = time.perf_counter()
    waiting: set[Any] = set()
    for start in range(0, len(records), _GATHERED):
        sent = [
            await producer.send(topic, value, key=key, headers=headers)
            for topic, key, value, headers in records[start : start + _GATHERED]
        ]
        waiting.add(asyncio.gather(*sent))
    await asyncio.gather(*waiting)
    return (time.perf_counter() - started) / len(records)


async def _of_store(kind: str, prefix: str, options: Options, where: Path) -> list[Figure]:
    async with places.store_url(kind, where) as url:
        settings = places.settings(where, url, prefix)
        store = await places.upgraded(settings)
        try:
            case = _Case(store, settings, options)
            await case.fill()
            variants = {"bare": case.bare, "relay": case.relay}
            seconds = await interleaved_async(f"relaying: {kind}", variants, options.few_rounds)
        finally:
            await store.close()
    name = f"{kind}: relay / bare aiokafka send+gather"
    return [ratio("relay", name, seconds["bare"], seconds["relay"], target=_TARGETS[kind])]


async def _all(options: Options) -> list[Figure]:
    figures: list[Figure] = []
    async with places.topic_prefix() as prefix:
        for kind in ("sqlite", *(["postgresql"] if postgres() else [])):
            with places.folder() as where:
                figures += await _of_store(kind, prefix, options, where)
    return figures


def run(options: Options) -> list[Figure]:
    """Ratios on both stores; nothing without the real Kafka."""
    if not broker():
        return []
    with worker_gc():
        return asyncio.run(_all(options))
