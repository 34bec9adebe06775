"""From the outbox to the topics of a real Kafka, read back from there."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat

from intake import telemetry
from intake.events import Event
from intake.settings import Settings
from intake.store import outbox
from intake.store.database import AnyStore
from intake.store.tables import outbox as table
from intake.store.tables import sent
from router import producer as producers
from router import relay as relays
from router import topics
from router.relay import republish
from tests.brokers import Desk, delete_topics, kafka_settings, make_topic, read_back
from tests.conftest import FixedClock, _missing
from tests.event_samples import NOW, SHOWN, rows
from tests.spine import once, sequences

pytestmark = pytest.mark.kafka
# the claim has nothing to do with the kind of store
on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
async def settings(make_settings: Callable[..., Settings]) -> AsyncIterator[Settings]:
    """Topics of this test's own on the shared broker."""
    address = os.environ.get("DEV_KAFKA_BOOTSTRAP", "")
    if not address:
        _missing("Kafka")
    made = kafka_settings(make_settings, address, request_timeout_ms=2_000)
    yield made
    await delete_topics(made)


@pytest.fixture
def desk(store: AnyStore, settings: Settings) -> Desk:
    return Desk(store, settings)


def department_and_events(count: int) -> list[dict[str, object]]:
    return [row for number in range(count) for row in rows(number)]


async def test_what_is_committed_arrives_byte_for_byte(desk: Desk, settings: Settings) -> None:
    """Promise 4: key, value and headers are those decided in the transaction, each in its topic."""
    await topics.create(settings)
    events = [*rows(1), *rows(2, priority="urgent")]
    await desk.add(events)
    async with desk.relaying():
        await desk.until_sent()
    found = {dict(r.headers)["ce_id"].decode(): r for r in await read_back(settings)}
    assert set(found) == {row["event_id"] for row in events}
    for row in events:
        record = found[row["event_id"]]
        assert record.topic == f"{settings.kafka.topic_prefix}.{row['topic']}"
        assert (record.key.decode(), record.value) == (row["case_id"], row["value"])
        assert {name: value.decode() for name, value in record.headers} == row["headers"]


@on_sqlite
async def test_an_independent_reader_sees_cloudevents(desk: Desk, settings: Settings) -> None:
    """The CloudEvents SDK reads the record as version 1.0 in binary mode, and our model reads its data."""
    await make_topic(settings, "payments.v1")
    await desk.add(rows(1)[:1])
    async with desk.relaying():
        await desk.until_sent()
    (record,) = await read_back(settings)
    message = KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)
    event = from_kafka(message, JSONFormat())
    assert (event.get_specversion(), event.get_type()) == ("1.0", "complaint.registered.v1")
    assert (event.get_source(), event.get_subject()) == ("https://complaints.example", SHOWN)
    assert event.get_time() == NOW
    assert event.get_datacontenttype() == "application/json"
    assert Event.model_validate(event.get_data()).event_id == event.get_id()


async def test_the_place_in_the_topic_is_kept(desk: Desk, settings: Settings) -> None:
    """A row says where the broker put it, and that is where it is."""
    await topics.create(settings)
    await desk.add(department_and_events(50))
    async with desk.relaying():
        await desk.until_sent()
    place = sa.select(table.c.topic, sent.c.partition, sent.c.offset, table.c.event_id)
    chosen = place.join(sent, sent.c.id == table.c.id)
    noted = await desk.store.read(lambda c: {tuple(row) for row in c.execute(chosen)})
    prefix = f"{settings.kafka.topic_prefix}."
    there = {
        (r.topic.removeprefix(prefix), r.partition, r.offset, dict(r.headers)["ce_id"].decode())
        for r in await read_back(settings)
    }
    assert noted == there


async def test_events_of_a_case_keep_their_order(desk: Desk, settings: Settings) -> None:
    """Many cases with many events each, committed while the relay runs: once each, in order per case."""
    await topics.create(settings)
    cases = [str(uuid4()) for _ in range(20)]
    async with desk.relaying():
        for sequence in range(1, 26):
            await desk.add(
                [r for n, case in enumerate(cases) for r in rows(n, case_id=case, sequence=sequence)]
            )
        await desk.until_sent()
    found = await read_back(settings)
    assert len(once(found)) == len(found) == 20 * 25 * 2
    assert all(order == list(range(1, 26)) for order in sequences(found).values())


