"""The wall clock jumps while complaints come in: nothing is lost, late, or told twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.accept import Acceptor
from intake.blobs import FolderBlobs
from intake.notices import Postman
from intake.ports import Channel
from intake.register import Policy
from intake.schema import ContactPoint, Letter, Message, Normalized, Outcome, RawMessage, Sender, Triage
from intake.settings import Settings
from intake.store import outbox
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.store.leases import Lease
from intake.store.outbox import Bell
from intake.workers import Prepared

JUMPS = [timedelta(0), timedelta(hours=25), timedelta(hours=-25), timedelta(hours=1), timedelta(0)]
_SOON_SECONDS = 20.0


class JumpingClock:
    """The real time, and a jump."""

    def __init__(self) -> None:
        self.jump = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.jump


class Postbox:
    """Takes every letter."""

    def __init__(self) -> None:
        self.letters = list[Letter]()
        self._arrived = asyncio.Event()

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)
        self._arrived.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(_SOON_SECONDS):
            while len(self.letters) < count:
                self._arrived.clear()
                await self._arrived.wait()


async def prepare(raws: Sequence[RawMessage]) -> list[Prepared]:
    """A complaint of one sender each."""
    found = []
    for raw in raws:
        sender = Sender(
            contact_points=(ContactPoint(kind="email", value=f"u{raw.position}@example.org"),),
            trust="claimed",
        )
        message = Message(
            channel="email", source="support", received_at=raw.received_at, sender=sender, subject="x"
        )
        found.append(Prepared(Normalized(message), Triage(department="general")))
    return found


@pytest.fixture
def jumping() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
async def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def acceptor(
    store: AnyStore,
    jumping: JumpingClock,
    postbox: Postbox,
    policy: Policy,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
) -> AsyncIterator[Acceptor]:
    """The way in and the way back, running, by one clock; the postman by a lease."""
    settings, bell, blobs = make_settings(), Bell(), FolderBlobs(tmp_path / "blobs")
    made = Acceptor(store, blobs, prepare, policy, settings.limits, jumping, tmp_path, bell.ring)
    post = Channel("email", send=postbox.send, send_rate=1000)
    postman = Postman(store, {"email": post}, settings, b"secret", jumping, bell)
    lease = Lease(store, "notices")
    tasks = [asyncio.create_task(made.run()), asyncio.create_task(lease.hold(postman.run))]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await blobs.close()


async def test_a_jump_of_the_clock_costs_nothing(
    acceptor: Acceptor, jumping: JumpingClock, postbox: Postbox, store: AnyStore
) -> None:
    """25 hours ahead, 25 hours back and home again: each complaint gets its case, its letter at once, its event."""
    for number, jump in enumerate(JUMPS, start=1):
        jumping.jump = jump
        raw = RawMessage("email", "support", "text/plain", b"x", jumping(), "INBOX/1", number)
        receipt = await acceptor.deliver(raw)
        assert receipt.outcome is Outcome.REGISTERED
        await postbox.until(number)
    again = await acceptor.deliver(
        RawMessage("email", "support", "text/plain", b"x", jumping(), "INBOX/1", 1)
    )
    assert not again.first
    assert len({letter.recipient for letter in postbox.letters}) == len(postbox.letters) == len(JUMPS)
    await store.write(partial(outbox.number, at=jumping()))
    order = (
        sa.select(t.outbox.c.case_id)
        .join(t.sent, t.sent.c.id == t.outbox.c.id)
        .where(t.outbox.c.topic == "general.v1")
        .order_by(t.sent.c.position)
    )
    cases = await store.read(lambda c: list(c.scalars(order)))
    assert len(set(cases)) == len(cases) == len(JUMPS)
