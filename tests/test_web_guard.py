"""What stands before every handler: bounds on bodies, who is asking, and headers on every answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from intake.errors import ConfigError
from intake.web.body import TooLarge, TooSlow, drain, pieces, read_whole
from intake.web.guard import BodyGuard, ClientAddress, ResponseHeaders
from tests.web_site import ask


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads its body and says how much it was."""
    body = await read_whole(receive, 1_000_000)
    await PlainTextResponse(str(len(body)))(scope, receive, send)


async def address(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says who asked."""
    client = Request(scope).client
    await PlainTextResponse(client.host if client else "")(scope, receive, send)


async def silence() -> AsyncIterator[bytes]:
    """One piece, and then nothing for ever."""
    yield b"x"
    await asyncio.Event().wait()


async def trickle() -> AsyncIterator[bytes]:
    """A piece now and then, for ever."""
    while True:
        await asyncio.sleep(0.01)
        yield b"x"


async def test_a_body_that_stops_is_given_up() -> None:
    """The pause between two pieces is bounded, however much time is left in all."""
    guarded = BodyGuard(read_all, 1000, idle_seconds=0.05, total_seconds=60)
    async with asyncio.timeout(5):
        with pytest.raises(TooSlow):
            await ask(guarded, "POST", "/", silence(), {})


async def test_a_body_that_trickles_is_given_up() -> None:
    """The time for all of it is bounded, however short the pauses are."""
    guarded = BodyGuard(read_all, 1_000_000, idle_seconds=60, total_seconds=0.1)
    async with asyncio.timeout(5):
        with pytest.raises(TooSlow):
            await ask(guarded, "POST", "/", trickle(), {})


async def test_a_body_is_bounded_as_it_arrives() -> None:
    """Without a length declared, too."""
    assert (await ask(BodyGuard(read_all, 1000), "POST", "/", [b"x" * 500, b"x" * 500], {})).text == "1000"
    with pytest.raises(TooLarge):
        await ask(BodyGuard(read_all, 1000), "POST", "/", [b"x" * 500, b"x" * 501], {})


async def test_of_a_body_that_declares_too_much_nothing_is_read() -> None:
    """Refused before its first byte."""
    read: list[bytes] = []

    async def watched() -> AsyncIterator[bytes]:
        read.append(b"x")
        yield b"x"

    with pytest.raises(TooLarge):
        await ask(BodyGuard(read_all, 1000), "POST", "/", watched(), {"content-length": "1001"})
    assert read == []


async def test_a_form_that_is_too_large_is_drained_so_far() -> None:
    """The rest is read, so that the browser sees the answer; three times the limit, and no more."""

    async def draining(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(TooLarge):
            await read_whole(receive, 1_000_000)
        await drain(receive)
        await PlainTextResponse("said")(scope, receive, send)

    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100
            yield b"x" * 100

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await ask(BodyGuard(draining, 1000), "POST", "/", endless(), headers)).text == "said"
    assert 4000 <= read <= 4200


async def test_a_client_that_goes_away_ends_the_reading() -> None:
    """No body is taken for whole that is not."""

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        [piece async for piece in pieces(gone)]


@pytest.mark.parametrize(
    ("peer", "forwarded", "seen"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("testclient", "", "local"),
    ],
)
async def test_the_customers_address(peer: str, forwarded: str, seen: str) -> None:
    """X-Forwarded-For counts from trusted proxies alone, from its end; IPv6 counts by its /64."""
    app = ClientAddress(address, ["10.0.0.0/8"])
    assert (await ask(app, "GET", "/", [], {"x-forwarded-for": forwarded}, peer)).text == seen


def test_a_proxy_that_is_no_address_is_a_mistake() -> None:
    """One line at the start, not a surprise at the first request."""
    with pytest.raises(ConfigError, match=r"web\.trusted_proxies"):
        ClientAddress(address, ["proxy.example"])


@pytest.mark.parametrize(("draining", "connection"), [(True, "close"), (False, None)])
async def test_while_draining_connections_end_with_their_answer(
    draining: bool, connection: str | None
) -> None:
    """A load balancer moves on; otherwise connections are kept."""
    app: ASGIApp = ResponseHeaders(address, {"x-content-type-options": "nosniff"}, lambda: draining)
    headers = (await ask(app, "GET", "/", [], {})).headers
    assert headers.get("connection") == connection
    assert headers["x-content-type-options"] == "nosniff"
