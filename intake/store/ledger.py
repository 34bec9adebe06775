"""The ledger of deliveries, as polling connectors ask for it, and the books it is checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from intake.ports import Clock, Position, Store
from intake.schema import Outcome
from intake.store.tables import deliveries, sources

_SLICE = 500


def insert_new(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that leaves rows alone whose primary key exists."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))


class StoreLedger:
    """`intake.ports.Ledger` on the store, for one channel."""

    def __init__(self, store: Store, clock: Clock, channel: str) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock

    async def position(self, source: str, scope: str) -> Position:
        def work(connection: sa.Connection) -> Position:
            row = connection.execute(sa.select(sources).where(_place(source, scope))).one_or_none()
            return Position(row.cursor, row.sighted_to, row.known) if row else Position(0, 0, known=False)

        return await self._store.read(work)

    async def scopes(self, source: str) -> list[str]:
        """The scopes of a source that have been read before."""

        def work(connection: sa.Connection) -> list[str]:
            chosen = sa.select(sources.c.scope).where(sources.c.source == source, sources.c.known)
            return list(connection.scalars(chosen))

        return await self._store.read(work)

    async def sight(self, source: str, scope: str, positions: Iterable[int]) -> None:
        shown = sorted(positions)

        def work(connection: sa.Connection) -> None:
            row = _locked(connection, self._channel, source, scope)
            new = [p for p in shown if p > row.sighted_to]
            if new:
                connection.execute(
                    sa.update(sources)
                    .where(_place(source, scope))
                    .values(sighted_to=new[-1], seen=sources.c.seen + len(new))
                )

        if shown:
            await self._store.write(work)

    async def missing(self, channel: str, source: str, scope: str, positions: Sequence[int]) -> list[int]:
        def work(connection: sa.Connection) -> set[int]:
            chosen = sa.select(deliveries.c.position).where(
                deliveries.c.source == source,
                deliveries.c.scope == scope,
                deliveries.c.position.between(min(positions), max(positions)),
            )
            return set(connection.scalars(chosen))

        if not positions:
            return []
        known = await self._store.read(work)
        return sorted(set(positions) - known)

    async def set_aside(
        self, channel: str, source: str, scope: str, positions: Sequence[int], reason: str
    ) -> None:
        for start in range(0, len(positions), _SLICE):
            part = positions[start : start + _SLICE]
            await self._store.write(self._set_aside(channel, source, scope, part, reason))

    def _set_aside(
        self, channel: str, source: str, scope: str, positions: Sequence[int], reason: str
    ) -> Callable[[sa.Connection], None]:
        rows = [
            {
                "source_key": f"{channel}:{source}:{scope}:{position}",
                "channel": channel,
                "source": source,
                "scope": scope,
                "position": position,
                "outcome": Outcome.SET_ASIDE.value,
                "reason": reason,
                "committed_at": self._clock(),
            }
            for position in positions
        ]
        return lambda connection: _execute(connection, insert_new(connection, deliveries), rows)

    async def advance(self, source: str, scope: str, cursor: int) -> None:
        def work(connection: sa.Connection) -> None:
            row = _locked(connection, self._channel, source, scope)
            connection.execute(
                sa.update(sources)
                .where(_place(source, scope))
                .values(cursor=max(cursor, row.cursor), known=True)
            )

        await self._store.write(work)

    async def answered(self, channel: str, source: str, count: int) -> None:
        def work(connection: sa.Connection) -> None:
            _locked(connection, channel, source, "")
            connection.execute(
                sa.update(sources).where(_place(source, "")).values(seen=sources.c.seen + count)
            )

        await self._store.write(work)


def _execute(connection: sa.Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    connection.execute(statement, rows)


def _place(source: str, scope: str) -> sa.ColumnElement[bool]:
    return sa.and_(sources.c.source == source, sources.c.scope == scope)


def _locked(connection: sa.Connection, channel: str, source: str, scope: str) -> Any:
    """The row of a source, made if it is new, locked until the commit."""
    row = {"channel": channel, "source": source, "scope": scope}
    fresh = {"cursor": 0, "known": False, "sighted_to": 0, "seen": 0}
    connection.execute(insert_new(connection, sources), [row | fresh])
    return connection.execute(sa.select(sources).where(_place(source, scope)).with_for_update()).one()


def balance(connection: sa.Connection) -> list[dict[str, Any]]:
    """The books, a row per channel: what the sources showed, and every outcome that accounts for it."""
    seen = {
        row.channel: int(row.seen)
        for row in connection.execute(
            sa.select(sources.c.channel, sa.func.sum(sources.c.seen).label("seen")).group_by(
                sources.c.channel
            )
        )
    }
    counts: dict[str, dict[str, int]] = {}
    grouped = sa.select(deliveries.c.channel, deliveries.c.outcome, sa.func.count()).group_by(
        deliveries.c.channel, deliveries.c.outcome
    )
    for channel, outcome, count in connection.execute(grouped):
        counts.setdefault(channel, {})[outcome] = count
    books = []
    for channel in sorted(seen.keys() | counts.keys()):
        outcomes = {o.value: counts.get(channel, {}).get(o.value, 0) for o in Outcome}
        gap = seen.get(channel, 0) - sum(outcomes.values())
        books.append({"channel": channel, "seen": seen.get(channel, 0), **outcomes, "gap": gap})
    return books
