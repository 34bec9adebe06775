"""What a message costs where many cases are stored already, against what it costs where few are."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa
import uvloop

from benchmarks import places
from benchmarks.accepting import offers
from benchmarks.corpus import mails
from benchmarks.end_to_end import Pipeline, prepare_here
from benchmarks.normalise import raw_message
from benchmarks.options import Options, broker
from benchmarks.timing import WATCH, Figure, Timed, interleaved_async, ratio, worker_gc
from intake.app import utc_now
from intake.register import register
from intake.store import tables as t
from intake.store.database import AnyStore

_FEW = 10_000
_PATTERNS = 500
_MESSAGES = 1_000
_BATCH = 256
_PIPELINE_TARGET, _STORE_TARGET = 1.3, 2.0
_SENT = (
    'INSERT INTO outbox_sent (id, sent_at, "partition", "offset")'
    " SELECT id, created_at, 0, id FROM outbox WHERE id IN (SELECT id FROM outbox_unsent)"
)
_WAITS_NO_MORE = "DELETE FROM outbox_unsent"
# what makes a copy another row; the ids of a copy are as old as its number, all others are scattered
_CHANGED = {
    **dict.fromkeys(
        ("case_id", "customer_id", "message_id", "event_id", "letter", "duplicate_of"),
        "{hex} || substr({c}, 9)",
    ),
    "source_key": "{c} || '.' || k",
    "position": "{c} + k * 1000",
    "code": "substr({c}, 1, 10) || printf('U%03X', k)",
    "content_hash": "substr({c}, 1, 56) || {hex}",
    "external_id": "k || '.' || {c}",
    "value": "k || '.' || {c}",
    "recipient": "k || '.' || {c}",
}


async def fill(store: AnyStore, path: Path, cases: int) -> None:
    """So many cases in today's layout: some hundred real ones and copies of them, their events all sent."""
    given = offers(_PATTERNS, seed=81)
    await store.write(lambda c: register(c, given, places.POLICY, utc_now()))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE notices SET state = 'sent', sent_at = due_at")
    for name in t.metadata.tables.keys() - {"outbox_unsent", "outbox_sent"}:
        connection.execute(_copies(name), {"copies": cases // _PATTERNS - 1})
    connection.execute(_SENT)
    connection.execute(_WAITS_NO_MORE)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _copies(name: str) -> str:
    columns = [c.name for c in t.metadata.tables[name].columns if (name, c.name) != ("outbox", "id")]
    values = [_changed(name, column) for column in columns]
    quoted = ", ".join(f'"{column}"' for column in columns)
    return (
        "WITH RECURSIVE copy(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copy WHERE k < :copies) "
        f'INSERT INTO "{name}" ({quoted}) SELECT {", ".join(values)} FROM copy, (SELECT * FROM "{name}")'
    )


def _changed(table: str, column: str) -> str:
    if column == "value" and table == "outbox":
        return '"value"'
    way = _CHANGED["case_id"] if column == "id" else _CHANGED.get(column, "{c}")
    return way.format(c=f'"{column}"', hex="printf('%08x', k)")


def _send(connection: sa.Connection) -> None:
    for statement in (_SENT, _WAITS_NO_MORE):
        connection.exec_driver_sql(statement)


class _Place:
    """One store with its cases."""

    def __init__(self, store: AnyStore, where: Path, prefix: str, options: Options, cases: int) -> None:
        self.store, self.where, self.prefix = store, where, prefix
        self.count, self.seed = options.size(_MESSAGES), cases

    async def transaction(self, number: int) -> float:
        given = offers(self.count, seed=self.seed + 2 * number + 1)
        started = time.perf_counter()
        for start in range(0, len(given), _BATCH):
            part = given[start : start + _BATCH]
            await self.store.write(partial(register, offers=part, policy=places.POLICY, now=utc_now()))
        spent = (time.perf_counter() - started) / len(given)
        await self.store.write(_send)
        return spent

    async def pipeline(self, number: int) -> float:
        scope = f"INBOX/{self.seed + 2 * number + 2}"
        given = [raw_message(m, scope) for m in mails("plain", self.count, seed=self.seed + 2 * number + 2)]
        async with Pipeline(self.store, self.where, self.prefix, prepare_here) as pipeline:
            return await pipeline.take(given) / len(given)


async def _all(options: Options) -> list[Figure]:
    many = [100_000, 1_000_000] if options.full else [100_000]
    sizes = [_FEW, *many] if not options.quick else [1_000, 5_000]
    async with contextlib.AsyncExitStack() as stack:
        where = stack.enter_context(places.folder())
        prefix = await stack.enter_async_context(places.topic_prefix())
        variants: dict[str, Timed] = {}
        with WATCH.steps("storing cases", len(sizes)) as step:
            for cases in sizes:
                path = where / f"{cases}.db"
                store = await places.upgraded(places.settings(where, f"sqlite:///{path}", prefix))
                stack.push_async_callback(store.close)
                await fill(store, path, cases)
                place = _Place(store, where, prefix, options, cases)
                variants[f"store {cases}"] = place.transaction
                variants[f"pipeline {cases}"] = place.pipeline
                step()
        seconds = await interleaved_async("cost with many cases", variants, options.few_rounds)
    targets: list[tuple[str, str, float]] = [
        ("pipeline", "whole pipeline", _PIPELINE_TARGET),
        ("store", "store alone", _STORE_TARGET),
    ]
    return [
        ratio("stored", f"sqlite: cost a message, {name}, with {cases:,} cases / with {sizes[0]:,}",
              seconds[f"{what} {cases}"], seconds[f"{what} {sizes[0]}"], target=target, at_least=False)
        for what, name, target in targets
        for cases in sizes[1:]
    ]  # fmt: skip


def run(options: Options) -> list[Figure]:
    """The ratios on SQLite; nothing without the real Kafka."""
    if not broker():
        return []
    with worker_gc():
        return uvloop.run(_all(options))
