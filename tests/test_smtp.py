"""Letters out: exact headers, every answer of a server understood, no stranger's text becomes a header."""

from __future__ import annotations

import asyncio
import email
import email.policy
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd import smtp as served
from hypothesis import given
from hypothesis import strategies as st

from connectors.email import Smtp
from connectors.email.compose import compose, recipient_address
from connectors.email.smtp import Sender
from intake.errors import IntakeError, RejectedNotice, TransientError
from intake.ports import Core
from intake.schema import Letter

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LETTER = Letter(
    id="0199-letter",
    channel="email",
    source="complaints",
    recipient="ayse@example.org",
    language="tr",
    subject="Şikâyetiniz alındı – 7K3M-Q2XW-9RTB-4D",
    text="Sayın Ayşe Yılmaz,\n\nŞikâyetinizi aldık.\n.\nSaygılarımızla\n",
    message_id="token.1@intake.example",
    in_reply_to="original@mail.example.org",
    references=("first@mail.example.org",),
)


class Kept:
    """A server that takes everything and keeps it."""

    def __init__(self) -> None:
        self.envelopes: list[served.Envelope] = []
        self.sessions: set[int] = set()
        self.encrypted: list[bool] = []

    async def handle_DATA(  # noqa: N802  (looked up by the command's name)
        self, _server: served.SMTP, session: served.Session, envelope: served.Envelope
    ) -> str:
        self.envelopes.append(envelope)
        self.sessions.add(hash(session.peer))
        self.encrypted.append(session.ssl is not None)
        return "250 2.0.0 Kept"


@asynccontextmanager
async def keeping(**given: Any) -> AsyncIterator[tuple[Kept, int]]:
    """A server that speaks SMTP as it should; the way out must be closed before it is."""
    kept = Kept()
    loop = asyncio.get_running_loop()
    known: dict[str, Any] = {"hostname": "localhost", "enable_SMTPUTF8": True, "loop": loop}
    protocols: list[served.SMTP] = []

    def protocol() -> served.SMTP:
        protocols.append(served.SMTP(kept, **(known | given)))
        return protocols[-1]

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    try:
        async with server:
            yield kept, server.sockets[0].getsockname()[1]
    finally:
        handlers = [one._handler_coroutine for one in protocols if one._handler_coroutine]
        await asyncio.gather(*handlers, return_exceptions=True)


@asynccontextmanager
async def scripted(**answers: str) -> AsyncIterator[int]:
    """A server that answers each command as told; "" hangs up instead."""
    usual = {
        "greeting": "220 here",
        "EHLO": "250 here",
        "MAIL": "250 ok",
        "RCPT": "250 ok",
        "DATA": "354 go on",
        "content": "250 taken",
        "QUIT": "221 bye",
    } | answers

    tasks: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        answer = usual["greeting"]
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while answer:
                writer.write(answer.encode() + b"\r\n")
                in_content = answer.startswith("354")
                command = await reader.readuntil(b"\r\n.\r\n" if in_content else b"\r\n")
                answer = usual["content" if in_content else command[:4].decode()]
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with server:
            yield server.sockets[0].getsockname()[1]
    finally:
        await asyncio.gather(*filter(None, tasks))


def smtp(port: int = 25, **given: Any) -> Smtp:
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "from_address": "destek@intake.example",
        "from_name": "Örnek Oyun Destek",
        "timeout": 5,
    }
    return Smtp(**(known | given))


@asynccontextmanager
async def sender(port: int, **given: Any) -> AsyncIterator[Sender]:
    settings = SimpleNamespace(operator=SimpleNamespace(name="Örnek"))
    unused = cast("Any", None)
    made = Sender(smtp(port, **given), Core(unused, unused, unused, lambda: NOW, settings))
    try:
        yield made
    finally:
        await made.close()


def read(mail: bytes) -> EmailMessage:
    return email.message_from_bytes(mail, policy=email.policy.default)


def sample(letter: Letter) -> bytes:
    return compose(letter, recipient_address(letter.recipient), smtp(), "Örnek", NOW)


async def test_a_letter_arrives_with_the_headers_of_an_automatic_reply() -> None:
    """Null sender, one recipient, threading, loop markers and language, all exactly once."""
    async with keeping() as (kept, port), sender(port) as way_out:
        await way_out.send(LETTER)
    (envelope,) = kept.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", ["ayse@example.org"])
    mail = read(envelope.original_content or b"")
    assert dict(mail.items()) == {
        "To": "ayse@example.org",
        "Subject": LETTER.subject,
        "Message-ID": "<token.1@intake.example>",
        "In-Reply-To": "<original@mail.example.org>",
        "References": "<first@mail.example.org> <original@mail.example.org>",
        "From": "Örnek Oyun Destek <destek@intake.example>",
        "Date": "Mon, 23 Nov 2026 09:30:00 +0000",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "X-Intake-Case": "0199-letter",
        "Content-Language": "tr",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "quoted-printable",
        "MIME-Version": "1.0",
    }
    assert len(mail.items()) == 14
    assert mail.get_content().replace("\r\n", "\n") == LETTER.text


