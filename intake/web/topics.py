"""Departments without a broker read their topic here: server-sent events, resumable by position."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from intake.ports import Store
from intake.schema import DEPARTMENTS
from intake.settings import Settings
from intake.store import outbox
from intake.store.outbox import Bell, Expired, Record
from intake.web.keys import EVERY_DEPARTMENT, department
from intake.web.problems import Problem

_HEARTBEAT_SECONDS = 15.0
_LOOK_SECONDS = 2.0  # between looks where nobody rings: another process may have numbered
_ROWS = 200
_SHARED = ("urgent", "events")  # read with the key of operations
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def routes(store: Store, settings: Settings, bell: Bell, stopping: asyncio.Event) -> list[Route]:
    """`GET /v1/topics/{department}`: events after `Last-Event-ID` or `?after=`, then those to come.

    An event's `id` is its position, `event` its type, `data` its value. 410 where the position is no longer
    kept, 404 where a broker has the topics. Ends when `stopping` is set.
    (Server-sent events: WHATWG HTML, section 9.2.)
    """

    async def read(request: Request) -> Response:
        topic = _topic(request, settings)
        if settings.kafka.bootstrap_servers:
            raise Problem(404, f"Events go to Kafka here: read {settings.kafka.topic_prefix}.{topic} there.")
        after = _after(request)
        try:
            await store.read(partial(outbox.read_topic, topic=topic, after=after, limit=1))
        except Expired as error:
            oldest = f"The oldest position kept is {error.oldest}; begin with ?after={error.oldest - 1}."
            raise Problem(410, oldest) from error
        stream = _stream(store, topic, after, bell, stopping)
        return StreamingResponse(stream, headers=_HEADERS, media_type="text/event-stream")

    return [Route("/v1/topics/{department}", read)]


def _topic(request: Request, settings: Settings) -> str:
    owner = department(request.headers.get("authorization"), settings.web)
    if owner is None:
        raise Problem(401, "A department's key is needed.", headers={"WWW-Authenticate": "Bearer"})
    name = request.path_params["department"]
    if owner not in (name, EVERY_DEPARTMENT) or name not in (*DEPARTMENTS, *_SHARED):
        raise Problem(404, "There is no such topic, or it is not yours.")
    return f"{name}.v1"


def _after(request: Request) -> int:
    typed = request.headers.get("last-event-id") or request.query_params.get("after", "0")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 18):
        raise Problem(400, "The position to go on from has to be a whole number.")
    return int(typed)


async def _stream(
    store: Store, topic: str, after: int, bell: Bell, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    yield b": events follow\n\n"
    last = time.monotonic()
    while not stopping.is_set():
        heard = bell.listen()
        try:
            records = await store.read(partial(outbox.read_topic, topic=topic, after=after, limit=_ROWS))
        except Expired:
            return
        for record in records:
            after = record.position
            if record.value:
                yield _event(record)
        if records:
            last = time.monotonic()
            continue
        if time.monotonic() - last >= _HEARTBEAT_SECONDS:
            last = time.monotonic()
            yield b": still here\n\n"
        await _rung(heard, stopping)


async def _rung(heard: asyncio.Event, stopping: asyncio.Event) -> None:
    """Wait for news, or so long that another process may have some."""
    waits = [asyncio.create_task(event.wait()) for event in (heard, stopping)]
    try:
        await asyncio.wait(waits, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _event(record: Record) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (record.position, record.type.encode(), record.value)
