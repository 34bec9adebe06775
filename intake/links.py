"""Taking back that a case is a duplicate: it becomes a case of its own, and both departments are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from intake import events
from intake.casefacts import facts_of, row_of
from intake.errors import IntakeError
from intake.schema import Attachment, Message, Outcome
from intake.store import registration as ask
from intake.store import tables as t
from intake.store.bulk import insert_rows
from intake.store.registration import CaseState


def unlink(connection: sa.Connection, code: str, origin: events.Origin, now: datetime) -> str:
    """Make the duplicate with this canonical code a case of its own; the first case's code is returned.

    It goes to the department its own text calls for, with its own `registered`; the first case's department
    gets `duplicate_unlinked`. Raises `IntakeError` where there is no such case or it is no duplicate.
    """
    case_id = connection.scalar(sa.select(t.cases.c.id).where(t.cases.c.code == code))
    if case_id is None:
        raise IntakeError("there is no such case")
    cases = ask.lock_cases(connection, {case_id})
    case = cases[case_id]
    first = cases.get(case.duplicate_of or "")
    if first is None:
        raise IntakeError("this case is no duplicate of another one")
    _part(case, first)
    message, files = _first_message(connection, case_id)
    told = events.registered(facts_of(case, message, case.triage), message, case.triage, files, origin)
    told += events.duplicate_unlinked(facts_of(first, message, first.triage), first.triage, origin, at=now)
    insert_rows(connection, t.outbox, told)
    remembered = [
        _remembered(case, {"outcome": "unlinked", "from": first.id}, "registered", now),
        _remembered(first, {"case_id": case.id}, "duplicate_unlinked", now),
    ]
    insert_rows(connection, t.history, remembered)
    for changed in sorted((case, first), key=lambda c: c.id):
        connection.execute(sa.update(t.cases).where(t.cases.c.id == changed.id).values(**_values(changed)))
    counted = t.deliveries.c.case_id == case.id, t.deliveries.c.outcome == Outcome.DUPLICATE.value
    connection.execute(sa.update(t.deliveries).where(*counted).values(outcome=Outcome.REGISTERED.value))
    return first.code


def _part(case: CaseState, first: CaseState) -> None:
    case.duplicate_of, case.department = None, case.triage.department
    case.sequence += 1
    first.sequence += 1
    case.related = [r for r in case.related if r["case_id"] != first.id]
    first.related = [r for r in first.related if r["case_id"] != case.id]


def _first_message(connection: sa.Connection, case_id: str) -> tuple[Message, list[Attachment]]:
    chosen = sa.select(t.messages.c.document).where(t.messages.c.case_id == case_id)
    document = connection.scalar(chosen.order_by(t.messages.c.id).limit(1))
    message = Message.model_validate(document)
    return message, list(message.attachments)


def _remembered(case: CaseState, data: dict[str, Any], fact: str, now: datetime) -> dict[str, Any]:
    return {"case_id": case.id, "sequence": case.sequence, "at": now, "fact": fact, "data": data}


def _values(case: CaseState) -> dict[str, Any]:
    kept = ("id", "code")
    return cast("dict[str, Any]", {k: v for k, v in row_of(case).items() if k not in kept})
