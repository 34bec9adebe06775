"""What departments are told: the events, their CloudEvents headers, and the outbox rows that carry them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from opentelemetry import trace
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from uuid_utils import uuid7

from intake.schema import (
    Attachment,
    Category,
    ContactPoint,
    Department,
    Entities,
    Kind,
    Message,
    Priority,
    Scan,
    Status,
    Triage,
    Trust,
)
from intake.settings import Settings
from intake.text import mask_numbers
from intake.tracking import show

TEXT_BYTES: Final = 32 * 1024
"""Most bytes of UTF-8 of a message's text in an event; the rest is behind `text_url`."""
VALUE_BYTES: Final = 256 * 1024
"""Most bytes of a record's value: far below a broker's usual limit of 1 MiB."""
SCHEMAS: Final = "urn:omnichannel-intake:schema:"
"""What the name of every published schema begins with; the files are in docs/reference/schemas."""

_LIST_LENGTHS = (50, 10, 0)  # tried in turn where a value is too large; with none left it always fits


class Shape(BaseModel):
    """A part of an event. Additive: readers ignore fields and accept values they do not know."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Customer(Shape):
    """Who complains, as far as it is known."""

    id: str | None
    """The customer's id here; none where nothing is known to tell customers apart."""
    name: str
    """As the customer gave it; may be empty."""
    contact_points: tuple[ContactPoint, ...]
    """Where the customer can be reached, best first."""
    platform_accounts: tuple[str, ...]
    """User names or ids on the platform, as the customer gave them."""
    trust: Trust
    """What the channel proves about the contact points, not about the person."""


class File(Shape):
    """A file that came with the message; its bytes are behind `url`."""

    id: str
    """UUID."""
    filename: str
    """Safe to show and to save."""
    media_type: str
    """As found in the bytes, not as claimed."""
    size: int
    """Bytes."""
    sha256: str
    """Of the bytes, in hex."""
    inline: bool
    """Shown within the message's text rather than beside it."""
    scan: Scan
    """What the virus scan said; an infected file is not handed out."""
    url: str
    """Where the owning department fetches the bytes with its key."""


class Due(Shape):
    """One clock of the case."""

    kind: Literal["target", "legal"]
    """The promise for this type of problem, or the law's deadline."""
    due_at: datetime
    """When it runs out, UTC."""


class Relation(Shape):
    """Another case this one has to do with."""

    case_id: str
    """The other case."""
    relation: str
    """duplicate, earlier, incident …"""
    confirmed: bool
    """False where it is only proposed."""


class Evidence(Shape):
    """Where the platform's own logs of the matter are."""

    begins_at: datetime
    """Start of the time window, UTC."""
    ends_at: datetime
    """End of the time window, UTC."""
    ids: tuple[str, ...] = ()
    """Transaction and bet ids the message names."""
    url: str
    """Link into the operator's log system; empty where no template is configured."""


class LifeCycleEvent(Shape):
    """A fact in the life of a case, without text, subject, name or contact point."""

    schema_version: int = 1
    """Grows when a field is added; the type's name changes when readers would break."""
    event_id: str
    """UUIDv7, equal to the header `ce_id`: names this record; drop what you have seen."""
    sequence: int
    """Number of the fact within its case; only grows, gaps are normal."""
    caused_by: str | None = None
    """Id of the update that led to it."""
    tracking_code: str
    """As the customer knows it: XXXX-XXXX-XXXX-CC."""
    case_id: str
    """UUID of the case; the record's key."""
    status: Status
    """Where the case stands after this fact."""
    channel: str
    """How the message came: email, web_form …"""
    received_at: datetime
    """When the channel received the message, UTC."""
    registered_at: datetime
    """When the case was registered, UTC."""
    language: str
    """ISO 639-1, or `und`."""
    kind: Kind
    """In doubt a complaint."""
    category: Category
    """What the case is about."""
    department: Department
    """Who owns the case."""
    priority: Priority
    """How soon somebody has to look."""
    flags: tuple[str, ...]
    """What else to know: needs_review, self_exclusion …"""
    confidence: float
    """Of the classifier in the category, 0 to 1."""
    classifier: str
    """Name and version of what decided."""
    clocks: tuple[Due, ...] = ()
    """When the case has to be solved."""
    related: tuple[Relation, ...]
    """Duplicates, earlier cases, incident."""
    cut: tuple[str, ...] = ()
    """Names of the lists that were shortened to keep the value under 256 KB."""


