"""Whose turn it is: order per case, blocking, and nothing found twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka.partitioner import DefaultPartitioner

from intake.store.outbox import Found, Pending, Taken
from router.lane import Lane

ONE = [0]


class Ticks:
    """Monotonic seconds that stand still."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def lane(ticks: Ticks) -> Lane:
    return Lane("payments.v1", 10, ticks)


def row(number: int, case: str = "", attempts: int = 0) -> Pending:
    return Pending(number, f"event {number}", case or f"case {number}", {}, b"{}", attempts)


def offer(lane: Lane, *rows: Pending) -> None:
    lane.offer(Found(lane.topic, list(rows), rows[0].id if rows else None))


def always(_: Pending) -> bool:
    return True


def at_most(count: int) -> Callable[[Pending], bool]:
    left = iter(range(count))
    return lambda _: next(left, None) is not None


def taken(lane: Lane) -> list[int]:
    """The ids of the next batch of the only partition, if it is free."""
    return [r.id for partition in lane.ready(ONE) for r in lane.take(partition, always)]


def test_one_batch_of_a_partition_is_with_the_broker(lane: Lane) -> None:
    """The next goes out after the answer, so a failed batch is never overtaken."""
    offer(lane, row(1), row(2), row(3))
    lane.ready(ONE)
    assert [r.id for r in lane.take(0, at_most(2))] == [1, 2]
    lane.sent(0)
    assert lane.ready(ONE) == []
    lane.answered(0)
    assert taken(lane) == [3]


def test_cases_keep_to_their_partition_as_with_any_client() -> None:
    """Keys are hashed as the Java client and aiokafka hash them."""
    partitions = list(range(12))
    lane = Lane("payments.v1", 1000, Ticks())
    offer(lane, *(row(n) for n in range(200)))
    found = {r.case_id: p for p in lane.ready(partitions) for r in lane.take(p, always)}
    expected = {
        f"case {n}": DefaultPartitioner()(f"case {n}".encode(), partitions, partitions) for n in range(200)
    }
    assert found == expected


def test_rows_the_producer_did_not_take_are_next_again(lane: Lane) -> None:
    """In the same order."""
    offer(lane, row(1), row(2), row(3))
    lane.ready(ONE)
    lane.put_back(0, lane.take(0, at_most(2)))
    assert taken(lane) == [1, 2, 3]


def test_a_row_that_failed_travels_alone(lane: Lane) -> None:
    """Before and after it batches are whole again."""
    lane.alone.add(2)
    offer(lane, row(1), row(2), row(3, attempts=1), row(4), row(5))
    assert [taken(lane) for _ in range(4)] == [[1], [2], [3], [4, 5]]


def test_a_blocked_case_waits_whole_and_others_go_on(lane: Lane, ticks: Ticks) -> None:
    """What is in memory and what is read meanwhile waits behind the row that failed, in order."""
    offer(lane, row(1, "a"), row(2, "b"), row(3, "a"))
    lane.ready(ONE)
    (failed,) = lane.take(0, at_most(1))
    lane.block(failed, 5.0)
    offer(lane, row(4, "a"), row(5, "b"))
    assert taken(lane) == [2, 5]
    assert lane.rest() == 5.0
    ticks.now += 5.0
    assert [taken(lane), taken(lane)] == [[1], [3, 4]]


def test_a_case_goes_on_without_a_row_given_up(lane: Lane) -> None:
    """At once, and the dead row is not sent again."""
    offer(lane, row(1, "a"), row(2, "a"))
    lane.ready(ONE)
    (failed,) = lane.take(0, at_most(1))
    lane.block(failed, 5.0)
    lane.give_up(failed)
    assert taken(lane) == [2]


def test_a_block_outlives_the_producer(lane: Lane, ticks: Ticks) -> None:
    """With a new producer all is read anew, and the blocked case still waits."""
    offer(lane, row(1, "a"), row(2, "b"))
    lane.ready(ONE)
    (failed,) = lane.take(0, at_most(1))
    lane.block(failed, 5.0)
    lane.forget()
    offer(lane, row(1, "a", attempts=1), row(2, "b"))
    assert taken(lane) == [2]
    ticks.now += 5.0
    assert taken(lane) == [1]


def test_a_marked_row_is_held_until_the_next_look_begins(lane: Lane) -> None:
    """A look under way may still see it as unsent; it must not be sent again."""
    offer(lane, row(1))
    lane.want()
    lane.marked([Taken(1, 0, 0)])
    assert 1 in lane._held
    want = lane.want()
    assert want is not None
    assert 1 not in want.held


def test_a_lane_asks_when_half_of_it_is_free(lane: Lane) -> None:
    """Its rows, with the broker or waiting, are bounded by the window."""
    offer(lane, *(row(n) for n in range(6)))
    assert lane.want() is None
    lane.marked([Taken(0, 0, 0)])
    want = lane.want()
    assert want is not None
    assert (want.room, sorted(want.held)) == (5, [1, 2, 3, 4, 5])


def test_half_a_lane_is_read_ahead_while_the_other_half_is_sent(lane: Lane) -> None:
    """So that reading and sending overlap."""
    first = lane.want()
    assert first is not None
    offer(lane, *(row(n) for n in range(first.room)))
    second = lane.want()
    assert second is not None
    assert (first.room, second.room) == (5, 5)
    offer(lane, *(row(5 + n) for n in range(second.room)))
    assert lane.want() is None


def test_the_low_water_mark_rises_late(lane: Lane, ticks: Ticks) -> None:
    """A commit under way may still bring a lower id, so the mark follows some seconds later."""
    offer(lane, row(100))
    ticks.now += 6
    offer(lane, row(200))
    assert lane.want() == ("payments.v1", 0, 5, frozenset({100, 200}))
    ticks.now += 6
    offer(lane, row(300))
    want = lane.want()
    assert want is not None
    assert want.low == 200
    lane.look_everywhere()
    again = lane.want()
    assert again is not None
    assert again.low == 0


def test_the_low_water_mark_never_passes_what_is_unsent(lane: Lane, ticks: Ticks) -> None:
    """A row that appeared below the mark's candidate meanwhile holds it back."""
    ticks.now += 6
    offer(lane, row(200))
    ticks.now += 6
    offer(lane, row(150))
    want = lane.want()
    assert want is not None
    assert want.low == 150


def test_a_topic_that_takes_nothing_is_tried_ever_later(lane: Lane, ticks: Ticks) -> None:
    """The pauses double up to half a minute, and an answer begins anew."""
    assert [lane.close_for_now() for _ in range(7)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert lane.rest() == 30.0
    assert lane.is_closed()
    ticks.now += 30.0
    assert not lane.is_closed()
    lane.answered(0)
    assert lane.close_for_now() == 1.0


def test_a_lane_asks_for_nothing_while_its_rows_are_large(ticks: Ticks) -> None:
    """Few rows of the largest size fill it as well as many small ones, so that memory is bounded."""
    wide = Lane("payments.v1", 1000, ticks)
    large = [row(n)._replace(value=bytes(256 * 1024)) for n in range(40)]
    offer(wide, *large[:10])
    assert wide.want() is not None
    offer(wide, *large[10:])
    assert wide.want() is None
    wide.marked([Taken(n, 0, 0) for n in range(30)])
    want = wide.want()
    assert want is not None
    assert len(want.held) == 10
