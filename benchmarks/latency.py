"""From receipt to topic at half the load the pipeline can take: how long a complaint is on its way."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks import places
from benchmarks.corpus import mixed
from benchmarks.end_to_end import Pipeline, workers
from benchmarks.normalise import raw_message
from benchmarks.options import Options, broker
from benchmarks.timing import WATCH, Figure
from intake.schema import RawMessage
from router import topics

_LIMIT = 0.25  # seconds, for the 99th of 100
_PROBE = 1_500
_SECONDS = 5.0


class _Arrivals:
    """A department reading its topics: when the first event of each case came in."""

    def __init__(self, prefix: str) -> None:
        names = [f"{prefix}.{topics.department_topic(department)}" for department in topics.DEPARTMENTS]
        self._consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=broker(), auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        self.at: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> _Arrivals:
        await self._consumer.start()
        self._task = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        async for record in self._consumer:
            self.at.setdefault((record.key or b"").decode(), time.perf_counter())

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
        await self._consumer.stop()


async def _steady(pipeline: Pipeline, raws: list[RawMessage], pause: float) -> dict[str, float]:
    """Offer a message every `pause` seconds, come what may; when each case's message was offered."""
    offered: dict[str, float] = {}

    async def one(raw: RawMessage) -> None:
        begun = time.perf_counter()
        receipt = await pipeline.acceptor.deliver(raw)
        offered[receipt.case_id or ""] = begun

    events = pipeline.relaying.store.marked + 2 * len(raws)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, raw in enumerate(raws):
            await asyncio.sleep(max(0.0, started + number * pause - time.perf_counter()))
            tasks.create_task(one(raw))
    await pipeline.relaying.store.until(events)
    return offered


async def _round(where: Path, prefix: str, number: int, options: Options) -> list[float]:
    """Seconds on the way of each message, at half of what this round's own probe has reached."""
    url = f"sqlite:///{where / f'latency-{number}.db'}"
    store = await places.upgraded(places.settings(where, url, prefix))
    probe = [raw_message(m) for m in mixed(options.size(_PROBE), seed=40 + number)]
    try:
        async with workers(where) as several, Pipeline(store, where, prefix, several.prepare) as pipeline:
            rate = len(probe) / await pipeline.take(probe)
            count = int(rate / 2 * (_SECONDS / 5 if options.quick else _SECONDS))
            raws = [raw_message(m, "INBOX/2") for m in mixed(count, seed=60 + number)]
            async with _Arrivals(prefix) as arrivals:
                await asyncio.sleep(1.0)  # what the probe has sent is read first
                offered = await _steady(pipeline, raws, 2 / rate)
                async with asyncio.timeout(120):
                    while not offered.keys() <= arrivals.at.keys():  # noqa: ASYNC110  once a round
                        await asyncio.sleep(0.05)
    finally:
        await store.close()
    return sorted(arrivals.at[case] - begun for case, begun in offered.items())


async def _all(options: Options) -> list[Figure]:
    middles, lates = [], []
    rounds = options.few_rounds - 1 if not options.quick else 1
    async with places.topic_prefix() as prefix:
        with places.folder() as where, WATCH.steps("latency at half load", rounds) as step:
            for number in range(rounds):
                spent = await _round(where, prefix, number, options)
                middles.append(spent[len(spent) // 2] / _LIMIT)
                lates.append(spent[int(len(spent) * 0.99)] / _LIMIT)
                step()
    return [
        Figure("latency", f"sqlite: {name} from receipt to the department's consumer / 250 ms",
               statistics.median(found), min(found), max(found), rounds, target, at_least=False)
        for name, found, target in (("p50", middles, None), ("p99", lates, 1.0))
    ]  # fmt: skip


def run(options: Options) -> list[Figure]:
    """Shares of the 250 ms; nothing without the real Kafka."""
    return uvloop.run(_all(options)) if broker() else []
