"""The outbox's queries, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from intake.store import outbox
from intake.store.database import AnyStore
from intake.store.outbox import Bell, Expired, Record, Taken, Want
from intake.store.tables import cases, sent
from intake.store.tables import outbox as table
from tests.event_samples import CODE, FACTS, NOW, rows


async def add(store: AnyStore, events: Sequence[dict[str, Any]]) -> list[int]:
    """Put rows into the outbox; their ids, in order."""

    def work(connection: sa.Connection) -> list[int]:
        connection.execute(sa.insert(table), list(events))
        chosen = sa.select(table.c.id).where(table.c.event_id.in_([row["event_id"] for row in events]))
        return list(connection.scalars(chosen.order_by(table.c.id)))

    return await store.write(work)


def payments(count: int, **facts: Any) -> list[dict[str, Any]]:
    """So many rows for the payments department alone, each of its own case."""
    return [rows(n, **facts)[0] for n in range(count)]


async def column(store: AnyStore, name: str) -> list[Any]:
    """One column of all rows and of what became of them, by id."""
    found = table.c[name] if name in table.c else sent.c[name]
    chosen = sa.select(found).select_from(table.outerjoin(sent, sent.c.id == table.c.id)).order_by(table.c.id)
    return await store.read(lambda c: list(c.scalars(chosen)))


def want(*held: int, topic: str = "payments.v1", low: int = 0, room: int = 100) -> Want:
    return Want(topic, low, room, frozenset(held))


async def test_a_look_finds_what_a_lane_does_not_hold(store: AnyStore) -> None:
    """In order of id, each topic's own, without what is held."""
    ids = await add(store, payments(4))
    (found,) = await store.read(partial(outbox.look, wants=[want(ids[1])]))
    assert [row.id for row in found.rows] == [ids[0], ids[2], ids[3]]
    assert found.lowest == ids[0]


async def test_a_look_has_a_limit_per_lane(store: AnyStore) -> None:
    """A lane that holds many still gets as many new rows as it has room for."""
    ids = await add(store, payments(6))
    (found,) = await store.read(partial(outbox.look, wants=[want(*ids[:3], room=2)]))
    assert [row.id for row in found.rows] == ids[3:5]


async def test_a_row_that_appears_late_is_found(store: AnyStore) -> None:
    """Ids become visible out of order; what is unsent counts, not what came after the last."""
    ids = await add(store, payments(3))
    await store.write(partial(outbox.mark_sent, taken=[Taken(i, 0, 0) for i in ids[1:]], at=NOW))
    (found,) = await store.read(partial(outbox.look, wants=[want()]))
    assert [row.id for row in found.rows] == [ids[0]]


async def test_a_look_begins_at_the_low_water_mark(store: AnyStore) -> None:
    """What lies below is not even looked at."""
    ids = await add(store, payments(3))
    (found,) = await store.read(partial(outbox.look, wants=[want(low=ids[2])]))
    assert [row.id for row in found.rows] == [ids[2]]


