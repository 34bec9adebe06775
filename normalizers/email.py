"""A mail as one Message: who, when, what was written now, what it answers, what came with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from intake import tracking
from intake.errors import RejectedMessage
from intake.schema import (
    Address,
    ContactPoint,
    Message,
    Normalized,
    RawMessage,
    Recipient,
    Sender,
    Thread,
    Trust,
)
from intake.text import clean_line, clean_text
from normalizers import addresses, authentication, automatic, body, dates, markup, mime, quotes
from normalizers.headers import Head

MOST_REFERENCES = 50
SUBJECT_CHARACTERS = 1_000
MOST_WARNINGS = 30
CODE_CHARACTERS = 100_000
"""Characters of a text in which tracking codes are looked for."""
MOST_FILES = 20
MOST_FILE_BYTES = 20_971_520

_NOTHING = b"\0 \t\r\n"
_ROLES: tuple[tuple[Literal["to", "cc", "reply_to"], str], ...] = (
    ("to", "to"),
    ("cc", "cc"),
    ("reply_to", "reply-to"),
)
_MESSAGE_ID = re.compile(r"<([^<>]{1,998})>")
_BLANKS = re.compile(r"\s+")
_REPLY_SUBJECT = re.compile(
    r"\s*(?:re|ynt|yan|cvp|cevap|yanıt|aw|antw|sv|r)\s*(?:\[\d+\])?\s*:", re.IGNORECASE
)
_FORWARD_SUBJECT = re.compile(r"\s*(?:fwd?|ilt|i̇lt|ilet|iletilen|wg|tr|enc|rv)\s*:", re.IGNORECASE)


def normalize(raw: RawMessage) -> Normalized:
    """The Message in the bytes of one mail, RFC 5322 or whatever came instead.

    Raises RejectedMessage("empty") for a mail without one readable byte; all else is a Message with warnings.
    Reads of `raw.meta`: authserv_ids, own_addresses, own_message_domain, truncated, max_attachments,
    max_attachment_bytes.
    """
    if not raw.body[:1000].strip(_NOTHING) and not raw.body.strip(_NOTHING):
        raise RejectedMessage("empty", "the mail has no bytes")
    root, warnings = mime.parse(raw.body)
    most_files = _number(raw.meta.get("max_attachments"), MOST_FILES)
    content = body.read(root, most_files, _number(raw.meta.get("max_attachment_bytes"), MOST_FILE_BYTES))
    warnings += content.warnings
    if original_size := _number(raw.meta.get("truncated"), 0):
        warnings.append(f"truncated: only a part of {original_size} bytes was fetched")
    message = _message(raw, root, content, warnings)
    return Normalized(message, quotes.without_marks(content.text), content.contents)


def _message(raw: RawMessage, root: mime.Part, content: body.Content, warnings: list[str]) -> Message:
    head = root.head
    sender, from_address = _sender(head, raw.meta, warnings)
    subject = clean_line(head.decoded("subject"), SUBJECT_CHARACTERS)
    thread = _thread(head)
    fresh, quoted = quotes.cut(content.text, is_reply=_is_reply(subject, thread.in_reply_to))
    if codes := _codes(subject, fresh, quoted):
        thread = thread.model_copy(update={"codes": codes})
    sent_at, warning = dates.read(head.get("date"), raw.received_at)
    if warning:
        warnings.append(warning)
    origin = _origin(raw.meta, from_address, subject, thread.message_id, root, content)
    return Message(
        channel=raw.channel,
        source=raw.source,
        external_id=thread.message_id,
        sent_at=sent_at,
        received_at=raw.received_at,
        sender=sender,
        recipients=_recipients(head, warnings),
        subject=subject,
        text=fresh,
        quoted=quoted,
        html="\n".join(content.htmls)[: markup.LONGEST],
        attachments=tuple(content.attachments),
        thread=thread,
        automatic=automatic.classify(head, origin),
        spam=automatic.is_spam(head),
        warnings=_distinct(warnings),
    )


def sender_address(data: bytes) -> Address:
    """The From of a mail as it is written there: name and address, the domain in lower case."""
    root, _ = mime.parse(data)
    found = _from_addresses(root.head)
    return found[0] if found else Address()


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _from_addresses(head: Head) -> list[Address]:
    return [found for value in head.all("from")[:20] for found in addresses.read(value, 20)]


def _sender(head: Head, meta: dict[str, Any], warnings: list[str]) -> tuple[Sender, str]:
    """The sender and his address. Who cannot be told apart from somebody else is not trusted."""
    found = _from_addresses(head)
    trust: Trust | None = None
    if not any(entry.address for entry in found):
        warnings.append("from: missing or without an address")
        found = _stand_ins(head) or found
        trust = "none"
    elif len(found) > 1 or len(head.fields["from"]) > 1:
        warnings.append("from: more than one sender")
        trust = "none"
    first = next((entry for entry in found if entry.address), found[0] if found else Address())
    value = addresses.canonical(first.address)
    if first.address and not value:
        warnings.append("from: not a valid address")
    if trust is None:
        lines = [(name, text) for name, text in _in_order(head, ("received", "authentication-results"))]
        trust = authentication.trust(
            lines, addresses.domain_of(first.address), _strings(meta.get("authserv_ids"))
        )
    points = (ContactPoint(kind="email", value=value),) if value else ()
    return Sender(name=first.name, contact_points=points, trust=trust if value else "none"), first.address


def _stand_ins(head: Head) -> list[Address]:
    for name in ("sender", "reply-to", "return-path"):
        if found := [entry for entry in addresses.read(head.get(name), 5) if entry.address]:
            return found
    return []


def _in_order(head: Head, names: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    """(name, value) of the fields with these names, topmost first."""
    values = {name: iter(head.all(name)) for name in names}
    for name in head.order:
        if name in values and (value := next(values[name], None)) is not None:
            yield name, value


def _recipients(head: Head, warnings: list[str]) -> tuple[Recipient, ...]:
    recipients: list[Recipient] = []
    for role, name in _ROLES:
        if name not in head.fields:
            continue
        found = [entry for value in head.all(name)[:20] for entry in addresses.read(value)]
        if len(found) >= addresses.MOST:
            warnings.append(f"{name}: too many addresses, the first {addresses.MOST} are kept")
        recipients += [
            Recipient(role=role, name=entry.name, address=entry.address) for entry in found[: addresses.MOST]
        ]
    return tuple(recipients)


def _thread(head: Head) -> Thread:
    """Message-ID, In-Reply-To and References, without angle brackets."""
    own = _ids(head.get("message-id"))
    answered = _ids(head.get("in-reply-to"))
    references = list(dict.fromkeys(_ids(" ".join(head.all("references")[:5]))))
    if len(references) > MOST_REFERENCES:
        references = [*references[:10], *references[10 - MOST_REFERENCES :]]
    return Thread(
        message_id=own[0] if own else "",
        in_reply_to=answered[0] if answered else "",
        references=tuple(references),
    )


def _ids(value: str) -> list[str]:
    if not value:
        return []
    found = _MESSAGE_ID.findall(value) or [word.strip("<>\"',;") for word in value.split() if "@" in word]
    if not found and len(value) <= 998:
        found = [value.strip("<> ")]
    return [cleaned for item in found if (cleaned := clean_text(_BLANKS.sub("", item), 998))]


def _is_reply(subject: str, in_reply_to: str) -> bool:
    if _FORWARD_SUBJECT.match(subject):
        return False
    return bool(in_reply_to) or _REPLY_SUBJECT.match(subject) is not None


def _codes(*texts: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(code for text in texts if text for code in tracking.find(text[:CODE_CHARACTERS]))
    )


def _origin(
    meta: dict[str, Any],
    from_address: str,
    subject: str,
    message_id: str,
    root: mime.Part,
    content: body.Content,
) -> automatic.Origin:
    report_type = root.params.get("report-type", "report").lower() if root.kind == "multipart/report" else ""
    own_domain = meta.get("own_message_domain")
    return automatic.Origin(
        from_address=from_address,
        subject=subject,
        message_id=message_id,
        own_addresses=_strings(meta.get("own_addresses")),
        own_message_domain=own_domain if isinstance(own_domain, str) else "",
        report_type=report_type,
        kinds=content.kinds,
    )


def _distinct(warnings: list[str]) -> tuple[str, ...]:
    if not warnings:
        return ()
    kept = list(dict.fromkeys(clean_line(warning, 300) for warning in warnings))
    if len(kept) > MOST_WARNINGS:
        kept = [*kept[:MOST_WARNINGS], f"warnings: {len(kept) - MOST_WARNINGS} more"]
    return tuple(kept)
