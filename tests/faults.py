"""A service under a fault: its sources go on meanwhile, and afterwards its books are read."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pytest

from intake.store import tables as t
from tests.conftest import IN_CI
from tests.crash_books import Findings, compare
from tests.crash_load import Place, Sources
from tests.failpoints import ROOT
from tests.running import Running, processes_of, wait_for
from tests.spine import free_port

NEEDED = ("DEV_KAFKA_BOOTSTRAP", "DEV_DOVECOT_IMAPS_PORT", "DEV_LMTP_PORT")
_DRAIN_SECONDS = 120.0


def need_servers() -> None:
    """Skip, or in CI fail, where the servers of `scripts/services` are not running."""
    if missing := [name for name in NEEDED if name not in os.environ]:
        give_up(f"servers are not running ({', '.join(missing)}); start them with: scripts/services up")


def give_up(reason: str) -> None:
    """Skip, or in CI fail."""
    pytest.fail(reason) if IN_CI else pytest.skip(reason)


class Trial:
    """One installation with its service running and its sources giving, from `with` to `over`."""

    def __init__(self, place: Place, seed: int = 11) -> None:
        self.place = place
        self.sources = Sources(place, seed)
        self.ledger = self.sources.ledger

    def __enter__(self) -> Trial:
        self.service: Running = self.place.start()
        self.sources.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sources.end()
        self.service.close()

    def until_cases(self, more: int, seconds: float = 60.0) -> None:
        """Wait until so many more cases are registered than now."""
        before = self.place.count(t.cases)
        wait_for(lambda: self.place.count(t.cases) >= before + more, seconds, f"{more} more cases")

    def until_offered(self, more: int, seconds: float = 60.0) -> None:
        """Wait until the sources have given so many more mails."""
        before = len(self.ledger.mails)
        wait_for(lambda: len(self.ledger.mails) >= before + more, seconds, f"{more} more mails offered")

    def until_said(self, words: str, seconds: float = 60.0) -> None:
        """Wait until the service has logged this."""
        wait_for(lambda: words in self.service.log(), seconds, words)

    def drain(self) -> None:
        """Let the sources finish and everything be taken and sent, then stop the service as an operator does."""
        self.sources.finish()
        wait_for(self._is_drained, _DRAIN_SECONDS, "everything taken and sent")
        assert self.service.terminate()[0] == 0

    def over(self) -> Findings:
        """Drain, and read the books."""
        self.drain()
        return compare(self.place, self.ledger)

    def _is_drained(self) -> bool:
        from_mail = t.deliveries.c.channel == "email"
        return (
            self.sources.is_answered()
            and self.place.count(t.deliveries, from_mail) >= len(self.ledger.mails)
            and not self.place.unsent()
        )

    def workers(self) -> list[int]:
        """The processes that read untrusted bytes: children of the fork server."""
        session = processes_of(self.service.process.pid)
        parents = {pid: parent_of(pid) for pid in session}
        return [pid for pid, parent in parents.items() if parents.get(parent) == self.service.process.pid]


def parent_of(pid: int) -> int:
    """The parent of a process; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@dataclass
class OwnServer:
    """A server of `scripts/services` of a test's own, which may be stopped, killed and frozen."""

    name: str
    folder: Path
    port: int = field(default_factory=free_port)

    def __call__(self, command: str) -> str:
        """`start`, `stop`, `kill`, `status`."""
        variable = f"DEV_{self.name.upper()}_PORT"
        environment = {**os.environ, "DEV_SERVICES_DIR": str(self.folder), variable: str(self.port)}
        program = str(ROOT / "scripts" / "services")
        done = subprocess.run(
            [program, command, self.name],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"services {command} {self.name}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stopped in its tracks: connections stay open and nothing answers."""
        found = re.search(r"process (\d+)", self("status"))
        assert found, "a server in a container cannot be frozen from here"
        pid = int(found[1])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def own_server(name: str, folder: Path) -> Iterator[OwnServer]:
    """Start one, and stop it in the end."""
    server = OwnServer(name, folder)
    server("start")
    try:
        yield server
    finally:
        server("stop")


@contextmanager
def mounted(kind: list[str], place: Path) -> Iterator[None]:
    """A mount that is gone afterwards; skips where we may not mount."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        give_up("mounting needs root")
    done = subprocess.run(["mount", *kind, str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        give_up(f"cannot mount here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A bind mount that was writable becomes read-only for a while."""
    subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,bind,rw", str(folder)], check=True, capture_output=True)


def _take_room(file: int, size: int, *, to_the_last: bool) -> None:
    """Allocate so much, or what the service has left of it meanwhile; then page by page to the last."""
    while size > 0:
        try:
            os.posix_fallocate(file, 0, size)
            break
        except OSError:
            size -= 64 * 1024
    with suppress(OSError):
        while to_the_last:
            os.pwrite(file, bytes(4096), size)
            size += 4096


@contextmanager
def filled(folder: Path, leave: int) -> Iterator[None]:
    """A file system with only so many bytes left."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    with filler.open("wb") as file:
        _take_room(file.fileno(), max(1, free - leave), to_the_last=leave == 0)
    try:
        yield
    finally:
        filler.unlink()
