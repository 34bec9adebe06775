"""A fresh account on the real Dovecot for each test, and small stand-ins for the core."""

from __future__ import annotations

import asyncio
import os
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from imapclient import IMAPClient

from connectors.email import Mailbox, Settings
from connectors.email.imap import Watcher
from intake.errors import TransientError
from intake.ports import Core, Position
from intake.schema import Outcome, RawMessage, Receipt
from intake.settings import Limits

PASSWORD = "secret"


@dataclass
class MemoryLedger:
    """The ledger's promises in memory: rows, cursors, and what was seen."""

    rows: dict[tuple[str, int], str] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    sighted: dict[str, set[int]] = field(default_factory=dict)

    async def position(self, source: str, scope: str) -> Position:
        sighted = max(self.sighted.get(scope, {0}), default=0)
        return Position(self.cursors.get(scope, 0), sighted, scope in self.cursors)

    async def sight(self, source: str, scope: str, positions: Iterable[int]) -> None:
        self.sighted.setdefault(scope, set()).update(positions)

    async def missing(self, channel: str, source: str, scope: str, positions: Sequence[int]) -> list[int]:
        return sorted(p for p in positions if (scope, p) not in self.rows)

    async def set_aside(
        self, channel: str, source: str, scope: str, positions: Sequence[int], reason: str
    ) -> None:
        for position in positions:
            self.rows.setdefault((scope, position), reason)

    async def advance(self, source: str, scope: str, cursor: int) -> None:
        self.cursors[scope] = max(cursor, self.cursors.get(scope, 0))

    async def answered(self, channel: str, source: str, count: int) -> None:
        raise NotImplementedError

    def reasons(self) -> list[str]:
        return [reason for _, reason in sorted(self.rows.items()) if reason]


@dataclass
class Inbox:
    """The core's `deliver`: a row in the ledger, once; `before` runs first and may refuse."""

    ledger: MemoryLedger
    before: Callable[[RawMessage], Awaitable[None]] | None = None
    taken: list[RawMessage] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, raw: RawMessage) -> Receipt:
        if self.before:
            await self.before(raw)
        assert raw.position is not None
        first = self.ledger.rows.setdefault((raw.scope, raw.position), "") == "" and raw not in self.taken
        self.taken.append(raw)
        self.changed.set()
        return Receipt(Outcome.REGISTERED, "CODE", "case", first)

    def subjects(self) -> list[str]:
        return [
            raw.body.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode("ascii", "replace")
            for raw in self.taken
        ]

    async def holds(self, count: int, seconds: float = 20.0) -> None:
        """Wait until so many different mails were taken."""
        async with asyncio.timeout(seconds):
            while len({(raw.scope, raw.position) for raw in self.taken}) < count:
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Account:
    """One user of the Dovecot of `scripts/services`."""

    user: str = field(default_factory=lambda: f"t{uuid4().hex[:16]}")
    port: int = field(default_factory=lambda: int(os.environ["DEV_DOVECOT_IMAPS_PORT"]))
    certificate: Path = field(default_factory=lambda: Path(os.environ["DEV_DOVECOT_CERT"]))

    def mailbox(self, **given: Any) -> Mailbox:
        known: dict[str, Any] = {
            "name": self.user,
            "host": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "password": PASSWORD,
            "ca_file": self.certificate,
            "folders": ("INBOX",),
        }
        return Mailbox(**(known | given))

    def receive(self, *subjects: str, body: str = "hi") -> None:
        """Deliver mails by LMTP."""
        with smtplib.LMTP("127.0.0.1", int(os.environ["DEV_LMTP_PORT"])) as server:
            for subject in subjects:
                mail = f"From: a@example.org\r\nSubject: {subject}\r\n\r\n{body}\r\n"
                server.sendmail("a@example.org", [f"{self.user}@example.org"], mail.encode())

    def doveadm(self, command: str, *arguments: str, stdin: str = "") -> None:
        base = ["doveadm", "-c", os.environ["DEV_DOVEADM_CONFIG"], *command.split()]
        subprocess.run([*base, *arguments], check=True, input=stdin, text=True, capture_output=True)

    def kick(self) -> None:
        """Drop the account's connections."""
        with suppress(subprocess.CalledProcessError):  # 68: there was none
            self.doveadm("kick", self.user)

    def expunge(self, subject: str, folder: str = "INBOX") -> None:
        self.doveadm("expunge -u", self.user, "mailbox", folder, "subject", subject)

    def client(self, folder: str = "INBOX") -> Any:
        """A second client, as a colleague has it."""
        context = ssl.create_default_context(cafile=self.certificate)
        client = IMAPClient("127.0.0.1", self.port, ssl_context=context, timeout=10)
        client.login(self.user, PASSWORD)
        client.select_folder(folder)
        return client

    def count(self, folder: str, criteria: str = "ALL") -> int:
        with self.client(folder) as client:
            return len(client.search(criteria))


async def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for what no event tells: the state of a folder, or a row without a message."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def core_of(inbox: Inbox, **limits: Any) -> Core:
    settings = SimpleNamespace(limits=Limits(**limits), operator=SimpleNamespace(name="Örnek"))
    ledger = inbox.ledger
    return Core(inbox.deliver, ledger, cast("Any", None), lambda: datetime.now(UTC), settings)


def watcher(mailbox: Mailbox, inbox: Inbox, **limits: Any) -> Watcher:
    return Watcher(mailbox, Settings(mailboxes=(mailbox,)), core_of(inbox, **limits))


@asynccontextmanager
async def polling(
    watched: Watcher, *, again: bool = False, seconds: float = 20.0
) -> AsyncIterator[asyncio.Task[None]]:
    """The poll as the service runs it, at most for `seconds`; with `again` it is called again when it fails."""

    async def run() -> None:
        while True:
            try:
                await watched.poll()
            except TransientError:
                if not again:
                    raise
                await asyncio.sleep(0.05)

    task = asyncio.create_task(run())
    try:
        async with asyncio.timeout(seconds):
            yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, TransientError):
            await task


@pytest.fixture
def account() -> Account:
    """A mailbox of its own; needs Dovecot."""
    needed = ("DEV_DOVECOT_IMAPS_PORT", "DEV_LMTP_PORT", "DEV_DOVECOT_CERT", "DEV_DOVEADM_CONFIG")
    if all(os.environ.get(name) for name in needed):
        return Account()
    reason = "Dovecot is not running; start it with: scripts/services up dovecot"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def inbox() -> Inbox:
    """A core that takes everything. The first connection has been, so that nothing is before the cut-off."""
    ledger = MemoryLedger(cursors={"INBOX/first-connection": 1})
    return Inbox(ledger)
