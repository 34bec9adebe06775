"""The tables, once, for SQLite and PostgreSQL. Changes go through a migration in `migrations/`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 UTC: equal, sortable and exact on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        if value is None:
            return None
        delta = value.astimezone(UTC) - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Json(sa.types.TypeDecorator[Any]):
    """JSON in a text column. A str given is JSON already (pydantic writes it faster than we would)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        return to_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_Id = sa.String(36)

metadata = sa.MetaData()

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("source", sa.String(200), primary_key=True, comment="mailbox, bot or key"),
    sa.Column("scope", sa.String(200), primary_key=True, comment="mail: FOLDER/UIDVALIDITY; else empty"),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("cursor", sa.BigInteger, nullable=False, default=0, comment="nothing is open up to here"),
    sa.Column("known", sa.Boolean, nullable=False, default=False, comment="the cut-off has been applied"),
    sa.Column("sighted_to", sa.BigInteger, nullable=False, default=0, comment="highest position ever shown"),
    sa.Column("seen", sa.BigInteger, nullable=False, default=0, comment="the books: what the source showed"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("source_key", sa.String(500), primary_key=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("scope", sa.String(200), nullable=False),
    sa.Column("position", sa.BigInteger),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False, default=""),
    sa.Column("content_hash", sa.String(64), comment="sha256; equal content is a repeat"),
    sa.Column("case_id", _Id),
    sa.Column("message_id", _Id),
    sa.Column("received_at", Instant),
    sa.Column("committed_at", Instant, nullable=False),
    sa.Index("deliveries_position", "source", "scope", "position"),
    sa.Index("deliveries_content", "content_hash"),
    sa.Index("deliveries_case", "case_id"),
)

raw = sa.Table(
    "raw",
    metadata,
    sa.Column("source_key", sa.String(500), primary_key=True),
    sa.Column("content_type", sa.String(100), nullable=False),
    sa.Column("meta", Json, nullable=False),
    sa.Column("body", sa.LargeBinary, comment="up to 64 KiB; larger ones are a blob"),
    sa.Column("blob", sa.String(64)),
    sa.Column("size", sa.BigInteger, nullable=False),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("source_key", sa.String(500), primary_key=True),
    sa.Column("reason", sa.String(100), nullable=False),
    sa.Column("detail", sa.Text, nullable=False, default=""),
    sa.Column("attempts", sa.Integer, nullable=False, default=1),
    sa.Column(
        "state", sa.String(16), nullable=False, default="waiting", comment="waiting|replayed|discarded"
    ),
    sa.Column("first_seen", Instant, nullable=False),
    sa.Column("last_seen", Instant, nullable=False),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", sa.String(1000), nullable=False, default=""),
    sa.Column("created_at", Instant, nullable=False),
)