async def test_large_values_are_read_in_parts(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look holds a bounded number of bytes; the rest is found by the next, the first lane first."""
    monkeypatch.setattr(outbox, "_READ_BYTES", 1_000)
    monkeypatch.setattr(outbox, "_READ_ROWS", 2)
    await add(store, [row for n in range(5) for row in rows(n)])
    wants = [want(topic="events.v1"), want()]
    events, department = await store.read(partial(outbox.look, wants=wants))
    assert (len(events.rows), len(department.rows)) == (2, 0)
    assert department.lowest is not None


async def test_what_the_broker_took_is_marked_with_its_place(store: AnyStore) -> None:
    """Partition and offset are kept, and the row is never found again."""
    ids = await add(store, payments(2))
    taken = [Taken(ids[0], 3, 41), Taken(ids[1], 5, 7)]
    await store.write(partial(outbox.mark_sent, taken=taken, at=NOW))
    assert await column(store, "partition") == [3, 5]
    assert await column(store, "offset") == [41, 7]
    assert await column(store, "sent_at") == [NOW, NOW]
    assert (await store.read(partial(outbox.look, wants=[want()])))[0].rows == []


async def test_the_fifth_failure_gives_a_row_up(store: AnyStore) -> None:
    """Four failures are counted, the fifth is final: the row waits for a person and no longer for the broker."""
    (row_id,) = await add(store, payments(1))
    fail = partial(outbox.mark_failed, ids=[row_id], error="MessageSizeTooLargeError", at=NOW)
    answers = [await store.write(fail) for _ in range(5)]
    assert answers == [[], [], [], [], [row_id]]
    (dead,) = await store.read(outbox.dead_letters)
    assert (dead["id"], dead["attempts"], dead["error"]) == (row_id, 5, "MessageSizeTooLargeError")
    assert (await store.read(outbox.backlog)) == outbox.Backlog(0, None, 1)


async def test_a_dead_row_can_be_tried_again(store: AnyStore) -> None:
    """`replay_dead` lets the chosen rows go to the relay, with no failure counted."""
    ids = await add(store, payments(2))
    for _ in range(5):
        await store.write(partial(outbox.mark_failed, ids=ids, error="no", at=NOW))
    assert await store.write(partial(outbox.replay_dead, ids=[ids[1]])) == 1
    (found,) = await store.read(partial(outbox.look, wants=[want()]))
    assert [(row.id, row.attempts) for row in found.rows] == [(ids[1], 0)]
    assert await store.write(outbox.replay_dead) == 1


async def test_the_backlog_counts_and_dates(store: AnyStore) -> None:
    """How many wait, and since when the oldest does."""
    await add(store, payments(1, registered_at=NOW - timedelta(minutes=5)) + payments(2))
    waiting = await store.read(outbox.backlog)
    assert (waiting.unsent, waiting.oldest, waiting.dead) == (3, NOW - timedelta(minutes=5), 0)


async def test_numbers_have_no_gaps_per_topic(store: AnyStore) -> None:
    """Positions count from 1 within each topic, in order of id, and go on where they stopped."""
    await add(store, rows(1) + rows(2))
    assert await store.write(partial(outbox.number, at=NOW)) == 4
    await add(store, rows(3))
    assert await store.write(partial(outbox.number, at=NOW)) == 2
    assert await store.write(partial(outbox.number, at=NOW)) == 0
    assert await column(store, "position") == [1, 1, 2, 2, 3, 3]


async def test_numbered_counts_as_sent(store: AnyStore) -> None:
    """Connecting a broker later sends only what is not numbered yet; what a broker took is not numbered."""
    sent, numbered = await add(store, payments(2))
    await store.write(partial(outbox.mark_sent, taken=[Taken(sent, 0, 0)], at=NOW))
    assert await store.write(partial(outbox.number, at=NOW)) == 1
    (fresh,) = await add(store, payments(1))
    (found,) = await store.read(partial(outbox.look, wants=[want()]))
    assert [row.id for row in found.rows] == [fresh]
    assert await column(store, "position") == [None, 1, None]
    assert numbered != fresh


async def test_two_numberers_at_once_number_once(store: AnyStore) -> None:
    """While a lease changes hands two processes may number: no position is given twice."""
    await add(store, payments(50))
    work = partial(outbox.number, at=NOW)
    counts = await asyncio.gather(*(store.write(work) for _ in range(4)))
    assert sum(counts) == 50
    assert sorted(await column(store, "position")) == list(range(1, 51))


async def test_a_topic_is_read_from_a_position_on(store: AnyStore) -> None:
    """Records come in order, with the bytes that were decided in the transaction."""
    events = payments(3)
    await add(store, events)
    await store.write(partial(outbox.number, at=NOW))
    read = await store.read(partial(outbox.read_topic, topic="payments.v1", after=1, limit=10))
    assert [record.position for record in read] == [2, 3]
    assert [record.value for record in read] == [row["value"] for row in events[1:]]
    assert read[0].headers == events[1]["headers"]


async def test_tail_ends_where_the_topic_ends(store: AnyStore) -> None:
    """Without `follow` everything there is, and no more."""
    await add(store, payments(5))
    await store.write(partial(outbox.number, at=NOW))
    read = [record.position async for record in outbox.tail(store, "payments.v1", after=2)]
    assert read == [3, 4, 5]


async def test_tail_follows(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `follow` an event arrives when the bell rings."""
    monkeypatch.setattr(outbox, "_TAIL_SECONDS", 60.0)
    bell, arrived = Bell(), asyncio.Queue[Record]()

    async def follow() -> None:
        async for record in outbox.tail(store, "payments.v1", follow=True, bell=bell):
            arrived.put_nowait(record)

    await add(store, payments(1))
    await store.write(partial(outbox.number, at=NOW))
    reading = asyncio.create_task(follow())
    assert (await asyncio.wait_for(arrived.get(), 10)).position == 1
    await add(store, payments(1))
    await store.write(partial(outbox.number, at=NOW))
    bell.ring()
    assert (await asyncio.wait_for(arrived.get(), 10)).position == 2
    reading.cancel()


async def test_erased_events_are_left_out(store: AnyStore) -> None:
    """An emptied value keeps its position and is told to nobody."""
    ids = await add(store, payments(3))
    await store.write(partial(outbox.number, at=NOW))
    await store.write(lambda c: c.execute(sa.update(table).where(table.c.id == ids[1]).values(value=b"")))
    assert [r.position async for r in outbox.tail(store, "payments.v1")] == [1, 3]
    again = partial(outbox.sent_before, after=0, upto=ids[2], limit=10)
    assert [row.id for _, row in await store.read(again)] == [ids[0], ids[2]]


async def test_old_sent_rows_go_and_unsent_stay(store: AnyStore) -> None:
    """Retention deletes what was sent long ago, in slices, and never what still waits or is given up."""
    ids = await add(store, payments(5))
    await store.write(partial(outbox.mark_sent, taken=[Taken(i, 0, 0) for i in ids[:3]], at=NOW))
    for _ in range(5):
        await store.write(partial(outbox.mark_failed, ids=[ids[3]], error="no", at=NOW))
    later = NOW + timedelta(days=30)
    assert await store.write(partial(outbox.expire, before=NOW, limit=2)) == 0
    assert await store.write(partial(outbox.expire, before=later, limit=2)) == 2
    assert await store.write(partial(outbox.expire, before=later, limit=2)) == 1
    assert await column(store, "id") == ids[3:]


async def test_positions_go_on_after_everything_expired(store: AnyStore) -> None:
    """A topic whose events are all gone does not begin at 1 again: a reader's position stays true."""
    await add(store, payments(3))
    await store.write(partial(outbox.number, at=NOW))
    assert await store.write(partial(outbox.expire, before=NOW + timedelta(days=30), limit=100)) == 3
    assert await column(store, "id") == []
    assert await store.write(partial(outbox.expire, before=NOW + timedelta(days=30), limit=100)) == 0
    await add(store, payments(1))
    await store.write(partial(outbox.number, at=NOW))
    assert await column(store, "position") == [4]
    assert await store.read(partial(outbox.oldest_position, topic="payments.v1")) == 4


async def test_an_expired_position_is_refused(store: AnyStore) -> None:
    """Who asks for what is no longer kept is told so; the beginning and the next one are fine."""
    await add(store, payments(5))
    await store.write(partial(outbox.number, at=NOW))
    await store.write(lambda c: c.execute(sa.delete(table).where(table.c.id <= 3)))
    with pytest.raises(Expired, match="4"):
        await store.read(partial(outbox.read_topic, topic="payments.v1", after=1, limit=10))
    for after, expected in ((0, [4, 5]), (3, [4, 5]), (5, [])):
        read = await store.read(partial(outbox.read_topic, topic="payments.v1", after=after, limit=10))
        assert [record.position for record in read] == expected


async def test_what_was_sent_is_chosen_for_sending_again(store: AnyStore) -> None:
    """By topic, by the case's code, by time; in order, unsent rows left out."""
    old = rows(1, case_id=FACTS.case_id, registered_at=NOW - timedelta(days=2))
    ids = await add(store, [*old, *rows(2), *rows(3)])
    await store.write(partial(outbox.mark_sent, taken=[Taken(i, 0, 0) for i in ids[:4]], at=NOW))
    await store.write(lambda c: c.execute(sa.insert(cases), [_case_row()]))
    ask = partial(outbox.sent_before, after=0, upto=ids[-1], limit=10)

    async def chosen(**which: Any) -> list[int]:
        return [row.id for _, row in await store.read(partial(ask, **which))]

    assert await chosen() == ids[:4]
    assert await chosen(topic="payments.v1") == [ids[0], ids[2]]
    assert await chosen(code=CODE) == ids[:2]
    assert await chosen(since=NOW - timedelta(days=1)) == ids[2:4]


def _case_row() -> dict[str, Any]:
    return {
        "id": FACTS.case_id, "code": CODE, "channel": "email", "source": "support", "status": "registered",
        "department": "payments", "priority": "normal", "language": "tr", "subject": "", "triage": {},
        "related": [], "sequence": 1, "received_at": NOW, "registered_at": NOW,
    }  # fmt: skip


async def test_no_ring_is_missed() -> None:
    """Who listens before looking is woken by a ring during the look; a later listener is not."""
    bell = Bell()
    heard = bell.listen()
    bell.ring()
    assert heard.is_set()
    assert not bell.listen().is_set()