def test_a_mail_is_seven_bit_with_short_lines() -> None:
    """Any server takes it as it is: ASCII, CRLF, no line beyond 78 characters but one long id."""
    lines = sample(replace(LETTER, text="çok uzun satır " * 200)).split(b"\r\n")
    assert all(len(line) <= 78 for line in lines)
    assert b"".join(lines).isascii()
    assert b"\n" not in b"".join(lines)


def test_long_message_ids_of_others_are_kept_as_they_are() -> None:
    """Exchange and SES make ids longer than a line; an encoded id would tear the thread."""
    long_id = "a" * 90 + "@" + "b" * 60 + ".prod.outlook.example"
    mail = sample(replace(LETTER, in_reply_to=long_id, references=tuple(f"{n}.{long_id}" for n in range(40))))
    assert f"In-Reply-To: <{long_id}>\r\n".encode() in mail
    references = str(read(mail)["References"]).split()
    assert references[0] == f"<0.{long_id}>"
    assert references[-1] == f"<{long_id}>"
    assert len(references) == 20


def test_a_letter_that_answers_no_mail_says_it_was_generated() -> None:
    """RFC 3834 tells a reply from a notice nobody's mail led to."""
    mail = read(sample(replace(LETTER, in_reply_to="", references=())))
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["In-Reply-To"] is None
    assert mail["References"] is None


def test_an_id_without_a_domain_gets_ours() -> None:
    """The core may name a letter without knowing our domain."""
    mail = read(sample(replace(LETTER, message_id="token.2")))
    assert mail["Message-ID"] == "<token.2@intake.example>"


@given(
    subject=st.text()
    | st.sampled_from(["=?utf-8?q?a=0D=0ABcc=3A_x=40y?=", "x\r\nBcc: evil@x.example\r\n\r\nhi"]),
    text=st.text(),
    ids=st.lists(st.text(), max_size=3),
    language=st.text(max_size=8) | st.just("en"),
)
def test_nothing_a_stranger_wrote_becomes_a_header(
    subject: str, text: str, ids: list[str], language: str
) -> None:
    """Whatever stands in subject, text, ids and language: the same header names, one recipient."""
    hostile = "a\r\nBcc: evil@example.org"
    letter = replace(
        LETTER,
        subject=subject + hostile,
        text=text,
        references=(*ids, hostile),
        in_reply_to=ids[0] if ids else hostile,
        message_id="".join(ids) + "@x",
        language=language,
    )
    head = sample(letter).partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    expected = {
        *(b"To", b"Subject", b"Message-ID", b"In-Reply-To", b"References", b"From", b"Date"),
        *(b"Auto-Submitted", b"X-Auto-Response-Suppress", b"X-Intake-Case", b"Content-Language"),
        *(b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version"),
    }
    assert set(names) <= expected
    assert len(names) == len(set(names))
    assert read(sample(letter))["To"] == "ayse@example.org"


@given(st.text())
def test_whatever_is_no_address_is_refused(recipient: str) -> None:
    """No text but a plain address reaches the server's command line."""
    with pytest.raises(RejectedNotice):
        recipient_address(recipient.replace("@", ""))


@pytest.mark.parametrize(
    "recipient",
    [
        "a@b.example, c@d.example",
        "a@b.example> SIZE=1",
        "<a@b.example>",
        "a b@c.example",
        "a@b@c.example",
        "@x",
        "x@",
    ],
)
def test_only_one_plain_address_is_a_recipient(recipient: str) -> None:
    """Lists, brackets and blanks are refused before the server sees them."""
    with pytest.raises(RejectedNotice, match="not a mail address"):
        recipient_address(recipient)


def test_a_domain_beyond_ascii_is_written_in_ascii() -> None:
    """Every server can route a Turkish domain in its IDNA form."""
    assert recipient_address("ayse@şikayet.example") == "ayse@xn--ikayet-vjb.example"


async def test_an_address_beyond_ascii_uses_smtputf8() -> None:
    """The recipient arrives in UTF-8, in the envelope and in the header."""
    async with keeping() as (kept, port), sender(port) as way_out:
        await way_out.send(replace(LETTER, recipient="ayşe@example.org"))
    assert kept.envelopes[0].rcpt_tos == ["ayşe@example.org"]
    assert "SMTPUTF8" in kept.envelopes[0].mail_options
    assert "To: <ayşe@example.org>".encode() in (kept.envelopes[0].original_content or b"")


async def test_an_address_beyond_ascii_is_refused_where_the_server_cannot() -> None:
    """Without SMTPUTF8 such a letter can never be delivered, and is said to be."""
    async with scripted() as port, sender(port) as way_out:
        with pytest.raises(RejectedNotice, match="beyond ASCII"):
            await way_out.send(replace(LETTER, recipient="ayşe@example.org"))


@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": "421 busy"},
        {"MAIL": "451 4.3.0 later"},
        {"MAIL": "550 5.7.1 we do not know you"},
        {"RCPT": "451 4.7.1 greylisted"},
        {"RCPT": "530 5.7.0 sign in first"},
        {"DATA": "452 4.3.1 disk full"},
        {"content": "451 4.3.0 later"},
        {"RCPT": ""},
    ],
)
async def test_what_the_server_did_not_take_for_now_is_transient(answers: dict[str, str]) -> None:
    """4xx anywhere, a refusal of ourselves, and a line lost before the content: ask again later."""
    async with scripted(**answers) as port, sender(port) as way_out:
        with pytest.raises(TransientError):
            await way_out.send(LETTER)


