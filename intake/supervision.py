"""Keeping the service's parts running: each on its own, again after a failure, with what it is doing on show."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from intake import telemetry
from intake.errors import TransientError
from intake.ports import Clock

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 60.0
_SOUND_AFTER = 30.0  # a part that ran so long starts its back-off afresh


@dataclass(slots=True)
class Part:
    """One supervised part and its state, as `/health/components` shows it."""

    name: str
    state: str = "starting"
    since: datetime | None = None
    failures: int = 0
    last_error: str = ""
    labels: tuple[str, str] | None = field(default=None, repr=False)

    def shown(self) -> dict[str, Any]:
        """As plain JSON."""
        since = self.since.isoformat() if self.since else None
        return {"state": self.state, "since": since, "failures": self.failures, "last_error": self.last_error}


class Supervisor:
    """Runs parts until cancelled; one that ends or fails is started again, later and later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.parts: dict[str, Part] = {}
        self.stopping = False

    def shown(self) -> dict[str, Any]:
        """Every part's state by name."""
        return {name: part.shown() for name, part in sorted(self.parts.items())}

    async def keep(
        self, name: str, run: Callable[[], Awaitable[None]], labels: tuple[str, str] | None = None
    ) -> None:
        """Run `run` again and again. `labels` are a source's channel and name for the metrics."""
        part = self.parts[name] = Part(name, labels=labels)
        pause = _FIRST_PAUSE
        while True:
            self._enter(part, "up")
            started = asyncio.get_running_loop().time()
            try:
                await run()
            except asyncio.CancelledError as error:
                if _is_wanted():
                    self._enter(part, "stopped")
                    raise
                self._failed(part, error)  # of something it waited for; nobody told it to stop
            except Exception as error:
                self._failed(part, error)
            else:
                if self.stopping:
                    self._enter(part, "stopped")
                    return
                log.info("a part ended and is started again", part=name)
            if asyncio.get_running_loop().time() - started > _SOUND_AFTER:
                pause = _FIRST_PAUSE
            self._enter(part, "backing off")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not a secret
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _enter(self, part: Part, state: str) -> None:
        part.state, part.since = state, self._clock()
        if part.labels:
            telemetry.source_up.labels(*part.labels).set(state == "up")

    def _failed(self, part: Part, error: BaseException) -> None:
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        part.failures += 1
        part.last_error = telemetry.redact(f"{type(error).__name__}: {error}")[:300]
        if part.labels:
            telemetry.source_failures.labels(*part.labels).inc()
        expected = isinstance(error, TransientError)
        log.warning(
            "a part failed and is started again",
            part=part.name,
            exc_info=None if expected else error,
            error=part.last_error,
        )


def _is_wanted() -> bool:
    """Whether it is this task that is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
