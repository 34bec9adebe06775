"""How fast what was taken while the broker was away goes out when it is back, while intake goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import uvloop

from benchmarks import places
from benchmarks.form import free_port, hand_in, requests, server
from benchmarks.options import Options, broker, postgres
from benchmarks.timing import WATCH, Figure
from intake.errors import ConfigError
from intake.store.database import AnyStore, open_store
from intake.store.tables import outbox, unsent
from router import topics

_RATE = 50  # complaints a second, all the time
_TARGET = 500  # complaints a second out of the backlog
_LOW_WATER = 2 * _RATE  # cases under way when all is as it should be
_SERVICES = Path(__file__).resolve().parent.parent / "scripts" / "services"


@dataclass(frozen=True)
class _Broker:
    """A Kafka of this benchmark's own, which it may kill."""

    folder: Path
    port: int

    def run(self, command: str) -> None:
        environment = {**os.environ, "DEV_SERVICES_DIR": str(self.folder), "DEV_KAFKA_PORT": str(self.port)}
        done = subprocess.run(
            [str(_SERVICES), command, "kafka"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ConfigError(f"scripts/services {command} kafka: {done.stderr.strip()}")


@contextmanager
def _own_broker(where: Path) -> Iterator[_Broker]:
    found = _Broker(where / "services", free_port())
    found.run("up")
    try:
        yield found
    finally:
        found.run("down")


class _Load:
    """Complaints over HTTP at a steady pace, come what may."""

    def __init__(self, port: int, seconds: float) -> None:
        self._port = port
        self._requests = requests(int(_RATE * seconds), seed=7)
        self.taken = 0

    async def run(self) -> None:
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number, request in enumerate(self._requests):
                await asyncio.sleep(max(0.0, started + number / _RATE - time.monotonic()))
                tasks.create_task(self._one(request))

    async def _one(self, request: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        await hand_in(reader, writer, request)
        writer.close()
        self.taken += 1


async def _waiting(store: AnyStore) -> int:
    """Cases with an event that is not in its topic yet."""
    chosen = sa.select(sa.func.count(sa.distinct(outbox.c.case_id))).join(unsent, unsent.c.id == outbox.c.id)
    return await store.read(lambda c: c.scalar(chosen) or 0)


async def _until(store: AnyStore, is_so: Callable[[int], bool], seconds: float) -> int:
    async with asyncio.timeout(seconds):
        while not is_so(found := await _waiting(store)):  # noqa: ASYNC110  another process changes it
            await asyncio.sleep(0.05)
    return found


async def _outage(store: AnyStore, kafka: _Broker, port: int, seconds: float) -> tuple[float, int]:
    """Complaints a second that left the backlog, and how many it had."""
    load = _Load(port, seconds + seconds / 2 + 60)
    loading = asyncio.create_task(load.run())
    await _until(store, lambda waiting: load.taken > 0 and waiting < _LOW_WATER, 60)
    await asyncio.to_thread(kafka.run, "kill")
    with WATCH.steps("broker away", int(seconds)) as step:
        for _ in range(int(seconds)):
            await asyncio.sleep(1)
            step()
    await asyncio.to_thread(kafka.run, "start")
    started = time.monotonic()  # the broker serves; that we notice it late is our affair
    backlog, before = await _waiting(store), load.taken
    left = await _until(store, lambda waiting: waiting < _LOW_WATER, 600)
    spent = time.monotonic() - started
    drained = backlog + load.taken - before - left
    loading.cancel()
    await asyncio.gather(loading, return_exceptions=True)
    return drained / spent, backlog


async def _of_store(kind: str, seconds: float) -> Figure:
    prefix = f"backlog{os.getpid()}{kind}"
    with places.folder() as where, _own_broker(where) as kafka:
        async with places.store_url(kind, where) as url:
            address = f"127.0.0.1:{kafka.port}"
            chosen = places.settings(where, url, prefix, address)
            await topics.create(chosen)
            variables = {"INTAKE_KAFKA__BOOTSTRAP_SERVERS": address, "INTAKE_KAFKA__TOPIC_PREFIX": prefix}
            with server("form", where, url, **variables) as port:
                store = open_store(chosen, read_only=True)
                rate, backlog = await _outage(store, kafka, port, seconds)
                await store.close()
    name = f"{kind}: complaints a second out of a backlog of {backlog}, with {_RATE} a second coming in / {_TARGET}"
    return Figure("backlog", name, rate / _TARGET, rate / _TARGET, rate / _TARGET, 1, 1.0)


def run(options: Options) -> list[Figure]:
    """Shares of the 500 a second; the outage lasts five minutes where `full` is asked."""
    if not broker():
        return []
    seconds = 300.0 if options.full else 10.0 if options.quick else 30.0
    return [
        uvloop.run(_of_store(kind, seconds)) for kind in ("sqlite", *(["postgresql"] if postgres() else []))
    ]
