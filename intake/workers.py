"""The killable processes that read untrusted bytes: what hangs, crashes or hogs there hurts only itself."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import math
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import forkserver, popen_forkserver, resource_tracker, spawn
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, Literal

import pebble
import structlog
from pebble.pool import process as pebble_process

from intake.duplicates import content_hash
from intake.errors import RejectedMessage, TransientError
from intake.ports import Normalize, Triager
from intake.privacy import masked
from intake.schema import Message, Normalized, RawMessage, Triage
from intake.settings import Workers as WorkersSettings
from intake.telemetry import configure_logging, worker_failures
from intake.traces import Trace, trace_of

log = structlog.get_logger(__name__)

CHUNK_MESSAGES = 32
CHUNK_BYTES = 1_048_576
# of the time one message may take; the rest is what noticing costs (pebble looks ten times a second)
_CHUNK_SHARE = 0.3
_ALONE_SHARE = 0.65
_ATTEMPTS = 4  # of one message: two deaths, and pools that broke under it
_LOST_S = 10.0  # grace before an answer that never comes is taken for lost
_GC_THRESHOLD = 50_000  # measured: the default costs 24 % of the time to prepare a mail
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

Failure = Literal["timeout", "died", "broken", "unreadable"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a worker made of one message; `error` is a machine-readable word where it made nothing.

    The words: a normalizer's own reason, "unreadable" (it raised; `detail` names the exception's type),
    "memory", "timeout", "died". `detail` never quotes the message.
    """

    normalized: Normalized | None
    triage: Triage | None
    error: str = ""
    detail: str = ""
    content_hash: str | None = None
    trace: Trace | None = None


Task = Callable[[Normalize, Triager, Sequence[RawMessage]], list[Prepared]]
"""What a worker does with messages; a function of a module, so that it can be named across processes."""


def prepare(normalize: Normalize, triage: Triager, raws: Sequence[RawMessage]) -> list[Prepared]:
    """Normalise and triage messages, whatever happens on the way. Runs in a worker.

    One step after the other over all of them, since each needs data of its own: what it needs stays in the
    processor's cache.
    """
    prepared = normalize_only(normalize, triage, raws)
    places = [at for at, one in enumerate(prepared) if one.normalized]
    whole = [one.normalized for one in prepared if one.normalized]
    verdicts = _triaged(triage, [one.message for one in whole])
    hidden = [masked(replace(one, body="")) for one in whole]  # the body has done its part with the hash
    traces = list(map(_traced, hidden, verdicts))
    hashes = list(map(content_hash, whole))
    made = map(_made, hidden, verdicts, hashes, traces)
    for at, one in zip(places, made, strict=True):
        prepared[at] = one
    return prepared


def _made(hidden: Normalized, verdict: Triage, digest: str | None, trace: Trace | None) -> Prepared:
    return Prepared(hidden, verdict, content_hash=digest, trace=trace)


def normalize_only(normalize: Normalize, _: Triager, raws: Sequence[RawMessage]) -> list[Prepared]:
    """Normalise messages and keep all of them. Runs in a worker."""
    return [_normalized(normalize, raw) for raw in raws]


def _normalized(normalize: Normalize, raw: RawMessage) -> Prepared:
    try:
        return Prepared(normalize(raw), None)
    except RejectedMessage as error:
        return Prepared(None, None, error.reason, error.detail)
    except MemoryError:
        return Prepared(None, None, "memory")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic in Rust code is no Exception
        return Prepared(None, None, "unreadable", type(error).__name__)


def _triaged(triage: Triager, messages: Sequence[Message]) -> list[Triage]:
    """A verdict for each; where one of them cannot be judged, only that one goes to a person."""
    try:
        return triage(messages)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if len(messages) > 1:
            return [verdict for message in messages for verdict in _triaged(triage, [message])]
        reason = f"triage failed: {type(error).__name__}"
        return [Triage(department="general", flags=("needs_review",), reasons=(reason,))]


def _traced(hidden: Normalized, verdict: Triage) -> Trace | None:
    try:
        return trace_of(hidden.message, verdict)
    except Exception:
        return None  # what cannot be compared is still a complaint


