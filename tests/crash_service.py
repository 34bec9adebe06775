"""The nursery: imports the service once, with its failpoints, and forks one service for each life it is asked for.

Run as `python -m tests.crash_service COUNTERS`; reads one JSON line a life and answers two: the process id at once,
the exit status when it is over. It never has a second thread or an event loop, so a fork of it is as good as new.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests import failpoints
from tests.running import clean_environment

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_IMPORTED = (
    "intake.cli",
    "intake.app",
    "intake.display",
    "connectors.email",
    "connectors.email.imap",
    "connectors.email.smtp",
    "connectors.web_form",
    "router.relay",
    "uvloop",
    "asyncpg",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql.asyncpg",
)


class Nursery:
    """The driver's end: a process that forks services, one at a time."""

    def __init__(self, folder: Path) -> None:
        path = folder / "counters"
        self.order = failpoints.names()
        self.counters = failpoints.Counters(path, self.order)
        self._errors = (folder / "nursery.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash_service", str(path)],
            cwd=failpoints.ROOT,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def bear(self, config: Path, log: Path, name: str = "", hit: int = 0) -> int:
        """Fork a service that dies at the `hit`th time at `name`; its process id, which is also its session."""
        self.counters.clear()
        return int(self._ask({"config": str(config), "log": str(log), "name": name, "hit": hit})["pid"])

    def buried(self) -> int:
        """Wait until the service has ended: its exit code, or the signal below nought."""
        return int(self._answer()["code"])

    def close(self) -> None:
        """Let the nursery end."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, life: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(life) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the nursery ended: {Path(self._errors.name).read_text('utf-8')[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _live(life: dict[str, Any], counters: failpoints.Counters) -> None:
    """Be a service as `intake run` is, in a session of its own. Does not return."""
    from intake.cli import main  # noqa: PLC0415  only after the hook

    os.setsid()
    _die_with_parent()
    log = os.open(life["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for handle, number in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(handle, number)
    os.closerange(3, 20)  # what the driver and the nursery talk through is no business of a service
    failpoints.arm(counters, life["name"], life["hit"])
    code = 1
    try:
        main(["run", "--config", life["config"]])
        code = 0
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with_parent() -> None:
    """A harness that is ended in the middle leaves nothing running, either."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _tell(fact: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Import, then fork a life a line until the driver closes its end."""
    _die_with_parent()
    failpoints.install()
    for module in _IMPORTED:
        importlib.import_module(module)
    counters = failpoints.Counters(Path(arguments[0]), failpoints.names())
    if threading.active_count() != 1:
        raise RuntimeError("a library started a thread at import: a fork would not be a fresh start")
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        life = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(life, counters)
        _tell({"pid": child})
        _, status = os.waitpid(child, 0)
        _tell({"code": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        main(sys.argv[1:])
