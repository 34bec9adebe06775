"""The way in: durable before the answer, grouped, ordered, and never stopped by one message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake import accept, register
from intake.accept import Acceptor
from intake.blobs import FolderBlobs
from intake.errors import Overloaded, TransientError
from intake.register import Policy
from intake.schema import ContactPoint, Message, Normalized, Outcome, RawMessage, Receipt, Sender, Triage
from intake.settings import Limits
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.workers import Prepared

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class InlineWorkers:
    """Prepares without processes; `hold` keeps one message back until it is set."""

    def __init__(self) -> None:
        self.hold: dict[bytes, asyncio.Event] = {}

    async def prepare(self, raws: Sequence[RawMessage]) -> list[Prepared]:
        for raw in raws:
            if event := self.hold.get(raw.body):
                await event.wait()
        return [Prepared(Normalized(message_of(raw)), Triage(department="general")) for raw in raws]


def message_of(raw: RawMessage) -> Message:
    sender = raw.body.decode().partition(" ")[0]
    point = ContactPoint(kind="email", value=f"{sender}@example.org")
    return Message(
        channel="email",
        source=raw.source,
        received_at=raw.received_at,
        sender=Sender(contact_points=(point,), trust="claimed"),
        subject=raw.body.decode(),
    )


def raw(uid: int, body: str = "ayse") -> RawMessage:
    return RawMessage(
        "email", "support", "text/plain", body.encode(), NOW, "INBOX/1", uid, meta={"sender": body[:4]}
    )


@pytest.fixture
async def workers() -> InlineWorkers:
    return InlineWorkers()


@pytest.fixture
async def acceptor(
    store: AnyStore, workers: InlineWorkers, policy: Policy, tmp_path: Path, clock: Any
) -> AsyncIterator[Acceptor]:
    made = Acceptor(
        store,
        FolderBlobs(tmp_path / "blobs"),
        workers.prepare,
        policy,
        Limits(free_disk_bytes=0),
        clock,
        tmp_path,
    )
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def subjects(store: AnyStore) -> list[str]:
    return await store.read(lambda c: list(c.scalars(sa.select(t.cases.c.subject).order_by(t.cases.c.id))))


async def test_an_answer_comes_after_the_commit(store: AnyStore, acceptor: Acceptor) -> None:
    """Promise 1: when `deliver` returns, the case can be read by anybody."""
    receipt = await acceptor.deliver(raw(1))
    codes = await store.read(lambda c: list(c.scalars(sa.select(t.cases.c.code))))
    assert codes == [receipt.code]


async def test_waiting_messages_share_a_transaction(
    store: AnyStore, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Group commit: 200 concurrent callers need far fewer transactions than messages."""
    transactions = 0
    write = store.write

    async def counted(work: Callable[[sa.Connection], Any]) -> Any:
        nonlocal transactions
        transactions += 1
        return await write(work)

    monkeypatch.setattr(acceptor._store, "write", counted)
    receipts = await asyncio.gather(*(acceptor.deliver(raw(n, f"u{n:03d}")) for n in range(200)))
    assert len({r.code for r in receipts}) == 200
    assert transactions < 50


