"""What the pages and the departments' API ask of the database; every question names its whole answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from intake.schema import Message, Scan, Status
from intake.store.tables import attachments, cases, messages

Q = TypeVar("Q", bound=sa.Select[Any])


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attachment as far as a download needs it."""

    sha256: str
    size: int
    filename: str
    media_type: str
    scan: Scan


def status_of(connection: sa.Connection, code: str) -> Status | None:
    """Where the case with this canonical code stands; a duplicate where the first case does."""
    first = cases.alias("first")
    shown = sa.func.coalesce(first.c.status, cases.c.status)
    joined = cases.outerjoin(first, first.c.id == cases.c.duplicate_of)
    status = connection.scalar(sa.select(shown).select_from(joined).where(cases.c.code == code))
    return None if status is None else Status(status)


def attachment_of(
    connection: sa.Connection, case_id: str, attachment_id: str, department: str | None
) -> StoredFile | None:
    """An attachment of a case that is `department`'s (None: of any)."""
    query = (
        sa.select(
            attachments.c.sha256,
            attachments.c.size,
            attachments.c.filename,
            attachments.c.media_type,
            attachments.c.scan,
        )
        .join(cases, cases.c.id == attachments.c.case_id)
        .where(attachments.c.id == attachment_id, attachments.c.case_id == case_id)
    )
    row = connection.execute(_of(query, department)).one_or_none()
    return None if row is None else StoredFile(*row)


def case_text(
    connection: sa.Connection, case_id: str, department: str | None, message_id: str = ""
) -> str | None:
    """All messages of a case that is `department`'s (None: of any), oldest first, as one plain text.

    With `message_id` only that one; None where the case has no such message.
    """
    if connection.scalar(_of(sa.select(cases.c.id).where(cases.c.id == case_id), department)) is None:
        return None
    query = sa.select(messages.c.document).where(messages.c.case_id == case_id)
    if message_id:
        query = query.where(messages.c.id == message_id)
    rows = connection.scalars(query.order_by(messages.c.received_at, messages.c.id))
    return "\n\n".join(_as_text(Message.model_validate(document)) for document in rows) or None


def _of(query: Q, department: str | None) -> Q:
    return query if department is None else query.where(cases.c.department == department)


def _as_text(message: Message) -> str:
    head = f"{message.received_at:%Y-%m-%dT%H:%M:%SZ} {message.channel}"
    parts = [head, message.subject, message.text, f"[quoted]\n{message.quoted}" if message.quoted else ""]
    return "\n\n".join(part for part in parts if part) + "\n"
