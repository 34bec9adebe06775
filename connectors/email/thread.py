"""A thread of its own for a library that blocks: one mailbox waiting must not hold up another."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_Job = tuple[Callable[[], Any], "Future[Any]"]


class OwnThread:
    """Runs what it is given, one after the other, in one thread.

    A daemon, unlike the threads of `ThreadPoolExecutor`: a server that does not answer while the
    connection is being made cannot hold up the end of the process.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call; the future holds what it returns or raises."""
        future: Future[T] = Future()
        self._jobs.put((partial(fn, *args, **kwargs), future))
        return future

    def end(self) -> None:
        """Let the thread end after what is queued; does not wait for it."""
        self._jobs.put(None)

    async def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await the call from a task. Cancelling the task does not stop a call that has begun."""
        return await asyncio.wrap_future(self.submit(fn, *args, **kwargs))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = call()
            except BaseException as error:  # it belongs to whoever waits for the future
                future.set_exception(error)
            else:
                future.set_result(result)