async def test_a_refused_message_does_not_take_its_neighbours_along(
    store: AnyStore, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5: a batch the database refuses is halved until the culprit stands alone, quarantined."""
    real = register.register

    def refusing(connection: sa.Connection, offers: Any, *rest: Any) -> Any:
        if any(o.raw.body == b"evil" and o.prepared.normalized for o in offers):
            raise ValueError("the database does not like it")
        return real(connection, offers, *rest)

    monkeypatch.setattr(accept, "register", refusing)
    bodies = [f"u{n:03d}" for n in range(20)]
    bodies[7] = "evil"
    receipts = await asyncio.gather(*(acceptor.deliver(raw(n, body)) for n, body in enumerate(bodies)))
    assert [r.outcome for r in receipts].count(Outcome.REGISTERED) == 19
    assert receipts[7].outcome is Outcome.QUARANTINED
    assert receipts[7].code


async def test_one_senders_messages_keep_their_order(
    store: AnyStore, acceptor: Acceptor, workers: InlineWorkers
) -> None:
    """A message held up in preparation is waited for by its sender's next ones and by nobody else."""
    workers.hold[b"ayse 1"] = asyncio.Event()
    first = asyncio.create_task(acceptor.deliver(raw(1, "ayse 1")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(acceptor.deliver(raw(2, "ayse 2")))
    other = await asyncio.wait_for(acceptor.deliver(raw(3, "veli 1")), 5)
    assert other.first
    assert not first.done()
    assert not second.done()
    workers.hold[b"ayse 1"].set()
    await asyncio.gather(first, second)
    assert await subjects(store) == ["veli 1", "ayse 1", "ayse 2"]


async def test_a_lost_database_is_a_nack(
    acceptor: Acceptor, store: AnyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored, and the source is told to offer the message again."""

    async def gone(work: Any) -> Any:
        raise TransientError("connection lost")

    with monkeypatch.context() as patched:
        patched.setattr(acceptor._store, "write", gone)
        with pytest.raises(TransientError):
            await acceptor.deliver(raw(1))
    assert (await acceptor.deliver(raw(1))).first


async def test_a_caller_that_leaves_undoes_nothing(store: AnyStore, acceptor: Acceptor) -> None:
    """A cancelled `deliver` either happened or did not; here it does, and the next offer is told so."""
    task = asyncio.create_task(acceptor.deliver(raw(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    again = await acceptor.deliver(raw(1))
    assert again.outcome is Outcome.REGISTERED
    assert await subjects(store) == ["ayse"]


async def test_close_answers_everything_and_takes_nothing_more(acceptor: Acceptor) -> None:
    """After a drain every caller has its answer, and new ones are told to come back."""
    running = [asyncio.create_task(acceptor.deliver(raw(n, f"u{n:03d}"))) for n in range(50)]
    await asyncio.sleep(0)
    await acceptor.close()
    await asyncio.wait_for(asyncio.gather(*running), 1)
    with pytest.raises(Overloaded):
        await acceptor.deliver(raw(99))


async def test_large_bytes_and_files_are_durable_before_the_answer(
    store: AnyStore, acceptor: Acceptor, tmp_path: Path
) -> None:
    """Raw bytes above 64 KiB are a blob whose name stands in the row."""
    body = "ayse " + "x" * accept.RAW_IN_ROW
    await acceptor.deliver(raw(1, body))
    stored = await store.read(lambda c: c.execute(sa.select(t.raw)).one())
    assert stored.body is None
    assert await FolderBlobs(tmp_path / "blobs").get(stored.blob) == body.encode()


async def test_what_cannot_be_kept_holds_up_only_its_own_sender(
    store: AnyStore, acceptor: Acceptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5, and order: while a mail's blob is refused, its neighbours go on and its sender's next mail waits."""
    large = "ayse" + " " * accept.RAW_IN_ROW
    put = acceptor._blobs.put

    async def refused(data: bytes) -> str:
        raise TransientError("the medium refuses")

    monkeypatch.setattr(acceptor._blobs, "put", refused)
    offered = [raw(1, large), raw(2, "ayse again"), raw(3, "can")]
    first, second, other = await asyncio.gather(*map(acceptor.deliver, offered), return_exceptions=True)
    assert isinstance(first, TransientError)
    assert isinstance(second, TransientError)
    assert isinstance(other, Receipt)
    monkeypatch.setattr(acceptor._blobs, "put", put)
    with pytest.raises(TransientError, match="earlier message"):
        await acceptor.deliver(offered[1])
    await acceptor.deliver(offered[0])
    await acceptor.deliver(offered[1])
    assert [subject.strip() for subject in await subjects(store)] == ["can", "ayse", "ayse again"]


async def test_a_mail_that_waits_for_room_is_not_overtaken_by_its_answer(
    store: AnyStore, acceptor: Acceptor, workers: InlineWorkers
) -> None:
    """Order: a small mail finds room where a large one of the same sender does not; it has to come again."""
    acceptor._limits = Limits(free_disk_bytes=0, in_flight_bytes=1_000_000)
    busy = workers.hold[b"can"] = asyncio.Event()
    under_way = asyncio.create_task(acceptor.deliver(raw(1, "can")))
    large = raw(2, "ayse" + " " * 999_996)
    waiting = asyncio.create_task(acceptor.deliver(large))
    await asyncio.sleep(0)
    with pytest.raises(TransientError, match="earlier message"):
        await acceptor.deliver(raw(3, "ayse again"))
    busy.set()
    await asyncio.gather(under_way, waiting)
    await acceptor.deliver(raw(3, "ayse again"))
    assert [subject.strip() for subject in await subjects(store)] == ["can", "ayse", "ayse again"]
