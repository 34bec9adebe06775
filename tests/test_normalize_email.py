"""The mail normaliser on a corpus of broken clients' mail; what each mail must give stands in expected.json."""

from __future__ import annotations

import hashlib
import json
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import normalizers
from intake.errors import RejectedMessage
from intake.schema import RawMessage
from normalizers import report

MAILS = Path(__file__).parent / "data" / "mail"
EXPECTED: dict[str, dict[str, Any]] = json.loads((MAILS / "expected.json").read_text("utf-8"))
RECEIVED = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)


def raw_mail(data: bytes, **meta: Any) -> RawMessage:
    return RawMessage("email", "destek", "message/rfc822", data, RECEIVED, "INBOX/1", 7, meta=meta)


def line(name: str) -> dict[str, Any]:
    raw = raw_mail((MAILS / f"{name}.eml").read_bytes())
    return report.to_json(name, normalizers.normalize(raw), raw)


def picked(expected: Any, got: Any) -> Any:
    """What `got` says about everything that `expected` names."""
    if isinstance(expected, dict):
        return {key: picked(value, got.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [picked(one, other) for one, other in zip(expected, got, strict=True)]
    return got


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_mail_of_the_corpus_gives_what_it_says(name: str) -> None:
    """Every field that expected.json names has exactly the value it names."""
    assert picked(EXPECTED[name], line(name)) == EXPECTED[name]


def test_the_corpus_is_complete() -> None:
    """Every mail file has an expectation and the other way round."""
    assert {path.stem for path in MAILS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_splitting_never_deletes(name: str) -> None:
    """Each line of the body that is not blank is in the text or in the quoted part, once."""
    got = line(name)
    body, text, quoted = (
        [part.strip() for part in got[key].split("\n") if part.strip()] for key in ("body", "text", "quoted")
    )
    assert sorted(text + quoted) == sorted(body)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_attachments_are_described_by_their_decoded_bytes(name: str) -> None:
    """Size and digest of each attachment are those of the bytes handed over with it."""
    normalized = normalizers.normalize(raw_mail((MAILS / f"{name}.eml").read_bytes()))
    described = [(a.size, a.sha256) for a in normalized.message.attachments]
    held = [normalized.contents[a.sha256] for a in normalized.message.attachments]
    assert [(len(data), hashlib.sha256(data).hexdigest()) for data in held] == described


def test_the_line_has_exactly_the_keys_of_the_contract() -> None:
    """`intake normalize` prints these keys for a mail that was read, and the same for one that was not."""
    keys = {
        "file", "ok", "subject", "from", "to", "cc", "reply_to", "message_id", "in_reply_to", "references", "sent_at",
        "body", "text", "quoted", "html", "automatic", "attachments", "warnings", "error",
    }  # fmt: skip
    assert set(line("alternative")) == keys
    assert set(report.to_error("x", "empty")) == keys


def test_html_in_the_line_is_harmless_and_in_the_message_as_it_came() -> None:
    """The message keeps the script it was sent; the printed line does not."""
    data = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n<p onclick=x>a<script>b</script><img src=//t></p>"
    normalized = normalizers.normalize(raw_mail(data))
    assert "<script>b</script>" in normalized.message.html
    assert report.to_json("x", normalized)["html"] == "<p>a</p>"


def test_an_empty_mail_is_rejected() -> None:
    """Bytes nothing can be made of are the one thing that is refused."""
    with pytest.raises(RejectedMessage, match="empty"):
        normalizers.normalize(raw_mail(b"\r\n \0\r\n"))


def test_an_unknown_channel_is_rejected() -> None:
    """A channel without a module, or with a name that is a path, is refused without an import."""
    for channel in ("pigeon", "../email", "email.x", "report"):
        with pytest.raises(RejectedMessage, match="unknown_channel"):
            normalizers.normalize(RawMessage(channel, "s", "text/plain", b"x", RECEIVED))


def test_the_dispatcher_can_be_sent_to_a_worker() -> None:
    """Worker processes get the function by reference and the result by value."""
    assert pickle.loads(pickle.dumps(normalizers.normalize)) is normalizers.normalize
    normalized = normalizers.normalize(raw_mail(b"From: a@b.example\r\n\r\nx"))
    assert pickle.loads(pickle.dumps(normalized)) == normalized


def test_two_senders_are_nobody() -> None:
    """With two From headers, or two addresses in one, nothing vouches for either, not even our own server."""
    passed = b"Authentication-Results: mx.us; dmarc=pass header.from=b.example\r\n"
    for data in (
        b"From: a@b.example\r\nFrom: x@b.example\r\n\r\nx",
        b"From: a@b.example, x@b.example\r\n\r\nx",
    ):
        message = normalizers.normalize(raw_mail(passed + data, authserv_ids=["mx.us"])).message
        assert message.sender.trust == "none"
        assert "from: more than one sender" in message.warnings


def test_a_contact_point_is_folded() -> None:
    """Two spellings of one mailbox are one contact point; the domain is in ASCII."""
    message = normalizers.normalize(raw_mail("From: Ali <Ali.Veli@BÜCHER.Example>\r\n\r\nx".encode())).message
    assert [point.value for point in message.sender.contact_points] == ["ali.veli@xn--bcher-kva.example"]


def test_a_cut_mail_says_so() -> None:
    """A mail that was too large to fetch whole becomes a message with a warning."""
    message = normalizers.normalize(raw_mail(b"From: a@b.example\r\n\r\nx", truncated=60_000_000)).message
    assert "truncated: only a part of 60000000 bytes was fetched" in message.warnings


def mixed(*parts: bytes) -> bytes:
    head = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def test_files_over_the_limits_are_named_in_a_warning() -> None:
    """Too many files are counted; the bytes of one that is too large are not handed over."""
    part = b"Content-Type: image/gif; name=a.gif\r\n\r\n"
    small, large = part + b"GIF89a", part + b"GIF89a" + b"x" * 100
    normalized = normalizers.normalize(
        raw_mail(mixed(small, large, small), max_attachments=2, max_attachment_bytes=50)
    )
    assert [len(data) for data in normalized.contents.values()] == [6]
    assert "attachments: more than 2, 1 were left out" in normalized.message.warnings
    assert "attachments: a.gif is too large, 106 bytes; not kept" in normalized.message.warnings


def test_a_text_file_is_a_file() -> None:
    """A named text part after the text is kept as a file, also where a client calls it inline."""
    text = b"Content-Type: text/plain\r\n\r\nmerhaba"
    log = (
        b"Content-Type: text/plain; name=log.txt\r\nContent-Disposition: inline; filename=log.txt\r\n\r\nline"
    )
    normalized = normalizers.normalize(raw_mail(mixed(text, log)))
    assert normalized.body == "merhaba"
    assert [a.filename for a in normalized.message.attachments] == ["log.txt"]


def test_codes_are_found_wherever_they_stand() -> None:
    """A tracking code in subject, text or quoted part is canonical in the thread."""
    from intake import tracking  # noqa: PLC0415

    codes = [tracking.new() for _ in range(3)]
    first, second, third = map(tracking.show, codes)
    data = f"From: a@b.example\r\nSubject: Re: {first}\r\n\r\n{second}\r\n\r\n> {third}\r\n".encode()
    assert normalizers.normalize(raw_mail(data)).message.thread.codes == tuple(codes)


def test_many_references_keep_both_ends() -> None:
    """Of a very long thread the first and the last ids are kept, in their order."""
    ids = " ".join(f"<{n}@b.example>" for n in range(300))
    data = f"From: a@b.example\r\nReferences: {ids}\r\n\r\nx".encode()
    references = normalizers.normalize(raw_mail(data)).message.thread.references
    assert len(references) == 50
    assert (references[0], references[-1]) == ("0@b.example", "299@b.example")
