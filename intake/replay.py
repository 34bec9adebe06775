"""Registering what waited for a person: a quarantined message read again, one that was set aside after all."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from intake.errors import IntakeError
from intake.ports import Blobs, Store
from intake.register import Offer, Policy, register
from intake.schema import RawMessage, Receipt
from intake.store import inspection
from intake.store.tables import quarantine
from intake.workers import Workers


async def raw_message(store: Store, blobs: Blobs, source_key: str) -> RawMessage:
    """The kept bytes of a delivery. Raises `IntakeError` where there are none."""
    row = await store.read(lambda c: inspection.raw_of(c, source_key))
    if row is None:
        raise IntakeError(f"{source_key}: no bytes are kept of this delivery")
    body = await blobs.get(row["blob"]) if row["blob"] else row["body"]
    return RawMessage(
        channel=row["channel"],
        source=row["source"],
        content_type=row["content_type"],
        body=body,
        received_at=row["received_at"],
        scope=row["scope"],
        position=row["position"],
        key=source_key.removeprefix(f"{row['channel']}:{row['source']}:{row['scope']}:"),
        meta=row["meta"],
    )


async def replay(
    store: Store, blobs: Blobs, workers: Workers, policy: Policy, source_key: str, now: datetime
) -> Receipt:
    """Read the kept bytes again and register them. Raises `IntakeError` where they still cannot be read."""
    raw = await raw_message(store, blobs, source_key)
    prepared = (await workers.prepare([raw]))[0]
    if prepared.normalized is None:
        await store.write(lambda c: _count_attempt(c, source_key, prepared.error, now))
        raise IntakeError(f"{source_key}: still cannot be read: {prepared.error} {prepared.detail}".strip())
    for data in prepared.normalized.contents.values():
        await blobs.put(data)
    offer = Offer(raw, prepared, prepared.content_hash, replay=True)
    receipts = await store.write(lambda c: register(c, [offer], policy, now))
    return receipts[0]


def _count_attempt(connection: sa.Connection, source_key: str, reason: str, now: datetime) -> None:
    connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.source_key == source_key)
        .values(attempts=quarantine.c.attempts + 1, reason=reason[:100], last_seen=now)
    )


def discard(connection: sa.Connection, source_key: str, reason: str, now: datetime) -> bool:
    """A person decided that a quarantined message needs no more; its bytes stay. False where there is none."""
    waiting = sa.and_(quarantine.c.source_key == source_key, quarantine.c.state == "waiting")
    values = {"state": "discarded", "detail": reason[:2000], "last_seen": now}
    return connection.execute(sa.update(quarantine).where(waiting).values(**values)).rowcount > 0
