"""Counts first deliveries that were answered, and writes the counts to the books once a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import structlog

from intake.errors import TransientError
from intake.ports import Ledger

log = structlog.get_logger(__name__)

_CHANNEL = "web_form"


class Answered:
    """A small write-behind: one row is updated a second instead of one per complaint."""

    def __init__(self, ledger: Ledger, every_seconds: float = 1.0) -> None:
        self._ledger = ledger
        self._every = every_seconds
        self._counts: Counter[str] = Counter()
        self._writer: asyncio.Task[None] | None = None

    def count(self, source: str) -> None:
        """Note one first delivery through `source`."""
        self._counts[source] += 1
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Write what is not written yet."""
        if self._writer is not None:
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
        await self._write()

    async def _write_soon(self) -> None:
        while self._counts:
            await asyncio.sleep(self._every)
            await self._write()

    async def _write(self) -> None:
        counts, self._counts = self._counts, Counter()
        for source, count in counts.items():
            # failpoint: before answers are counted
            try:
                await self._ledger.answered(_CHANNEL, source, count)
                # failpoint: answers counted
            except TransientError as error:
                log.warning("Answered deliveries could not be counted yet", source=source, error=str(error))
                self._counts[source] += count
            except asyncio.CancelledError:
                # the write itself goes on (a unit of work is never cut), so these are counted
                self._counts.update({other: n for other, n in counts.items() if other != source})
                raise
