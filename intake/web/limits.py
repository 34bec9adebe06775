"""How often one key may do a thing: token buckets in memory, bounded in number."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Buckets:
    """`count` at once per key, refilled evenly over `seconds`.

    Remembers at most `keys` keys and forgets the one asked for longest ago, so memory has a bound.
    """

    def __init__(
        self,
        count: int,
        seconds: float,
        *,
        keys: int = 50_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._rate = count / seconds
        self._keys = keys
        self._monotonic = monotonic
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one and return 0, or take nothing and return the seconds until one is free."""
        now = self._monotonic()
        level, at = self._levels.get(key, (float(self._count), now))
        level = min(self._count, level + (now - at) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._remember(key, level if wait else level - 1, now)
        return wait

    def give_back(self, key: str) -> None:
        """Undo one `take`, where the thing was not done after all."""
        if key in self._levels:
            level, at = self._levels[key]
            self._levels[key] = (min(self._count, level + 1), at)

    def __len__(self) -> int:
        return len(self._levels)

    def _remember(self, key: str, level: float, now: float) -> None:
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self._keys:
            self._levels.popitem(last=False)
