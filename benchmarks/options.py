"""What a run of the benchmarks was asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`quick` tries everything with small sizes; `full` adds what takes long."""

    quick: bool = False
    full: bool = False

    @property
    def rounds(self) -> int:
        """Interleaved rounds a figure."""
        return 3 if self.quick else 7

    @property
    def few_rounds(self) -> int:
        """Rounds of what needs databases and brokers."""
        return 2 if self.quick else 5

    def size(self, count: int) -> int:
        """So many, or a few where things are only tried."""
        return max(1, count // 5) if self.quick else count


def broker() -> str:
    """The real Kafka; empty where none is running."""
    return os.environ.get("DEV_KAFKA_BOOTSTRAP", "")


def postgres() -> str:
    """The real PostgreSQL server; empty where none is running."""
    return os.environ.get("DEV_POSTGRES_URL", "")
