"""The broker dies, hangs and returns under a relay that keeps its one producer."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import pytest

from intake.settings import Settings
from intake.store import outbox
from intake.store.database import AnyStore, open_store
from intake.store.schema_version import upgrade
from router import producer as producers
from router import topics
from tests.brokers import Broker, Desk, kafka_settings, read_back
from tests.conftest import _missing
from tests.event_samples import rows
from tests.spine import once, sequences

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

_CASES = 30
_ROUNDS = 40
_STOP_SECONDS = 10.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker these tests may kill."""
    if "DEV_KAFKA_BOOTSTRAP" not in os.environ:
        _missing("Kafka")
    made = Broker(tmp_path_factory.mktemp("broker"))
    made.run("up")
    yield made
    made.run("down")


@pytest.fixture
async def settings(make_settings: Callable[..., Settings], broker: Broker) -> Settings:
    made = kafka_settings(make_settings, broker.address, request_timeout_ms=5_000)
    await topics.create(made)
    return made


@pytest.fixture
async def store(make_settings: Callable[..., Settings]) -> AsyncIterator[AnyStore]:
    """SQLite: the broker's outage has nothing to do with the kind of store."""
    opened = open_store(make_settings())
    await upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture
def desk(store: AnyStore, settings: Settings) -> Desk:
    return Desk(store, settings)


async def commit_rounds(desk: Desk, cases: list[str], begin: int, end: int) -> None:
    """One event of each case a round, at a steady pace."""
    for sequence in range(begin, end):
        await desk.add(
            [row for n, case in enumerate(cases) for row in rows(n, case_id=case, sequence=sequence)]
        )
        await asyncio.sleep(0.02)


async def in_threads(function: Callable[..., None], *arguments: object) -> None:
    await asyncio.to_thread(function, *arguments)


async def assert_complete(settings: Settings) -> int:
    """Every event is there, in order per case once repeats are dropped. Returns the number of repeats."""
    found = await read_back(settings)
    kept = once(found)
    assert len(kept) == 2 * _CASES * _ROUNDS
    assert all(order == list(range(1, _ROUNDS + 1)) for order in sequences(kept).values())
    assert len({(dict(r.headers)["ce_id"], r.value) for r in found}) == len(kept)
    return len(found) - len(kept)


async def test_a_killed_broker_costs_nothing(desk: Desk, settings: Settings, broker: Broker) -> None:
    """Promises 4 and 5: killed under load and started again: every event once, in order, by the same producer."""
    cases = [str(uuid4()) for _ in range(_CASES)]
    async with desk.relaying():
        await commit_rounds(desk, cases, 1, 10)
        await in_threads(broker.run, "kill")
        await commit_rounds(desk, cases, 10, _ROUNDS + 1)
        await in_threads(broker.run, "start")
        await desk.until_sent(90)
    assert await assert_complete(settings) == 0


async def test_a_hanging_broker_costs_nothing(desk: Desk, settings: Settings, broker: Broker) -> None:
    """Stopped for longer than a request may take, then continued: the same."""
    cases = [str(uuid4()) for _ in range(_CASES)]
    async with desk.relaying():
        await commit_rounds(desk, cases, 1, 10)
        broker.signal(signal.SIGSTOP)
        try:
            await commit_rounds(desk, cases, 10, _ROUNDS + 1)
            await asyncio.sleep(8)
        finally:
            broker.signal(signal.SIGCONT)
        await desk.until_sent(90)
    assert await assert_complete(settings) == 0


async def stopped_in_time(relaying: asyncio.Task[None]) -> float:
    """Cancel a relay; the seconds until it has ended."""
    began = time.monotonic()
    relaying.cancel()
    with suppress(asyncio.CancelledError):
        await relaying
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["killed", "hanging"])
async def test_a_relay_told_to_stop_during_an_outage_ends_in_time(
    desk: Desk, settings: Settings, broker: Broker, how: str
) -> None:
    """Promise 5: it lets go of what the broker does not take; the next relay sends it, and no zombie does."""
    cases = [str(uuid4()) for _ in range(_CASES)]
    outage, back = {
        "killed": (lambda: broker.run("kill"), lambda: broker.run("start")),
        "hanging": (lambda: broker.signal(signal.SIGSTOP), lambda: broker.signal(signal.SIGCONT)),
    }[how]
    before = asyncio.all_tasks()
    async with desk.relaying() as task:
        await commit_rounds(desk, cases, 1, 20)
        await in_threads(outage)
        await commit_rounds(desk, cases, 20, _ROUNDS + 1)
        seconds = await stopped_in_time(task)
    await in_threads(back)
    assert seconds < _STOP_SECONDS
    assert await desk.count(~outbox.IS_SENT) > 0
    assert asyncio.all_tasks() == before
    async with desk.relaying():
        await desk.until_sent(90)
    await assert_complete(settings)


async def test_a_relay_starts_without_a_broker(desk: Desk, settings: Settings, broker: Broker) -> None:
    """It tries again until the broker is there, and can be stopped meanwhile."""
    await in_threads(broker.run, "kill")
    try:
        await desk.add(rows(1))
        async with desk.relaying() as waiting:
            await asyncio.sleep(1)
            assert not waiting.done()
            assert await stopped_in_time(waiting) < 3
        async with desk.relaying():
            await in_threads(broker.run, "start")
            await desk.until_sent(90)
    finally:
        await in_threads(broker.run, "start")
    assert len(await read_back(settings)) == 2


async def test_a_producer_ended_in_an_outage_delivers_nothing_later(
    settings: Settings, broker: Broker
) -> None:
    """What an abandoned producer holds would be delivered beside its successor's; `end_hard` prevents it."""
    producer = await producers.connect(settings)
    topic = topics.full_name(settings, topics.EVENTS)
    await producer.partitions_for(topic)
    await in_threads(broker.run, "kill")
    try:
        held = [await producer.send(topic, b"zombie", key=str(n).encode()) for n in range(30)]
        began = time.monotonic()
        await producers.end_hard(producer)
        assert time.monotonic() - began < 10
    finally:
        await in_threads(broker.run, "start")
    await asyncio.sleep(3)
    assert await read_back(settings) == []
    assert not any(future.done() and not future.exception() for future in held)
