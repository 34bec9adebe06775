"""Reading mail: ours against the standard library's modern policy, and against a bare parser in Rust."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import fast_mail_parser

from benchmarks.corpus import SIZES, Mail, Size, mails
from benchmarks.options import Options
from benchmarks.timing import Figure, interleaved, ratio, worker_gc
from intake.schema import RawMessage
from intake.workers import prepare
from normalizers import addresses, dates, mime
from normalizers.email import normalize
from router.triage import triage_all

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_COUNTS: dict[Size, int] = {"plain": 300, "html": 100, "alternative": 100, "image": 16, "attachment": 3}
_WHOLE_TARGETS: dict[Size, float | None] = {
    "plain": 12, "html": 3, "alternative": None, "image": 12, "attachment": 12
}  # fmt: skip
_PARSE_TARGET = 12.0


def raw_message(mail: Mail, scope: str = "INBOX/1") -> RawMessage:
    """The mail as the mailbox's connector offers it."""
    return RawMessage(
        "email",
        "support",
        "message/rfc822",
        mail.raw,
        _NOW,
        scope=scope,
        position=mail.number + 1,
        meta={"authserv_ids": ["mail.operator.example"], "own_addresses": ["destek@operator.example"]},
    )


def with_policy_default(raw: bytes) -> tuple[Any, ...]:
    """What a team reads of a mail with `email.policy.default`: who, when, which, texts, files."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    senders = [(a.display_name, a.addr_spec) for a in message["from"].addresses]
    recipients = [(a.display_name, a.addr_spec) for a in message["to"].addresses]
    sent_at = message["date"].datetime
    texts, files = [], []
    for part in message.walk():
        if part.is_multipart():
            continue
        if part.get_content_maintype() == "text" and not part.get_filename():
            texts.append(part.get_content())
        else:
            files.append((part.get_filename(), part.get_content()))
    ids = message["message-id"], message["in-reply-to"], message["references"]
    return senders, recipients, sent_at, ids, str(message["subject"]), texts, files


def with_ours(raw: bytes) -> tuple[Any, ...]:
    """The same, read by our own parser."""
    root, warnings = mime.parse(raw)
    head = root.head
    senders = addresses.read(head.get("from"))
    recipients = addresses.read(head.get("to"))
    sent_at = dates.read(head.get("date"), _NOW)
    ids = head.get("message-id"), head.get("in-reply-to"), head.get("references")
    texts: list[str] = []
    files: list[tuple[str, bytes]] = []
    _leaves(root, texts, files, warnings)
    return senders, recipients, sent_at, ids, head.decoded("subject"), texts, files


def _leaves(part: mime.Part, texts: list[str], files: list[tuple[str, bytes]], warnings: list[str]) -> None:
    if part.children:
        for child in part.children:
            _leaves(child, texts, files, warnings)
    elif part.kind.startswith("text/") and not part.filename:
        texts.append(mime.text_of(part, warnings))
    else:
        files.append((part.filename, part.content(warnings)))


def with_rust(raw: bytes) -> tuple[Any, ...]:
    """The same from fast-mail-parser as it is: no own charset ladder, no repair."""
    mail = fast_mail_parser.parse_email(raw)
    ids = mail.headers.get("Message-ID"), mail.headers.get("In-Reply-To"), mail.headers.get("References")
    files = [(a.filename, a.content) for a in mail.attachments]
    return (
        mail.from_,
        mail.to,
        mail.date_parsed,
        ids,
        mail.subject,
        [*mail.text_plain, *mail.text_html],
        files,
    )


def run(options: Options) -> list[Figure]:
    """Ratios for each size of mail."""
    figures = []
    for size in SIZES:
        count = max(2, _COUNTS[size] // (4 if options.quick else 1))
        with worker_gc():
            figures += _of_size(size, count, options)
    return figures


def _of_size(size: Size, count: int, options: Options) -> list[Figure]:
    corpus = list(mails(size, count * options.rounds))

    def over(parse: Callable[[Mail], Any]) -> Callable[[int], int]:
        def one_round(number: int) -> int:
            for mail in corpus[number * count : (number + 1) * count]:
                parse(mail)
            return count

        return one_round

    seconds = interleaved(
        f"reading mail: {size}",
        {
            "policy.default": over(lambda mail: with_policy_default(mail.raw)),
            "rust": over(lambda mail: with_rust(mail.raw)),
            "parse": over(lambda mail: with_ours(mail.raw)),
            "whole": over(lambda mail: normalize(raw_message(mail))),
            "triaged": over(lambda mail: prepare(normalize, triage_all, [raw_message(mail)])),
        },
        options.rounds,
    )
    stdlib, rust, parse, whole, triaged = (
        seconds[name] for name in ("policy.default", "rust", "parse", "whole", "triaged")
    )
    group, kb = "normalise", round(len(corpus[0].raw) / 1000)
    return [
        ratio(group, f"{size}: parsing / policy.default", stdlib, parse, target=_PARSE_TARGET, kilobytes=kb),
        ratio(
            group, f"{size}: whole normaliser / policy.default", stdlib, whole, target=_WHOLE_TARGETS[size]
        ),
        ratio(group, f"{size}: parsing / bare fast-mail-parser", rust, parse),
        ratio(group, f"{size}: whole normaliser / with triage as well", triaged, whole),
    ]
