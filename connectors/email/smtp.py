"""Sends letters through one SMTP server, over a few connections that are kept."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException, SMTPSenderRefused

from connectors.email.compose import compose, recipient_address
from connectors.email.settings import Smtp, tls_context
from intake.errors import IntakeError, RejectedNotice, TransientError
from intake.ports import Core
from intake.schema import Letter

_IDLE_SECONDS = 30.0  # servers close what is silent for longer
_LETTERS_PER_CONNECTION = 100  # many servers stop at about so many
_QUIT_SECONDS = 2.0
_ENHANCED_CODE = re.compile(r"\d\.\d{1,3}\.\d{1,3}")  # RFC 3463
# authentication or encryption required: about us, whatever the recipient
_ABOUT_US = frozenset({530, 534, 535, 538})


@dataclass(slots=True)
class _Line:
    """One connection."""

    client: SMTP
    letters: int = 0
    used_at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        waited = time.monotonic() - self.used_at
        return self.client.is_connected and waited < _IDLE_SECONDS and self.letters < _LETTERS_PER_CONNECTION


class Sender:
    """The way out. `send` may be called concurrently."""

    def __init__(self, smtp: Smtp, core: Core) -> None:
        self._smtp = smtp
        self._clock = core.clock
        self._from_name: str = smtp.from_name or core.settings.operator.name
        self._tls = None if smtp.security == "none" else tls_context(smtp.ca_file)
        self._slots = asyncio.Semaphore(smtp.connections)
        self._idle: list[_Line] = []

    async def send(self, letter: Letter) -> None:
        """Hand `letter` to the server, from the null sender (RFC 3834, section 3.3).

        Raises `TransientError` where it was not taken and may be later, `RejectedNotice` where it never will
        be. Any other error: the connection was lost after the letter was handed over and before the answer.
        """
        recipient = recipient_address(letter.recipient)
        mail = compose(letter, recipient, self._smtp, self._from_name, self._clock())
        async with self._slots:
            line = await self._line()
            try:
                await self._transfer(line.client, recipient, mail)
            except BaseException:
                line.client.close()
                raise
            line.letters += 1
            line.used_at = time.monotonic()
            self._idle.append(line)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        lines, self._idle = self._idle, []
        await asyncio.gather(*map(_quit, lines))

    async def _line(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if line.is_fresh:
                return line
            line.client.close()
        return _Line(await self._connect())

    async def _connect(self) -> SMTP:
        smtp = self._smtp
        client = SMTP(
            hostname=smtp.host,
            port=smtp.port,
            local_hostname=smtp.domain,
            timeout=smtp.timeout,
            use_tls=smtp.security == "tls",
            start_tls=smtp.security == "starttls",
            tls_context=self._tls,
            username=smtp.user or None,
            password=smtp.password.get_secret_value() if smtp.password else None,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except SMTPAuthenticationError as error:
            raise TransientError(f"the mail server refused our sign-in ({error.code})") from error
        except (SMTPException, OSError) as error:
            raise TransientError(f"no connection to the mail server: {type(error).__name__}") from error
        return client

    async def _transfer(self, client: SMTP, recipient: str, mail: bytes) -> None:
        international = not recipient.isascii()
        if international and not client.supports_extension("smtputf8"):
            raise RejectedNotice("the mail server cannot send to an address beyond ASCII")
        options, encoding = (["SMTPUTF8"], "utf-8") if international else ([], "ascii")
        handed_over = False
        try:
            await client.mail("", options=options, encoding=encoding)
            await client.rcpt(recipient, encoding=encoding)
            handed_over = True
            # failpoint: before data
            await client.data(mail)
            # failpoint: letter taken
        except SMTPResponseException as error:
            raise _refusal(error) from error
        except (SMTPException, OSError) as error:
            if handed_over:
                raise IntakeError("the mail server did not say whether it took the letter") from error
            raise TransientError(f"the mail server went away: {type(error).__name__}") from error


def _refusal(error: SMTPResponseException) -> IntakeError:
    """By the answer's code alone: its text may hold the address."""
    enhanced = _ENHANCED_CODE.match(error.message)
    said = f"the mail server answered {error.code}" + (f" {enhanced[0]}" if enhanced else "")
    about_us = isinstance(error, SMTPSenderRefused) or error.code in _ABOUT_US
    permanent = 500 <= error.code < 600 and not about_us
    return RejectedNotice(said) if permanent else TransientError(said)


async def _quit(line: _Line) -> None:
    with suppress(SMTPException, OSError):
        await line.client.quit(timeout=_QUIT_SECONDS)
    line.client.close()
