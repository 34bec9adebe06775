"""Which mail is from machines, and which our server called spam."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import normalizers
from intake.schema import Message, RawMessage

META: dict[str, str | int | bool | list[str] | None] = {
    "own_addresses": ["destek@us.example"],
    "own_message_domain": "intake.us.example",
}


def message(head: str) -> Message:
    data = f"{head}\r\nTo: destek@us.example\r\n\r\nmetin".encode()
    received = datetime(2026, 11, 23, tzinfo=UTC)
    return normalizers.normalize(
        RawMessage("email", "s", "message/rfc822", data, received, meta=META)
    ).message


A = "From: a@b.example\r\n"
KINDS = {
    "a person": (A + "Subject: x", "none"),
    "auto-submitted: no": (A + "Auto-Submitted: No", "none"),
    "auto-submitted": (A + "Auto-Submitted: auto-generated (rejected)", "auto-reply"),
    "suppress alone": (A + "X-Auto-Response-Suppress: All", "none"),
    "suppress and an absence": (
        A + "X-Auto-Response-Suppress: All\r\nSubject: Automatic reply: x",
        "auto-reply",
    ),
    "an absence in the subject alone": (A + "Subject: Out of office", "none"),
    "vacation of old programs": (A + "Precedence: junk\r\nSubject: Otomatik yanıt: x", "auto-reply"),
    "autoreply field": (A + "X-Autoreply: yes", "auto-reply"),
    "nobody to answer to": (A + "Return-Path: <>", "auto-reply"),
    "list": (A + "Precedence: list", "list"),
    "newsletter": (A + "List-Unsubscribe: <mailto:x@y.example>", "list"),
    "our own group": (A + "Precedence: list\r\nList-Post: <mailto:destek@us.example>", "none"),
    "bounce": ("From: MAILER-DAEMON@b.example\r\nReturn-Path: <>", "bounce"),
    "bounce by its subject": ("From: postmaster@b.example\r\nSubject: İletilemedi: x", "bounce"),
    "postmaster who writes": ("From: postmaster@b.example\r\nSubject: Merhaba", "none"),
    "exim": (A + "X-Failed-Recipients: c@d.example", "bounce"),
    "our address": ("From: Destek <DESTEK@us.example>", "own"),
    "our message id": (A + "Message-ID: <1@intake.us.example>", "own"),
    "our header": (A + "X-Intake-Case: 1", "own"),
    "a loop of ours": (A + "X-Loop: destek@us.example", "own"),
}

SPAM = {
    "X-Spam-Flag: YES": True,
    "X-Spam-Status: Yes, score=9.1 required=5.0": True,
    "X-Spam-Status: No, score=1": False,
    "X-MS-Exchange-Organization-SCL: 6": True,
    "X-MS-Exchange-Organization-SCL: -1": False,
    "X-Forefront-Antispam-Report: CIP:1;SCL:5;SRV:;SFV:SPM;": True,
    "X-Forefront-Antispam-Report: CIP:1;SCL:1;SFV:NSPM;": False,
    "X-Rspamd-Action: add header": True,
    "X-Rspamd-Action: no action": False,
}


@pytest.mark.parametrize("name", KINDS)
def test_machines_are_told_from_people(name: str) -> None:
    """Headers decide; one weak sign alone never sets a person's mail aside."""
    head, kind = KINDS[name]
    assert message(head).automatic == kind


@pytest.mark.parametrize("field", SPAM)
def test_the_mark_of_the_receiving_server_is_read(field: str) -> None:
    """SpamAssassin, Microsoft and rspamd each say it their way."""
    assert message(A + field).spam is SPAM[field]
