"""The notices table: which letters are due, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from uuid_utils import uuid7

from intake.store.tables import notices

HOUR = timedelta(hours=1)
Row = dict[str, Any]

# what is open is little, and all that was ever sent is much: state as the partial index has it (by a parameter it
# is not found), and the channel so that no index on it is preferred
_OPEN = sa.text("notices.state IN ('pending', 'sending')")
_CHANNEL = notices.c.channel + ""


def due(connection: sa.Connection, channels: Collection[str], now: datetime, limit: int) -> list[Row]:
    """Pending notices whose time has come, the oldest first."""
    chosen = (
        sa.select(notices)
        .where(_OPEN, notices.c.state == "pending", notices.c.due_at <= now, _CHANNEL.in_(channels))
        .order_by(notices.c.due_at, notices.c.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(chosen).mappings()]


def whole_letters(connection: sa.Connection, letters: Collection[str]) -> list[Row]:
    """Every notice of these letters: a letter sent again carries all it carried before."""
    if not letters:
        return []
    chosen = sa.select(notices).where(notices.c.letter.in_(letters)).order_by(notices.c.id)
    return [dict(row) for row in connection.execute(chosen).mappings()]


def sent_lately(
    connection: sa.Connection, channels: Collection[str], recipients: Collection[str], now: datetime
) -> dict[str, list[datetime]]:
    """When each recipient's letters of the last hour went out, the oldest first."""
    lately = sa.and_(notices.c.recipient.in_(recipients), notices.c.sent_at > now - HOUR)
    chosen = (
        sa.select(notices.c.recipient, notices.c.letter, sa.func.min(notices.c.sent_at).label("at"))
        .where(notices.c.channel.in_(channels), lately)
        .group_by(notices.c.recipient, notices.c.letter)
    )
    times: dict[str, list[datetime]] = defaultdict(list)
    for row in connection.execute(chosen):
        times[row.recipient].append(row.at)
    return {recipient: sorted(moments) for recipient, moments in times.items()}


def claim(
    connection: sa.Connection, channels: Collection[str], now: datetime, *, letters: int, per_hour: int
) -> list[list[Row]]:
    """Take up to `letters` letters' worth of due notices as `sending`; each inner list is one letter.

    A recipient gets at most `per_hour` letters an hour. The last one he may still get carries everything that
    waits for him; what comes after waits until an hour has passed since the oldest, so nothing is dropped.
    """
    rows = due(connection, channels, now, letters * 4)
    again = whole_letters(connection, {r["letter"] for r in rows if r["letter"]})
    fresh = [r for r in rows if not r["letter"]]
    lately = sent_lately(connection, channels, {r["recipient"] for r in fresh}, now) if fresh else {}
    by_recipient: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in fresh:
        by_recipient[row["channel"], row["source"], row["recipient"]].append(row)
    groups = list(_by_letter(again).values())
    for (_, _, recipient), waiting in by_recipient.items():
        moments = lately.get(recipient, [])
        left = per_hour - len(moments)
        if left <= 0:
            _postpone(connection, waiting, moments[-per_hour] + HOUR)
        else:
            singles = waiting if len(waiting) <= left else waiting[: left - 1]
            groups += [[row] for row in singles]
            groups += [waiting[len(singles) :]] if len(waiting) > len(singles) else []
    taken = groups[:letters]
    for group in taken:
        letter = group[0]["letter"] or str(uuid7())
        for row in group:
            row["letter"] = letter
    if taken:
        _mark_sending(connection, taken)
    return taken


def _by_letter(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["letter"]].append(row)
    return groups


def _postpone(connection: sa.Connection, rows: Sequence[Row], until: datetime) -> None:
    ids = [row["id"] for row in rows]
    connection.execute(sa.update(notices).where(notices.c.id.in_(ids)).values(due_at=until))


def _mark_sending(connection: sa.Connection, groups: Sequence[Sequence[Row]]) -> None:
    statement = (
        sa.update(notices)
        .where(notices.c.id == sa.bindparam("b_id"))
        .values(state="sending", letter=sa.bindparam("b_letter"), attempts=notices.c.attempts + 1)
    )
    rows = [{"b_id": row["id"], "b_letter": row["letter"]} for group in groups for row in group]
    connection.execute(statement, rows)


def mark(
    connection: sa.Connection, letters: Collection[str], state: str, now: datetime, error: str = ""
) -> None:
    """What became of letters: sent, failed or unknown; who told of one that was sent cannot be contradicted."""
    values: dict[str, Any] = {"state": state, "error": error[:500]}
    if state == "sent":
        values["sent_at"] = now
    told = sa.and_(notices.c.letter.in_(letters), notices.c.state != "sent")
    connection.execute(sa.update(notices).where(told).values(**values))


def retry(connection: sa.Connection, letter: str, due_at: datetime, error: str) -> None:
    """Send the same letter again later."""
    values = {"state": "pending", "due_at": due_at, "error": error[:500]}
    unsent = sa.and_(notices.c.letter == letter, notices.c.state != "sent")
    connection.execute(sa.update(notices).where(unsent).values(**values))


def recover(connection: sa.Connection, channels: Collection[str]) -> int:
    """Letters that a crash, or a lease that was lost, left on their way go out again under the same id."""
    on_the_way = sa.and_(_OPEN, notices.c.state == "sending", _CHANNEL.in_(channels))
    return connection.execute(sa.update(notices).where(on_the_way).values(state="pending")).rowcount


def oldest_open(connection: sa.Connection) -> datetime | None:
    """When the oldest notice that is not sent yet was made."""
    moment: datetime | None = connection.scalar(sa.select(sa.func.min(notices.c.created_at)).where(_OPEN))
    return moment
