"""`make crash`: kills both kinds of installation, over and over, and says what was lost: nothing, it is claimed.

    python -m tests.crash [--kills N] [--fresh N] [--json FILE] [--docs]

Needs the servers of `scripts/services` and their addresses in the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiokafka.admin
import asyncpg
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests import crash_docs, failpoints
from tests.crash_books import described
from tests.crash_driver import FRESH, RANDOM, Report, Victim, points
from tests.crash_load import Place, own_sink
from tests.crash_service import Nursery

KILLS = 1_500
FRESH_KILLS = 20
_AT_RANDOM = 0.2  # of the kills, at a moment instead of a failpoint
_PER_PLACE = 75  # kills of one installation; then its books are read and the next one begins
_NEEDED = ("DEV_KAFKA_BOOTSTRAP", "DEV_POSTGRES_URL", "DEV_DOVECOT_IMAPS_PORT", "DEV_LMTP_PORT")

console = Console()


@dataclass(frozen=True, slots=True)
class Share:
    """What one kind of store gets: names of failpoints, `RANDOM` and `FRESH`, in order."""

    dialect: str
    lives: tuple[str, ...]


def share(dialect: str, kills: int, fresh: int, seed: int) -> Share:
    """`kills` lives, shuffled: each failpoint equally often, some at random times, `fresh` of a fresh start."""
    names = points(dialect)
    at_random = round((kills - fresh) * _AT_RANDOM)
    at_points = kills - fresh - at_random
    lives = [names[n % len(names)] for n in range(at_points)]
    lives += [RANDOM] * at_random + [FRESH] * fresh
    random.Random(seed).shuffle(lives)
    return Share(dialect, tuple(lives))


class Campaign(threading.Thread):
    """Works through one kind of store's share, installation after installation."""

    def __init__(
        self, mine: Share, folder: Path, seed: int, died: Callable[[], None], closed: Callable[[], None]
    ) -> None:
        super().__init__(name=mine.dialect, daemon=True)
        self.share, self.report = mine, Report()
        self.faulty: list[str] = []
        self.error: Exception | None = None
        self._folder, self._seed, self._died, self._closed = folder, seed, died, closed

    def run(self) -> None:
        began = time.monotonic()
        try:
            nursery = Nursery(made(self._folder))
            for start in range(0, len(self.share.lives), _PER_PLACE):
                self._batch(start, nursery)
            nursery.close()
        except Exception as error:
            self.error = error
        self.report.seconds = time.monotonic() - began

    def _batch(self, start: int, nursery: Nursery) -> None:
        folder = made(self._folder / f"place-{start}")
        url = new_store(self.share.dialect, folder)
        place = Place(folder, url)
        victim = Victim(place, nursery, self._seed + start)
        victim.start()
        for life in self.share.lives[start : start + _PER_PLACE]:
            if life == FRESH:
                victim.kill_fresh()
            elif life == RANDOM:
                victim.kill_at_random()
            else:
                victim.kill_at(life)
            self._died()
        report = victim.close()
        self.report += report
        if report.faults:
            self.faulty.append(f"{folder}: {report.faults}")
        else:
            forget(place, url)
        self._closed()


