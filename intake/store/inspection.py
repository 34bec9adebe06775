"""What a person at a terminal asks: the whole way of a case, who wrote, and what waits to be looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import phonenumbers
import sqlalchemy as sa

from intake.schema import Outcome
from intake.store import tables as t

Row = dict[str, Any]
_REGION = "TR"  # of a phone number without a country


def _rows(connection: sa.Connection, statement: sa.Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def way_of_case(connection: sa.Connection, code: str) -> Row | None:
    """A case with its deliveries, messages, files, history, events and notices; None where there is none."""
    found = _rows(connection, sa.select(t.cases).where(t.cases.c.code == code))
    if not found:
        return None
    case = found[0]
    mine = {"case_id": case["id"]}
    return {
        **case,
        "contacts": _rows(connection, _of(t.case_contacts, mine)),
        "deliveries": _rows(connection, _of(t.deliveries, mine).order_by(t.deliveries.c.committed_at)),
        "messages": _rows(connection, _of(t.messages, mine).order_by(t.messages.c.id)),
        "attachments": _rows(connection, _of(t.attachments, mine)),
        "history": _rows(connection, _of(t.history, mine).order_by(t.history.c.sequence)),
        "events": _events(connection, case["id"]),
        "notices": _rows(connection, _of(t.notices, mine).order_by(t.notices.c.id)),
        "relations": _relations(connection, case),
    }


def _relations(connection: sa.Connection, case: Row) -> list[Row]:
    """The cases it has to do with, by their codes: what they are to it, and whether that is confirmed."""
    named = {r["case_id"]: r for r in case["related"]}
    chosen = sa.select(t.cases.c.id, t.cases.c.code, t.cases.c.status).where(t.cases.c.id.in_(named))
    return [
        {"code": row.code, "status": row.status, "first": row.id == case["duplicate_of"]}
        | {name: named[row.id][name] for name in ("relation", "confirmed")}
        for row in connection.execute(chosen.order_by(t.cases.c.id))
    ]


def _of(table: sa.Table, where: Mapping[str, Any]) -> sa.Select[Any]:
    return sa.select(table).where(*(table.c[name] == value for name, value in where.items()))


def _events(connection: sa.Connection, case_id: str) -> list[Row]:
    shown = [c for c in t.outbox.columns if c.name not in ("value", "headers")]
    place = [t.sent.c.sent_at, t.sent.c.partition, t.sent.c.offset, t.sent.c.position]
    chosen = sa.select(*shown, *place).outerjoin_from(t.outbox, t.sent, t.sent.c.id == t.outbox.c.id)
    return _rows(connection, chosen.where(t.outbox.c.case_id == case_id).order_by(t.outbox.c.id))


def cases_of(connection: sa.Connection, term: str, limit: int = 50) -> list[Row]:
    """Cases found by contact point, platform account or message id, the newest first.

    Addresses and accounts in any case, phone numbers as people write them.
    """
    by_contact = sa.select(t.case_contacts.c.case_id).where(t.case_contacts.c.value.in_(_spellings(term)))
    by_message = sa.select(t.messages.c.case_id).where(t.messages.c.external_id == term.strip("<>"))
    by_account = (
        sa.select(t.cases.c.id)
        .join(t.accounts, t.accounts.c.customer_id == t.cases.c.customer_id)
        .where(sa.or_(t.accounts.c.account == term, sa.func.lower(t.accounts.c.account) == term.lower()))
    )
    ids = sa.union(by_contact, by_message, by_account).subquery()
    columns = [
        t.cases.c[n] for n in ("id", "code", "channel", "status", "department", "priority", "registered_at")
    ]
    chosen = sa.select(*columns).where(t.cases.c.id.in_(sa.select(ids.c[0])))
    return _rows(connection, chosen.order_by(t.cases.c.registered_at.desc()).limit(limit))


def _spellings(term: str) -> list[str]:
    """How a contact point may be kept: as given, in lower case, as a phone number in E.164."""
    found = [term, term.lower()]
    with contextlib.suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(term, _REGION)
        found.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


def in_quarantine(connection: sa.Connection, limit: int) -> list[Row]:
    """Messages that could not be read and wait for a person, the oldest first."""
    chosen = (
        sa.select(t.quarantine, t.cases.c.code)
        .outerjoin(t.deliveries, t.deliveries.c.source_key == t.quarantine.c.source_key)
        .outerjoin(t.cases, t.cases.c.id == t.deliveries.c.case_id)
        .where(t.quarantine.c.state == "waiting")
        .order_by(t.quarantine.c.first_seen)
        .limit(limit)
    )
    return _rows(connection, chosen)


def set_aside(connection: sa.Connection, limit: int) -> list[Row]:
    """Messages set aside, the newest first; those never fetched have no bytes to show."""
    columns = [
        t.deliveries.c[n]
        for n in ("source_key", "channel", "source", "reason", "received_at", "committed_at")
    ]
    chosen = (
        sa.select(*columns, t.raw.c.size)
        .outerjoin(t.raw, t.raw.c.source_key == t.deliveries.c.source_key)
        .where(t.deliveries.c.outcome == Outcome.SET_ASIDE.value)
        .order_by(t.deliveries.c.committed_at.desc())
        .limit(limit)
    )
    return _rows(connection, chosen)


def open_notices(connection: sa.Connection, limit: int) -> list[Row]:
    """Notices that are not sent, the failed ones first."""
    columns = [
        t.notices.c[n]
        for n in ("id", "kind", "channel", "state", "attempts", "due_at", "created_at", "error", "letter")
    ]
    chosen = (
        sa.select(*columns, t.cases.c.code)
        .outerjoin(t.cases, t.cases.c.id == t.notices.c.case_id)
        .where(t.notices.c.state != "sent")
        .order_by(sa.desc(t.notices.c.state.in_(("failed", "unknown"))), t.notices.c.created_at)
        .limit(limit)
    )
    return _rows(connection, chosen)


def send_again(connection: sa.Connection, notice_id: str, now: datetime) -> bool:
    """Make a notice that failed, or whose fate is unknown, pending again; False where there is none."""
    stuck = sa.and_(t.notices.c.id == notice_id, t.notices.c.state.in_(("failed", "unknown", "pending")))
    return (
        connection.execute(sa.update(t.notices).where(stuck).values(state="pending", due_at=now)).rowcount > 0
    )


def raw_of(connection: sa.Connection, source_key: str) -> Row | None:
    """The kept bytes of a delivery (or the blob they are in) and where they came from."""
    chosen = (
        sa.select(t.raw, t.deliveries.c.channel, t.deliveries.c.source, t.deliveries.c.scope)
        .add_columns(t.deliveries.c.position, t.deliveries.c.received_at, t.deliveries.c.outcome)
        .join(t.deliveries, t.deliveries.c.source_key == t.raw.c.source_key)
        .where(t.raw.c.source_key == source_key)
    )
    found = _rows(connection, chosen)
    return found[0] if found else None


def counts(connection: sa.Connection) -> dict[str, int]:
    """How much waits for a person."""
    waiting = sa.select(sa.func.count()).select_from(t.quarantine).where(t.quarantine.c.state == "waiting")
    dead = sa.select(sa.func.count()).select_from(t.outbox).where(t.outbox.c.dead_at.is_not(None))
    return {"quarantined": connection.scalar(waiting) or 0, "dead": connection.scalar(dead) or 0}


def event(connection: sa.Connection, row_id: int) -> Row | None:
    """One row of the outbox, headers and value with it."""
    found = _rows(connection, sa.select(t.outbox).where(t.outbox.c.id == row_id))
    return found[0] if found else None


def notice(connection: sa.Connection, notice_id: str) -> Row | None:
    """One notice."""
    found = _rows(connection, sa.select(t.notices).where(t.notices.c.id == notice_id))
    return found[0] if found else None
