"""The HTTP listeners: what they believe, and what they say when they cannot listen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from intake.errors import ConfigError
from intake.listeners import Listener


async def who(scope: Scope, receive: Receive, send: Send) -> None:
    client = Request(scope).client
    await PlainTextResponse(client.host if client else "")(scope, receive, send)


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener("public", who, "127.0.0.1", 0, 1)
    running = asyncio.create_task(made.run())
    yield made
    made.stop()
    await running


async def answer(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    found = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return found


async def test_an_invented_forwarded_address_is_not_believed(listener: Listener) -> None:
    """Limits per address would be worth nothing if a header could name the address."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    assert (await answer(listener.port, request)).endswith(b"127.0.0.1")


def test_a_taken_port_is_one_line() -> None:
    """Which setting, which address, and why."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"web.public_port: cannot listen on 127.0.0.1:{port}: "):
            Listener("public", who, "127.0.0.1", port, 1)
