"""The outbox: what waits for the broker, what it took, what was given up, and what is read without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from pydantic_core import from_json

from intake.ports import Store
from intake.store.tables import Instant, cases, outbox, sent, unsent

MAX_ATTEMPTS: Final = 5
"""Permanent failures of one row after which it is given up."""

_READ_BYTES = 8 * 1024 * 1024  # of values held by one look; more is read by the next
_READ_ROWS = 250
_NUMBER_ROWS = 1000
_TAIL_ROWS = 200
_TAIL_SECONDS = 1.0  # between looks where nobody rings: another process may have written
_LOCK_NUMBERING = 0x1A7A4E00  # PostgreSQL advisory lock

IS_SENT: Final[sa.ColumnElement[bool]] = outbox.c.id.in_(sa.select(sent.c.id))
"""Of a row of the outbox: the broker has it, or it is numbered."""

_SENT_SQLITE = (
    'INSERT INTO outbox_sent (sent_at, "partition", "offset", id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
)
_GONE_SQLITE = "DELETE FROM outbox_unsent WHERE id = ?"
_MARK_POSTGRESQL = sa.text(
    "WITH gone AS (DELETE FROM outbox_unsent WHERE id = ANY(CAST(:ids AS bigint[])))"
    ' INSERT INTO outbox_sent (id, sent_at, "partition", "offset") SELECT id, :at, part, off'
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:parts AS integer[]), CAST(:offs AS bigint[]))"
    " AS taken (id, part, off) ON CONFLICT DO NOTHING"
)
_READ_SQLITE = sa.text(
    "SELECT id, event_id, case_id, headers, value, attempts FROM outbox"
    " WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id"
)
_READ_POSTGRESQL = sa.text(
    "SELECT id, event_id, case_id, headers, value, attempts FROM outbox"
    " WHERE id = ANY(CAST(:ids AS bigint[])) ORDER BY id"
)
_NUMBER = sa.text(
    'INSERT INTO outbox_sent (id, topic, sent_at, "position") SELECT id, topic, :at,'
    " row_number() OVER (PARTITION BY topic ORDER BY id) + COALESCE("
    '  (SELECT max("position") FROM outbox_sent AS older'
    '   WHERE older.topic = waiting.topic AND older."position" IS NOT NULL), 0)'
    " FROM (SELECT id, topic FROM outbox_unsent ORDER BY topic, id LIMIT :most) AS waiting"
    " RETURNING id"
)


class Bell:
    """Rung after a commit, so that nobody has to poll for what it brought. One event loop only."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who listens now."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """Set by the next ring. Listen first and look then, and no ring is missed."""
        return self._next


class Pending(NamedTuple):
    """A row on its way to the broker."""

    id: int
    event_id: str
    case_id: str
    headers: Mapping[str, str]
    value: bytes
    attempts: int


class Want(NamedTuple):
    """What a lane has room for: rows from `low` on that it does not hold yet."""

    topic: str
    low: int
    room: int
    held: Collection[int]


class Found(NamedTuple):
    """What a look found for a lane; `lowest` is the first unsent id, None where all are sent."""

    topic: str
    rows: list[Pending]
    lowest: int | None


class Taken(NamedTuple):
    """A row the broker took, and where."""

    id: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Record:
    """One event of a topic without a broker; `value` is empty after erasure."""

    position: int
    event_id: str
    case_id: str
    type: str
    headers: Mapping[str, str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits; `oldest` is when the oldest unsent row was written."""

    unsent: int
    oldest: datetime | None
    dead: int


class Expired(Exception):
    """The position lies before the oldest that is kept; `oldest` is the first that can be asked for."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the oldest position kept is {oldest}")
        self.oldest = oldest


def look(connection: sa.Connection, wants: Sequence[Want]) -> list[Found]:
    """The first unsent rows of each topic, in order, without those a lane holds already.

    Whatever is unsent counts, whenever it was committed: ids become visible out of order. The first lane
    asked for is served first where the values together grow too large for one look.
    """
    topics = tuple(want.topic for want in wants)
    bounds: dict[str, Any] = {}
    for n, want in enumerate(wants):
        bounds |= {f"low{n}": want.low, f"most{n}": want.room + len(want.held)}
    unsent: dict[str, list[int]] = {topic: [] for topic in topics}
    for topic, row_id in connection.execute(_unsent_ids(topics), bounds):
        unsent[topic].append(row_id)
    budget = _READ_BYTES
    found = []
    for want in wants:
        ids = sorted(unsent[want.topic])
        fresh = [i for i in ids if i not in want.held][: want.room]
        rows = _read(connection, fresh, budget)
        budget -= sum(len(row.value) for row in rows)
        found.append(Found(want.topic, rows, ids[0] if ids else None))
    return found