class Event(LifeCycleEvent):
    """A fact in the life of a case, in full, for the department that owns it."""

    customer: Customer
    subject: str
    """One line; card and national-id numbers masked."""
    text: str
    """The fresh part of the message; card and national-id numbers masked; at most 32 KB."""
    text_truncated: bool
    """The text is longer."""
    text_url: str
    """Where the owning department fetches the whole text with its key."""
    attachments: tuple[File, ...]
    reasons: tuple[str, ...]
    """Why it was classified so, for a person."""
    entities: Entities
    """Facts found in the text."""
    evidence: Evidence | None = None


class UrgentNotice(Shape):
    """A case somebody has to look at now; no text. For the expert on call."""

    schema_version: int = 1
    """Grows when a field is added; the type's name changes when readers would break."""
    event_id: str
    """UUIDv7, equal to the header `ce_id`: names this record; drop what you have seen."""
    sequence: int
    """Number of the fact within its case; only grows, gaps are normal."""
    tracking_code: str
    """As the customer knows it: XXXX-XXXX-XXXX-CC."""
    case_id: str
    """UUID of the case; the record's key."""
    category: Category
    """What the case is about."""
    department: Department
    """Who owns the case, and whose key opens `url`."""
    flags: tuple[str, ...]
    """Why it is urgent."""
    registered_at: datetime
    """When the case was registered, UTC."""
    url: str
    """Where the text is."""
    cut: tuple[str, ...] = ()
    """Names of the lists that were shortened to keep the value under 256 KB."""


SCHEMA_MODELS: Final[dict[str, type[Shape]]] = {
    "complaint.registered.v1": Event,
    "complaint.followed_up.v1": Event,
    "complaint.duplicate_linked.v1": Event,
    "complaint.duplicate_unlinked.v1": LifeCycleEvent,
    "complaint.rerouted.v1": LifeCycleEvent,
    "complaint.life_cycle.v1": LifeCycleEvent,
    "complaint.urgent.v1": UrgentNotice,
}
"""What is published, by the name that stands in `ce_dataschema` after `SCHEMAS`."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the transaction knows of a case once the fact has happened; `code` is canonical, no dashes."""

    case_id: str
    code: str
    sequence: int
    status: Status
    department: Department
    category: Category
    priority: Priority
    flags: Sequence[str]
    language: str
    customer_id: str | None
    contact_points: Sequence[ContactPoint]
    accounts: Sequence[str]
    trust: Trust
    name: str
    subject: str
    related: Sequence[Relation]
    registered_at: datetime
    received_at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events say they come from, and where they send readers for files and long texts."""

    source: str
    private_url: str
    schemas: str = SCHEMAS

    @classmethod
    def of(cls, settings: Settings) -> Origin:
        """As configured: the public address names this installation."""
        return cls(settings.public_url, settings.private_url)


def registered(
    facts: CaseFacts, message: Message, triage: Triage, attachments: Sequence[Attachment], origin: Origin
) -> list[dict[str, Any]]:
    """Rows for the outbox: a case is new. To its department, to `events`, and to `urgent` if it is."""
    at = facts.registered_at
    return _records(facts, message, triage, attachments, origin, fact="registered", at=at, message_id="")


def followed_up(
    facts: CaseFacts,
    message: Message,
    triage: Triage,
    attachments: Sequence[Attachment],
    origin: Origin,
    *,
    at: datetime,
    message_id: str = "",
) -> list[dict[str, Any]]:
    """Rows for the outbox: a case got a further message, `at` that moment. To the same topics.

    `facts.received_at` is when that message came. With `message_id`, `text_url` asks for its text.
    """
    fact = "followed_up"
    return _records(facts, message, triage, attachments, origin, fact=fact, at=at, message_id=message_id)


def duplicate_linked(
    facts: CaseFacts,
    message: Message,
    triage: Triage,
    attachments: Sequence[Attachment],
    origin: Origin,
    *,
    at: datetime,
    duplicate: str,
) -> list[dict[str, Any]]:
    """Rows for the outbox: the customer complained of the same matter again, `at` that moment.

    `facts` are the first case's, text and files those of the message that came again; they are kept with the
    case `duplicate`, which `related` names. To the first case's topics.
    """
    fact = "duplicate_linked"
    return _records(
        facts, message, triage, attachments, origin, fact=fact, at=at, message_id="", kept_by=duplicate
    )


def duplicate_unlinked(
    facts: CaseFacts, triage: Triage, origin: Origin, *, at: datetime
) -> list[dict[str, Any]]:
    """Rows for the outbox: what was linked to this case is a case of its own after all. Without text."""
    kind, code = "complaint.duplicate_unlinked.v1", show(facts.code)
    headers = _headers(kind, code, at, origin)
    rows = []
    for topic, schema in ((f"{facts.department}.v1", kind), ("events.v1", "complaint.life_cycle.v1")):
        value = {"schema_version": 1, "event_id": str(uuid7()), **_common(facts, triage, code)}
        rows.append(_row(facts, kind, at, headers, topic, schema, value, origin))
    return rows


def rerouted(
    facts: CaseFacts, old: Department, triage: Triage, origin: Origin, *, at: datetime
) -> list[dict[str, Any]]:
    """Row for the outbox: the case is no longer `old`'s. Without text; `facts` name the new department."""
    kind, code = "complaint.rerouted.v1", show(facts.code)
    value = {"schema_version": 1, "event_id": str(uuid7()), **_common(facts, triage, code)}
    headers = _headers(kind, code, at, origin)
    return [_row(facts, kind, at, headers, f"{old}.v1", "complaint.life_cycle.v1", value, origin)]


