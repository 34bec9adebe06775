"""The rules in force: the packaged ones or a file that operations may change while the service runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import structlog

from router import rules

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 1.0

Stamp = tuple[int, int, int]


class Rulebook:
    """Rules that follow their file: looked at once a second at most, and a wrong file changes nothing.

    A wrong file at the beginning leaves the packaged rules in force until it is mended.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._stamp = _stamp(path)
        self._rules = packaged()
        if path is not None:
            self._reload()

    def current(self) -> rules.Rules:
        """The rules of now."""
        if self._path is not None and self._clock() - self._looked >= _LOOK_EVERY_S:
            self._looked = self._clock()
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                self._reload()
        return self._rules

    def _reload(self) -> None:
        try:
            self._rules = rules.load(self._path)
        except rules.RulesError as error:
            log.error(  # noqa: TRY400  the trace says nothing to operations
                "the rules file is refused, the old rules stay",
                problems=list(error.problems),
                version=self._rules.data.version,
            )
        else:
            log.info("new rules are in force", file=str(self._path), version=self._rules.data.version)


def _stamp(path: Path | None) -> Stamp | None:
    """What changes when the file does; None where there is none."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


@lru_cache(maxsize=1)
def packaged() -> rules.Rules:
    """The rules that come with this release, compiled once in a process."""
    return rules.load()


@lru_cache(maxsize=4)
def of(path: Path | None) -> Rulebook:
    """The rule book of a file, one in a process."""
    return Rulebook(path)
