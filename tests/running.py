"""The real service as a process of its own: started, killed, and asked from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

INTAKE = [sys.executable, "-m", "intake.cli"]
_START_SECONDS = 60.0
_BYTECODE = Path(__file__).parent.parent / ".dev" / "bytecode"


def clean_environment(**given: str) -> dict[str, str]:
    """This process's environment without settings of its own, and with those given.

    What we start may keep its bytecode, in a folder of ours: without it every start compiles everything.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("INTAKE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {"PYTHONPYCACHEPREFIX": str(_BYTECODE), **kept, **given}


def intake(*arguments: str, config: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of the command line to its end."""
    done = subprocess.run(
        [*INTAKE, *arguments, "--config", str(config)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"intake {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done


class Running:
    """One `intake run`. Its log goes to a file; its private listener is asked over HTTP."""

    def __init__(self, config: Path, log: Path) -> None:
        self.config, self._log_path = config, log
        self.private = int(tomllib.loads(config.read_text("utf-8"))["web"]["private_port"])
        self._log: IO[bytes] = log.open("ab")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*INTAKE, "run", "--config", str(self.config)],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def until_ready(self) -> None:
        """Wait until the service says it is ready."""
        wait_for(lambda: self.get("/readyz")[0] == 200 or self._ended(), _START_SECONDS, "ready")

    def _ended(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the service ended:\n{self.log()[-4000:]}")
        return False

    def get(self, path: str) -> tuple[int, str]:
        """A page of the private listener: status and text; 0 where nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.private}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def kill(self) -> float:
        """SIGKILL, and the seconds until no process of its session is left."""
        session = self.process.pid
        began = time.monotonic()
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not processes_of(session), 5, "nothing left running")
        return time.monotonic() - began

    def restart(self) -> None:
        """Start it again after a kill."""
        self.process = self._start()

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(40)
        return code, time.monotonic() - began

    def log(self) -> str:
        """What it said so far."""
        return self._log_path.read_text("utf-8", "replace")

    def close(self) -> None:
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


def processes_of(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_for(true: Callable[[], object], seconds: float, what: str) -> None:
    """Ask until it is true."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
