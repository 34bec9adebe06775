"""Takes events from the outbox to the broker, each at least once and in order per case."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka
from aiokafka.structs import RecordMetadata

from intake import telemetry
from intake.errors import TransientError
from intake.ports import Clock, Store
from intake.settings import Settings
from intake.store import outbox
from intake.store.outbox import Bell, Pending, Taken
from router import producer as producers
from router import topics
from router.lane import Lane

log = structlog.get_logger(__name__)

_POLL_SECONDS = 1.0  # another process may have written, and nobody rings here
_FULL_LOOK_SECONDS = 60.0
_STATISTICS_SECONDS = 5.0
_SILENCE_SECONDS = 30.0  # a batch unanswered for so long is worth a word; the producer is kept all the same
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0)
_DRAIN_SECONDS = 4.0
_LAST_MARK_SECONDS = 2.0
_AGAIN_ROWS = 500
_AGAIN_SECONDS = 60.0

# the topic takes nothing at the moment; nothing is wrong with the record
_TOPIC_ERRORS: Final = (
    kafka.UnknownTopicOrPartitionError,
    kafka.NotLeaderForPartitionError,
    kafka.TopicAuthorizationFailedError,
    kafka.InvalidTopicError,
    kafka.KafkaTimeoutError,
)
# the producer is of no use any more; nothing is wrong with record or topic
_PRODUCER_ERRORS: Final = (
    kafka.OutOfOrderSequenceNumber,
    kafka.DuplicateSequenceNumber,
    kafka.UnknownProducerId,
    kafka.InvalidProducerEpoch,
    kafka.InvalidProducerIdMapping,
    kafka.ProducerFenced,
    kafka.ProducerClosed,
    kafka.ClusterAuthorizationFailedError,
    kafka.KafkaConnectionError,
)


class _LeaseLostError(Exception):
    """Another process relays now."""


class Relay:
    """The one relay, run by the holder of the lease.

    `bell` is rung after each commit. `still_mine` says whether the lease is still held: asked before each
    batch is sent and when it is marked.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Clock,
        *,
        bell: Bell,
        still_mine: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._bell = bell
        self._still_mine = still_mine
        self._lanes: dict[str, Lane] = {}
        self._session: _Session | None = None

    async def run(self) -> None:
        """Relay until cancelled or the lease is lost; at a cancellation what is under way is finished in 10 s.

        Never raises for a broker that is away: it is tried again, and one producer is kept while it is.
        """
        self._open_lanes(topics.outgoing())
        statistics = asyncio.create_task(self._report())
        try:
            failures = 0
            while self._still_mine():
                session = await self._begin(failures)
                if session is not None and await session.run():
                    failures = 0
                else:
                    failures += 1
        except _LeaseLostError:
            log.info("The relay's lease went to another process")
        finally:
            statistics.cancel()
            await asyncio.gather(statistics, return_exceptions=True)

    async def _begin(self, failures: int) -> _Session | None:
        if failures:
            await asyncio.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS)) - 1])
        try:
            producer = await producers.connect(self._settings)
        except TransientError as error:
            telemetry.publish_errors.labels(reason="connect").inc()
            if failures in {0, len(_RETRY_SECONDS)}:
                log.warning("Kafka cannot be reached; events wait in the outbox", reason=str(error))
            return None
        for lane in self._lanes.values():
            lane.forget()
        self._session = _Session(self, producer)
        return self._session

    def _open_lanes(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._lanes:
                # as many again are read ahead while those are with the broker
                self._lanes[name] = Lane(name, 2 * self._settings.kafka.in_flight, time.monotonic)

    async def _report(self) -> None:
        while True:
            with suppress(TransientError):
                await report_backlog(self._store, self._clock)
            since = [t for lane in self._lanes.values() if (t := lane.waiting_since()) is not None]
            silent = time.monotonic() - min(since, default=time.monotonic())
            if silent >= _SILENCE_SECONDS:
                log.warning(
                    "Kafka has not answered; the records stay with the producer", seconds=round(silent)
                )
            await asyncio.sleep(_STATISTICS_SECONDS)


async def report_backlog(store: Store, clock: Clock) -> None:
    """Set the metrics of what waits in the outbox."""
    waiting = await store.read(outbox.backlog)
    age = (clock() - waiting.oldest).total_seconds() if waiting.oldest else 0.0
    telemetry.unsent_records.set(waiting.unsent)
    telemetry.oldest_unsent_seconds.set(max(0.0, age))
    telemetry.dead_records.set(waiting.dead)


class _Session:
    """The life of one producer: reads rows into the lanes, sends them, and marks what the broker took."""

    def __init__(self, relay: Relay, producer: AIOKafkaProducer) -> None:
        self._store, self._clock, self._bell = relay._store, relay._clock, relay._bell  # noqa: SLF001
        self._still_mine = relay._still_mine  # noqa: SLF001
        self._lanes = relay._lanes  # noqa: SLF001
        self._prefix = f"{relay._settings.kafka.topic_prefix}."  # noqa: SLF001
        self._producer = producer
        self._taken: list[tuple[Lane, list[Taken]]] = []
        self._to_mark, self._to_read = asyncio.Event(), asyncio.Event()
        self._answers: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._progress = False

    async def run(self) -> bool:
        """Relay until the producer breaks; True where it delivered anything."""
        loops = [asyncio.create_task(self._read()), asyncio.create_task(self._mark())]
        loops += [asyncio.create_task(self._serve(lane)) for lane in self._lanes.values()]
        cancelled = False
        try:
            await asyncio.wait([*loops, self._broken], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            await _stop(loops)
            await self._end(gently=cancelled and self._still_mine())
        self._raise_first(loops)
        return self._progress

    def _raise_first(self, loops: Sequence[asyncio.Task[None]]) -> None:
        for loop in loops:
            if not loop.cancelled() and (error := loop.exception()):
                raise error

    async def _end(self, *, gently: bool) -> None:
        """Let go of the producer; when told to stop, first what it holds is delivered, if the broker lets it."""
        if gently and not self._broken.done():
            await producers.end(self._producer, _DRAIN_SECONDS)
            if self._answers:
                await asyncio.wait(self._answers, timeout=1.0)
        else:
            await producers.end_hard(self._producer)
        await _stop(list(self._answers))
        with suppress(TransientError, TimeoutError, _LeaseLostError):
            async with asyncio.timeout(_LAST_MARK_SECONDS):
                await self._mark_taken()
        if self._broken.done() and not self._broken.cancelled():
            self._broken.exception()

    async def _read(self) -> None:
        """Fill the lanes: after each commit, when a lane has room again, and once in a while anyway."""
        full_look = time.monotonic() + _FULL_LOOK_SECONDS
        while True:
            heard = self._bell.listen()
            self._to_read.clear()
            if time.monotonic() >= full_look:
                full_look = time.monotonic() + _FULL_LOOK_SECONDS
                await self._look_everywhere()
            if not await self._fill_lanes():
                await _first_of(heard, self._to_read, seconds=_POLL_SECONDS)

    async def _fill_lanes(self) -> bool:
        """One look into the outbox; whether it found anything."""
        wants = [want for lane in self._in_order() if (want := lane.want())]
        if not wants:
            return False
        try:
            found = await self._store.read(partial(outbox.look, wants=wants))
        except TransientError as error:
            log.warning("The outbox cannot be read", reason=str(error))
            return False
        for one in found:
            self._lanes[one.topic].offer(one)
        return any(one.rows for one in found)

    async def _look_everywhere(self) -> None:
        for lane in self._lanes.values():
            lane.look_everywhere()
        with suppress(TransientError):
            waiting = await self._store.read(outbox.unsent_topics)
            self._name_unknown(waiting)

    def _name_unknown(self, waiting: Sequence[str]) -> None:
        unknown = [name for name in waiting if name not in self._lanes]
        if unknown:
            log.error("Events wait for topics this release does not know", topics=unknown)

    def _in_order(self) -> list[Lane]:
        """Urgent first: its rows are read, and so sent, before all others."""
        return sorted(self._lanes.values(), key=lambda lane: lane.topic != topics.URGENT)

    async def _serve(self, lane: Lane) -> None:
        """Send one topic's rows, a batch per partition at a time; what goes wrong here stays here."""
        while True:
            lane.stirred.clear()
            if not lane.is_closed():
                await self._send_ready(lane)
            with suppress(TimeoutError):
                # never wait_for in a loop: before Python 3.12 it may swallow the cancellation
                async with asyncio.timeout(lane.rest()):
                    await lane.stirred.wait()

    async def _send_ready(self, lane: Lane) -> None:
        if not lane.has_rows():
            return
        topic = self._prefix + lane.topic
        try:
            partitions = sorted(await self._producer.partitions_for(topic))
        except (kafka.KafkaError, TimeoutError) as error:
            self._close(lane, error)
            return
        for partition in lane.ready(partitions):
            if not self._still_mine():
                raise _LeaseLostError
            await self._send(lane, topic, partition)
            if lane.is_closed():
                return

    async def _send(self, lane: Lane, topic: str, partition: int) -> None:
        """One batch of one partition. `send_batch` and the batch itself take nothing where they raise."""
        batch = self._producer.create_batch()

        def fits(row: Pending) -> bool:
            try:
                headers = [(name, value.encode()) for name, value in row.headers.items()]
                added = batch.append(
                    key=row.case_id.encode(), value=row.value, timestamp=None, headers=headers
                )
            except (AttributeError, TypeError, ValueError):
                return False  # no record can be made of it: refused below, once it is the first
            return added is not None

        rows = lane.take(partition, fits)
        if not rows:
            await self._refuse(lane, lane.drop(partition), "NotARecord")
            return
        batch.close()  # nothing is added, so there is nothing to linger for
        # failpoint: before events are sent
        try:
            future = await self._producer.send_batch(batch, topic, partition=partition)
        except _TOPIC_ERRORS as error:
            lane.put_back(partition, rows)
            self._close(lane, error)
        except kafka.KafkaError as error:
            telemetry.publish_errors.labels(reason=type(error).__name__).inc()
            self._break(error)
        else:
            # failpoint: events sent
            lane.sent(partition)
            answer = asyncio.create_task(self._answer(lane, partition, rows, future))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    async def _answer(
        self, lane: Lane, partition: int, rows: list[Pending], future: asyncio.Future[RecordMetadata]
    ) -> None:
        """Wait for the broker, however long: the producer keeps the batch and its retries are idempotent."""
        try:
            metadata = await asyncio.shield(future)
        except kafka.KafkaError as error:
            try:
                await self._blame(lane, rows, error)
            finally:
                self._break(error)
            return
        # failpoint: events taken
        self._progress = True
        taken = [Taken(row.id, partition, metadata.offset + n) for n, row in enumerate(rows)]
        self._taken.append((lane, taken))
        self._to_mark.set()
        telemetry.published.labels(topic=lane.topic).inc(len(taken))
        lane.answered(partition)

    async def _blame(self, lane: Lane, rows: list[Pending], error: kafka.KafkaError) -> None:
        """A batch failed: because of its topic, its producer (aiokafka's own failure is a bare KafkaError),
        or else one of its rows. Read anew, each of those travels alone, so that the culprit shows.
        """
        if isinstance(error, _TOPIC_ERRORS):
            self._close(lane, error)
            return
        is_of_producer = isinstance(error, _PRODUCER_ERRORS) or type(error) is kafka.KafkaError
        if len(rows) == 1 and not is_of_producer:
            await self._refuse(lane, rows[0], type(error).__name__)
            return
        telemetry.publish_errors.labels(reason=type(error).__name__).inc()
        if not is_of_producer:
            lane.alone.update(row.id for row in rows)

    async def _mark(self) -> None:
        while True:
            await self._to_mark.wait()
            self._to_mark.clear()
            await self._mark_taken()

    async def _mark_taken(self) -> None:
        """Note in one transaction everything the broker took meanwhile."""
        taken, self._taken = self._taken, []
        rows = [row for _, batch in taken for row in batch]
        if not rows:
            return
        if not self._still_mine():
            raise _LeaseLostError
        # failpoint: before events are marked
        try:
            await self._store.write(partial(outbox.mark_sent, taken=rows, at=self._clock()))
        except TransientError:
            self._taken = taken + self._taken
            self._to_mark.set()
            await asyncio.sleep(_POLL_SECONDS)
            return
        # failpoint: events marked
        for lane, batch in taken:
            lane.marked(batch)
        self._to_read.set()

    def _close(self, lane: Lane, error: BaseException) -> None:
        """The topic takes nothing for now; only this lane waits."""
        seconds = lane.close_for_now()
        telemetry.publish_errors.labels(reason=type(error).__name__).inc()
        log.warning(
            "A topic takes no events",
            topic=lane.topic,
            error=type(error).__name__,
            again_in=round(seconds, 1),
        )

    def _break(self, error: BaseException) -> None:
        """A future raised: after that only a new producer is known to be in order."""
        if not self._broken.done():
            log.warning("The producer is ended and begun anew", error=type(error).__name__)
            self._broken.set_result(None)

    async def _refuse(self, lane: Lane, row: Pending, error: str) -> None:
        """The broker will not have this row: its case waits, and goes on without it after the last failure."""
        telemetry.publish_errors.labels(reason=error).inc()
        lane.block(row, _RETRY_SECONDS[min(row.attempts, len(_RETRY_SECONDS) - 1)])
        failed = partial(outbox.mark_failed, ids=[row.id], error=error, at=self._clock())
        try:
            given_up = await self._store.write(failed)
        except TransientError:
            return  # not counted this time
        if given_up:
            lane.give_up(row)
            telemetry.dead_records.inc()
            log.error("An event was given up", event_id=row.event_id, topic=lane.topic, error=error)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel, and again: some library below may have swallowed the first."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=1.0)


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    """Wait until one of the events is set, or so long."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class Numberer:
    """The relay where there is no broker: gives committed rows their position, so that they can be read."""

    def __init__(
        self, store: Store, clock: Clock, *, bell: Bell, still_mine: Callable[[], bool] = lambda: True
    ) -> None:
        self._store, self._clock, self._bell, self._still_mine = store, clock, bell, still_mine
        self.numbered = Bell()

    async def run(self) -> None:
        """Number until cancelled or the lease is lost."""
        next_report = 0.0
        while self._still_mine():
            heard = self._bell.listen()
            if await self._store.write(partial(outbox.number, at=self._clock())):
                self.numbered.ring()
                continue
            if time.monotonic() >= next_report:
                next_report = time.monotonic() + _STATISTICS_SECONDS
                await report_backlog(self._store, self._clock)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await heard.wait()


async def republish(
    store: Store,
    settings: Settings,
    *,
    topic: str | None = None,
    code: str | None = None,
    since: datetime | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Send again, in order, what was sent before: the same ids and bytes. Returns how many.

    Through a producer of its own; the rows keep their state. Raises `TransientError` without a broker.
    """
    producer = await producers.connect(settings)
    try:
        upto, after, count = await store.read(outbox.newest_id), 0, 0
        while True:
            ask = partial(
                outbox.sent_before,
                after=after,
                upto=upto,
                limit=_AGAIN_ROWS,
                topic=topic,
                code=code,
                since=since,
            )
            rows = await store.read(ask)
            if not rows:
                return count
            sends = [await _send_again(producer, settings, name, row) for name, row in rows]
            async with asyncio.timeout(_AGAIN_SECONDS):
                await asyncio.gather(*sends)
            after, count = rows[-1][1].id, count + len(rows)
            progress(len(rows))
    except (kafka.KafkaError, TimeoutError) as error:
        raise TransientError(f"Kafka did not take the events again: {type(error).__name__}") from error
    finally:
        await producers.end(producer, _DRAIN_SECONDS)


async def _send_again(
    producer: AIOKafkaProducer, settings: Settings, topic: str, row: Pending
) -> asyncio.Future[RecordMetadata]:
    headers = [(name, value.encode()) for name, value in row.headers.items()]
    name = topics.full_name(settings, topic)
    sent: asyncio.Future[RecordMetadata] = await producer.send(
        name, row.value, key=row.case_id.encode(), headers=headers
    )
    return sent
