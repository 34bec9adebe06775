"""The way in: `deliver` prepares, orders and groups what the channels offer, and answers after the commit."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from intake import telemetry
from intake.errors import Conflict, Overloaded, TransientError
from intake.identity import order_key
from intake.ports import Blobs, Clock, Store
from intake.register import Offer, Policy, register
from intake.schema import RawMessage, Receipt
from intake.settings import Limits
from intake.turns import Turns
from intake.workers import Prepared

log = structlog.get_logger(__name__)

Prepare = Callable[[Sequence[RawMessage]], Awaitable[list[Prepared]]]
"""Normalises and triages, one result a message, in order; see `intake.workers.Workers.prepare`."""

RAW_IN_ROW = 65_536
"""Raw bytes up to this size are kept in the transaction; larger ones are a blob before it."""
_PREPARE_MESSAGES = 64
_PREPARE_BYTES = 2_097_152
_PREPARING = 8  # groups in preparation side by side; a hostile message holds up only its own group
_CONFLICTS = 5
_ROW_OVERHEAD = 4_096  # bytes of rows a message makes beside its own
_DISK_CHECK_SECONDS = 1.0
_BEHIND = "an earlier message of this sender is not taken yet"


@dataclass(slots=True, eq=False)
class _Entry:
    raw: RawMessage
    done: asyncio.Future[Receipt]
    queued: asyncio.Event
    before: asyncio.Event | None
    order: str
    turn: int
    offer: Offer | None = None

    @property
    def size(self) -> int:
        return len(self.raw.body)


class Acceptor:
    """Group commit without a timer: whoever is free takes what waits.

    `deliver` is the contract of `intake.ports.Deliver`. Messages wait in two queues: for a worker that
    prepares them, and for the writer that commits them. Offers with the same `order_key` reach the writer
    in the order they came, and what was not taken holds up what its sender wrote after it (`Turns`); all
    others overtake each other freely.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        prepare: Prepare,
        policy: Policy,
        limits: Limits,
        clock: Clock,
        data_dir: Path,
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._blobs, self._prepared = store, blobs, prepare
        self._policy, self._limits, self._clock, self._data_dir = policy, limits, clock, data_dir
        self._committed = committed
        self._waiting: deque[_Entry] = deque()
        self._ready: deque[_Entry] = deque()
        self._last: dict[str, asyncio.Event] = {}
        self._turns = Turns()
        self._in_flight = 0
        self._room = asyncio.Event()
        self._to_prepare, self._to_write = asyncio.Event(), asyncio.Event()
        self._closing = False
        self._disk_checked = float("-inf")
        self._disk_free = True

    async def deliver(self, raw: RawMessage) -> Receipt:
        """Take one message in; see `intake.ports.Deliver`. Raises `Overloaded` on a full disk or while closing."""
        order = order_key(raw)
        turn = self._turns.take(order, raw.source_key)
        if turn is None:
            raise TransientError(_BEHIND)
        await self._find_room(raw, order, turn)
        telemetry.in_flight_bytes.set(self._in_flight)
        entry = self._enqueue(raw, order, turn)
        # a caller that goes away must not undo what others share a transaction with
        return await asyncio.shield(entry.done)

    async def _find_room(self, raw: RawMessage, order: str, turn: int) -> None:
        """Wait until the message fits in; meanwhile a smaller one of the same sender must not slip past."""
        try:
            self._check_open()
        except Overloaded:
            self._turns.put_back(order, raw.source_key, turn)
            raise
        size = len(raw.body)
        while self._in_flight and self._in_flight + size > self._limits.in_flight_bytes:
            self._turns.put_back(order, raw.source_key, turn)
            self._room.clear()
            await self._room.wait()
            if self._turns.take(order, raw.source_key) is None:
                raise TransientError(_BEHIND)
        self._in_flight += size

    def _enqueue(self, raw: RawMessage, order: str, turn: int) -> _Entry:
        queued = asyncio.Event()
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        entry = _Entry(raw, done, queued, self._last.get(order), order, turn)
        self._last[order] = queued
        done.add_done_callback(lambda _: self._release(entry))
        self._waiting.append(entry)
        self._to_prepare.set()
        return entry

    def _release(self, entry: _Entry) -> None:
        if self._last.get(entry.order) is entry.queued:
            del self._last[entry.order]
        entry.queued.set()
        if not entry.done.cancelled():
            entry.done.exception()
        self._in_flight -= entry.size
        self._room.set()

    def _check_open(self) -> None:
        if self._closing:
            raise Overloaded("the service is stopping")
        now = time.monotonic()
        if now - self._disk_checked >= _DISK_CHECK_SECONDS:
            self._disk_checked = now
            self._disk_free = free_bytes(self._data_dir) >= self._limits.free_disk_bytes
        if not self._disk_free:
            raise Overloaded("not enough free disk space to accept messages")

    async def run(self) -> None:
        """Prepare and commit until cancelled. After `close()` everything taken in has been answered."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_loop())
            for _ in range(_PREPARING):
                tasks.create_task(self._prepare_loop())

    async def close(self) -> None:
        """Take nothing more, and wait until all that was taken in is answered."""
        self._closing = True
        while self._in_flight or self._waiting or self._ready:
            self._room.clear()
            await self._room.wait()

    async def _prepare_loop(self) -> None:
        while True:
            await self._to_prepare.wait()
            group = _take(self._waiting, _PREPARE_MESSAGES, _PREPARE_BYTES, overhead=0)
            if not self._waiting:
                self._to_prepare.clear()
            if group:
                await self._prepare(group)

    async def _prepare(self, group: list[_Entry]) -> None:
        try:
            prepared = await self._prepared([entry.raw for entry in group])
        except Exception as error:
            self._nack(group, error)
            return
        # failpoint: messages prepared
        for entry, one in zip(group, prepared, strict=True):
            try:
                entry.offer = await self._make_durable(entry.raw, one)
            except Exception as error:
                self._nack([entry], error)  # its files cannot be kept; its neighbours may have none
                continue
            if entry.before is None or entry.before.is_set():
                self._queue(entry)
            else:
                asyncio.ensure_future(self._queue_after(entry, entry.before))  # noqa: RUF006  ends with its event

    async def _queue_after(self, entry: _Entry, before: asyncio.Event) -> None:
        await before.wait()
        self._queue(entry)

    def _queue(self, entry: _Entry) -> None:
        if self._turns.is_behind(entry.order, entry.turn):
            self._nack([entry], TransientError(_BEHIND))
            return
        entry.before = None
        self._ready.append(entry)
        entry.queued.set()
        self._to_write.set()

    async def _make_durable(self, raw: RawMessage, prepared: Prepared) -> Offer:
        """Everything that does not go into the transaction is on disk before it."""
        files = list(prepared.normalized.contents.values()) if prepared.normalized else []
        is_large = len(raw.body) > RAW_IN_ROW
        stored = [raw.body, *files] if is_large else files
        names = await asyncio.gather(*map(self._blobs.put, stored)) if stored else []
        return Offer(raw, prepared, prepared.content_hash, names[0] if is_large else None)

    def _nack(self, batch: list[_Entry], error: Exception) -> None:
        """Nothing of these was taken: what their senders wrote after them waits until they come again."""
        nack = error
        if not isinstance(error, TransientError):
            nack = TransientError(f"not taken: {type(error).__name__}")
        for entry in batch:
            self._turns.put_back(entry.order, entry.raw.source_key, entry.turn)
            if not entry.done.done():
                entry.done.set_exception(nack)

    async def _write_loop(self) -> None:
        while True:
            await self._to_write.wait()
            batch = _take(self._ready, self._limits.batch_messages, self._limits.batch_bytes, _ROW_OVERHEAD)
            if not self._ready:
                self._to_write.clear()
            behind = [entry for entry in batch if self._turns.is_behind(entry.order, entry.turn)]
            self._nack(behind, TransientError(_BEHIND))
            if in_turn := [entry for entry in batch if entry not in behind]:
                await self._commit(in_turn)

    async def _commit(self, batch: list[_Entry]) -> None:
        """Commit a batch; one the database refuses is halved until the culprit stands alone."""
        # failpoint: before the batch
        try:
            receipts = await self._transaction([entry.offer for entry in batch if entry.offer])
        except TransientError as error:
            log.warning("a batch was not taken", messages=len(batch), error=str(error))
            self._nack(batch, error)
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._commit(batch[:middle])
                await self._commit(batch[middle:])
            else:
                await self._quarantine(batch[0], error)
        else:
            # failpoint: batch committed
            self._answer(batch, receipts)
            # failpoint: batch answered

    async def _quarantine(self, entry: _Entry, error: Exception) -> None:
        """The database refused this one message: keep its bytes and give it a case all the same."""
        log.error(
            "a message was refused by the database",
            source_key=entry.raw.source_key,
            error=type(error).__name__,
        )
        offer = Offer(entry.raw, Prepared(None, None, "refused_by_database", type(error).__name__))
        offer = replace(offer, blob=entry.offer.blob if entry.offer else None)
        try:
            receipts = await self._transaction([offer])
        except Exception as again:
            self._nack([entry], TransientError(f"not stored: {type(again).__name__}"))
        else:
            self._answer([entry], receipts)

    async def _transaction(self, offers: Sequence[Offer]) -> list[Receipt]:
        started = time.perf_counter()
        for attempt in range(_CONFLICTS):
            try:
                receipts = await self._store.write(
                    lambda connection: register(connection, offers, self._policy, self._clock())
                )
            except Conflict:
                if attempt == _CONFLICTS - 1:
                    raise
            else:
                telemetry.commit_seconds.observe(time.perf_counter() - started)
                telemetry.batch_messages.observe(len(offers))
                return receipts
        raise AssertionError("unreachable")

    def _answer(self, batch: list[_Entry], receipts: list[Receipt]) -> None:
        for entry, receipt in zip(batch, receipts, strict=True):
            if receipt.first:
                telemetry.deliveries.labels(entry.raw.channel, receipt.outcome.value).inc()
            if not entry.done.done():
                entry.done.set_result(receipt)
        self._committed()


def _take(queue: deque[_Entry], messages: int, size: int, overhead: int) -> list[_Entry]:
    """What waits, up to both limits, but always one."""
    taken: list[_Entry] = []
    while queue and len(taken) < messages:
        size -= queue[0].size + overhead
        if taken and size < 0:
            break
        taken.append(queue.popleft())
    return taken


def free_bytes(folder: Path) -> int:
    """Bytes the file system of `folder` has left for us."""
    return shutil.disk_usage(folder).free
