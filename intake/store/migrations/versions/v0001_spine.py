"""The spine: ledger, cases, messages, customers, history, outbox, notices, leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from intake.store.tables import Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# every new event waits to be sent, whoever wrote it
_NEW_EVENTS_WAIT = {
    "sqlite": [
        "CREATE TRIGGER outbox_added AFTER INSERT ON outbox WHEN new.dead_at IS NULL BEGIN"
        " INSERT INTO outbox_unsent (id, topic) VALUES (new.id, new.topic); END"
    ],
    "postgresql": [
        "CREATE FUNCTION outbox_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO outbox_unsent (id, topic) SELECT id, topic FROM added WHERE dead_at IS NULL; RETURN NULL; END $$",
        "CREATE TRIGGER outbox_added AFTER INSERT ON outbox REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION outbox_added()",
        # an event of usual size stays whole in its page: to compress it costs more than to keep it
        "ALTER TABLE outbox SET (toast_tuple_target = 8160)",
    ],
}


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("trust", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account", "customer_id"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("scan", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attachments_blob", "attachments", ["sha256"], unique=False)
    op.create_index("attachments_case", "attachments", ["case_id"], unique=False)
    op.create_table(
        "case_contacts",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "kind", "value"),
    )
    op.create_index("case_contacts_point", "case_contacts", ["kind", "value"], unique=False)
    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=14), nullable=False, comment="canonical: no dashes"),
        sa.Column("customer_id", sa.String(length=36), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("department", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=1000), nullable=False),
        sa.Column("triage", Json(), nullable=False),
        sa.Column("related", Json(), nullable=False, comment="[{case_id, relation, confirmed}]"),
        sa.Column(
            "sequence", sa.Integer(), nullable=False, comment="of the last event; handed out under lock"
        ),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("last_receipt_at", Instant(), nullable=True),
        sa.Column(
            "duplicate_of",
            sa.String(length=36),
            nullable=True,
            comment="the first case about the same matter; never itself a duplicate",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("cases_customer", "cases", ["customer_id", "registered_at", "id"], unique=False)
    op.create_index(
        "cases_duplicates",
        "cases",
        ["duplicate_of"],
        unique=False,
        sqlite_where=sa.text("duplicate_of IS NOT NULL"),
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
    op.create_table(
        "case_identifiers",
        sa.Column("kind", sa.String(length=16), nullable=False, comment="id, iban, account"),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column(
            "case_id", sa.String(length=36), nullable=False, comment="grows with time, so the newest are last"
        ),
        sa.PrimaryKeyConstraint("kind", "value", "case_id"),
    )
    op.create_table(
        "contact_points",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=320), nullable=False),
        sa.Column("customer_id", sa.String(length=36), nullable=False),
        sa.Column("trust", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value"),
    )
    op.create_index("contact_points_customer", "contact_points", ["customer_id"], unique=False)
    op.create_table(
        "customer_merges",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kept_id", sa.String(length=36), nullable=False),
        sa.Column("gone_id", sa.String(length=36), nullable=False),
        sa.Column(
            "moved", Json(), nullable=False, comment="{points: [[kind, value]], accounts: […], cases: […]}"
        ),
        sa.Column("evidence", sa.String(length=200), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.Column("split_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("customer_merges_gone", "customer_merges", ["gone_id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=1000), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "deliveries",
        sa.Column("source_key", sa.String(length=500), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column(
            "content_hash", sa.String(length=64), nullable=True, comment="sha256; equal content is a repeat"
        ),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("message_id", sa.String(length=36), nullable=True),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source_key"),
    )
    op.create_index("deliveries_case", "deliveries", ["case_id"], unique=False)
    op.create_index("deliveries_content", "deliveries", ["content_hash"], unique=False)
    op.create_index("deliveries_position", "deliveries", ["source", "scope", "position"], unique=False)
    op.create_table(
        "history",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("fact", sa.String(length=40), nullable=False, comment="registered, followed_up, …"),
        sa.Column("data", Json(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "sequence"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column(
            "token", sa.BigInteger(), nullable=False, comment="fencing: grows with each change of holder"
        ),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("source_key", sa.String(length=500), nullable=False),
        sa.Column("external_id", sa.String(length=500), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("document", Json(), nullable=False, comment="the Message"),
        sa.Column(
            "chat",
            sa.String(length=500),
            nullable=True,
            comment="the conversation it stands in: channel:source:chat id",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("messages_case", "messages", ["case_id"], unique=False)
    op.create_index(
        "messages_chat",
        "messages",
        ["chat", "id"],
        unique=False,
        sqlite_where=sa.text("chat IS NOT NULL"),
        postgresql_where=sa.text("chat IS NOT NULL"),
    )
    op.create_index("messages_external", "messages", ["external_id"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column(
            "kind", sa.String(length=32), nullable=False, comment="acknowledgement, receipt, status, …"
        ),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("data", Json(), nullable=False, comment="what the template needs"),
        sa.Column(
            "state", sa.String(length=16), nullable=False, comment="pending|sending|sent|failed|unknown"
        ),
        sa.Column(
            "letter",
            sa.String(length=36),
            nullable=True,
            comment="the letter it goes out in; several may share one",
        ),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notices_case", "notices", ["case_id"], unique=False)
    op.create_index("notices_letter", "notices", ["letter"], unique=False)
    op.create_index(
        "notices_open",
        "notices",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'sending')"),
        postgresql_where=sa.text("state IN ('pending', 'sending')"),
    )
    op.create_index("notices_recipient", "notices", ["channel", "recipient", "sent_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("event_id", sa.String(length=36), nullable=False, comment="ce_id: one record on one topic"),
        sa.Column("case_id", sa.String(length=36), nullable=False, comment="the record's key"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=120), nullable=False, comment="without the configured prefix"),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("headers", Json(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False, comment="final bytes; emptied by erasure"),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("dead_at", Instant(), nullable=True, comment="given up; waits for a person"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_case", "outbox", ["case_id", "topic", "id"], unique=False)
    op.create_index(
        "outbox_dead",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=sa.text("dead_at IS NOT NULL"),
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )
    op.create_table(
        "outbox_unsent",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="of the row in the outbox",
        ),
        sa.Column("topic", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        comment="what waits for the broker; a trigger puts every new event here",
    )
    op.create_index("outbox_unsent_topic", "outbox_unsent", ["topic", "id"], unique=False)
    op.create_table(
        "outbox_sent",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="of the row in the outbox",
        ),
        sa.Column("topic", sa.String(length=120), nullable=True, comment="where numbered"),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=True),
        sa.Column("offset", sa.BigInteger(), nullable=True),
        sa.Column(
            "position",
            sa.BigInteger(),
            nullable=True,
            comment="number within the topic where there is no broker",
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_position",
        "outbox_sent",
        ["topic", "position"],
        unique=True,
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    )
    for statement in _NEW_EVENTS_WAIT[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "quarantine",
        sa.Column("source_key", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="waiting|replayed|discarded"),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source_key"),
    )
    op.create_table(
        "raw",
        sa.Column("source_key", sa.String(length=500), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("meta", Json(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True, comment="up to 64 KiB; larger ones are a blob"),
        sa.Column("blob", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_key"),
    )
    op.create_table(
        "sources",
        sa.Column("source", sa.String(length=200), nullable=False, comment="mailbox, bot or key"),
        sa.Column(
            "scope", sa.String(length=200), nullable=False, comment="mail: FOLDER/UIDVALIDITY; else empty"
        ),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False, comment="nothing is open up to here"),
        sa.Column("known", sa.Boolean(), nullable=False, comment="the cut-off has been applied"),
        sa.Column("sighted_to", sa.BigInteger(), nullable=False, comment="highest position ever shown"),
        sa.Column("seen", sa.BigInteger(), nullable=False, comment="the books: what the source showed"),
        sa.PrimaryKeyConstraint("source", "scope"),
    )
    op.create_table(
        "traces",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="intake.traces.Trace of its first message"),
        sa.PrimaryKeyConstraint("case_id"),
    )
