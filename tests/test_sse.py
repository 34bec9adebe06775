"""A department without a broker reads its topic as server-sent events, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from intake.settings import Settings
from intake.store import outbox
from intake.store.database import AnyStore
from intake.store.outbox import Bell
from intake.store.tables import outbox as table
from intake.store.tables import sent
from intake.web import topics
from intake.web.problems import answer_problem
from router.relay import Numberer
from tests.conftest import FixedClock
from tests.event_samples import rows

KEYS = {"department_keys": {"payments": "pay-key", "games": "old new"}, "admin_key": "root-key"}
_SOON = 10.0


@dataclass
class Place:
    """A store with its numberer, and the route on a real server."""

    store: AnyStore
    clock: FixedClock
    port: int = 0
    bell: Bell = field(default_factory=Bell)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def number(self, count: int) -> None:
        """So many new events for payments, numbered, and the bell rung."""
        found = [rows(n)[0] for n in range(count)]
        await self.store.write(lambda c: c.execute(sa.insert(table), found).rowcount)
        await self.store.write(partial(outbox.number, at=self.clock()))
        self.bell.ring()


@dataclass
class Stream:
    """What a reader gets."""

    status: int
    head: str
    reader: asyncio.StreamReader
    _rest: bytes = b""

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next so many events, each with its id, type and data."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            fields = dict(line.split(": ", 1) for line in (await self.block()).splitlines() if line[0] != ":")
            if fields:
                found.append({**fields, "data": json.loads(fields["data"])})
        return found

    async def block(self) -> str:
        """What stands before the next empty line; an empty text where the stream has ended."""
        while b"\n\n" not in self._rest:
            size = await asyncio.wait_for(self.reader.readline(), _SOON)
            length = int(size or b"0", 16)
            if not length:
                return ""
            self._rest += await self.reader.readexactly(length)
            await self.reader.readexactly(2)
        block, _, self._rest = self._rest.partition(b"\n\n")
        return block.decode()


@pytest.fixture
async def place(
    store: AnyStore, clock: FixedClock, make_settings: Callable[..., Settings]
) -> AsyncIterator[Place]:
    made = Place(store, clock)
    async with served(made, make_settings(web=KEYS)):
        yield made


@asynccontextmanager
async def served(place: Place, settings: Settings) -> AsyncIterator[None]:
    """The route on a real server on loopback, until the end of the block."""
    routes = topics.routes(place.store, settings, place.bell, place.stopping)
    app = Starlette(routes=routes, exception_handlers={HTTPException: answer_problem})
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    place.port = listening.getsockname()[1]
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        place.stopping.set()
        server.should_exit = True
        await task
        listening.close()


@asynccontextmanager
async def read(place: Place, path: str, key: str = "pay-key", **headers: str) -> AsyncIterator[Stream]:
    """Ask over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    given = {"Host": "localhost", "Authorization": f"Bearer {key}", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    writer.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
    try:
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _SOON)).decode()
        yield Stream(int(head.split()[1]), head.lower(), reader)
    finally:
        writer.close()
        await writer.wait_closed()


async def status(place: Place, path: str, key: str = "pay-key", **headers: str) -> int:
    async with read(place, path, key, **headers) as stream:
        return stream.status


async def test_what_is_there_and_what_comes(place: Place) -> None:
    """Events that were there come first, new ones when the bell rings; ids are positions, without a gap."""
    await place.number(2)
    async with read(place, "/v1/topics/payments") as stream:
        assert "content-type: text/event-stream" in stream.head
        assert [e["id"] for e in await stream.events(2)] == ["1", "2"]
        await place.number(1)
        (fresh,) = await stream.events(1)
    assert (fresh["id"], fresh["event"]) == ("3", "complaint.registered.v1")
    assert fresh["data"]["department"] == "payments"


async def test_a_reader_resumes_where_it_stopped(place: Place) -> None:
    """`Last-Event-ID`, which browsers send by themselves, and `?after=`; the header is the later word."""
    await place.number(4)
    async with read(place, "/v1/topics/payments", Last_Event_ID="2") as stream:
        assert [e["id"] for e in await stream.events(2)] == ["3", "4"]
    async with read(place, "/v1/topics/payments?after=3") as stream:
        assert [e["id"] for e in await stream.events(1)] == ["4"]
    async with read(place, "/v1/topics/payments?after=1", Last_Event_ID="3") as stream:
        assert [e["id"] for e in await stream.events(1)] == ["4"]


