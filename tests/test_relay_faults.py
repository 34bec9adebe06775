"""What a real broker does not do on demand: the relay on a producer and a store that fail as told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiokafka import errors as kafka
from aiokafka.structs import RecordMetadata

from intake.errors import TransientError
from intake.settings import Settings
from intake.store import outbox
from intake.store.database import AnyStore, open_store
from intake.store.schema_version import upgrade
from intake.store.tables import outbox as table
from router import producer as producers
from router import relay as relays
from tests.brokers import Desk
from tests.event_samples import rows

T = TypeVar("T")
Sent = tuple[str, bytes, bytes, tuple[tuple[str, bytes], ...]]


class Batch:
    """Takes so many records, and remembers them."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]] = []

    def append(
        self, *, key: bytes, value: bytes, timestamp: None, headers: list[tuple[str, bytes]]
    ) -> object:
        if len(self.records) == 20:
            return None
        self.records.append((key, value, tuple(headers)))
        return self

    def close(self) -> None:
        pass


class Broker:
    """Stands for producers and their broker: `refusals` by topic, `poison` is the id of an event that is
    too large for it, and while `silent` nothing is answered.
    """

    def __init__(self) -> None:
        self.producers = 0
        self.sent: list[Sent] = []
        self.refusals: dict[str, kafka.KafkaError] = {}
        self.poison = ""
        self.silent = False
        self.unanswered: list[asyncio.Future[RecordMetadata]] = []

    async def connect(self, _: Settings) -> Broker:
        self.producers += 1
        return self

    async def end(self, *_: object) -> None:
        """Nothing is held that would have to be delivered."""

    async def partitions_for(self, _: str) -> set[int]:
        return {0}

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[RecordMetadata]:
        future: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        self.sent += [(topic, *record) for record in batch.records]
        self.unanswered.append(future)
        ids = [dict(headers)["ce_id"].decode() for *_, headers in batch.records]
        error = kafka.MessageSizeTooLargeError() if self.poison in ids else self.refusals.get(topic)
        if error:
            future.set_exception(error)
        elif not self.silent:
            self.answer()
        return future

    def answer(self) -> None:
        """Everything that waits for an answer is taken."""
        for future in self.unanswered:
            if not future.done():
                future.set_result(RecordMetadata("", 0, None, 7, None, 0, 0))

    def ids(self) -> list[str]:
        """`ce_id` of all that was sent."""
        return [dict(record[3])["ce_id"].decode() for record in self.sent]


