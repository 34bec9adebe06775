"""The whole way, mailbox to topic: against the naive script, and against the sum of its own parts."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer

import normalizers
from benchmarks import naive, places
from benchmarks.corpus import Mail, mails, mixed
from benchmarks.normalise import raw_message
from benchmarks.options import Options, broker, postgres
from benchmarks.relaying import Relaying
from benchmarks.timing import Figure, interleaved_async, ratio, worker_gc
from intake.accept import RAW_IN_ROW, Acceptor, Prepare
from intake.app import utc_now
from intake.blobs import FolderBlobs
from intake.register import Offer, register
from intake.schema import RawMessage
from intake.store.database import AnyStore
from intake.workers import Prepared, Workers, prepare
from router.triage import triage_all

_IN_FLIGHT = 512
_MESSAGES = 2_000
_NAIVE_MESSAGES = 250
_BATCH = 256
_MIXES = ("plain", "mixed")
_ONE_PROCESS_TARGET, _WORKERS_TARGET, _SUM_TARGET = 7.0, 11.0, 0.8


def in_this_process(raws: Sequence[RawMessage]) -> list[Prepared]:
    """What a worker does, here."""
    return prepare(normalizers.normalize, triage_all, raws)


async def prepare_here(raws: Sequence[RawMessage]) -> list[Prepared]:
    """The same, as the acceptor asks for it."""
    await asyncio.sleep(0)  # whoever waits for the loop gets it between two groups
    return in_this_process(raws)


class Pipeline:
    """Acceptor and relay on one store, without listeners and mailboxes."""

    def __init__(self, store: AnyStore, where: Path, prefix: str, prepared: Prepare) -> None:
        self.store, self.blobs = store, FolderBlobs(where / "blobs")
        settings = places.settings(where, prefix=prefix)
        self.relaying = Relaying(store, settings)
        self.acceptor = Acceptor(
            store,
            self.blobs,
            prepared,
            places.POLICY,
            settings.limits,
            utc_now,
            where,
            self.relaying.bell.ring,
        )
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Pipeline:
        self._running = asyncio.create_task(self.acceptor.run())
        await self.relaying.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.relaying.__aexit__()
        if self._running:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self.blobs.close()

    async def take(self, raws: Sequence[RawMessage], in_flight: int = _IN_FLIGHT) -> float:
        """Deliver all, with so many under way, and wait until the last event is in its topic; seconds."""
        waiting = iter(raws)

        async def one_source() -> None:
            for raw in waiting:
                await self.acceptor.deliver(raw)

        events = self.relaying.store.marked + 2 * len(raws)
        started = time.perf_counter()
        await asyncio.gather(*(one_source() for _ in range(in_flight)))
        await self.relaying.store.until(events)
        return time.perf_counter() - started


class _Case:
    """One mix on one store: what each variant does in a round. No mail is ever given twice."""

    def __init__(self, mix: str, store: AnyStore, where: Path, prefix: str, options: Options) -> None:
        self.mix, self.store, self.where, self.prefix, self.options = mix, store, where, prefix, options
        self._next = 0
        self.parts: dict[str, list[float]] = {"prepare": [], "store": [], "relay": []}
        self.workers: Workers | None = None

    def _mails(self, count: int) -> list[Mail]:
        first, self._next = self._next, self._next + count
        if self.mix == "mixed":
            return mixed(count, seed=31, first=first)
        return list(mails("plain", count, seed=31, first=first))

    def _raws(self, count: int) -> list[RawMessage]:
        return [raw_message(mail) for mail in self._mails(self.options.size(count))]

    async def naive(self, number: int) -> float:
        given = [mail.raw for mail in self._mails(self.options.size(_NAIVE_MESSAGES))]
        folder = self.where / f"naive-{self.mix}-{number}"
        folder.mkdir()
        producer = AIOKafkaProducer(bootstrap_servers=broker(), acks="all")
        await producer.start()
        connection = naive.connect(folder / "naive.db")
        try:
            topic = f"{self.prefix}.{{department}}.v1"
            await producer.send_and_wait(topic.format(department="general"), b"{}")
            started = time.perf_counter()
            await naive.run(given, connection, producer, folder, topic)
            return (time.perf_counter() - started) / len(given)
        finally:
            connection.close()
            await producer.stop()

    async def one_process(self, _: int) -> float:
        return await self._pipeline(prepare_here)

    async def with_workers(self, _: int) -> float:
        assert self.workers is not None
        return await self._pipeline(self.workers.prepare)

    async def _pipeline(self, prepared: Prepare) -> float:
        await places.empty(self.store)
        raws = self._raws(_MESSAGES)
        async with Pipeline(self.store, self.where, self.prefix, prepared) as pipeline:
            return await pipeline.take(raws) / len(raws)

    async def sum_of_parts(self, _: int) -> float:
        """Each stage function by itself on messages nobody has seen; seconds a message, all together."""
        await places.empty(self.store)
        raws = self._raws(_MESSAGES)
        blobs = FolderBlobs(self.where / "blobs")
        async with Relaying(self.store, places.settings(self.where, prefix=self.prefix)) as relaying:
            marks = [time.perf_counter()]
            prepared = in_this_process(raws)
            marks.append(time.perf_counter())
            await self._store(raws, prepared, blobs)
            marks.append(time.perf_counter())
            relaying.bell.ring()
            await relaying.store.until(2 * len(raws))
            marks.append(time.perf_counter())
        await blobs.close()
        for name, begin, end in zip(self.parts, marks, marks[1:], strict=False):
            self.parts[name].append((end - begin) / len(raws))
        return (marks[-1] - marks[0]) / len(raws)

    async def _store(self, raws: list[RawMessage], prepared: list[Prepared], blobs: FolderBlobs) -> None:
        offers = []
        for raw, one in zip(raws, prepared, strict=True):
            contents = one.normalized.contents if one.normalized else {}
            for data in contents.values():
                await blobs.put(data)
            blob = await blobs.put(raw.body) if len(raw.body) > RAW_IN_ROW else None
            offers.append(Offer(raw, one, one.content_hash, blob))
        for start in range(0, len(offers), _BATCH):
            part = offers[start : start + _BATCH]
            await self.store.write(partial(register, offers=part, policy=places.POLICY, now=utc_now()))


@asynccontextmanager
async def workers(where: Path) -> AsyncIterator[Workers]:
    several = Workers(normalizers.normalize, triage_all, places.settings(where).workers)
    await several.start()
    try:
        yield several
    finally:
        await asyncio.to_thread(several.close)


async def _of_mix(kind: str, mix: str, prefix: str, options: Options) -> list[Figure]:
    with places.folder() as where:
        async with places.store_url(kind, where) as url, workers(where) as several:
            store = await places.upgraded(places.settings(where, url, prefix))
            case = _Case(mix, store, where, prefix, options)
            case.workers = several
            variants = {
                "naive": case.naive,
                "one process": case.one_process,
                "parts": case.sum_of_parts,
                "workers": case.with_workers,
            }
            try:
                seconds = await interleaved_async(f"end to end: {kind}, {mix}", variants, options.few_rounds)
            finally:
                await store.close()
    return _figures(kind, mix, seconds, case.parts)


def _figures(
    kind: str, mix: str, seconds: dict[str, list[float]], parts: dict[str, list[float]]
) -> list[Figure]:
    naively, alone, together = seconds["naive"], seconds["one process"], seconds["parts"]
    shares = {name: statistics.median(part) / statistics.median(together) for name, part in parts.items()}
    shown = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return [
        ratio("end_to_end", f"{kind}, {mix}: one process / naive script", naively, alone,
              target=_ONE_PROCESS_TARGET),
        ratio("end_to_end", f"{kind}, {mix}: with workers / naive script", naively, seconds["workers"],
              target=_WORKERS_TARGET),
        ratio("end_to_end", f"{kind}, {mix}: one process / 1 : (sum of its parts)", together, alone,
              target=_SUM_TARGET, note=shown, shares=shares),
    ]  # fmt: skip


async def _all(options: Options) -> list[Figure]:
    figures: list[Figure] = []
    async with places.topic_prefix() as prefix:
        for mix in _MIXES:
            figures += await _of_mix("sqlite", mix, prefix, options)
        if options.full and postgres():
            figures += await _of_mix("postgresql", "plain", prefix, options)
    return figures


def run(options: Options) -> list[Figure]:
    """Ratios for plain mail and for a mix; nothing without the real Kafka."""
    if not broker():
        return []
    with worker_gc():
        return uvloop.run(_all(options))
