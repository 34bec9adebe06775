"""The shapes that cross a folder's border: what a channel gave, what it means, what was made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Trust = Literal["none", "claimed", "authenticated", "verified"]
Automatic = Literal["none", "auto-reply", "bounce", "list", "own"]
Scan = Literal["pending", "clean", "infected", "not_configured"]
Kind = Literal["complaint", "enquiry", "thanks", "data_request"]
Category = Literal["payments", "account", "technical", "game", "responsible_gaming", "general"]
Priority = Literal["urgent", "high", "normal", "low"]
Department = Literal[
    "payments",
    "accounts",
    "technical",
    "games",
    "responsible-gaming",
    "general",
    "management",
    "compliance",
]

DEPARTMENTS: tuple[Department, ...] = get_args(Department)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One thing a channel gave us, byte for byte, before anybody has read it.

    `scope` and `position` place it in its source where the source counts (mail: "INBOX/<UIDVALIDITY>" and
    the UID); `key` names it where the source does not (web form: the client's UUID). `meta` holds what the
    connector knows and the bytes do not say; values are plain JSON.
    """

    channel: str
    source: str
    content_type: str
    body: bytes
    received_at: datetime
    scope: str = ""
    position: int | None = None
    key: str = ""
    meta: dict[str, str | int | bool | list[str] | None] = field(default_factory=dict)

    @property
    def source_key(self) -> str:
        """The unique key of this delivery in the ledger."""
        place = self.key if self.position is None else str(self.position)
        return f"{self.channel}:{self.source}:{self.scope}:{place}"


class Frozen(BaseModel):
    """A value: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Frozen):
    """A mail address as found: `name` decoded and cleaned, `address` lower-cased in its domain."""

    name: str = ""
    address: str = ""


class ContactPoint(Frozen):
    """A place where a customer can be reached. `value` is canonical: e-mail folded, phone in E.164."""

    kind: Literal["email", "phone", "telegram", "x", "chat"]
    value: str = Field(max_length=320)


class Sender(Frozen):
    """Who wrote. `trust` is what the channel proves about the contact points, not about the person.

    none: contradicted or ambiguous (failed authentication, two From addresses, an address typed into a form);
    claimed: nothing speaks for or against; authenticated: the receiving server or our own token vouches;
    verified: the customer proved control of the contact point.
    """

    name: str = ""
    contact_points: tuple[ContactPoint, ...] = ()
    account: str | None = Field(None, description="user name or id on the platform, as the sender gave it")
    trust: Trust = "none"


class Recipient(Frozen):
    """One addressee and the header it stood in."""

    role: Literal["to", "cc", "reply_to"]
    name: str = ""
    address: str = ""


class Attachment(Frozen):
    """A file that came with a message; never its bytes. `media_type` is sniffed, `declared_type` claimed."""

    id: str = Field(description="UUID, unique over all attachments")
    filename: str = Field(description="safe to show and to save: no path, no control or bidi characters")
    original_filename: str = ""
    media_type: str = "application/octet-stream"
    declared_type: str = ""
    size: int = Field(ge=0, description="decoded bytes")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the decoded bytes")
    content_id: str | None = None
    inline: bool = False
    scan: Scan = "not_configured"


class Thread(Frozen):
    """What ties a message to others. Message ids are without angle brackets; `codes` are canonical."""

    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    chat_id: str | None = None
    codes: tuple[str, ...] = ()


class Call(Frozen):
    """A phone call, where the message is the log of one."""

    direction: Literal["in", "out"] = "in"
    duration_s: int = Field(0, ge=0)
    agent: str = ""
    outcome: str = ""
    recording: str = ""
    emergency: bool = False


class Message(Frozen):
    """A normalised message: the one schema of every channel."""

    channel: ChannelName
    source: str
    external_id: str = Field("", description="the channel's own id (mail: Message-ID)")
    sent_at: datetime | None = Field(None, description="as the sender's clock says, UTC")
    received_at: datetime = Field(description="when the source received it, UTC")
    sender: Sender = Sender()
    recipients: tuple[Recipient, ...] = ()
    subject: str = ""
    text: str = Field("", description="the fresh part, plain text")
    quoted: str = Field("", description="what was cut from the text: quoted mails, signature")
    html: str = Field("", description="as it came, hostile: sanitise whenever it is shown")
    language: str | None = Field(None, description="ISO 639-1, where the channel states it")
    chosen_category: Category | None = Field(None, description="picked by the customer on the form")
    attachments: tuple[Attachment, ...] = ()
    thread: Thread = Thread()
    automatic: Automatic = "none"
    spam: bool = Field(False, description="the receiving server marked it as spam")
    revision_of: str | None = None
    call: Call | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Normalized:
    """What a normalizer returns: the message, the whole plain text before cutting, and the files' bytes.

    `contents` maps an attachment's sha256 to its decoded bytes; files a connector has stored already
    are not in it.
    """

    message: Message
    body: str = ""
    contents: dict[str, bytes] = field(default_factory=dict)


class Money(Frozen):
    """An amount as a decimal string and its ISO 4217 currency."""

    value: str
    currency: str


class Entities(Frozen):
    """Facts found in a text, canonical, in order of appearance."""

    amounts: tuple[Money, ...] = ()
    ids: tuple[str, ...] = ()
    ibans: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    games: tuple[str, ...] = ()


class Evidence(Frozen):
    """Where to look in the operator's logs: the time a message speaks of, and the identifiers it names."""

    begins_at: datetime = Field(description="UTC")
    ends_at: datetime = Field(description="UTC; not after the message was sent")
    ids: tuple[str, ...] = ()
    url: str = Field("", description="into the operator's log system, where a template is configured")


class Triage(Frozen):
    """Where a message goes and how fast, with the reasons a person can read."""

    language: str = "und"
    kind: Kind = "complaint"
    category: Category = "general"
    department: Department = "general"
    priority: Priority = "normal"
    underage: bool = False
    flags: tuple[str, ...] = ()
    entities: Entities = Entities()
    confidence: float = Field(0.0, ge=0, le=1)
    reasons: tuple[str, ...] = ()
    classifier: str = ""
    evidence: Evidence | None = None


class Outcome(StrEnum):
    """What became of one delivery; each counts in exactly one column of the books."""

    REGISTERED = "registered"
    FOLLOW_UP = "follow_up"
    DUPLICATE = "duplicate"
    REPEAT = "repeat"
    REVISION = "revision"
    ANSWERED = "answered"
    SET_ASIDE = "set_aside"
    REFUSED = "refused"
    QUARANTINED = "quarantined"


class Status(StrEnum):
    """Where a case stands."""

    REGISTERED = "registered"
    IN_PROGRESS = "in_progress"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_THIRD_PARTY = "waiting_third_party"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer of `deliver`: this delivery is durable, and this is what it became.

    `first` is False where the ledger held the delivery already; the rest is then what was decided then.
    """

    outcome: Outcome
    code: str | None
    case_id: str | None
    first: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One outgoing message to one customer: a notice, or several bundled into one.

    `id` is stable over retries, so channels that know idempotency derive theirs from it. `message_id`,
    `in_reply_to` and `references` are mail ids without angle brackets.
    """

    id: str
    channel: str
    source: str
    recipient: str
    language: str
    subject: str
    text: str
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
