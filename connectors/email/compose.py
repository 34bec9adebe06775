"""Turns a letter into the bytes of a mail (RFC 5322, RFC 3834). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from connectors.email.settings import Smtp
from intake.errors import RejectedNotice
from intake.schema import Letter
from intake.text import clean_line, clean_text

_CRLF = "\r\n"
_SUBJECT_CHARS = 500
_REFERENCES = 20  # the first and the last ones; more help nobody's threading
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,500}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LOCAL_PART = r"""(?:[^\s@<>,;:\\"()\[\]\x00-\x1f\x7f-\x9f]+|"(?:[^"\\\x00-\x1f\x7f-\U0010ffff]|\\[ -~])+")"""
_RECIPIENT = re.compile(rf"({_LOCAL_PART})@([^\s@<>,;:\\\"()\[\]\x00-\x1f\x7f-\x9f]+)")


def recipient_address(given: str) -> str:
    """The one address to send to, its domain in ASCII. Raises `RejectedNotice` for anything else."""
    match = _RECIPIENT.fullmatch(given.strip())
    if match is None or len(given) > 320:
        raise RejectedNotice("the recipient is not a mail address")
    local, domain = match.groups()
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
        local.encode("utf-8")
    except UnicodeError as error:
        raise RejectedNotice("the recipient's domain is not valid") from error
    return f"{local}@{ascii_domain}"


def compose(letter: Letter, recipient: str, smtp: Smtp, from_name: str, sent_at: datetime) -> bytes:
    """The mail that carries `letter` to `recipient`, lines ending in CRLF.

    Headers that hold text from outside are written here and not by the library: it decodes encoded words that
    a stranger wrote, and encodes message ids that are longer than a line.
    """
    threading = [f"Message-ID: <{_message_id(letter, smtp.domain)}>"]
    parent = _known_ids([letter.in_reply_to])
    if parent:
        threading.append(f"In-Reply-To: <{parent[0]}>")
    references = _known_ids(dict.fromkeys([*letter.references, *parent]))
    if references:
        kept = references[:1] + references[1:][-(_REFERENCES - 1) :]
        threading.append("References: " + f"{_CRLF} ".join(f"<{one}>" for one in kept))
    head = [f"To: <{recipient}>", f"Subject: {_subject(letter.subject)}", *threading]
    return (_CRLF.join(head) + _CRLF).encode() + _rest(letter, smtp, from_name, sent_at).as_bytes()


def _rest(letter: Letter, smtp: Smtp, from_name: str, sent_at: datetime) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=clean_line(from_name, 200), addr_spec=smtp.from_address)
    mail["Date"] = format_datetime(sent_at)
    # RFC 3834: a mail that answers none was generated, not replied
    mail["Auto-Submitted"] = "auto-replied" if letter.in_reply_to else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Intake-Case"] = "".join(_known_ids([letter.id]))
    text = clean_text(letter.text).rstrip("\n") + "\n"
    mostly_ascii = sum(not char.isascii() for char in text) * 4 < len(text)
    mail.set_content(text, charset="utf-8", cte="quoted-printable" if mostly_ascii else "base64")
    if _LANGUAGE.fullmatch(letter.language):
        mail["Content-Language"] = letter.language
    return mail


def _subject(given: str) -> str:
    subject = clean_line(given, _SUBJECT_CHARS)
    charset = "us-ascii" if subject.isascii() and "=?" not in subject else "utf-8"
    return Header(subject, charset, header_name="Subject", maxlinelen=76).encode(linesep=_CRLF)


def _message_id(letter: Letter, domain: str) -> str:
    (given,) = _known_ids([letter.message_id]) or _known_ids([letter.id]) or [""]
    if not given:
        raise RejectedNotice("the letter has no id")
    return given if "@" in given else f"{given}@{domain}"


def _known_ids(given: Iterable[str]) -> list[str]:
    """Those that may stand between angle brackets as they are."""
    return [one for one in given if _ID.fullmatch(one)]