@pytest.mark.parametrize(
    "answers",
    [
        {"RCPT": "550 5.1.1 <ayse@example.org> unknown"},
        {"DATA": "554 5.6.0 no"},
        {"content": "554 5.7.1 spam"},
    ],
)
async def test_what_the_server_will_never_take_is_rejected(answers: dict[str, str]) -> None:
    """5xx for recipient or content is final, and the address is not in the reason."""
    async with scripted(**answers) as port, sender(port) as way_out:
        with pytest.raises(RejectedNotice) as caught:
            await way_out.send(LETTER)
    assert "ayse" not in str(caught.value)
    assert str(caught.value).endswith(" ".join(answers.popitem()[1].split()[:2]))


async def test_a_line_lost_before_the_answer_leaves_open_what_became_of_the_letter() -> None:
    """Neither transient nor rejected: the core decides, with the same Message-ID."""
    async with scripted(content="") as port, sender(port) as way_out:
        with pytest.raises(IntakeError) as caught:
            await way_out.send(LETTER)
    assert type(caught.value) is IntakeError


async def test_a_server_that_is_not_there_is_transient() -> None:
    """Nothing was taken; the back-off is the core's."""
    async with scripted() as port:
        pass
    async with sender(port) as way_out:
        with pytest.raises(TransientError, match="no connection"):
            await way_out.send(LETTER)


async def test_after_an_error_the_next_letter_goes_out() -> None:
    """A refused recipient spoils no connection for the letters behind it."""
    async with keeping() as (kept, port), sender(port, connections=1) as way_out:
        with pytest.raises(RejectedNotice):
            await way_out.send(replace(LETTER, recipient="no address"))
        await way_out.send(LETTER)
    assert len(kept.envelopes) == 1


async def test_many_letters_share_a_few_connections() -> None:
    """Letters sent side by side use the connections there are, again and again."""
    async with keeping() as (kept, port), sender(port, connections=2) as way_out:
        await asyncio.gather(*(way_out.send(replace(LETTER, message_id=f"{n}@x")) for n in range(50)))
    assert len(kept.envelopes) == 50
    assert len(kept.sessions) <= 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), names, *files], check=True, capture_output=True)
    return folder / "cert.pem"


def _server_context(certificate: Path) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


async def test_starttls_encrypts_before_the_letter(certificate: Path) -> None:
    """With STARTTLS the server sees the letter over TLS only."""
    async with (
        keeping(tls_context=_server_context(certificate), require_starttls=True) as (kept, port),
        sender(port, security="starttls", ca_file=certificate) as way_out,
    ):
        await way_out.send(LETTER)
    assert kept.encrypted == [True]


async def test_a_server_without_starttls_gets_nothing() -> None:
    """An offer of STARTTLS that somebody stripped does not lead to a letter in the clear."""
    async with keeping() as (kept, port), sender(port, security="starttls") as way_out:
        with pytest.raises(TransientError):
            await way_out.send(LETTER)
    assert kept.envelopes == []


async def test_a_certificate_nobody_vouches_for_is_refused(certificate: Path) -> None:
    """The server must prove who it is."""
    async with (
        keeping(tls_context=_server_context(certificate)) as (kept, port),
        sender(port, security="starttls") as way_out,
    ):
        with pytest.raises(TransientError):
            await way_out.send(LETTER)
    assert kept.envelopes == []
