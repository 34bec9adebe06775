"""Failpoints: comments in the source that a harness turns into places to die, and that are nothing otherwise.

A line that holds only `# failpoint: NAME` marks a step boundary. `install` puts a finder before Python's own that
compiles the modules of the service with a call in the place of each mark, at the same indentation and line. Without
it Python reads comments, and its cached bytecode is neither used nor written here.
"""

from __future__ import annotations

import mmap
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parent.parent
PACKAGES = ("connectors", "intake", "router")
VARIABLE = "DEV_FAILPOINTS"
"""`NAME:N`: die when NAME is reached for the Nth time. Read by `install`."""

_MARK = re.compile(r"^([ \t]*)# failpoint: ([a-z][a-z ]*)$", re.MULTILINE)
_CALL = "__failpoint__"
_SLOT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a failpoint stands; `path` is relative to the repository."""

    name: str
    path: str
    line: int


def marks() -> list[Mark]:
    """Every mark in the source, by name."""
    found = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text("utf-8")
            for match in _MARK.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(Mark(match[2], str(path.relative_to(ROOT)), line))
    return sorted(found, key=lambda mark: (mark.name, mark.path, mark.line))


def names() -> list[str]:
    """The name of every failpoint, in alphabetical order; a counter's place is the place here."""
    return sorted({mark.name for mark in marks()})


class Counters:
    """How often each failpoint was reached, in a file that outlives the process that counts."""

    def __init__(self, path: Path, order: Sequence[str]) -> None:
        self._slots = {name: at * _SLOT_BYTES for at, name in enumerate(order)}
        size = max(mmap.PAGESIZE, len(order) * _SLOT_BYTES)
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), size)

    def add(self, name: str) -> None:
        """Count one more."""
        at, count = self._slots[name], self[name] + 1
        self._memory[at : at + _SLOT_BYTES] = count.to_bytes(_SLOT_BYTES, "little")

    def clear(self) -> None:
        """Begin at nought."""
        self._memory[:] = bytes(len(self._memory))

    def __getitem__(self, name: str) -> int:
        at = self._slots[name]
        return int.from_bytes(self._memory[at : at + _SLOT_BYTES], "little")

    def reached(self) -> dict[str, int]:
        """The counts of all that were reached."""
        return {name: count for name in self._slots if (count := self[name])}


@dataclass(slots=True)
class _Plan:
    """What this process counts into, and where it is to die."""

    counters: Counters | None = None
    name: str = ""
    hit: int = 0


_plan = _Plan()
_counting = threading.Lock()


def arm(counters: Counters | None, name: str = "", hit: int = 0) -> None:
    """Count from now on, and die by SIGKILL when `name` is reached for the `hit`th time."""
    _plan.counters, _plan.name, _plan.hit = counters, name, hit


def reach(name: str) -> None:
    """What stands in the place of a mark."""
    with _counting:
        if _plan.counters:
            _plan.counters.add(name)
        if name == _plan.name:
            _plan.hit -= 1
            if _plan.hit <= 0:
                os.kill(os.getpid(), signal.SIGKILL)


class _Loader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        """Compile afresh with the calls in; never from or into a cache, which others share."""
        source = self.get_data(self.path).decode("utf-8")
        code: CodeType = compile(with_calls(source), self.path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, _CALL, reach)
        super().exec_module(module)


def with_calls(source: str) -> str:
    """The source with a call in the place of each mark; lines keep their numbers."""
    return _MARK.sub(rf'\1{_CALL}("\2")', source)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def install() -> None:
    """Have the service's modules compiled with their failpoints from now on. Raises where some are loaded."""
    loaded = [name for name in sys.modules if name.partition(".")[0] in PACKAGES]
    if loaded:
        raise RuntimeError(f"too late, already imported: {', '.join(sorted(loaded)[:5])}")
    sys.meta_path.insert(0, _Finder())
    name, _, hit = os.environ.get(VARIABLE, "").partition(":")
    if name:
        arm(None, name, int(hit or 1))
