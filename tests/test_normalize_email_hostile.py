"""The mail normaliser on mail made to hurt it: quick, never raising, and always storable."""

from __future__ import annotations

import json
import pathlib
import random
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import normalizers
from intake.errors import RejectedMessage
from intake.schema import RawMessage
from normalizers import report

RECEIVED = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
MAILS = [
    path.read_bytes() for path in sorted((pathlib.Path(__file__).parent / "data" / "mail").glob("*.eml"))
]
HEAD = b"From: Ali <ali@example.com>\r\nSubject: x\r\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
SECONDS = 2.0  # each takes under half a second alone; other tests share the machine

BOMBS = {
    "To of 269 KB": HEAD + b"To: " + b"a@b.example, " * 20_000 + b"\r\n\r\nx",
    "encoded words of 210 KB": HEAD + b"Subject: " + b"=?utf-8?B?w5ZkZQ==?= " * 10_000 + b"\r\n\r\nx",
    "encoded words never closed": b"Subject: " + b"=?utf-8?Q?" * 20_000 + b"\r\n" + HEAD + b"\r\nx",
    "100,000 headers": HEAD + b"X-A: b\r\n" * 100_000 + b"\r\nx",
    "20,000 lines that are none": HEAD + b"stray line\r\n" * 20_000 + b"Date: x\r\n\r\nx",
    "RFC 2231 file name of 349 KB": HEAD
    + b"Content-Disposition: attachment;"
    + b"".join(b" filename*%d*=%%41%%42%%43;\r\n" % n for n in range(12_000))
    + b"\r\nabc",
    "Content-Type parameters": HEAD + b"Content-Type: text/plain; " + b"a=b; " * 9_000 + b"\r\n\r\nx",
    "1,000 nested parts": HEAD
    + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1_000)
    ),
    "20,000 parts": MIXED + b"--b\r\nContent-Type: image/png\r\n\r\nabc\r\n" * 20_000 + b"--b--",
    "open brackets": b"From: " + b"<" * 60_000 + b"\r\n\r\nx",
    "open comments": b"From: " + b"(" * 60_000 + b"\r\n\r\nx",
    "open quotes": b"From: " + b'"\\' * 30_000 + b"\r\n\r\nx",
    "blanks in an address": b"From: a" + b" " * 60_000 + b"@b\r\n\r\nx",
    "NUL bytes": HEAD + b"\r\n" + b"\0" * 1_000_000 + b"x",
    "combining marks": HEAD
    + b"Content-Type: text/plain; charset=utf-8\r\n\r\na"
    + ("\u0316\u0301" * 100_000).encode(),
    "lone surrogates": HEAD + b"Content-Type: text/plain; charset=utf-7\r\n\r\na+2AA-b",
    "nested elements": HTML + b"<div>" * 100_000 + b"x",
    "50,000 attributes": HTML + b"<div " + b"".join(b"a%d=b " % n for n in range(50_000)) + b">x",
    "open comment in HTML": HTML + b"<!--" * 300_000,
    "open quote in HTML": HTML + b'<a b="' * 200_000,
    "On On On": HEAD + b"\r\n" + b"On " * 200_000,
    "Kimden: Kimden:": HEAD + b"\r\n" + b"Kimden: x\n" * 100_000,
    "quoted and not": HEAD + b"\r\n" + b"> a\nb\n" * 100_000,
    "wrote, wrote": HEAD + b"\r\n" + b"a 10:10 wrote:\n" * 60_000,
    "signatures": HEAD + b"\r\n" + b"-- \n" * 200_000,
    "uuencode never ended": HEAD + b"\r\n" + b"begin 644 a\n" * 80_000,
    "base64 of equal signs": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=*" * 500_000,
    "flowed": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * 300_000,
    "one line of 20 MB": b"a" * 20_000_000,
    "Authentication-Results": b"Authentication-Results: spf=pass " + b"(" * 7_000 + b"\r\n" + HEAD + b"\r\nx",
    "boundary look-alikes": HEAD
    + b'Content-Type: multipart/mixed; boundary="'
    + b"-" * 70
    + b'"\r\n\r\n'
    + b"-" * 1_000_000,
}


