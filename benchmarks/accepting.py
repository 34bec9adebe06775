"""Taking messages in: the transaction and the whole acceptor against the same rows written bare."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy as sa

from benchmarks import places
from benchmarks.corpus import mails
from benchmarks.normalise import raw_message
from benchmarks.options import Options, postgres
from benchmarks.timing import Figure, Timed, interleaved_async, ratio, worker_gc
from intake.accept import Acceptor
from intake.app import utc_now
from intake.blobs import FolderBlobs
from intake.register import Offer, register
from intake.schema import RawMessage
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.workers import Prepared, prepare
from normalizers.email import normalize
from router.triage import triage_all

_MESSAGES = 2_000
_ALONE = 200
_IN_FLIGHT = 256
_TARGETS = {"sqlite": 0.6, "postgresql": 0.5}

Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table, as the driver takes them."""


def offers(count: int, seed: int) -> list[Offer]:
    """Prepared messages, each of a sender of its own."""
    raws = [raw_message(mail, scope=f"INBOX/{seed}") for mail in mails("plain", count, seed)]
    found = zip(raws, prepare(normalize, triage_all, raws), strict=True)
    return [Offer(raw, prepared, prepared.content_hash) for raw, prepared in found]


def _slices(whole: Sequence[Any], size: int) -> list[Any]:
    return [whole[start : start + size] for start in range(0, len(whole), size)]


