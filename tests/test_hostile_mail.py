"""Hostile mail through the real workers: taken in time, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import normalizers
from intake.accept import Acceptor
from intake.blobs import FolderBlobs
from intake.register import Policy
from intake.schema import Outcome, RawMessage, Receipt
from intake.settings import Limits
from intake.settings import Workers as WorkersSettings
from intake.store import schema_version
from intake.store.database import open_store
from intake.workers import Workers
from router import triage

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_LONGEST_SECONDS = 10.0
_LOOP_DELAY_SECONDS = 0.5  # a stall, not a speed: parsing in the loop would take seconds
_HEAD = b"From: a@example.org\r\nSubject: x\r\nMessage-ID: <%d@x>\r\n"
_NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)
)
HOSTILE = {
    "recipients of 269 kB": b"To: "
    + b", ".join(b"u%d@example.org" % n for n in range(15_000))
    + b"\r\n\r\nx",
    "subject of encoded words": b"Subject: " + b"=?utf-8?q?=C5=9F?= " * 12_000 + b"\r\n\r\nx",
    "100,000 headers": b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\nx",
    "nested 1,000 deep": b"MIME-Version: 1.0\r\n" + _NESTED + b"Content-Type: text/plain\r\n\r\nx",
    "20,000 parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 20_000,
    "file name in 20,000 pieces": b"Content-Type: application/pdf;"
    + b"".join(b" name*%d=aaaa;" % n for n in range(20_000))
    + b"\r\n\r\nx",
    "8,000 parameters": b"Content-Type: text/plain;"
    + b"".join(b" a%d=b;" % n for n in range(8_000))
    + b"\r\n\r\nx",
    "an unknown charset": b"Content-Type: text/plain; charset=x-none\r\n\r\n\xfe\xff\xfd",
    "NUL and lone surrogates": b"\r\nx\x00y \xed\xa0\x80 \xff",
    "30,000 brackets": b"Cc: " + b"(" * 30_000 + b"\r\n\r\nx",
    "50,000 divs": b"Content-Type: text/html\r\n\r\n" + b"<div>" * 50_000 + b"x",
    "800,000 combining marks": b"Content-Type: text/plain; charset=utf-8\r\n\r\ne"
    + "\u0301\u0300".encode() * 200_000,
    "one long line": b"\r\n" + b"On On On " * 500_000,
}


def hostile(number: int, rest: bytes) -> RawMessage:
    return RawMessage("email", "support", "message/rfc822", _HEAD % number + rest, NOW, "INBOX/1", number)


def ordinary(number: int) -> RawMessage:
    body = (
        b"From: u%d@example.org\r\nMessage-ID: <o%d@x>\r\nSubject: merhaba\r\n\r\n\xc3\xa7ekim bekliyor"
        % (number, number)
    )
    return RawMessage("email", "support", "message/rfc822", body, NOW, "INBOX/2", number)


@pytest.fixture
async def acceptor(make_settings: Any, policy: Policy, clock: Any, tmp_path: Path) -> AsyncIterator[Acceptor]:
    store = open_store(make_settings())
    await schema_version.upgrade(store)
    workers = Workers(normalizers.normalize, triage.triage_all, WorkersSettings())
    await workers.start()
    blobs = FolderBlobs(tmp_path / "blobs")
    made = Acceptor(store, blobs, workers.prepare, policy, Limits(free_disk_bytes=0), clock, tmp_path)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await asyncio.to_thread(workers.close)
    await store.close()


async def timed(acceptor: Acceptor, raw: RawMessage) -> tuple[Receipt, float]:
    began = time.monotonic()
    return await acceptor.deliver(raw), time.monotonic() - began


async def watch(delays: list[float]) -> None:
    """How late the event loop comes back from a pause of 10 ms."""
    while True:
        expected = time.monotonic() + 0.01
        await asyncio.sleep(0.01)
        delays.append(time.monotonic() - expected)


async def test_hostile_mail_is_taken_in_time_and_stops_nothing(acceptor: Acceptor) -> None:
    """Each bomb gets its case within 10 s; ordinary mail goes through meanwhile; the event loop stays prompt."""
    delays: list[float] = []
    watching = asyncio.create_task(watch(delays))
    bombs = [timed(acceptor, hostile(n, rest)) for n, rest in enumerate(HOSTILE.values())]
    others = [timed(acceptor, ordinary(n)) for n in range(200)]
    results = await asyncio.gather(*bombs, *others)
    watching.cancel()
    taken = dict(zip(HOSTILE, results[: len(HOSTILE)], strict=True))
    assert {name: round(s, 1) for name, (_, s) in taken.items() if s > _LONGEST_SECONDS} == {}
    # some say the same: each has a case of its own all the same
    with_a_case = {Outcome.REGISTERED, Outcome.DUPLICATE, Outcome.QUARANTINED}
    assert {r.outcome for r, _ in taken.values()} <= with_a_case
    assert all(receipt.code for receipt, _ in taken.values())
    assert {r.outcome for r, _ in results[len(HOSTILE) :]} == {Outcome.REGISTERED}
    late = sorted(delays)[int(len(delays) * 0.99)]
    assert late < _LOOP_DELAY_SECONDS, f"p99 of the event loop's delay: {late:.3f} s"
