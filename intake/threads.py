"""Which cases a message points at: by a letter of ours, an earlier message, a tracking code, or its conversation."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from intake import identity, tracking
from intake.schema import Message
from intake.store import registration as ask

CHAT_PAUSE = timedelta(hours=1)
"""After it the next message of a conversation is a new matter."""


@dataclass(frozen=True, slots=True)
class Pointed:
    """The cases a message points at, the surest first, and those our own token vouches for."""

    cases: list[str]
    vouched: set[str]


@dataclass(frozen=True, slots=True)
class Threads:
    """What the messages of a batch point at; messages the batch itself opens cases for are added."""

    letters: dict[str, str]
    external: dict[str, str]
    codes: dict[str, str]
    chats: dict[str, str]

    @classmethod
    def look_up(cls, connection: sa.Connection, found: Sequence[Message], now: datetime) -> Threads:
        """One question a kind for the whole batch."""
        references = {r for m in found for r in _references(m)}
        ours = identity.letters_answered(b"", list(references), "")
        return cls(
            ask.cases_of_letters(connection, ours),
            ask.cases_of_messages(connection, references),
            ask.cases_of_codes(connection, {c for m in found for c in _codes(m)}),
            ask.cases_of_chats(connection, {c for m in found if (c := conversation(m))}, now - CHAT_PAUSE),
        )

    def case_ids(self) -> set[str]:
        """Every stored case that is pointed at."""
        return {*self.letters.values(), *self.external.values(), *self.codes.values(), *self.chats.values()}

    def opened(self, message: Message, case_id: str) -> None:
        """The batch has opened a case for `message`; those behind it may answer it."""
        if message.external_id:
            self.external.setdefault(message.external_id, case_id)
        if chat := conversation(message):
            self.chats[chat] = case_id

    def of(self, message: Message, secret: bytes, known: Container[str]) -> Pointed:
        """What one message points at, of the cases that are known."""
        references = _references(message)
        own = identity.points(message.sender)
        ours = identity.letters_answered(secret, references, own[0][1] if len(own) == 1 else "")
        vouched = {self.letters[k] for k, made_for_him in ours.items() if made_for_him and k in self.letters}
        found = [
            *vouched,
            *(self.letters.get(letter) for letter in ours),
            *(self.external.get(reference) for reference in references),
            *(self.codes.get(code) for code in _codes(message)),
            self.chats.get(conversation(message)),
        ]
        return Pointed([case_id for case_id in dict.fromkeys(found) if case_id and case_id in known], vouched)


def conversation(message: Message) -> str:
    """The conversation a message stands in, unique over all sources; empty where its channel has none."""
    chat = message.thread.chat_id
    return f"{message.channel}:{message.source}:{chat}"[:500] if chat else ""


def _references(message: Message) -> list[str]:
    """Message ids this one answers, the nearest first; a letter's also stands behind the plus of its Reply-To."""
    thread = message.thread
    ids = [thread.in_reply_to, *_tags(message), *reversed(thread.references)]
    return [i for i in dict.fromkeys(ids) if i]


def _codes(message: Message) -> list[str]:
    """The tracking codes in its subject and text, and behind the plus of the address it was sent to."""
    tagged = [code for tag in _tags(message) for code in tracking.find(tag)]
    return list(dict.fromkeys((*message.thread.codes, *tagged)))


def _tags(message: Message) -> list[str]:
    """What stands behind the plus in the addresses it was sent to (RFC 5233, subaddress)."""
    locals_ = [
        r.address.rpartition("@")[0] for r in message.recipients[:_MOST_RECIPIENTS] if r.role != "reply_to"
    ]
    return [tag for _, _, tag in (name.partition("+") for name in locals_) if tag]


_MOST_RECIPIENTS = 50
