"""Kills one installation of the service again and again while its sources go on, and then reads its books."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from intake.store import tables as t
from intake.store.database import open_store
from tests import failpoints
from tests.crash_books import Findings, compare
from tests.crash_load import Place, Sources
from tests.crash_service import Nursery
from tests.running import Running, processes_of, wait_for
from tests.spine import Installation

SENDS_AT_ONCE = 4
"""Letters the postman has under way at most."""
RANDOM, FRESH = "(at a random time)", "(a fresh start, at a random time)"
_PATIENCE_SECONDS = 12.0  # for a failpoint to be reached; then it is killed all the same
_GONE_SECONDS = 10.0  # a fork server killed while it imports ends when it has imported
_DRAIN_SECONDS = 180.0
_STOP_SECONDS = 25.0
_MOST_HITS = 8  # of one failpoint in a life; a later one would take long to come
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Report:
    """What a number of kills came to."""

    kills: Counter[str] = field(default_factory=Counter)
    """By failpoint, or by `RANDOM` and `FRESH`."""
    reached: Counter[str] = field(default_factory=Counter)
    """How often each failpoint was passed or died at, all lives together."""
    left_over: int = 0
    """Processes of a killed service that did not end by themselves."""
    slowest_end: float = 0.0
    """Seconds from a kill until nothing was left, the longest."""
    in_flight: int = 0
    """Letters handed over whose fate was not stored yet at the kill; each may arrive once more."""
    bad_ends: int = 0
    """Services that ended by themselves, or not in time or with an error when told to stop."""
    seconds: float = 0.0
    findings: Findings = field(default_factory=Findings)

    def __iadd__(self, other: Report) -> Report:
        self.kills += other.kills
        self.reached += other.reached
        self.slowest_end = max(self.slowest_end, other.slowest_end)
        for name in ("left_over", "in_flight", "bad_ends", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.findings += other.findings
        return self

    @property
    def faults(self) -> dict[str, int]:
        """What must not be; empty is good."""
        too_many = max(0, self.findings.letters_repeated - self.in_flight)
        own = {"left_over": self.left_over, "bad_ends": self.bad_ends, "letters_too_many": too_many}
        return {name: count for name, count in own.items() if count} | self.findings.faults


class Victim:
    """One installation, its sources, and the lives of its service."""

    def __init__(self, place: Place, nursery: Nursery, seed: int) -> None:
        self.place, self.report = place, Report()
        self._nursery, self._random = nursery, random.Random(seed)
        self._sources = Sources(place, seed)
        self._log = place.folder / "service.log"
        self._frequent: Counter[str] = Counter()

    def start(self) -> None:
        """Let the sources begin."""
        self._sources.start()

    def kill_at(self, name: str) -> bool:
        """A life that dies at a failpoint, sooner or later; False where it was killed before it came there."""
        hit = self._random.randint(1, max(1, min(_MOST_HITS, self._frequent[name] // 2)))
        return self._live(name, hit, _PATIENCE_SECONDS) == name

    def kill_at_random(self) -> None:
        """A life that dies at some moment in its first three seconds."""
        self._live(RANDOM, 0, self._random.uniform(0.0, 3.0))

    def kill_fresh(self) -> None:
        """A life of `intake run` as an operator starts it, with nothing of ours in it, from its first instant on."""
        self._free_leases()
        running = Running(self.place.config, self._log)
        time.sleep(self._random.uniform(0.5, 12.0))
        session = running.process.pid
        if running.process.poll() is not None:
            self.report.bad_ends += 1
        running.process.kill()
        running.process.wait()
        self._bury(FRESH, session)
        self.report.in_flight += SENDS_AT_ONCE  # nobody counted
        running.close()

    def _live(self, name: str, hit: int, seconds: float) -> str:
        """One life from the nursery: until it dies by itself, or is killed after so long."""
        self._free_leases()
        point = name if hit else ""
        session = self._nursery.bear(self.place.config, self._log, point, hit)
        until = time.monotonic() + seconds
        while _is_alive(session) and time.monotonic() < until:
            time.sleep(0.005)
        late = _is_alive(session)
        if late:
            os.kill(session, signal.SIGKILL)
        code = self._nursery.buried()
        if code != -signal.SIGKILL:
            raise RuntimeError(f"the service ended by itself:\n{self._log.read_text('utf-8')[-2000:]}")
        counts = Counter(self._nursery.counters.reached())
        self.report.reached += counts
        self._frequent |= counts
        self.report.in_flight += max(0, counts["before data"] - counts["letter marked"])
        died_at = RANDOM if late else name
        self._bury(died_at, session)
        return died_at

    def _bury(self, name: str, session: int) -> None:
        """Count the kill, and what is left after it."""
        self.report.kills[name] += 1
        began = time.monotonic()
        while (left := processes_of(session)) and time.monotonic() - began < _GONE_SECONDS:
            time.sleep(0.005)
        self.report.slowest_end = max(self.report.slowest_end, time.monotonic() - began)
        self.report.left_over += len(left)
        for pid in left:
            os.kill(pid, signal.SIGKILL)

    def _free_leases(self) -> None:
        """Let the dead service's leases be over: a life takes over as it would 15 seconds later."""
        if not self.place.store_url.startswith("sqlite"):
            write(self.place, sa.update(t.leases).values(expires_at=_LONG_AGO))

    def close(self) -> Report:
        """Let everything drain in a last life, stop it as an operator does, and read the books.

        This life waits until the leases of the one before have run out by themselves.
        """
        self._sources.finish()
        session = self._nursery.bear(self.place.config, self._log)
        with suppress(AssertionError):  # the books say what is missing
            wait_for(lambda: self._is_drained(session), _DRAIN_SECONDS, "everything taken and sent")
        self._sources.end()
        self._stop(session)
        self.report.reached += Counter(self._nursery.counters.reached())
        self.report.findings += compare(self.place, self._sources.ledger)
        return self.report

    def _is_drained(self, session: int) -> bool:
        if not _is_alive(session):
            raise AssertionError(f"the service ended:\n{self._log.read_text('utf-8')[-2000:]}")
        mails = len(self._sources.ledger.mails)
        from_mail = t.deliveries.c.channel == "email"
        return (
            self._sources.is_answered()
            and self.place.count(t.deliveries, from_mail) >= mails
            and not self.place.unsent()
        )

    def _stop(self, session: int) -> None:
        began = time.monotonic()
        os.kill(session, signal.SIGTERM)
        code = self._nursery.buried()
        if code != 0 or time.monotonic() - began > _STOP_SECONDS:
            self.report.bad_ends += 1


def write(place: Installation, statement: sa.Update) -> None:
    """Change a row of an installation on PostgreSQL from outside."""

    async def run() -> None:
        store = open_store(place.settings())
        try:
            await store.write(lambda c: c.execute(statement))
        finally:
            await store.close()

    asyncio.run(run())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def points(dialect: str) -> list[str]:
    """The failpoints an installation on this kind of store can reach."""
    other = {"sqlite": "postgresql ", "postgresql": "sqlite "}[dialect]
    return [name for name in failpoints.names() if not name.startswith(other)]