class _Case:
    """What one round of one store works with."""

    def __init__(self, store: AnyStore, path: Path, url: str, options: Options) -> None:
        self.store, self.path, self.url = store, path, url
        self.many = offers(options.size(_MESSAGES), seed=11)
        self.blobs = FolderBlobs(path / "blobs")
        self.bare: list[Rows] = []

    def some(self, batch: int) -> list[Offer]:
        return self.many[:_ALONE] if batch == 1 else self.many

    async def transaction(self, batch: int) -> float:
        """`register` and the commit, batch after batch, on messages prepared before."""
        await places.empty(self.store)
        given = self.some(batch)
        started = time.perf_counter()
        for part in _slices(given, batch):
            await self.store.write(partial(register, offers=part, policy=places.POLICY, now=utc_now()))
        return (time.perf_counter() - started) / len(given)

    async def acceptor(self, in_flight: int) -> float:
        """`deliver` with so many under way, on messages prepared before."""
        await places.empty(self.store)
        given = self.some(in_flight)
        ready = {offer.raw.source_key: offer.prepared for offer in given}

        async def look_up(raws: Sequence[RawMessage]) -> list[Prepared]:
            return [ready[raw.source_key] for raw in raws]

        limits = places.settings(self.path).limits
        acceptor = Acceptor(self.store, self.blobs, look_up, places.POLICY, limits, utc_now, self.path)
        return await timed_delivery(acceptor, [offer.raw for offer in given], in_flight)

    async def keep_rows(self) -> None:
        """Write the messages once, and keep the rows they became, message by message, for the bare writer."""
        await self.transaction(_IN_FLIGHT)
        self.bare = await self.store.read(_rows_by_message)

    async def executemany(self, batch: int) -> float:
        """The same rows by bare executemany in one transaction a batch, from this very thread."""
        await places.empty(self.store)
        bare = self.bare[: len(self.some(batch))]
        batches = [_joined(part) for part in _slices(bare, batch)]
        connection = sqlite3.connect(self.path / "intake.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000",
                       "cache_size = -65536"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        statements = {name: _insert(name) for name in batches[0]}
        started = time.perf_counter()
        for rows in batches:
            connection.execute("BEGIN IMMEDIATE")
            for name, values in rows.items():
                connection.executemany(statements[name], values)
            connection.execute("COMMIT")
        spent = (time.perf_counter() - started) / len(bare)
        connection.close()
        return spent

    async def copy(self, batch: int) -> float:
        """The same rows by COPY in one transaction a batch."""
        await places.empty(self.store)
        bare = self.bare[: len(self.some(batch))]
        batches = [_joined(part) for part in _slices(bare, batch)]
        connection = await asyncpg.connect(self.url)
        started = time.perf_counter()
        for rows in batches:
            async with connection.transaction():
                for name, values in rows.items():
                    await connection.copy_records_to_table(name, records=values, columns=_columns(name))
        spent = (time.perf_counter() - started) / len(bare)
        await connection.close()
        return spent


async def timed_delivery(acceptor: Acceptor, raws: Sequence[RawMessage], in_flight: int) -> float:
    """Seconds a message when so many deliveries are always under way."""
    running = asyncio.create_task(acceptor.run())
    waiting = iter(raws)

    async def one_source() -> None:
        for raw in waiting:
            await acceptor.deliver(raw)

    started = time.perf_counter()
    await asyncio.gather(*(one_source() for _ in range(in_flight)))
    spent = (time.perf_counter() - started) / len(raws)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return spent


def _columns(name: str) -> list[str]:
    """The columns as they are written; the outbox numbers its rows itself."""
    return [c.name for c in t.metadata.tables[name].columns if (name, c.name) != ("outbox", "id")]


def _insert(name: str) -> str:
    columns = _columns(name)
    quoted = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{name}" ({quoted}) VALUES ({marks})'


def _rows_by_message(connection: sa.Connection) -> list[Rows]:
    """Every row of every table by the case it belongs to, in the order of the cases."""
    cases: dict[Any, Rows] = {}
    keys: dict[Any, Any] = {}
    customers: dict[Any, Any] = {}
    for row in _read(connection, "cases"):
        cases[row["id"]] = defaultdict(list)
        customers[row["customer_id"]] = row["id"]
    for row in _read(connection, "deliveries"):
        keys[row["source_key"]] = row["case_id"]
    for name in t.metadata.tables.keys() - {"outbox_unsent"}:  # a trigger writes these
        for row in _read(connection, name):
            case = (
                row["id"] if name == "cases"
                else row["case_id"] if "case_id" in row
                else customers.get(row["id"]) if name == "customers"
                else customers.get(row["customer_id"]) if "customer_id" in row
                else keys.get(row.get("source_key"))
            )  # fmt: skip
            if case in cases:
                cases[case][name].append(tuple(row[c] for c in _columns(name)))
    return list(cases.values())


def _read(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    result = connection.exec_driver_sql(f'SELECT * FROM "{name}"')
    return [dict(row) for row in result.mappings()]


def _joined(parts: Sequence[Rows]) -> Rows:
    whole: Rows = defaultdict(list)
    for rows in parts:
        for name, values in rows.items():
            whole[name] += values
    return whole


async def _of_store(kind: str, options: Options) -> list[Figure]:
    with places.folder() as where:
        async with places.store_url(kind, where) as url:
            store = await places.upgraded(places.settings(where, url))
            try:
                return await _measured(_Case(store, where, url, options), kind, options)
            finally:
                await store.close()


def _always(run: Callable[[int], Awaitable[float]], size: int) -> Timed:
    return lambda _: run(size)


async def _measured(case: _Case, kind: str, options: Options) -> list[Figure]:
    await case.keep_rows()
    bare: Callable[[int], Awaitable[float]] = case.executemany if kind == "sqlite" else case.copy
    what = "executemany" if kind == "sqlite" else "COPY"
    variants: dict[str, Timed] = {}
    for batch in (1, 100, _IN_FLIGHT):
        variants[f"bare {batch}"] = _always(bare, batch)
        variants[f"transaction {batch}"] = _always(case.transaction, batch)
    for count in (1, _IN_FLIGHT):
        variants[f"acceptor {count}"] = _always(case.acceptor, count)
    seconds = await interleaved_async(f"accepting: {kind}", variants, options.few_rounds)
    figures = []
    for batch in (1, 100, _IN_FLIGHT):
        target = _TARGETS[kind] if batch >= 100 else None
        figures.append(
            ratio("accept", f"{kind}: transaction / bare {what}, batches of {batch}",
                  seconds[f"bare {batch}"], seconds[f"transaction {batch}"], target=target)
        )  # fmt: skip
    figures += [
        ratio("accept", f"{kind}: whole acceptor / bare {what}, {count} in flight",
              seconds[f"bare {count}"], seconds[f"acceptor {count}"])
        for count in (1, _IN_FLIGHT)
    ]  # fmt: skip
    return figures


def run(options: Options) -> list[Figure]:
    """Ratios on SQLite, and on PostgreSQL where it runs."""
    figures = []
    for kind in ("sqlite", *(["postgresql"] if postgres() else [])):
        with worker_gc():
            figures += asyncio.run(_of_store(kind, options))
    return figures
