"""The questions registration asks of the store, each for a whole batch at once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from intake.identity import Point
from intake.schema import Outcome, Receipt, Triage
from intake.store.tables import case_contacts, cases, contact_points, deliveries, messages, notices

_LOCKS = sa.text(
    "SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT unnest(CAST(:keys AS bigint[])) AS k ORDER BY k) s"
)


@dataclass(slots=True)
class CaseState:
    """A case as registration needs it, stored or about to be."""

    id: str
    code: str
    customer_id: str | None
    channel: str
    source: str
    status: str
    department: str
    priority: str
    language: str
    subject: str
    triage: Triage
    related: list[dict[str, Any]]
    sequence: int
    received_at: datetime
    registered_at: datetime
    last_receipt_at: datetime | None = None
    duplicate_of: str | None = None
    contacts: set[Point] = field(default_factory=set)


def lock(connection: sa.Connection, keys: Iterable[str]) -> None:
    """Hold everything named until the commit. All locks of a batch are taken in one sorted sweep, contact
    points and source keys together, so two batches can neither race nor deadlock. SQLite has one writer."""
    if connection.dialect.name == "postgresql":
        hashed = {int.from_bytes(hashlib.sha256(k.encode()).digest()[:8], "big", signed=True) for k in keys}
        connection.execute(_LOCKS, {"keys": sorted(hashed)})


def known_deliveries(connection: sa.Connection, source_keys: Collection[str]) -> dict[str, Receipt]:
    """The receipts of deliveries the ledger holds already, by source key."""
    chosen = (
        sa.select(
            deliveries.c.source_key,
            deliveries.c.outcome,
            deliveries.c.reason,
            deliveries.c.case_id,
            cases.c.code,
        )
        .select_from(deliveries.outerjoin(cases, cases.c.id == deliveries.c.case_id))
        .where(deliveries.c.source_key.in_(source_keys))
    )
    return {
        row.source_key: Receipt(Outcome(row.outcome), row.code, row.case_id, first=False, reason=row.reason)
        for row in connection.execute(chosen)
    }


def same_content(
    connection: sa.Connection, hashes: Collection[str]
) -> dict[str, tuple[str | None, str | None]]:
    """Content that was taken before: its case and code, by content hash."""
    if not hashes:
        return {}
    chosen = (
        sa.select(deliveries.c.content_hash, deliveries.c.case_id, cases.c.code)
        .select_from(deliveries.outerjoin(cases, cases.c.id == deliveries.c.case_id))
        .where(deliveries.c.content_hash.in_(hashes))
    )
    return {row.content_hash: (row.case_id, row.code) for row in connection.execute(chosen)}


def cases_of_messages(connection: sa.Connection, external_ids: Collection[str]) -> dict[str, str]:
    """Case by the channel's own message id; the oldest where several claim the same one."""
    if not external_ids:
        return {}
    chosen = sa.select(messages.c.external_id, messages.c.case_id).where(
        messages.c.external_id.in_(external_ids)
    )
    chosen = chosen.order_by(messages.c.id.desc())
    return {row.external_id: row.case_id for row in connection.execute(chosen)}


def cases_of_chats(connection: sa.Connection, chats: Collection[str], since: datetime) -> dict[str, str]:
    """Case by the conversation its newest message stands in, where that was received after `since`."""
    if not chats:
        return {}
    chosen = sa.select(messages.c.chat, messages.c.case_id).where(
        messages.c.chat.in_(chats), messages.c.received_at >= since
    )
    return {row.chat: row.case_id for row in connection.execute(chosen.order_by(messages.c.id))}


def cases_of_letters(connection: sa.Connection, letters: Collection[str]) -> dict[str, str]:
    """Case by the id of a letter we sent."""
    if not letters:
        return {}
    chosen = sa.select(notices.c.letter, notices.c.case_id).where(notices.c.letter.in_(letters))
    return {row.letter: row.case_id for row in connection.execute(chosen.order_by(notices.c.id.desc()))}


def cases_of_codes(connection: sa.Connection, codes: Collection[str]) -> dict[str, str]:
    """Case by tracking code."""
    if not codes:
        return {}
    chosen = sa.select(cases.c.code, cases.c.id).where(cases.c.code.in_(codes))
    return {row.code: row.id for row in connection.execute(chosen)}


def lock_cases(connection: sa.Connection, ids: Collection[str]) -> dict[str, CaseState]:
    """The cases, and those they are duplicates of, with their contact points, locked in the order of their ids."""
    if not ids:
        return {}
    first = sa.select(cases.c.duplicate_of).where(
        cases.c.id.in_(sorted(ids)), cases.c.duplicate_of.is_not(None)
    )
    ids = {*ids, *connection.scalars(first)}
    chosen = sa.select(cases).where(cases.c.id.in_(sorted(ids))).order_by(cases.c.id).with_for_update()
    found = {
        row["id"]: CaseState(**{**row, "triage": Triage.model_validate(row["triage"])})
        for row in connection.execute(chosen).mappings()
    }
    contacts = sa.select(case_contacts).where(case_contacts.c.case_id.in_(sorted(ids)))
    for row in connection.execute(contacts):
        if row.case_id in found:
            found[row.case_id].contacts.add((row.kind, row.value))
    return found


def customers_of(connection: sa.Connection, points: Collection[Point]) -> dict[Point, str]:
    """Customer by contact point."""
    owners: dict[Point, str] = {}
    for kind in {kind for kind, _ in points}:
        values = [value for k, value in points if k == kind]
        chosen = sa.select(contact_points).where(
            contact_points.c.kind == kind, contact_points.c.value.in_(values)
        )
        owners |= {(row.kind, row.value): row.customer_id for row in connection.execute(chosen)}
    return owners