@lru_cache(maxsize=256)
def _unsent_ids(topics: tuple[str, ...]) -> sa.CompoundSelect[Any]:
    arms = []
    for n, topic in enumerate(topics):
        lane = (
            sa.select(unsent.c.topic, unsent.c.id)
            .where(unsent.c.topic == topic, unsent.c.id >= sa.bindparam(f"low{n}", type_=sa.BigInteger))
            .order_by(unsent.c.id)
            .limit(sa.bindparam(f"most{n}", type_=sa.Integer))
            .subquery()
        )
        arms.append(sa.select(lane.c.topic, lane.c.id))
    return sa.union_all(*arms)


def _read(connection: sa.Connection, ids: Sequence[int], budget: int) -> list[Pending]:
    """Past the column types, which take as long for a row as all the rest: this is the relay's inner loop."""
    is_sqlite = connection.dialect.name == "sqlite"
    rows: list[Pending] = []
    for start in range(0, len(ids), _READ_ROWS):
        if budget <= 0:
            break
        part = list(ids[start : start + _READ_ROWS])
        found = (
            connection.execute(_READ_SQLITE, {"ids": json.dumps(part)})
            if is_sqlite
            else connection.execute(_READ_POSTGRESQL, {"ids": part})
        )
        read = [Pending(i, e, c, from_json(headers), v, a) for i, e, c, headers, v, a in found]
        budget -= sum(len(row.value) for row in read)
        rows += read
    return rows


def unsent_topics(connection: sa.Connection) -> list[str]:
    """Every topic something waits for, also those nobody knows."""
    return list(connection.scalars(sa.select(unsent.c.topic).distinct()))


def backlog(connection: sa.Connection) -> Backlog:
    """How much waits and how long, and how many rows were given up."""
    waiting, oldest = connection.execute(sa.select(sa.func.count(), sa.func.min(unsent.c.id))).one()
    written = connection.scalar(sa.select(outbox.c.created_at).where(outbox.c.id == oldest))
    dead = connection.scalar(
        sa.select(sa.func.count()).select_from(outbox).where(outbox.c.dead_at.is_not(None))
    )
    return Backlog(waiting, written, dead or 0)


def mark_sent(connection: sa.Connection, taken: Sequence[Taken], at: datetime) -> None:
    """Note what the broker took; what was noted before stays as it is."""
    moment = Instant().process_bind_param(at, connection.dialect)
    if connection.dialect.name == "sqlite":
        rows = [(moment, row.partition, row.offset, row.id) for row in taken]
        connection.exec_driver_sql(_SENT_SQLITE, rows)
        connection.exec_driver_sql(_GONE_SQLITE, [(row.id,) for row in taken])
        return
    ids, parts, offs = (list(column) for column in zip(*taken, strict=True))
    connection.execute(_MARK_POSTGRESQL, {"at": moment, "ids": ids, "parts": parts, "offs": offs})


def mark_failed(connection: sa.Connection, ids: Sequence[int], error: str, at: datetime) -> list[int]:
    """Count a permanent failure for each row; returns those given up because it was the last one."""
    failed = outbox.c.attempts + 1
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(
            attempts=failed,
            error=error[:500],
            dead_at=sa.case((failed >= MAX_ATTEMPTS, sa.literal(at, Instant)), else_=None),
        )
    )
    given_up = sa.select(outbox.c.id).where(outbox.c.id.in_(ids), outbox.c.dead_at.is_not(None))
    dead = list(connection.scalars(given_up))
    connection.execute(sa.delete(unsent).where(unsent.c.id.in_(dead)))
    return dead


def dead_letters(connection: sa.Connection, limit: int = 1000) -> list[dict[str, Any]]:
    """The rows given up, oldest first, without their values."""
    columns = [c for c in outbox.c if c.name not in ("value", "headers")]
    chosen = sa.select(*columns).where(outbox.c.dead_at.is_not(None)).order_by(outbox.c.id).limit(limit)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def replay_dead(connection: sa.Connection, ids: Sequence[int] | None = None) -> int:
    """Let rows given up (all, or these) be sent once more; returns how many.

    Later events of the same cases may have been sent meanwhile: consumers tell by `sequence`.
    """
    which: sa.ColumnElement[bool] = outbox.c.dead_at.is_not(None)
    if ids is not None:
        which = sa.and_(which, outbox.c.id.in_(ids))
    again = sa.select(outbox.c.id, outbox.c.topic).where(which)
    connection.execute(sa.insert(unsent).from_select(["id", "topic"], again))
    return connection.execute(
        sa.update(outbox).where(which).values(dead_at=None, attempts=0, error="")
    ).rowcount