def _records(
    facts: CaseFacts,
    message: Message,
    triage: Triage,
    attachments: Sequence[Attachment],
    origin: Origin,
    *,
    fact: str,
    at: datetime,
    message_id: str,
    kept_by: str = "",
) -> list[dict[str, Any]]:
    kind = f"complaint.{fact}.v1"
    code = show(facts.code)
    case_url = f"{origin.private_url}/v1/cases/{kept_by or facts.case_id}"
    text_url = f"{case_url}/text?message={message_id}" if message_id else f"{case_url}/text"
    common = _common(facts, triage, code)
    full = _full(facts, message, triage, attachments, case_url, text_url)
    ids = [str(uuid7()), str(uuid7())]
    values: list[tuple[str, str, dict[str, Any]]] = [
        (f"{facts.department}.v1", kind, {"schema_version": 1, "event_id": ids[0], **common, **full}),
        ("events.v1", "complaint.life_cycle.v1", {"schema_version": 1, "event_id": ids[1], **common}),
    ]
    if facts.priority == "urgent":
        ids.append(str(uuid7()))
        values.append(("urgent.v1", "complaint.urgent.v1", _urgent(facts, code, ids[2], text_url)))
    headers = _headers(kind, code, at, origin)
    return [_row(facts, kind, at, headers, topic, schema, value, origin) for topic, schema, value in values]


def _row(
    facts: CaseFacts,
    kind: str,
    at: datetime,
    headers: dict[str, str],
    topic: str,
    schema: str,
    value: dict[str, Any],
    origin: Origin,
) -> dict[str, Any]:
    event_id = value["event_id"]
    return {
        "event_id": event_id,
        "case_id": facts.case_id,
        "sequence": facts.sequence,
        "topic": topic,
        "type": kind,
        "headers": {**headers, "ce_id": event_id, "ce_dataschema": origin.schemas + schema},
        "value": _encoded(schema, value),
        "created_at": at,
    }


def _common(facts: CaseFacts, triage: Triage, code: str) -> dict[str, Any]:
    return {
        "sequence": facts.sequence,
        "caused_by": None,
        "tracking_code": code,
        "case_id": facts.case_id,
        "status": facts.status,
        "channel": facts.channel,
        "received_at": facts.received_at.astimezone(UTC),
        "registered_at": facts.registered_at.astimezone(UTC),
        "language": facts.language[:35],
        "kind": triage.kind,
        "category": facts.category,
        "department": facts.department,
        "priority": facts.priority,
        "flags": tuple(facts.flags),
        "confidence": triage.confidence,
        "classifier": triage.classifier[:200],
        "clocks": (),
        "related": tuple(facts.related),
        "cut": (),
    }