class Workers:
    """Prepares messages in worker processes that can be killed one by one.

    A few messages go to a worker at a time. When one of them hangs or kills the worker, each is tried alone,
    so that only the culprit fails; all attempts together take `settings.seconds` at most. `normalize` and
    `triage` are module-level functions of modules that workers can import; `preload` are imported once.
    """

    def __init__(
        self,
        normalize: Normalize,
        triage: Triager,
        settings: WorkersSettings,
        preload: Sequence[str] = ("normalizers", "router.triage"),
        task: Task = prepare,
    ) -> None:
        self._processes = settings.processes or len(os.sched_getaffinity(0))
        self._seconds = settings.seconds
        self._preload = (__name__, *preload)
        self._arguments = (task, normalize, triage, settings.memory_bytes)
        self._slots = asyncio.Semaphore(2 * self._processes)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="workers")
        self._pool: Future[_Pool] | None = None
        self._closed = False

    async def start(self) -> None:
        """Have the processes ready before the first message. Raises `TransientError` where that fails."""
        await self._running()

    def start_soon(self) -> None:
        """Have the processes started in the background; whoever comes first waits for them."""
        if not self._closed:
            self._begin()

    async def prepare(self, raws: Sequence[RawMessage]) -> list[Prepared]:
        """One `Prepared` per message, in order.

        Raises `TransientError` when the processes cannot be started or are being closed. A caller's
        cancellation reaches nobody else; what it had handed over runs to its end unseen.
        """
        chunks = split(raws, self._processes)
        prepared = await asyncio.gather(*(self._together(chunk) for chunk in chunks))
        return [one for chunk in prepared for one in chunk]

    def close(self) -> None:
        """Kill the processes; a `prepare` still waiting raises `TransientError`. Blocks for a moment."""
        self._closed = True
        self._threads.shutdown()
        if self._pool and not self._pool.exception():
            self._pool.result().stop()

    async def _together(self, raws: Sequence[RawMessage]) -> list[Prepared]:
        if len(raws) == 1:
            return [await self._alone(raws[0], self._seconds * (_CHUNK_SHARE + _ALONE_SHARE))]
        try:
            prepared = await self._run(raws, self._seconds * _CHUNK_SHARE)
        except _LostError:
            prepared = [Prepared(None, None, "memory")] * len(raws)
        # memory may have been short because of a neighbour
        again = {at: raws[at] for at, one in enumerate(prepared) if one.error == "memory"}
        alone = await asyncio.gather(
            *(self._alone(raw, self._seconds * _ALONE_SHARE) for raw in again.values())
        )
        retried = dict(zip(again, alone, strict=True))
        return [retried.get(at, one) for at, one in enumerate(prepared)]

    async def _alone(self, raw: RawMessage, seconds: float) -> Prepared:
        """Try one message in at most `seconds`; again where its worker died, for others kill workers, too."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        given, deaths = seconds, 0
        for _ in range(_ATTEMPTS):
            try:
                return (await self._run([raw], given))[0]
            except _LostError as lost:
                failure = lost
            deaths += failure.reason == "died"
            given = until - loop.time()
            if failure.reason not in {"died", "broken"} or deaths == 2 or given < 0.1 * seconds:
                break
        reason = "died" if failure.reason == "broken" else failure.reason
        return Prepared(None, None, reason, failure.detail)

    async def _run(self, raws: Sequence[RawMessage], seconds: float) -> list[Prepared]:
        async with self._slots:
            pool = await self._running()
            try:
                return await pool.run(raws, seconds, seconds + self._seconds + _LOST_S)
            except _LostError as lost:
                worker_failures.labels(lost.reason).inc()
                log.warning("a worker was lost", reason=lost.reason, messages=len(raws), detail=lost.detail)
                if self._closed:
                    raise TransientError("the workers are being closed") from lost
                if lost.reason == "broken":
                    self._give_up(pool)
                raise

    async def _running(self) -> _Pool:
        if self._closed:
            raise TransientError("the workers are closed")
        starting = self._begin()
        await asyncio.wait([_watch(starting)])
        error = starting.exception()
        if error:
            self._pool = None if self._pool is starting else self._pool
            raise TransientError(f"the workers cannot be started: {type(error).__name__}") from error
        return starting.result()

    def _begin(self) -> Future[_Pool]:
        if self._pool is None:
            pool = _Pool(self._processes, self._arguments, self._preload)
            self._pool = self._threads.submit(pool.start)
        return self._pool

    def _give_up(self, pool: _Pool) -> None:
        current = self._pool
        if current and current.done() and not current.exception() and current.result() is pool:
            self._pool = None
            self._threads.submit(pool.stop)


def split(raws: Sequence[RawMessage], processes: int) -> list[list[RawMessage]]:
    """Neighbouring messages in chunks: enough chunks to keep every process busy, none too big."""
    most = min(CHUNK_MESSAGES, math.ceil(len(raws) / (2 * processes)))
    chunks: list[list[RawMessage]] = []
    size = CHUNK_BYTES
    for raw in raws:
        if size + len(raw.body) > CHUNK_BYTES or len(chunks[-1]) >= most:
            chunks.append([])
            size = 0
        chunks[-1].append(raw)
        size += len(raw.body)
    return chunks


class _LostError(Exception):
    """A worker gave no answer."""

    def __init__(self, reason: Failure, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _Pool:
    """pebble's pool of processes; nothing else knows pebble."""

    def __init__(self, processes: int, arguments: tuple[Any, ...], preload: Sequence[str]) -> None:
        context = _Context()
        context.set_forkserver_preload(list(preload))
        # workers ignore SIGTERM, so waiting for it to work is waiting in vain
        pebble.CONSTS.term_timeout = 0
        self._pool = pebble.ProcessPool(
            max_workers=processes,
            initializer=_become_worker,
            initargs=arguments,
            context=context,
        )
        self._open: set[Future[list[Prepared]]] = set()

    def start(self) -> _Pool:
        """Start the processes; blocks until they run."""
        resource_tracker.ensure_running()  # it unblocks the signals when it starts its process
        with _signals_blocked():
            _ = self._pool.active  # asking starts it
        return self

    async def run(self, raws: Sequence[RawMessage], seconds: float, patience: float) -> list[Prepared]:
        """Raises `_LostError`. `seconds` count in the worker, `patience` from now on."""
        try:
            future = self._pool.schedule(_prepare_all, args=(raws,), timeout=seconds)
        except RuntimeError as error:
            raise _LostError("broken", str(error)) from error
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        # waited for, never cancelled: pebble would kill the worker, and may trip over the future
        done, _ = await asyncio.wait([_watch(future)], timeout=patience)
        if not done:
            raise _LostError("broken", "no answer")
        return _result(future)

    def stop(self) -> None:
        """Kill the processes; blocks until they are gone. What was asked of them counts as broken."""
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for future in list(self._open):
            future.cancel()


