"""Reading a request's body in pieces, with a bound."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive


class TooLarge(HTTPException):
    """The body is over the limit; what was read is gone, the rest may still be drained."""

    def __init__(self) -> None:
        super().__init__(413, "The request is too large.", {"Connection": "close"})


class TooSlow(HTTPException):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__(408, "The request took too long to arrive.", {"Connection": "close"})


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `TooLarge`, `TooSlow`, starlette's `ClientDisconnect`."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if data := message.get("body", b""):
            yield data


async def read_whole(receive: Receive, limit: int) -> bytes:
    """All of a small body. Raises `TooLarge` above `limit` bytes."""
    data = bytearray()
    async for piece in pieces(receive):
        data += piece
        if len(data) > limit:
            raise TooLarge
    return bytes(data)


async def drain(receive: Receive) -> None:
    """Read and drop the rest, so that a browser gets to see the answer instead of a reset connection."""
    try:
        async for _ in pieces(receive):
            pass
    except (TooLarge, TooSlow, ClientDisconnect):
        return
