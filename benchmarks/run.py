"""Measures the service and prints ratios: each of two things done in turns on this machine, in this run."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import places, report  # noqa: E402  found only once the root is on the path
from benchmarks.options import Options, broker, postgres  # noqa: E402
from benchmarks.timing import Figure  # noqa: E402

BENCHMARKS = {
    "normalise": "normalise",
    "triage": "triage",
    "accept": "accepting",
    "relay": "relaying",
    "end_to_end": "end_to_end",
    "form": "form",
    "latency": "latency",
    "stored": "stored",
    "sameness": "sameness",
    "memory": "memory",
    "backlog": "backlog",
}
"""What can be asked for, and the module that measures it."""
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"


def _end(number: int, _: object) -> None:
    """End as after Ctrl-C, so that databases, topics and folders go as well."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run what was asked for; 0 whatever the figures say, 2 for a name nobody knows."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, _end)
    names = [name.strip() for name in asked.only.split(",") if name.strip()] or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name, found in (("Kafka", broker()), ("PostgreSQL", postgres())):
        if not found:
            print(
                f"{name} is not running, its figures are left out; start it: scripts/services up",
                file=sys.stderr,
            )
    options = Options(quick=asked.quick, full=asked.full)
    load = os.getloadavg()
    figures: list[Figure] = []
    with places.quiet_log():
        for name in names:
            started = time.monotonic()
            figures += importlib.import_module(f"benchmarks.{BENCHMARKS[name]}").run(options)
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    where = report.environment(load)
    report.show(figures, where)
    _keep(asked.json, figures, where, options)
    return 0


def _keep(given: Path | None, figures: list[Figure], where: dict[str, object], options: Options) -> None:
    """A quick run proves nothing: it is kept only where it is told to be."""
    if options.quick and given is None:
        return
    path = given or RESULTS / "last.json"
    kind = "quick" if options.quick else "full" if options.full else "normal"
    report.keep(path, figures, where, kind)
    if given is None:
        report.write_into(PAGE, json.loads(path.read_text("utf-8")))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME,…", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes, to try; not kept")
    parser.add_argument("--full", action="store_true", help="also what takes long")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="keep the result here, not in benchmarks/results"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