def raw_mail(data: bytes) -> RawMessage:
    return RawMessage("email", "destek", "message/rfc822", data, RECEIVED, meta={"authserv_ids": [""]})


def store(raw: RawMessage) -> None:
    """Everything that is done with a message: both JSON forms, as UTF-8."""
    normalized = normalizers.normalize(raw)
    normalized.message.model_dump_json().encode()
    json.dumps(report.to_json("x", normalized, raw), ensure_ascii=False).encode()


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_mail_is_registered_in_time(name: str) -> None:
    """A bomb gives a normal message, within a time that stops nothing else."""
    started = time.process_time()
    store(raw_mail(BOMBS[name]))
    assert time.process_time() - started < SECONDS


def test_a_sender_behind_a_header_bomb_is_still_read() -> None:
    """Of a header block that is too large the fields that matter are read, wherever they stand."""
    data = b"X-A: " + b"a" * 400_000 + b"\r\n" + HEAD + b"\r\nx"
    message = normalizers.normalize(raw_mail(data)).message
    assert (message.sender.name, message.subject) == ("Ali", "x")
    assert "headers: block too large, only the important ones were read" in message.warnings


def test_too_many_parts_are_one_warning() -> None:
    """Parts beyond the cap are counted once, not listed."""
    data = MIXED + b"--b\r\nContent-Type: text/plain\r\n\r\nabc\r\n" * 5_000 + b"--b--"
    message = normalizers.normalize(raw_mail(data)).message
    assert [warning for warning in message.warnings if warning.startswith("parts")] == [
        "parts: more than 200, 4800 were left out"
    ]


PIECES = [
    b"\r\n", b"\r", b"\0", b"=?utf-8?B?", b"?=", b"--b1", b"--b1--", b'"', b"<", b">", b"(", b";", b",", b":", b"=",
    b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"Content-Type: ", b"multipart/mixed", b"charset=", b"base64", b"boundary=",
    b"filename*0*=", b"''", b"> ", b"begin 644 x\n", b"&#xd800;", b"<blockquote>", b"<!--", b"utf-16", b"idna",
    b"unicode_escape", "\ue0f0".encode(), b"-- \n", b"&#xe0f0;",
]  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    """A mail of the corpus with one to eight pieces of it changed, moved, cut or replaced by another's."""
    data = bytearray(chance.choice(MAILS))
    for _ in range(chance.randint(1, 8)):
        start = chance.randint(0, len(data))
        end = start + chance.randint(0, 60)
        other = chance.choice(MAILS)
        data[start:end] = chance.choice(
            [b"", bytes([chance.randint(0, 255)]), chance.choice(PIECES), data[start:end] * 2, other[start:]]
        )
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_mail_raises_nothing_and_loses_no_line(seed: int) -> None:
    """Whatever a broken client makes of a mail, it is read, storable, and its lines are all somewhere."""
    chance = random.Random(seed)
    for _ in range(150):
        data = mutated(chance) + b"x"
        normalized = normalizers.normalize(raw_mail(data))
        store(raw_mail(data))
        message = normalized.message
        parts = [part.strip() for part in f"{message.text}\n{message.quoted}".split("\n") if part.strip()]
        assert sorted(parts) == sorted(part.strip() for part in normalized.body.split("\n") if part.strip())
        assert "\n" not in message.subject + message.sender.name


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=40))
def test_any_bytes_are_read_or_rejected(pieces: list[bytes]) -> None:
    """Bytes that are no mail at all give a message or RejectedMessage, and nothing else."""
    data = b"".join(pieces)
    try:
        store(raw_mail(data))
    except RejectedMessage:
        assert not data.strip(b"\0 \t\r\n")
