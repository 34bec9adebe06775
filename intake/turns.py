"""Whose turn it is: a message that was not taken comes before what its sender wrote after it."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

_PATIENCE_SECONDS = (
    180.0  # three times the longest pause of a connector; what is never offered again holds nobody up
)


@dataclass(frozen=True, slots=True)
class _Waiting:
    number: int
    until: float


class Turns:
    """Numbers the offers of each sender and remembers those that have to come back.

    Without it an answer overtakes the mail it answers, where only that one could not be stored for a moment, and
    becomes a case of its own.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._numbers = itertools.count()
        self._waiting: dict[str, dict[str, _Waiting]] = defaultdict(dict)
        self._swept = now()

    def take(self, order: str, key: str) -> int | None:
        """The number of an offer that may go on; None for one that has to come again after an earlier one."""
        waiting = self._waiting.get(order, {})
        number = waiting[key].number if key in waiting else next(self._numbers)
        if self.is_behind(order, number):
            self.put_back(order, key, number)
            return None
        waiting.pop(key, None)
        if not waiting:
            self._waiting.pop(order, None)
        return number

    def put_back(self, order: str, key: str, number: int) -> None:
        """An offer was not taken: it keeps its number, and what has a higher one waits for it."""
        self._sweep()
        self._waiting[order][key] = _Waiting(number, self._now() + _PATIENCE_SECONDS)

    def is_behind(self, order: str, number: int) -> bool:
        """Whether an earlier offer of the same sender has to come back first."""
        waiting = self._waiting.get(order)
        if not waiting:
            return False
        now = self._now()
        return any(one.number < number and one.until > now for one in waiting.values())

    def _sweep(self) -> None:
        now = self._now()
        if now - self._swept < _PATIENCE_SECONDS:
            return
        self._swept = now
        for order, waiting in list(self._waiting.items()):
            left = {key: one for key, one in waiting.items() if one.until > now}
            if left:
                self._waiting[order] = left
            else:
                del self._waiting[order]