async def test_events_from_another_process_come_without_a_bell(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the numbering runs elsewhere nobody rings here; the stream looks by itself."""
    monkeypatch.setattr(topics, "_LOOK_SECONDS", 0.05)
    async with read(place, "/v1/topics/payments") as stream:
        assert await stream.block() == ": events follow"
        await Place(place.store, place.clock).number(1)
        assert [e["id"] for e in await stream.events(1)] == ["1"]


async def test_events_come_as_soon_as_they_are_numbered(place: Place) -> None:
    """With the service's own numberer: rung by a commit, it rings the readers."""
    committed = Bell()
    numberer = Numberer(place.store, place.clock, bell=committed)
    place.bell.ring()
    numberer.numbered = place.bell
    running = asyncio.create_task(numberer.run())
    async with read(place, "/v1/topics/events", "root-key") as stream:
        found = rows(1)
        await place.store.write(lambda c: c.execute(sa.insert(table), found).rowcount)
        committed.ring()
        (event,) = await stream.events(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert event["data"]["case_id"] == found[1]["case_id"]


async def test_an_expired_position_answers_410(place: Place) -> None:
    """A reader that stayed away longer than events are kept is told, and told where to begin."""
    await place.number(3)
    place.clock.forward(days=40)
    await place.store.write(partial(outbox.expire, before=place.clock(), limit=100))
    await place.number(1)
    async with read(place, "/v1/topics/payments", Last_Event_ID="1") as stream:
        assert stream.status == 410
        length = int(stream.head.partition("content-length: ")[2].split()[0])
        problem = json.loads(await stream.reader.readexactly(length))
    assert problem["detail"] == "The oldest position kept is 4; begin with ?after=3."
    async with read(place, "/v1/topics/payments?after=3") as stream:
        assert [e["id"] for e in await stream.events(1)] == ["4"]


async def test_an_erased_event_is_left_out(place: Place) -> None:
    """Its position stays, so the next reader does not stumble."""
    await place.number(3)
    erase = (
        sa.update(table)
        .where(table.c.id == sa.select(sent.c.id).where(sent.c.position == 2).scalar_subquery())
        .values(value=b"")
    )
    await place.store.write(lambda c: c.execute(erase).rowcount)
    async with read(place, "/v1/topics/payments") as stream:
        assert [e["id"] for e in await stream.events(2)] == ["1", "3"]
    async with read(place, "/v1/topics/payments", Last_Event_ID="2") as stream:
        assert [e["id"] for e in await stream.events(1)] == ["3"]


async def test_nobody_reads_without_a_key(place: Place) -> None:
    """401, and which scheme is wanted."""
    keys = ("", "wrong", "pay-key2", "pay", "old new")
    assert {await status(place, "/v1/topics/payments", key) for key in keys} == {401}
    async with read(place, "/v1/topics/payments", "wrong") as stream:
        assert "www-authenticate: bearer" in stream.head


async def test_a_department_reads_its_own_topic_only(place: Place) -> None:
    """Another's topic and one that does not exist look the same; both keys work while one is replaced."""
    expected = {
        ("payments", "pay-key"): 200,
        ("games", "old"): 200,
        ("games", "new"): 200,
        ("payments", "root-key"): 200,
        ("urgent", "root-key"): 200,
        ("events", "root-key"): 200,
        ("games", "pay-key"): 404,
        ("urgent", "pay-key"): 404,
        ("events", "pay-key"): 404,
        ("nothing", "root-key"): 404,
        ("updates.payments", "root-key"): 404,
    }
    found = {ask: await status(place, f"/v1/topics/{ask[0]}", ask[1]) for ask in expected}
    assert found == expected


async def test_a_position_is_a_whole_number(place: Place) -> None:
    """Anything else is a 400, not a 500."""
    wrong = ("-1", "x", "1.5", "%C2%B2", "1234567890123456789")
    assert {await status(place, f"/v1/topics/payments?after={after}") for after in wrong} == {400}


async def test_a_quiet_stream_gives_signs_of_life(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then, so that proxies keep the connection and a reader notices a dead one."""
    monkeypatch.setattr(topics, "_HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(topics, "_LOOK_SECONDS", 0.05)
    async with read(place, "/v1/topics/payments") as stream:
        assert [await stream.block() for _ in range(3)] == [": events follow", ": still here", ": still here"]


async def test_streams_end_when_the_service_stops(place: Place) -> None:
    """At once and properly, however quiet they are."""
    async with read(place, "/v1/topics/payments") as stream:
        assert await stream.block() == ": events follow"
        place.stopping.set()
        async with asyncio.timeout(1):
            assert await stream.block() == ""


async def test_where_a_broker_has_the_topics_the_answer_says_so(
    store: AnyStore, clock: FixedClock, make_settings: Callable[..., Settings]
) -> None:
    """With Kafka nothing is numbered; an empty stream would look like a quiet day."""
    place = Place(store, clock)
    async with served(place, make_settings(web=KEYS, kafka={"bootstrap_servers": "127.0.0.1:1"})):
        assert await status(place, "/v1/topics/payments") == 404
