"""A case's state as its table, its events and its letters need it."""

from __future__ import annotations

from typing import Any, cast

from intake import events
from intake.schema import ContactPoint, Department, Message, Priority, Status, Triage
from intake.store import tables as t
from intake.store.registration import CaseState

_CASE_COLUMNS = [column.name for column in t.cases.columns]


def row_of(case: CaseState) -> dict[str, Any]:
    """The case's row."""
    row = {name: getattr(case, name) for name in _CASE_COLUMNS}
    row["triage"] = case.triage.model_dump_json()
    return row


def facts_of(case: CaseState, message: Message, triage: Triage) -> events.CaseFacts:
    """What events tell of the case once `message` belongs to it."""
    contacts = sorted(case.contacts)
    return events.CaseFacts(
        case_id=case.id,
        code=case.code,
        sequence=case.sequence,
        status=Status(case.status),
        department=cast("Department", case.department),
        category=triage.category,
        priority=cast("Priority", case.priority),
        flags=triage.flags,
        language=case.language,
        customer_id=case.customer_id,
        contact_points=[ContactPoint.model_validate({"kind": k, "value": v}) for k, v in contacts],
        accounts=[message.sender.account] if message.sender.account else [],
        trust=message.sender.trust,
        name=message.sender.name,
        subject=message.subject or case.subject,
        related=[events.Relation(**r) for r in case.related],
        registered_at=case.registered_at,
        received_at=case.received_at,
        channel=message.channel,
    )