class Failing:
    """A store on which one kind of work fails so many times."""

    def __init__(self, store: AnyStore, what: Callable[..., Any], times: float) -> None:
        self._store, self.dialect, self._what, self.left = store, store.dialect, what, times

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        if isinstance(work, partial) and work.func is self._what and self.left > 0:
            self.left -= 1
            raise TransientError("the database is away")
        return await self._store.write(work)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._store.read(work)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    for name in ("connect", "end"):
        monkeypatch.setattr(producers, name, getattr(made, name))
    monkeypatch.setattr(producers, "end_hard", made.end)
    monkeypatch.setattr(relays, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(relays, "_RETRY_SECONDS", (0.01,) * 7)
    return made


@pytest.fixture
async def desk(make_settings: Callable[..., Settings]) -> AsyncIterator[Desk]:
    settings = make_settings(kafka={"bootstrap_servers": "fake:1"})
    store = open_store(settings)
    await upgrade(store)
    yield Desk(store, settings)
    await store.close()


def failing(desk: Desk, what: Callable[..., Any], times: float) -> Desk:
    """The same desk, its relay on a store that fails."""
    return Desk(Failing(desk.store, what, times), desk.settings)  # type: ignore[arg-type]


async def test_urgent_goes_first(desk: Desk, broker: Broker) -> None:
    """An urgent case behind a backlog of large events of another topic is the first to be sent."""
    backlog = [rows(n)[0] | {"value": os.urandom(200_000)} for n in range(60)]
    await desk.add([*backlog, *rows(99, priority="urgent")])
    async with desk.relaying():
        await desk.until_sent()
    assert broker.sent[0][0] == "complaints.urgent.v1"


async def test_a_topic_that_may_not_be_written_stops_only_itself(desk: Desk, broker: Broker) -> None:
    """Its events wait and are blamed for nothing; the others' are sent, without a new producer each time."""
    broker.refusals["complaints.payments.v1"] = kafka.TopicAuthorizationFailedError()
    await desk.add(rows(0))
    async with desk.relaying():
        for number in range(1, 30):
            await desk.add(rows(number))
            await desk.until(0, table.c.topic == "events.v1", ~outbox.IS_SENT)
    assert broker.producers <= 3
    assert await desk.count(table.c.attempts > 0) == 0
    assert await desk.count(table.c.topic == "payments.v1", ~outbox.IS_SENT) == 30


async def test_what_cannot_be_marked_is_not_sent_again(desk: Desk, broker: Broker) -> None:
    """While the database refuses to note it, what the broker took is kept in mind, and noted later."""
    unlucky = failing(desk, outbox.mark_sent, 5)
    await desk.add([row for n in range(50) for row in rows(n)])
    async with unlucky.relaying():
        await desk.until_sent()
    assert len(broker.sent) == len(set(broker.ids())) == 100
    assert broker.producers == 1


async def test_a_database_that_takes_no_marks_bounds_what_is_sent(
    desk: Desk, broker: Broker, make_settings: Callable[..., Settings]
) -> None:
    """No more than what is in flight and as much read ahead goes out unnoted: a crash repeats no more than that."""
    settings = make_settings(kafka={"bootstrap_servers": "fake:1", "in_flight": 15})
    unlucky = Desk(Failing(desk.store, outbox.mark_sent, float("inf")), settings)  # type: ignore[arg-type]
    await desk.add([rows(n)[0] for n in range(200)])
    async with unlucky.relaying():
        while len(broker.sent) < 30:  # noqa: ASYNC110  the fake rings no bell
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
    assert len(broker.sent) == 30


async def test_a_repeat_after_a_crash_is_identical(desk: Desk, broker: Broker) -> None:
    """Promise 4: killed between the broker's answer and the mark, the next relay sends the same bytes."""
    unlucky = failing(desk, outbox.mark_sent, float("inf"))
    await desk.add([row for n in range(10) for row in rows(n)])
    async with unlucky.relaying():
        while len(broker.sent) < 20:  # noqa: ASYNC110  the fake rings no bell
            await asyncio.sleep(0.01)
    first, broker.sent = broker.sent, []
    async with desk.relaying():
        await desk.until_sent()
    assert sorted(broker.sent) == sorted(first)


async def test_a_lost_lease_marks_nothing(desk: Desk, broker: Broker) -> None:
    """What is answered after the lease is lost belongs to the next holder, who sends and marks it."""
    mine = [True]
    broker.silent = True
    await desk.add(rows(1))
    async with desk.relaying(still_mine=lambda: mine[0]) as task:
        while len(broker.sent) < 2:  # noqa: ASYNC110  the fake rings no bell
            await asyncio.sleep(0.01)
        mine[0] = False
        broker.answer()
        await asyncio.wait_for(task, 10)
    assert await desk.count(outbox.IS_SENT) == 0


async def test_a_refusal_that_cannot_be_noted_still_counts_to_the_end(desk: Desk, broker: Broker) -> None:
    """The database is away while a record is refused: it is tried again, and given up in the end."""
    broker.refusals["complaints.payments.v1"] = kafka.MessageSizeTooLargeError()
    unlucky = failing(desk, outbox.mark_failed, 2)
    await desk.add(rows(1))
    async with unlucky.relaying():
        await desk.until(1, table.c.dead_at.is_not(None))
    assert (
        len([topic for topic, *_ in broker.sent if topic.endswith("payments.v1")]) == outbox.MAX_ATTEMPTS + 2
    )
    assert await desk.count(outbox.IS_SENT) == 1


async def test_the_culprit_of_a_batch_is_found(desk: Desk, broker: Broker) -> None:
    """A batch is refused for one of its records: each travels alone, and only the culprit is blamed."""
    events = [rows(n)[0] for n in range(5)]
    broker.poison = events[3]["event_id"]
    await desk.add(events)
    async with desk.relaying():
        await desk.until_sent()
    (dead,) = await desk.store.read(outbox.dead_letters)
    assert (dead["event_id"], dead["error"]) == (broker.poison, "MessageSizeTooLargeError")
    assert await desk.count(outbox.IS_SENT) == 4


async def test_a_case_keeps_its_order_around_a_refused_row(desk: Desk, broker: Broker) -> None:
    """What comes after the refused row in its case is sent after it was given up, never before."""
    case = str(uuid4())
    events = [rows(n, case_id=case, sequence=n)[0] for n in range(1, 6)]
    broker.poison = events[1]["event_id"]
    await desk.add(events)
    async with desk.relaying():
        await desk.until_sent()
    order = [e["event_id"] for e in events]
    last_refusal = len(broker.ids()) - 1 - broker.ids()[::-1].index(broker.poison)
    assert broker.ids()[last_refusal + 1 :] == order[2:]


async def test_a_cancellation_is_never_lost(desk: Desk, broker: Broker) -> None:
    """News and the order to stop come in the same moment: a lane with a blocked case ends all the same."""
    relay = desk.relay()
    relay._open_lanes(["payments.v1"])
    session = relays._Session(relay, broker)
    lane = relay._lanes["payments.v1"]
    lane.block(outbox.Pending(1, "event", "case", {}, b"{}", 0), 60.0)
    serving = asyncio.create_task(session._serve(lane))
    await asyncio.sleep(0.01)
    assert lane.rest() is not None
    lane.stirred.set()
    await asyncio.sleep(0)
    serving.cancel()
    done, _ = await asyncio.wait({serving}, timeout=1)
    assert done
