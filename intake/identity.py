"""Who wrote, and whether he may add to a case: contact points, agreement, and our own thread tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection
from email.utils import parseaddr
from enum import IntEnum

from intake.schema import ContactPoint, RawMessage, Sender
from intake.text import clean_line

Point = tuple[str, str]
"""A contact point as the tables hold it: kind and canonical value."""

_TOKEN_CHARACTERS = 16
_LETTER = re.compile(
    r"^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([a-z2-7]{16})(?:@|$)"
)
_HEAD_BYTES = 16_384
_FROM = re.compile(rb"^from:[ \t]*(.{1,2000})$", re.IGNORECASE | re.MULTILINE)
_NOT_A_PERSON = re.compile(
    rb"^(auto-submitted:[ \t]*auto|return-path:[ \t]*<>|precedence:[ \t]*(bulk|list|junk)|list-id:)",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"^[^\s@<>]{1,64}@[a-z0-9.-]{1,253}$")
_MACHINES = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"})


def points(sender: Sender) -> list[Point]:
    """The sender's contact points as pairs."""
    return [(p.kind, p.value) for p in sender.contact_points]


class Standing(IntEnum):
    """What a sender may do with a case; each includes those below it."""

    STRANGER = 0
    """Nothing: what he sends is a case of its own, and he is told nothing of this one."""
    CLAIMANT = 1
    """Add to it. Nothing speaks against him being who he says, and nothing for it: he is told nothing."""
    OWNER = 2
    """See it: he is told what concerns it."""


def standing(sender: Sender, contacts: Collection[Point], *, vouched: bool) -> Standing:
    """Who may add to a case with these contacts, and who may see it: the one place where that is decided.

    The single address he wrote from must be one of the case's, and nothing may speak against it being his;
    a thread token made for his address (`vouched`) outweighs a missing or failed authentication.
    """
    own = points(sender)
    if len(own) != 1 or own[0] not in contacts:
        return Standing.STRANGER
    if vouched or sender.trust in ("authenticated", "verified"):
        return Standing.OWNER
    return Standing.STRANGER if sender.trust == "none" else Standing.CLAIMANT


def thread_token(secret: bytes, letter: str, address: str) -> str:
    """16 base-32 letters that only we can make: HMAC-SHA256 (RFC 2104) of a letter's id and its recipient."""
    mac = hmac.new(secret, f"thread|{letter}|{address}".encode(), hashlib.sha256).digest()
    return base64.b32encode(mac)[:_TOKEN_CHARACTERS].decode().lower()


def letter_message_id(secret: bytes, letter: str, address: str) -> str:
    """The left side of the Message-ID a letter goes out under: its id and the thread token."""
    return f"{letter}.{thread_token(secret, letter, address)}"


def letters_answered(secret: bytes, references: list[str], address: str) -> dict[str, bool]:
    """Our letters among message ids, each with whether its token was made for `address`."""
    found = {}
    for reference in references:
        if match := _LETTER.match(reference):
            expected = thread_token(secret, match[1], address)
            found[match[1]] = hmac.compare_digest(expected, match[2])
    return found


def is_machine(address: str) -> bool:
    """Addresses nobody reads: a letter there is a bounce at best."""
    return address.partition("@")[0].lower() in _MACHINES


def order_key(raw: RawMessage) -> str:
    """What offers share that must keep their order: the source and, as far as a glance tells, the sender."""
    if raw.content_type == "message/rfc822":
        head = _FROM.search(raw.body[:_HEAD_BYTES].replace(b"\r", b""))
        return f"{raw.source}|{head[1].decode('latin-1').strip().lower() if head else raw.source_key}"
    return f"{raw.source}|{raw.meta.get('sender') or raw.key}"


def glimpse_sender(raw: RawMessage) -> Sender:
    """The sender of bytes that could not be normalised, from the first headers; empty where in doubt."""
    if raw.content_type != "message/rfc822":
        return Sender()
    head = raw.body[:_HEAD_BYTES].replace(b"\r", b"").partition(b"\n\n")[0]
    lines = _FROM.findall(head)
    if len(lines) != 1 or _NOT_A_PERSON.search(head):
        return Sender()
    name, address = parseaddr(clean_line(lines[0].decode("utf-8", "replace")))
    address = address.lower()
    if not _ADDRESS.match(address) or is_machine(address) or lines[0].count(b"@") != 1:
        return Sender()
    return Sender(
        name=clean_line(name, 200),
        contact_points=(ContactPoint(kind="email", value=address),),
        trust="claimed",
    )
