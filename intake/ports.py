"""The contracts between the core and its channels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from intake.schema import Letter, Message, Normalized, RawMessage, Receipt, Triage

if TYPE_CHECKING:  # workers import this, and start in half the time without database and web server
    import sqlalchemy as sa
    from starlette.routing import BaseRoute

T = TypeVar("T")

Clock = Callable[[], datetime]
"""The time now, aware, UTC."""

Deliver = Callable[[RawMessage], Awaitable[Receipt]]
"""The whole contract of a channel, inbound.

Returning is the ack: the message is durable and the source may be told. Raising is the nack:
`TransientError` means offer the same message again later; nothing of it is stored. Awaiting is the
back-pressure. May be called concurrently; calls for one sender through one source keep their order.
"""

Send = Callable[[Letter], Awaitable[None]]
"""The whole contract of a channel, outbound.

Returning means the channel took the letter. `TransientError` means it took nothing and may be asked again;
`RejectedNotice` that it never will. Any other error leaves open whether it was taken.
"""

Normalize = Callable[[RawMessage], Normalized]
"""Pure. Raises `RejectedMessage` for bytes nothing can be made of; runs in a killable worker."""

Triager = Callable[[Sequence[Message]], list[Triage]]
"""Pure: a verdict for each message. Runs in the same worker; a failure never stops registration."""

Poll = Callable[[], Awaitable[None]]
"""Watches one source until cancelled. Returning or raising makes the supervisor call it again, with back-off."""


class Store(Protocol):
    """The database. A unit of work is a plain function of a connection; nothing else is awaited inside it."""

    dialect: Literal["sqlite", "postgresql"]

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` whole in one transaction and return what it returns, durable.

        A caller's cancellation does not reach it. `TransientError` for a lost connection, a full disk, a
        deadlock or a serialisation failure; everything `work` raises rolls back and comes out as it is.
        """

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on a snapshot; it must not write."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a counting source has been read. Below `cursor` (inclusive) nothing is open."""

    cursor: int
    sighted_to: int
    known: bool = True


class Ledger(Protocol):
    """What a polling connector asks of the ledger of deliveries. Every call is durable when it returns."""

    async def position(self, source: str, scope: str) -> Position:
        """Where reading `scope` of `source` stands; `known` is False before the first `advance`."""

    async def sight(self, source: str, scope: str, positions: Iterable[int]) -> None:
        """Count positions the source has shown above the highest seen so far (the books' *seen*)."""

    async def missing(self, channel: str, source: str, scope: str, positions: Sequence[int]) -> list[int]:
        """Those of `positions`, sorted, that have no delivery yet."""

    async def set_aside(
        self, channel: str, source: str, scope: str, positions: Sequence[int], reason: str
    ) -> None:
        """Record deliveries that are never fetched (before the cut-off, expunged), with the reason."""

    async def advance(self, source: str, scope: str, cursor: int) -> None:
        """Move the cursor; it never goes back."""

    async def answered(self, channel: str, source: str, count: int) -> None:
        """Pushed channels: so many first deliveries were answered 2xx (the books' *seen*)."""


class Blobs(Protocol):
    """Content-addressed bytes. A returned sha256 is durable."""

    async def put(self, data: bytes) -> str:
        """Store and return the sha256 in hex. Raises `TransientError` when the medium refuses."""

    async def put_stream(self, chunks: AsyncIterator[bytes], limit: int) -> tuple[str, int, bytes]:
        """Store a stream; returns sha256, size and the first 8 KiB. `ValueError` above `limit` bytes."""

    async def get(self, sha256: str) -> bytes:
        """All bytes. Raises `FileNotFoundError`."""

    def stream(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises `FileNotFoundError` on the first piece."""


@dataclass(frozen=True, slots=True)
class Core:
    """What the core offers a connector."""

    deliver: Deliver
    ledger: Ledger
    blobs: Blobs
    clock: Clock
    settings: Any
    """The whole `intake.settings.Settings`; a connector reads `operator`, `web` and its limits from it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a connector's `connect(settings, core)` returns: all the service can do with one channel.

    `polls` maps a source's name to its watcher (one lease each); `routes` go on the public listener;
    `send` is the way back, None where there is none; `send_rate` is its letters a second, `send_at_once`
    how many may be under way, and so how many can be repeated after a crash.
    """

    name: str
    polls: Mapping[str, Poll] = field(default_factory=dict)
    routes: Sequence[BaseRoute] = ()
    send: Send | None = None
    send_rate: float = 20.0
    send_at_once: int = 4
    close: Callable[[], Awaitable[None]] | None = None