def _full(
    facts: CaseFacts,
    message: Message,
    triage: Triage,
    attachments: Sequence[Attachment],
    case_url: str,
    text_url: str,
) -> dict[str, Any]:
    text, truncated = cut(message.text, TEXT_BYTES)
    return {
        "customer": {
            "id": facts.customer_id,
            "name": mask_numbers(facts.name[:1000]),
            "contact_points": tuple(facts.contact_points),
            "platform_accounts": tuple(facts.accounts),
            "trust": facts.trust,
        },
        "subject": facts.subject[:1000],
        "text": text,
        "text_truncated": truncated,
        "text_url": text_url,
        "attachments": tuple(_file(a, case_url) for a in attachments),
        "reasons": triage.reasons,
        "entities": triage.entities,
        "evidence": _evidence(triage),
    }


def _evidence(triage: Triage) -> dict[str, Any] | None:
    """For whoever looks into logs: the technical department, or anyone where the operator has given a link."""
    found = triage.evidence
    if found is None or not (found.url or triage.category == "technical"):
        return None
    return {"begins_at": found.begins_at, "ends_at": found.ends_at, "ids": found.ids, "url": found.url}


def _file(attachment: Attachment, case_url: str) -> dict[str, Any]:
    return {
        "id": attachment.id,
        "filename": mask_numbers(attachment.filename),
        "media_type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "inline": attachment.inline,
        "scan": attachment.scan,
        "url": f"{case_url}/attachments/{attachment.id}",
    }


def _urgent(facts: CaseFacts, code: str, event_id: str, url: str) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "event_id": event_id,
        "sequence": facts.sequence,
        "tracking_code": code,
        "case_id": facts.case_id,
        "category": facts.category,
        "department": facts.department,
        "flags": tuple(facts.flags),
        "registered_at": facts.registered_at.astimezone(UTC),
        "url": url,
        "cut": (),
    }


def _headers(kind: str, code: str, at: datetime, origin: Origin) -> dict[str, str]:
    """CloudEvents 1.0, Kafka protocol binding, binary mode; all but what differs between the records."""
    return {
        "ce_specversion": "1.0",
        "ce_source": origin.source,
        "ce_type": kind,
        "ce_time": f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z",
        "ce_subject": code,
        "content-type": "application/json",
        "traceparent": traceparent(),
    }


def traceparent() -> str:
    """The current span in the form of W3C Trace Context, or a new trace that nobody recorded."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    random = os.urandom(24).hex()
    return f"00-{random[:32]}-{random[32:]}-00"


def cut(text: str, limit: int) -> tuple[str, bool]:
    """At most `limit` bytes of UTF-8, whole characters, and whether anything is missing."""
    if len(text) * 4 <= limit:
        return text, False
    encoded = text.encode()
    if len(encoded) <= limit:
        return text, False
    return encoded[:limit].decode(errors="ignore"), True


def _encoded(schema: str, value: dict[str, Any]) -> bytes:
    """The bytes the model of that name would write, at a fifth of the cost: what we made needs no validation."""
    encoded = to_json(value)
    if len(encoded) <= VALUE_BYTES:
        return encoded
    shape = SCHEMA_MODELS[schema].model_validate(value, from_attributes=True)
    for length in _LIST_LENGTHS:
        shape = _shortened(shape, length)
        encoded = shape.model_dump_json().encode()
        if len(encoded) <= VALUE_BYTES:
            break
    return encoded


def _shortened(shape: Shape, length: int) -> Shape:
    """The same with no list longer than `length`, here and in its parts, and `cut` naming those lists."""
    found: dict[str, Any] = {}
    names: set[str] = set(getattr(shape, "cut", ()))
    for name, value in shape:
        if isinstance(value, tuple) and name != "cut" and len(value) > length:
            found[name] = value[:length]
            names.add(name)
        elif isinstance(value, Customer | Entities):
            lists = {n: v[:length] for n, v in value if isinstance(v, tuple) and len(v) > length}
            found[name] = value.model_copy(update=lists)
            names.update(f"{name}.{part}" for part in lists)
    return shape.model_copy(update={**found, "cut": tuple(sorted(names))})
