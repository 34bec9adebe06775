"""Wrong settings of the e-mail channel fail before anything runs, each with one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.email import Mailbox, Settings, Smtp, connect
from intake.errors import ConfigError
from intake.ports import Core
from intake.settings import load
from tests.imap_account import Inbox, MemoryLedger, core_of

MAILBOX: dict[str, Any] = {
    "name": "complaints",
    "host": "imap.example",
    "user": "u@x.example",
    "password": "x",
}
SMTP: dict[str, Any] = {"host": "smtp.example", "from_address": "Help@Example.org"}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({}, "give mailboxes or smtp"),
        ({"mailboxes": [MAILBOX, MAILBOX]}, "two mailboxes are named complaints"),
        ({"mailboxes": [MAILBOX | {"folders": []}]}, "name at least one folder"),
        ({"mailboxes": [MAILBOX | {"folders": ["A", "A"]}]}, "a folder is named twice"),
        (
            {"mailboxes": [MAILBOX | {"processed_folder": "INBOX"}]},
            "processed_folder must not be one of folders",
        ),
        ({"mailboxes": [MAILBOX | {"cut_off": "2026-11-01T00:00:00"}]}, "timezone"),
        ({"mailboxes": [MAILBOX | {"idle_seconds": 1700}]}, "less than or equal to 540"),
        ({"smtp": SMTP | {"security": "none"}}, "in the clear; use starttls or tls"),
        ({"smtp": SMTP | {"user": "u"}}, "user and password belong together"),
        ({"smtp": SMTP | {"from_address": "nobody"}}, "match pattern"),
    ],
)
def test_a_mistake_is_one_sentence(section: dict[str, Any], sentence: str) -> None:
    """One line that says what is wrong, without a traceback or a secret."""
    with pytest.raises(ConfigError, match=sentence) as caught:
        load(None, {"email": Settings}, email=section)
    assert len(caught.value.problems) == 1


def test_a_certificate_file_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    """A wrong file for the authority is found before the first connection."""
    empty = tmp_path / "ca.pem"
    empty.touch()
    settings = Settings(mailboxes=(Mailbox(**MAILBOX, ca_file=empty),))
    with pytest.raises(ConfigError, match=r"cannot use ca_file .*ca\.pem"):
        connect(settings, _core())


def test_the_channel_offers_what_is_configured() -> None:
    """A poll per mailbox; a way out only where a server for it is given."""
    reading = connect(Settings(mailboxes=(Mailbox(**MAILBOX),)), _core())
    assert (list(reading.polls), reading.send) == (["complaints"], None)
    both = connect(Settings(mailboxes=(Mailbox(**MAILBOX),), smtp=Smtp(**SMTP, rate=3)), _core())
    assert both.send is not None
    assert both.send_rate == 3


def test_our_own_addresses_are_known() -> None:
    """What sends and receives for us is ours, however it is written."""
    section = Settings(mailboxes=(Mailbox(**MAILBOX),), smtp=Smtp(**SMTP), own_addresses=("Old@Example.org",))
    assert section.ours == ["help@example.org", "old@example.org", "u@x.example"]
    assert section.smtp is not None
    assert section.smtp.domain == "example.org"


def _core() -> Core:
    return core_of(Inbox(MemoryLedger()))