@on_sqlite
async def test_a_commit_is_sent_at_once(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bell wakes the relay; nobody waits for the slow poll."""
    monkeypatch.setattr(relays, "_POLL_SECONDS", 60.0)
    await topics.create(settings)
    async with desk.relaying():
        await desk.add(rows(1))
        await desk.until_sent(seconds=10)
        await desk.add(rows(2))
        await desk.until_sent(seconds=10)


@on_sqlite
async def test_another_process_need_not_ring(desk: Desk, settings: Settings) -> None:
    """What somebody else commits is found by the slow poll."""
    await topics.create(settings)
    async with desk.relaying():
        await desk.add(rows(1))
        await desk.until_sent()
        await desk.store.write(lambda c: c.execute(sa.insert(table), rows(2)))
        await desk.until_sent(seconds=10)


async def test_more_than_the_window_goes_through(store: AnyStore, settings: Settings) -> None:
    """A backlog of many windows is drained through a small one."""
    kafka = settings.kafka.model_copy(update={"in_flight": 10})
    small = settings.model_copy(update={"kafka": kafka})
    await topics.create(small)
    desk = Desk(store, small)
    await desk.add(department_and_events(300))
    async with desk.relaying():
        await desk.until_sent()
    assert len(await read_back(small)) == 600


@on_sqlite
async def test_a_missing_topic_stops_only_itself(desk: Desk, settings: Settings) -> None:
    """Promise 5: a long backlog for a topic that is not there delays no other, and goes out once it is made."""
    await make_topic(settings, "events.v1")
    await desk.add([rows(n)[0] for n in range(1_500)])
    async with desk.relaying():
        await desk.add([rows(n)[1] for n in range(100)])
        await desk.until(0, table.c.topic == "events.v1", ~outbox.IS_SENT, seconds=5)
        assert await desk.count(table.c.topic == "payments.v1", outbox.IS_SENT) == 0
        await make_topic(settings, "payments.v1")
        await desk.until_sent()
    assert await desk.count(table.c.attempts > 0) == 0


async def test_a_row_the_broker_refuses_is_given_up_and_its_case_goes_on(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 5: after five refusals the row waits for a person; nobody else is lost, repeated or reordered."""
    monkeypatch.setattr(relays, "_RETRY_SECONDS", (0.1,) * 7)
    await make_topic(settings, "payments.v1", **{"max.message.bytes": "4000"})
    poisoned, healthy = str(uuid4()), str(uuid4())
    events = [
        rows(n, case_id=case, sequence=sequence)[0]
        for sequence in range(1, 6)
        for n, case in enumerate((poisoned, healthy))
    ]
    poison = events[2]
    poison["value"] = json.dumps({"sequence": 2, "noise": os.urandom(8_000).hex()}).encode()
    await desk.add(events)
    with structlog.testing.capture_logs() as said:
        async with desk.relaying():
            await desk.until_sent()
    (dead,) = await desk.store.read(outbox.dead_letters)
    assert (dead["event_id"], dead["attempts"]) == (poison["event_id"], outbox.MAX_ATTEMPTS)
    assert dead["error"] in ("MessageSizeTooLargeError", "RecordListTooLargeError")
    assert [line["event_id"] for line in said if line["event"] == "An event was given up"] == [
        poison["event_id"]
    ]
    order = {key.decode(): found for (_, key), found in sequences(once(await read_back(settings))).items()}
    assert order == {poisoned: [1, 3, 4, 5], healthy: [1, 2, 3, 4, 5]}


@on_sqlite
async def test_what_cannot_be_made_a_record_is_given_up(
    desk: Desk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row damaged in the store does not stop the relay either."""
    monkeypatch.setattr(relays, "_RETRY_SECONDS", (0.05,) * 7)
    await make_topic(settings, "payments.v1")
    damaged = rows(1)[0] | {"headers": {"ce_id": None}}
    await desk.add([damaged, rows(2)[0]])
    async with desk.relaying():
        await desk.until_sent()
    assert [row["event_id"] for row in await desk.store.read(outbox.dead_letters)] == [damaged["event_id"]]
    assert len(await read_back(settings)) == 1


@on_sqlite
async def test_a_dead_row_goes_out_when_it_is_replayed(desk: Desk, settings: Settings) -> None:
    """After the cause is mended the same bytes are sent."""
    await make_topic(settings, "payments.v1")
    (event, _) = rows(1)
    await desk.add([event | {"attempts": 5, "error": "no", "dead_at": NOW}])
    async with desk.relaying():
        await desk.store.write(outbox.replay_dead)
        desk.bell.ring()
        await desk.until(0, ~outbox.IS_SENT)
    assert [record.value for record in await read_back(settings)] == [event["value"]]


@on_sqlite
async def test_a_lost_lease_ends_the_relay_before_the_next_batch(desk: Desk, settings: Settings) -> None:
    """Who no longer holds the lease sends nothing and returns."""
    await topics.create(settings)
    mine = [True]
    async with desk.relaying(still_mine=lambda: mine[0]) as task:
        await desk.add(rows(1))
        await desk.until_sent()
        mine[0] = False
        await desk.add(rows(2))
        await asyncio.wait_for(task, 10)
    assert len(await read_back(settings)) == 2
    assert await desk.count(~outbox.IS_SENT) == 2


@on_sqlite
async def test_what_is_under_way_is_marked_at_the_end(desk: Desk, settings: Settings) -> None:
    """A relay told to stop finishes: everything the broker has is marked, so nothing is sent twice."""
    await topics.create(settings)
    await desk.add(department_and_events(2_000))
    async with desk.relaying():
        await desk.until_any(outbox.IS_SENT)
    sent = await desk.count(outbox.IS_SENT)
    assert len(await read_back(settings)) == sent
    async with desk.relaying():
        await desk.until_sent()
    assert len(await read_back(settings)) == 4_000


async def test_the_backlog_is_measured(desk: Desk, settings: Settings) -> None:
    """What waits, since when, and what was given up: the gauges an alarm is set on."""
    clock = FixedClock()
    clock.now = NOW + timedelta(minutes=3)
    await desk.add(rows(1))
    await desk.add([rows(2)[0] | {"dead_at": NOW}])
    await relays.report_backlog(desk.store, clock)
    assert telemetry.registry.get_sample_value("intake_unsent_records") == 2
    assert telemetry.registry.get_sample_value("intake_oldest_unsent_seconds") == 180
    assert telemetry.registry.get_sample_value("intake_dead_records") == 1


@on_sqlite
async def test_republish_sends_the_same_bytes_again(desk: Desk, settings: Settings) -> None:
    """Same ids, same bytes, same order; erased values are left out and the rows keep their state."""
    await topics.create(settings)
    await desk.add(department_and_events(30))
    async with desk.relaying():
        await desk.until_sent()
    first = await read_back(settings)
    erased = dict(first[0].headers)["ce_id"].decode()
    empty = sa.update(table).where(table.c.event_id == erased).values(value=b"")
    await desk.store.write(lambda c: c.execute(empty))
    steps: list[int] = []
    count = await republish(desk.store, settings, topic="payments.v1", progress=steps.append)
    again = [r for r in await read_back(settings) if r.topic.endswith(".payments.v1")]
    assert count == sum(steps) == 30 - first[0].topic.endswith(".payments.v1")
    assert len(again) == 30 + count
    copies: dict[bytes, set[bytes]] = {}
    for record in again:
        copies.setdefault(dict(record.headers)["ce_id"], set()).add(record.value)
    assert all(len(values) == 1 for values in copies.values())
    assert await desk.count(~outbox.IS_SENT) == 0


@on_sqlite
async def test_a_broker_connected_later_gets_only_what_is_not_numbered(
    desk: Desk, settings: Settings
) -> None:
    """Numbered counts as sent."""
    await topics.create(settings)
    await desk.add(rows(1))
    await desk.store.write(partial(outbox.number, at=NOW))
    fresh = rows(2)
    await desk.add(fresh)
    async with desk.relaying():
        await desk.until_sent()
    found = {dict(record.headers)["ce_id"].decode() for record in await read_back(settings)}
    assert found == {row["event_id"] for row in fresh}


async def test_an_ended_producer_delivers_nothing_more(settings: Settings) -> None:
    """`end_hard` leaves no task behind; it uses private names of aiokafka, and this fails when they change."""
    before = asyncio.all_tasks()
    producer = await producers.connect(settings)
    assert producer._sender.sender_task in asyncio.all_tasks()
    await producers.end_hard(producer)
    await asyncio.sleep(0)
    assert producer._closed is True
    assert asyncio.all_tasks() == before