contact_points = sa.Table(
    "contact_points",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("value", sa.String(320), primary_key=True),
    sa.Column("customer_id", _Id, nullable=False),
    sa.Column("trust", sa.String(16), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("contact_points_customer", "customer_id"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("account", sa.String(200), primary_key=True),
    sa.Column("customer_id", _Id, primary_key=True),
    sa.Column("trust", sa.String(16), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("code", sa.String(14), nullable=False, unique=True, comment="canonical: no dashes"),
    sa.Column("customer_id", _Id),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("status", sa.String(24), nullable=False),
    sa.Column("department", sa.String(32), nullable=False),
    sa.Column("priority", sa.String(16), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("subject", sa.String(1000), nullable=False),
    sa.Column("triage", Json, nullable=False),
    sa.Column("related", Json, nullable=False, comment="[{case_id, relation, confirmed}]"),
    sa.Column("sequence", sa.Integer, nullable=False, comment="of the last event; handed out under lock"),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("registered_at", Instant, nullable=False),
    sa.Column("last_receipt_at", Instant),
    sa.Column("duplicate_of", _Id, comment="the first case about the same matter; never itself a duplicate"),
    sa.Index("cases_customer", "customer_id", "registered_at", "id"),
    sa.Index(
        "cases_duplicates",
        "duplicate_of",
        sqlite_where=sa.text("duplicate_of IS NOT NULL"),
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    ),
)

traces = sa.Table(
    "traces",
    metadata,
    sa.Column("case_id", _Id, primary_key=True),
    sa.Column("document", sa.Text, nullable=False, comment="intake.traces.Trace of its first message"),
)

case_identifiers = sa.Table(
    "case_identifiers",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True, comment="id, iban, account"),
    sa.Column("value", sa.String(200), primary_key=True),
    sa.Column("case_id", _Id, primary_key=True, comment="grows with time, so the newest are last"),
)

customer_merges = sa.Table(
    "customer_merges",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("kept_id", _Id, nullable=False),
    sa.Column("gone_id", _Id, nullable=False),
    sa.Column("moved", Json, nullable=False, comment="{points: [[kind, value]], accounts: […], cases: […]}"),
    sa.Column("evidence", sa.String(200), nullable=False),
    sa.Column("merged_at", Instant, nullable=False),
    sa.Column("split_at", Instant),
    sa.Index("customer_merges_gone", "gone_id"),
)

case_contacts = sa.Table(
    "case_contacts",
    metadata,
    sa.Column("case_id", _Id, primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("value", sa.String(320), primary_key=True),
    sa.Index("case_contacts_point", "kind", "value"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("case_id", _Id, nullable=False),
    sa.Column("source_key", sa.String(500), nullable=False),
    sa.Column("external_id", sa.String(500), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("document", Json, nullable=False, comment="the Message"),
    sa.Column("chat", sa.String(500), comment="the conversation it stands in: channel:source:chat id"),
    sa.Index("messages_case", "case_id"),
    sa.Index("messages_external", "external_id"),
    sa.Index(
        "messages_chat",
        "chat",
        "id",
        sqlite_where=sa.text("chat IS NOT NULL"),
        postgresql_where=sa.text("chat IS NOT NULL"),
    ),
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("case_id", _Id, nullable=False),
    sa.Column("message_id", _Id, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("filename", sa.String(255), nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("scan", sa.String(16), nullable=False),
    sa.Index("attachments_case", "case_id"),
    sa.Index("attachments_blob", "sha256"),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("case_id", _Id, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("fact", sa.String(40), nullable=False, comment="registered, followed_up, …"),
    sa.Column("data", Json, nullable=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("event_id", _Id, nullable=False, unique=True, comment="ce_id: one record on one topic"),
    sa.Column("case_id", _Id, nullable=False, comment="the record's key"),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("topic", sa.String(120), nullable=False, comment="without the configured prefix"),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("headers", Json, nullable=False),
    sa.Column("value", sa.LargeBinary, nullable=False, comment="final bytes; emptied by erasure"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("error", sa.String(500), nullable=False, default=""),
    sa.Column("dead_at", Instant, comment="given up; waits for a person"),
    sa.Index("outbox_case", "case_id", "topic", "id"),
    sa.Index(
        "outbox_dead",
        "id",
        sqlite_where=sa.text("dead_at IS NOT NULL"),
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

# what becomes of an event is kept beside it: events are wide, and to change one is to write it all again

unsent = sa.Table(
    "outbox_unsent",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=False, comment="of the row in the outbox"),
    sa.Column("topic", sa.String(120), nullable=False),
    sa.Index("outbox_unsent_topic", "topic", "id"),
    comment="what waits for the broker; a trigger puts every new event here",
)

sent = sa.Table(
    "outbox_sent",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=False, comment="of the row in the outbox"),
    sa.Column("topic", sa.String(120), comment="where numbered"),
    sa.Column("sent_at", Instant, nullable=False),
    sa.Column("partition", sa.Integer),
    sa.Column("offset", sa.BigInteger),
    sa.Column("position", sa.BigInteger, comment="number within the topic where there is no broker"),
    sa.Index(
        "outbox_position",
        "topic",
        "position",
        unique=True,
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    ),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("case_id", _Id, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False, comment="acknowledgement, receipt, status, …"),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("recipient", sa.String(320), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("data", Json, nullable=False, comment="what the template needs"),
    sa.Column("state", sa.String(16), nullable=False, comment="pending|sending|sent|failed|unknown"),
    sa.Column("letter", _Id, comment="the letter it goes out in; several may share one"),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("error", sa.String(500), nullable=False, default=""),
    sa.Index("notices_case", "case_id"),
    sa.Index("notices_letter", "letter"),
    sa.Index("notices_recipient", "channel", "recipient", "sent_at"),
    sa.Index(
        "notices_open",
        "due_at",
        sqlite_where=sa.text("state IN ('pending', 'sending')"),
        postgresql_where=sa.text("state IN ('pending', 'sending')"),
    ),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("holder", sa.String(100), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False, comment="fencing: grows with each change of holder"),
    sa.Column("expires_at", Instant, nullable=False),
)