def made(folder: Path) -> Path:
    """The folder, there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def new_store(dialect: str, folder: Path) -> str:
    """The URL of a fresh store."""
    if dialect == "sqlite":
        return f"sqlite:///{made(folder / 'data') / 'intake.db'}"
    url = sa.make_url(os.environ["DEV_POSTGRES_URL"])
    name = f"crash_{uuid4().hex[:12]}"
    administer(f"CREATE DATABASE {name}")
    return url.set(database=name).render_as_string(hide_password=False)


def administer(statement: str) -> None:
    """Run a statement on the PostgreSQL server."""
    url = sa.make_url(os.environ["DEV_POSTGRES_URL"])

    async def run() -> None:
        connection = await asyncpg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, database=url.database
        )
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def forget(place: Place, url: str) -> None:
    """Remove the topics and the database of an installation whose books are in order."""

    async def delete() -> None:
        admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=place.broker)
        await admin.start()
        await admin.delete_topics([n for n in await admin.list_topics() if n.startswith(f"{place.run}.")])
        await admin.close()

    asyncio.run(delete())
    if not url.startswith("sqlite"):
        administer(f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")


def main(arguments: Sequence[str]) -> int:
    """Run the campaigns side by side; 0 where nothing was lost, doubled or out of order."""
    wanted = _arguments(arguments)
    if missing := [name for name in _NEEDED if name not in os.environ]:
        console.print(f"servers are not running ({', '.join(missing)}); start them with: scripts/services up")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="intake-crash-"))
    with own_sink(folder), _progress() as progress:
        bar = progress.add_task("kills", total=wanted.kills)
        campaigns: list[Campaign] = []
        died, closed = partial(progress.advance, bar), partial(_save, campaigns, wanted)
        for dialect in wanted.stores:
            mine = share(dialect, wanted.kills // len(wanted.stores), wanted.fresh // 2, wanted.seed)
            campaigns.append(Campaign(mine, folder / dialect, wanted.seed, died, closed))
        for campaign in campaigns:
            campaign.start()
        for campaign in campaigns:
            campaign.join()
    _save(campaigns, wanted)
    _print(campaigns)
    result = _result(campaigns, wanted)
    if wanted.docs:
        crash_docs.write(result)
    return 0 if result["sound"] else 1


def _save(campaigns: Sequence[Campaign], wanted: Any) -> None:
    """Keep the figures so far: a run that is ended early has told what it found."""
    if wanted.json:
        wanted.json.write_text(json.dumps(_result(campaigns, wanted), indent=1) + "\n", "utf-8")


def _arguments(arguments: Sequence[str]) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=KILLS, help="over both stores together")
    parser.add_argument("--fresh", type=int, default=FRESH_KILLS, help="of them, of a really fresh start")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--docs", action="store_true", help="bring docs/reliability.md up to date")
    return parser.parse_args(arguments)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _result(campaigns: Sequence[Campaign], wanted: Any) -> dict[str, Any]:
    stores = {}
    for campaign in campaigns:
        report = campaign.report
        stores[campaign.share.dialect] = {
            "kills": report.kills.total(),
            "by_failpoint": dict(sorted(report.kills.items())),
            "reached": dict(sorted(report.reached.items())),
            "never_reached": sorted(set(points(campaign.share.dialect)) - report.reached.keys()),
            "left_over": report.left_over,
            "slowest_end_seconds": round(report.slowest_end, 3),
            "letters_in_flight_at_kills": report.in_flight,
            "bad_ends": report.bad_ends,
            "seconds": round(report.seconds, 1),
            "findings": described(report.findings),
            "faults": report.faults,
            "error": f"{type(campaign.error).__name__}: {campaign.error}" if campaign.error else "",
        }
    sound = all(not (c.report.faults or c.error or c.faulty) for c in campaigns)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "seed": wanted.seed,
        "failpoints": len(failpoints.names()),
        "sound": sound,
        "faulty_places": [line for c in campaigns for line in c.faulty],
        "stores": stores,
    }


_ROWS: tuple[tuple[str, Callable[[Report], object]], ...] = (
    ("kills", lambda r: r.kills.total()),
    ("  at a failpoint", lambda r: r.kills.total() - r.kills[RANDOM] - r.kills[FRESH]),
    ("  at a random time", lambda r: r.kills[RANDOM]),
    ("  of a fresh start", lambda r: r.kills[FRESH]),
    ("processes left over", lambda r: r.left_over),
    ("slowest end, s", lambda r: round(r.slowest_end, 2)),
    ("mails offered", lambda r: r.findings.mails),
    ("posts answered", lambda r: r.findings.posts),
    ("cases", lambda r: r.findings.cases),
    ("offered and lost", lambda r: r.findings.lost),
    ("cases twice", lambda r: r.findings.cases_twice),
    ("events", lambda r: r.findings.events),
    ("events lost", lambda r: r.findings.events_lost),
    ("events altered", lambda r: r.findings.events_altered),
    ("events repeated", lambda r: r.findings.events_repeated),
    ("cases out of order", lambda r: r.findings.out_of_order),
    ("letters", lambda r: r.findings.letters),
    ("letters lost", lambda r: r.findings.letters_lost),
    ("letters repeated", lambda r: r.findings.letters_repeated),
    ("  in flight at kills", lambda r: r.in_flight),
    ("blobs", lambda r: r.findings.blobs),
    ("blobs lost", lambda r: r.findings.blobs_lost),
    ("mails the books miss", lambda r: r.findings.books_off),
    ("bad ends", lambda r: r.bad_ends),
    ("seconds", lambda r: round(r.seconds)),
)


def _print(campaigns: Sequence[Campaign]) -> None:
    table = Table("", *(c.share.dialect for c in campaigns), box=None)
    for label, figure in _ROWS:
        table.add_row(label, *(str(figure(c.report)) for c in campaigns))
    console.print(table)
    for campaign in campaigns:
        for line in campaign.faulty:
            console.print(f"FAULT {line}", markup=False)
        if campaign.error:
            console.print(f"ERROR {campaign.share.dialect}: {campaign.error!r}", markup=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
