"""Interleaved rounds: how long each variant takes, measured in turns so that a slow minute hits them all."""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LONGEST_ROUND = 300.0  # seconds; a server that went away must not hold up a run for ever

Seconds = dict[str, list[float]]
"""Seconds a message of each variant, a round at a time."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: how many times one thing is another, and what it should be.

    `at_least` tells whether `target` is a floor or a ceiling; None where there is no target. `low` and `high`
    are the smallest and largest ratio of a single round.
    """

    group: str
    name: str
    ratio: float
    low: float
    high: float
    rounds: int
    target: float | None = None
    at_least: bool = True
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, with the verdict."""
        return {**asdict(self), "met": self.is_met}


def ratio(
    group: str,
    name: str,
    above: list[float],
    below: list[float],
    *,
    target: float | None = None,
    at_least: bool = True,
    note: str = "",
    **detail: Any,
) -> Figure:
    """The ratio of two variants' medians, with its spread over the rounds they shared."""
    single = [a / b for a, b in zip(above, below, strict=True)]
    middle = statistics.median(above) / statistics.median(below)
    return Figure(group, name, middle, min(single), max(single), len(single), target, at_least, note, detail)


class Watch:
    """Shows on a terminal what is being measured, and how far it is."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not sys.stderr.isatty())

    @contextmanager
    def steps(self, what: str, total: int) -> Iterator[Callable[[], None]]:
        """Call what is given after each step."""
        if not sys.stderr.isatty():
            yield lambda: None
            return
        with self._bar:
            task = self._bar.add_task(what, total=total)
            yield lambda: self._bar.advance(task)
            self._bar.remove_task(task)


WATCH = Watch()


def interleaved(what: str, variants: Mapping[str, Callable[[int], int]], rounds: int) -> Seconds:
    """Seconds of processor time a message of each variant, for work that neither waits nor starts threads.

    Each is given the number of its round and returns how many messages it did.
    """
    seconds: Seconds = {name: [] for name in variants}
    with WATCH.steps(what, rounds * len(variants)) as step:
        for number in range(rounds):
            for name, run in _in_turn(variants, number):
                gc.collect()
                started = time.process_time()
                done = run(number)
                seconds[name].append((time.process_time() - started) / done)
                step()
    return seconds


Timed = Callable[[int], Awaitable[float]]
"""Prepares, measures and clears away one round by itself; returns seconds a message."""


async def interleaved_async(what: str, variants: Mapping[str, Timed], rounds: int) -> Seconds:
    """The same for variants that wait; each does its own timing."""
    seconds: Seconds = {name: [] for name in variants}
    with WATCH.steps(what, rounds * len(variants)) as step:
        for number in range(rounds):
            for name, run in _in_turn(variants, number):
                gc.collect()
                async with asyncio.timeout(_LONGEST_ROUND):
                    seconds[name].append(await run(number))
                await asyncio.sleep(0)
                step()
    return seconds


def _in_turn(variants: Mapping[str, Any], number: int) -> list[tuple[str, Any]]:
    """Every other round backwards, so that nobody always comes after the same neighbour."""
    order = list(variants.items())
    return order[::-1] if number % 2 else order


@contextmanager
def worker_gc() -> Iterator[None]:
    """The garbage collector as the service sets it in its processes (see `intake.workers`)."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
