"""One topic's rows in memory: which wait, which are with the broker, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from aiokafka.partitioner import murmur2

from intake.store.outbox import Found, Pending, Taken, Want

# a row that becomes visible so long after one with a higher id need not wait for a full look
_SETTLING_SECONDS = 5.0
_BACK_OFF_SECONDS = 30.0
_WINDOW_BYTES = 8 * 1024 * 1024  # of values in memory; a look may bring as much again


class Lane:
    """Order is kept per case: a partition has one batch with the broker at a time, a blocked case waits whole.

    `alone` are ids that failed in company: each travels in a batch of its own, so that the culprit shows.
    """

    def __init__(self, topic: str, window: int, now: Callable[[], float]) -> None:
        self.topic = topic
        self.stirred = asyncio.Event()
        self.alone: set[int] = set()
        self._window = window
        self._now = now
        self._partitions: Sequence[int] = ()
        self._queues: dict[int, deque[Pending]] = {}
        self._unplaced: deque[Pending] = deque()
        self._sent_at: dict[int, float] = {}
        self._held: dict[int, int] = {}  # bytes by id
        self._bytes = 0
        self._marked: set[int] = set()
        self._blocked: dict[str, float] = {}
        self._parked: dict[str, list[Pending]] = {}
        self._failures = 0
        self._closed_until = 0.0
        self._low = 0
        self._settling = (now(), 0)

    def forget(self) -> None:
        """Another producer takes over: what was in memory is read anew; who is blocked stays blocked."""
        for queue in self._queues.values():
            queue.clear()
        for rows in (self._unplaced, self._sent_at, self._held, self._marked, self._parked):
            rows.clear()
        self._low, self._settling, self._bytes = 0, (self._now(), 0), 0

    def want(self) -> Want | None:
        """What to look for now: half a window, so that one half is read while the other is with the broker.

        None while there is no room for it. Marked rows are forgotten from here on.
        """
        self._bytes -= sum(self._held.pop(row_id, 0) for row_id in self._marked)
        self._marked.clear()
        half = (self._window + 1) // 2
        if self._window - len(self._held) < half or 2 * self._bytes > _WINDOW_BYTES:
            return None
        return Want(self.topic, self._low, half, frozenset(self._held))

    def look_everywhere(self) -> None:
        """Let the next look begin at the first row, however old."""
        self._low = 0

    def offer(self, found: Found) -> None:
        """Take in what a look has found."""
        for row in found.rows:
            self._held[row.id] = len(row.value)
            self._bytes += len(row.value)
            if row.case_id in self._blocked:
                self._parked.setdefault(row.case_id, []).append(row)
            else:
                self._unplaced.append(row)
        if found.lowest is not None:
            self._raise_low(found.lowest)
        if found.rows:
            self.stirred.set()

    def _raise_low(self, lowest: int) -> None:
        """The low-water mark follows the first unsent row some seconds late: commits may still be under way."""
        since, candidate = self._settling
        if self._now() - since >= _SETTLING_SECONDS:
            self._low = max(self._low, min(candidate, lowest))
            self._settling = (self._now(), lowest)

    def has_rows(self) -> bool:
        """Something could be sent, if a partition is free."""
        self._unpark()
        return bool(self._unplaced) or any(self._queues.values())

    def ready(self, partitions: Sequence[int]) -> list[int]:
        """The partitions that have rows and no batch with the broker."""
        self._unpark()
        self._partitions = partitions
        while self._unplaced:
            row = self._unplaced.popleft()
            self._queue(row).append(row)
        return [p for p, queue in self._queues.items() if queue and p not in self._sent_at]

    def _queue(self, row: Pending) -> deque[Pending]:
        partition = self._partitions[_hash(row.case_id) % len(self._partitions)]
        return self._queues.setdefault(partition, deque())

    def take(self, partition: int, fits: Callable[[Pending], bool]) -> list[Pending]:
        """The next rows of a partition that belong in one batch: as many as `fits` accepts, in order."""
        queue = self._queues[partition]
        rows: list[Pending] = []
        while queue:
            by_itself = queue[0].attempts > 0 or queue[0].id in self.alone
            if (by_itself and rows) or not fits(queue[0]):
                break
            rows.append(queue.popleft())
            if by_itself:
                break
        return rows

    def drop(self, partition: int) -> Pending:
        """Take the next row of a partition out; it cannot be sent as it is."""
        return self._queues[partition].popleft()

    def put_back(self, partition: int, rows: Sequence[Pending]) -> None:
        """The producer did not take these; they are the next again."""
        self._queues[partition].extendleft(reversed(rows))

    def sent(self, partition: int) -> None:
        """A batch is with the broker; the partition rests until the answer."""
        self._sent_at[partition] = self._now()

    def answered(self, partition: int) -> None:
        """The broker has answered."""
        self._sent_at.pop(partition, None)
        self._failures = 0
        self.stirred.set()

    def waiting_since(self) -> float | None:
        """When the oldest batch still unanswered was sent."""
        return min(self._sent_at.values(), default=None)

    def marked(self, rows: Iterable[Taken]) -> None:
        """These are marked in the store: a look that begins later does not find them."""
        self._marked.update(row.id for row in rows)
        self.alone -= self._marked

    def block(self, row: Pending, seconds: float) -> None:
        """Keep a row's whole case back for so long."""
        self._blocked[row.case_id] = self._now() + seconds
        waiting = [row._replace(attempts=row.attempts + 1)]
        for queue in (self._unplaced, *self._queues.values()):
            of_case = [other for other in queue if other.case_id == row.case_id]
            if of_case:
                waiting += of_case
                others = [other for other in queue if other.case_id != row.case_id]
                queue.clear()
                queue.extend(others)
        self._parked[row.case_id] = sorted(waiting)

    def give_up(self, row: Pending) -> None:
        """The row that blocked its case is dead; the case goes on without it."""
        self._marked.add(row.id)
        rest = [other for other in self._parked.get(row.case_id, ()) if other.id != row.id]
        self._parked[row.case_id] = rest
        self._blocked[row.case_id] = self._now()

    def _unpark(self) -> None:
        over = [case for case, until in self._blocked.items() if until <= self._now()]
        for case in over:
            del self._blocked[case]
            self._unplaced.extend(self._parked.pop(case, ()))

    def close_for_now(self) -> float:
        """The topic takes nothing: wait, longer each time. Returns the seconds."""
        self._failures += 1
        seconds = min(_BACK_OFF_SECONDS, 0.5 * 2.0 ** min(self._failures, 10))
        self._closed_until = self._now() + seconds
        return seconds

    def rest(self) -> float | None:
        """Seconds until something can happen by itself: the topic tried again, a blocked case resumed."""
        times = [until for case, until in self._blocked.items() if case in self._parked]
        if self._closed_until > self._now():
            times = [self._closed_until]
        return max(0.0, min(times) - self._now()) if times else None

    def is_closed(self) -> bool:
        """The topic took nothing a moment ago."""
        return self._closed_until > self._now()


@lru_cache(maxsize=65_536)
def _hash(case_id: str) -> int:
    """As the Java client hashes keys; the events of one case come together, so most are known."""
    hashed: int = murmur2(case_id.encode())
    return hashed & 0x7FFFFFFF