def _watch(future: Future[Any]) -> asyncio.Future[None]:
    """Done when `future` is, whatever its result: nobody has to fetch it."""
    loop = asyncio.get_running_loop()
    watch = loop.create_future()

    def note() -> None:
        if not watch.done():
            watch.set_result(None)

    def tell(_: Future[Any]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is waiting
            loop.call_soon_threadsafe(note)

    future.add_done_callback(tell)
    return watch


def _result(future: Future[list[Prepared]]) -> list[Prepared]:
    try:
        return future.result()
    except TimeoutError as error:
        raise _LostError("timeout") from error
    except pebble.ProcessExpired as error:
        raise _LostError("died", f"exit code {error.exitcode}") from error
    except (CancelledError, BrokenProcessPool) as error:
        raise _LostError("broken", type(error).__name__) from error
    except Exception as error:
        # an answer that cannot be pickled
        raise _LostError("unreadable", type(error).__name__) from error


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Processes and threads started in here never see SIGINT and SIGTERM.

    Ctrl-C and service managers signal the whole group: the workers have to live until the service has
    drained, and they end when it ends.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_preparation_data = spawn.get_preparation_data


class _Popen(popen_forkserver.Popen):
    _lock = threading.Lock()

    def _launch(self, process_obj: Any) -> None:
        # a worker would import the program's main module once more, the whole service with it
        with self._lock:
            spawn.get_preparation_data = _without_main
            try:
                super()._launch(process_obj)  # type: ignore[misc]  # not in typeshed
            finally:
                spawn.get_preparation_data = _preparation_data


def _without_main(name: str) -> dict[str, Any]:
    return {k: v for k, v in _preparation_data(name).items() if not k.startswith("init_main")}


class _Process(ForkServerProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> _Popen:  # noqa: N802  (multiprocessing's name)
        return _Popen(process_obj)


class _Context(ForkServerContext):
    Process = _Process


# in a worker

_work: tuple[Task, Normalize, Triager] | None = None
_is_spent = False
_send_result = pebble_process.send_result


def _become_worker(task: Task, normalize: Normalize, triage: Triager, memory_bytes: int) -> None:
    global _work  # noqa: PLW0603  (a worker process has one job for life)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    _work = task, normalize, triage
    configure_logging("info")
    pebble_process.send_result = _answer
    spare_memory_checks()


def spare_memory_checks() -> None:
    """Have the collector look at what there is now never again, and at what is new seldom: for work in batches."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the fork server ends, which ends when the service does.

    The fork server waits for the end of a pipe of which every worker inherits the other end: a hanging
    worker would keep both of them alive.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    server: Any = forkserver._forkserver  # noqa: SLF001
    os.close(server._forkserver_alive_fd)  # noqa: SLF001


def _prepare_all(raws: Sequence[RawMessage]) -> list[Prepared]:
    global _is_spent  # noqa: PLW0603  (as above)
    if _work is None:
        raise RuntimeError("not a worker")
    task, normalize, triage = _work
    prepared = task(normalize, triage, raws)
    _is_spent = any(one.error == "memory" for one in prepared)
    return prepared


def _answer(channel: Any, result: Any) -> None:
    """Hand over a result. A process that ran out of memory ends then: what it still holds the next one would miss."""
    _send_result(channel, result)
    if _is_spent:
        raise EOFError  # as if there were no more to do; pebble starts another process
