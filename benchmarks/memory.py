"""What the service holds in memory after ten times as many messages: nothing of them."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import uvloop

from benchmarks import places
from benchmarks.corpus import mails
from benchmarks.end_to_end import Pipeline, workers
from benchmarks.normalise import raw_message
from benchmarks.options import Options, broker
from benchmarks.timing import WATCH, Figure

_SLICE = 1_000
_ROOT = Path(__file__).resolve().parent.parent


def resident_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _measure(prefix: str, marks: list[int]) -> list[int]:
    """Resident bytes after so many messages in all, in a pipeline with workers."""
    found = []
    with places.folder() as where, places.quiet_log():
        url = f"sqlite:///{where / 'intake.db'}"
        store = await places.upgraded(places.settings(where, url, prefix))
        async with workers(where) as several, Pipeline(store, where, prefix, several.prepare) as pipeline:
            for done in range(0, marks[-1], _SLICE):
                given = [raw_message(mail) for mail in mails("plain", _SLICE, seed=71, first=done)]
                await pipeline.take(given)
                if done + _SLICE in marks:
                    found.append(resident_bytes())
        await store.close()
    return found


async def _all(options: Options) -> list[Figure]:
    first, last = (10_000, 100_000) if options.full else (1_000, 10_000)
    if options.quick:
        first, last = 1_000, 3_000
    async with places.topic_prefix() as prefix:
        with WATCH.steps(f"memory at {last:,} messages", 1) as step:
            command = [sys.executable, "-m", "benchmarks.memory", prefix, str(first), str(last)]
            process = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdout=subprocess.PIPE)
            out, _ = await process.communicate()
            step()
    small, large = json.loads(out)
    share = large / small
    name = f"resident memory at {last:,} messages / at {first:,}"
    return [Figure("memory", name, share, share, share, 1, 1.5, at_least=False)]


def run(options: Options) -> list[Figure]:
    """The ratio; in a process of its own, so that nothing else has filled the memory before."""
    return asyncio.run(_all(options)) if broker() else []


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_measure(sys.argv[1], [int(mark) for mark in sys.argv[2:]]))))