def sent_before(
    connection: sa.Connection,
    *,
    after: int,
    upto: int,
    limit: int,
    topic: str | None = None,
    code: str | None = None,
    since: datetime | None = None,
) -> list[tuple[str, Pending]]:
    """Sent rows in order with their topics, to be sent again; erased ones are left out."""
    c = outbox.c
    chosen = (
        sa.select(c.topic, c.id, c.event_id, c.case_id, c.headers, c.value, c.attempts)
        .join(sent, sent.c.id == c.id)
        .where(c.id > after, c.id <= upto, c.value != b"")
    )
    if topic is not None:
        chosen = chosen.where(outbox.c.topic == topic)
    if code is not None:
        chosen = chosen.where(
            outbox.c.case_id == sa.select(cases.c.id).where(cases.c.code == code).scalar_subquery()
        )
    if since is not None:
        chosen = chosen.where(outbox.c.created_at >= since)
    rows = connection.execute(chosen.order_by(outbox.c.id).limit(limit))
    return [(row[0], Pending(*row[1:])) for row in rows]


def newest_id(connection: sa.Connection) -> int:
    """The highest id there is; 0 in an empty outbox."""
    return connection.scalar(sa.select(sa.func.max(outbox.c.id))) or 0


def number(connection: sa.Connection, at: datetime) -> int:
    """Give the next unsent rows their positions, gap-free per topic; returns how many there were.

    Numbered counts as sent. Ids are given out before the commit, so a row may become visible after one with
    a higher id; it is numbered when it is seen. Events of one case are always seen in order, because each
    transaction holds its case.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_NUMBERING})
    moment = Instant().process_bind_param(at, connection.dialect)
    numbered = list(connection.scalars(_NUMBER, {"at": moment, "most": _NUMBER_ROWS}))
    if numbered:
        connection.execute(sa.delete(unsent).where(unsent.c.id.in_(numbered)))
    return len(numbered)


def oldest_position(connection: sa.Connection, topic: str) -> int:
    """The first position of a topic that is still kept, or that will be given next; 1 where none ever was."""
    numbered = sa.select(sent.c.position).where(sent.c.topic == topic, sent.c.position.is_not(None))
    kept = numbered.join(outbox, outbox.c.id == sent.c.id).order_by(sent.c.position)
    first = connection.scalar(kept.limit(1))
    last = connection.scalar(numbered.order_by(sent.c.position.desc()).limit(1))
    return first or (last or 0) + 1


def read_topic(connection: sa.Connection, topic: str, after: int, limit: int) -> list[Record]:
    """Numbered events of a topic after a position. Raises `Expired` where some are no longer kept."""
    oldest = oldest_position(connection, topic)
    if 0 < after < oldest - 1:
        raise Expired(oldest)
    c = outbox.c
    chosen = (
        sa.select(sent.c.position, c.event_id, c.case_id, c.type, c.headers, c.value)
        .join(sent, sent.c.id == c.id)
        .where(sent.c.topic == topic, sent.c.position > after)
        .order_by(sent.c.position)
        .limit(limit)
    )
    return [Record(*row) for row in connection.execute(chosen)]


async def tail(
    store: Store, topic: str, *, after: int = 0, follow: bool = False, bell: Bell | None = None
) -> AsyncIterator[Record]:
    """The events of a topic in order of position, and with `follow` those to come. Raises `Expired`.

    Erased events keep their position and are left out.
    """
    while True:
        heard = bell.listen() if bell else asyncio.Event()
        records = await store.read(partial(read_topic, topic=topic, after=after, limit=_TAIL_ROWS))
        for record in records:
            after = record.position
            if record.value:
                yield record
        if records:
            continue
        if not follow:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_TAIL_SECONDS):
                await heard.wait()


def expire(connection: sa.Connection, before: datetime, limit: int) -> int:
    """Delete the oldest rows sent before a moment; returns how many, at most `limit`.

    Of each topic's last numbered row the number stays: it remembers how far they are.
    """
    oldest = sa.select(sent.c.id, sent.c.sent_at).join(outbox, outbox.c.id == sent.c.id).order_by(sent.c.id)
    ids = [row.id for row in connection.execute(oldest.limit(limit)) if row.sent_at < before]
    if not ids:
        return 0
    newer = sent.alias("newer")
    is_last = sa.and_(
        sent.c.position.is_not(None),
        ~sa.exists().where(newer.c.topic == sent.c.topic, newer.c.position > sent.c.position),
    )
    connection.execute(sa.delete(sent).where(sent.c.id.in_(ids), sa.not_(is_last)))
    return connection.execute(sa.delete(outbox).where(outbox.c.id.in_(ids))).rowcount
