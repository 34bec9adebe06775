"""What it costs to find out whether a complaint was made before: the look-up by size, and comparing by itself."""

from __future__ import annotations

import contextlib
import random
import time
from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa
import uvloop

from benchmarks import places
from benchmarks.accepting import offers
from benchmarks.options import Options
from benchmarks.stored import fill
from benchmarks.timing import WATCH, Figure, Timed, interleaved, interleaved_async, ratio, worker_gc
from intake.duplicates import compare
from intake.register import Offer
from intake.sameness import Known
from intake.store import tables as t
from intake.store.candidates import Identifier
from intake.store.database import AnyStore
from intake.text import fold
from intake.traces import Trace, trace_of

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_FEW = 10_000
_BATCH = 256
_BATCHES = 20
_TEXTS = 400
_LOOK_UP_TARGET, _TRACE_TARGET, _COMPARE_TARGET = 1.3, 35.0, 5.0


class _Place:
    """One store with its cases, and whom to ask it for."""

    def __init__(self, store: AnyStore, cases: int) -> None:
        self.store, self.cases = store, cases

    async def ask(self, number: int) -> float:
        """A batch's look-up of customers that have cases, and of identifiers that cases name; seconds a message."""
        batches = [await self.store.read(partial(_some, seed=number * 1000 + n)) for n in range(_BATCHES)]
        started = time.perf_counter()
        for customers, named in batches:
            await self.store.read(partial(_look_up, customers=customers, named=named))
        return (time.perf_counter() - started) / (_BATCHES * _BATCH)


def _look_up(connection: sa.Connection, customers: list[str], named: list[Identifier]) -> Known:
    return Known.look_up(connection, customers, named, _LONG_AGO)


def _some(connection: sa.Connection, seed: int) -> tuple[list[str], list[Identifier]]:
    """Customers and identifiers of a batch, drawn at random from all that are stored."""
    return (
        [row[0] for row in _drawn(connection, t.cases, (t.cases.c.customer_id,), seed)],
        [(row[0], row[1]) for row in _drawn(connection, t.case_identifiers, _IDENTIFIER, seed)],
    )


_IDENTIFIER = (t.case_identifiers.c.kind, t.case_identifiers.c.value)


def _drawn(
    connection: sa.Connection, table: sa.Table, columns: tuple[sa.Column[str], ...], seed: int
) -> list[sa.Row[tuple[str, ...]]]:
    row_id = sa.literal_column("rowid")
    last = connection.scalar(sa.select(sa.func.max(row_id)).select_from(table)) or 0
    chosen = random.Random(seed).sample(range(1, last + 1), min(last, _BATCH))
    return list(connection.execute(sa.select(*columns).where(row_id.in_(chosen))))


async def _look_ups(options: Options) -> list[Figure]:
    many = [100_000, 1_000_000] if options.full else [100_000]
    sizes = [_FEW, *many] if not options.quick else [1_000, 5_000]
    async with contextlib.AsyncExitStack() as stack:
        where = stack.enter_context(places.folder())
        variants: dict[str, Timed] = {}
        with WATCH.steps("storing cases", len(sizes)) as step:
            for cases in sizes:
                path = where / f"{cases}.db"
                store = await places.upgraded(places.settings(where, f"sqlite:///{path}"))
                stack.push_async_callback(store.close)
                await fill(store, path, cases)
                variants[str(cases)] = _Place(store, cases).ask
                step()
        seconds = await interleaved_async("looking for the same", variants, options.rounds)
    few = sizes[0]
    return [
        ratio("sameness", f"sqlite: looking for the same, with {cases:,} cases / with {few:,}",
              seconds[str(cases)], seconds[str(few)], target=_LOOK_UP_TARGET, at_least=False)
        for cases in sizes[1:]
    ]  # fmt: skip


def _alone(options: Options) -> list[Figure]:
    given = offers(options.size(_TEXTS), seed=91)
    traces = [trace for offer in given if (trace := offer.prepared.trace)]
    seconds = interleaved(
        "sameness of a text",
        {
            "fold": lambda _: _folded(given),
            "trace": lambda _: _traced(given),
            "compare": lambda _: _compared(traces),
        },
        options.rounds,
    )
    return [
        ratio("sameness", "what is kept of a text / folding it", seconds["trace"], seconds["fold"],
              target=_TRACE_TARGET, at_least=False),
        ratio("sameness", "comparing two texts / folding one", seconds["compare"], seconds["fold"],
              target=_COMPARE_TARGET, at_least=False),
    ]  # fmt: skip


def _folded(given: list[Offer]) -> int:
    for offer in given:
        if message := offer.message:
            fold(message.text)
    return len(given)


def _traced(given: list[Offer]) -> int:
    for offer in given:
        if (message := offer.message) and (verdict := offer.prepared.triage):
            trace_of(message, verdict)
    return len(given)


def _compared(traces: list[Trace]) -> int:
    for trace in traces:
        compare(trace, trace)  # nothing in conflict: the whole way
    return len(traces)


def run(options: Options) -> list[Figure]:
    """The ratios, on SQLite and without a broker."""
    with worker_gc():
        return [*_alone(options), *uvloop.run(_look_ups(options))]
