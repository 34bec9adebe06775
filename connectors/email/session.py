"""One IMAP connection and its thread: the few commands that reading needs."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import structlog
from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import (
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
)

from connectors.email.settings import Mailbox
from connectors.email.thread import OwnThread
from intake.errors import TransientError

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_CONNECT_SECONDS = 15.0
_READ_SECONDS = 60.0
_KEEPALIVE_SECONDS = 60
# one answer without content may be half a line or a record of TLS's own; so many in a row are a closed stream
_EMPTY_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class View:
    """A folder at the moment it was selected."""

    validity: int
    next_uid: int
    exists: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is asked about a mail before its bytes. `size` is in bytes, as the server states it."""

    uid: int
    size: int
    received_at: datetime | None


def sign_in(client: IMAPClient, mailbox: Mailbox) -> None:
    """Authenticate by password; other ways (OAuth2) belong here. Raises `LoginError`.

    SASL PLAIN (RFC 4616) is preferred because LOGIN cannot carry a password beyond ASCII.
    """
    password = mailbox.password.get_secret_value()
    if client.has_capability("AUTH=PLAIN"):
        client.plain_login(mailbox.user, password)
    else:
        client.login(mailbox.user, password)


class Session:
    """A signed-in connection. After any `TransientError` it is of no more use.

    Every method but `call` and `end` blocks and belongs into its thread: `await s.call(s.select, name)`.
    """

    def __init__(self, mailbox: Mailbox, tls: ssl.SSLContext) -> None:
        self._mailbox = mailbox
        self._tls = tls
        self._thread = OwnThread(f"imap-{mailbox.name}")
        self._client: Any = None
        self._ended = False
        self._refused: set[str] = set()
        self.can_idle = False
        self._can_move = False

    async def call(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one of the methods below in the session's thread."""
        return await self._thread.call(step, *args, **kwargs)

    def end(self) -> None:
        """Interrupt whatever the thread is waiting for, free the socket and let the thread end; at once."""
        self._ended = True
        if self._client is not None:
            with suppress(OSError):
                # not SSLSocket.shutdown: that one takes the TLS layer away under the reading thread
                socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)
        self._thread.submit(self._close)
        self._thread.end()

    def _close(self) -> None:
        if self._client is not None:
            with suppress(OSError, IMAPClientError):
                self._client.shutdown()

    def open(self) -> None:
        """Connect and sign in."""
        with self._wrapped():
            client = IMAPClient(
                self._mailbox.host,
                self._mailbox.port,
                ssl_context=self._tls,
                timeout=SocketTimeout(_CONNECT_SECONDS, _READ_SECONDS),
            )
            self._client = client
            if self._ended:
                raise ConnectionAbortedError
            client.normalise_times = False
            _keep_alive(client.socket())
            sign_in(client, self._mailbox)
            self.can_idle = client.has_capability("IDLE")
            # without UIDPLUS a MOVE of the server's own making may expunge what others had marked
            self._can_move = client.has_capability("MOVE") and client.has_capability("UIDPLUS")

    def existing(self, folders: Sequence[str]) -> list[str]:
        """Those of `folders` that the account has."""
        with self._wrapped():
            return [folder for folder in folders if self._client.folder_exists(folder)]

    def ensure(self, folder: str) -> None:
        """Make `folder` if it is not there."""
        with self._wrapped():
            if not self._client.folder_exists(folder):
                self._client.create_folder(folder)

    def select(self, folder: str) -> View:
        """Turn to `folder` and see its news."""
        with self._wrapped():
            answer = self._client.select_folder(folder)
            following = answer.get(b"UIDNEXT") or max(self._client.search(["UID", "*"]), default=0) + 1
            return View(int(answer[b"UIDVALIDITY"]), int(following), int(answer[b"EXISTS"]))

    def uids(self, low: int, high: int | None) -> list[int]:
        """The UIDs from `low` to `high` (None: to the end), ascending."""
        with self._wrapped():
            found = self._client.search(["UID", f"{low}:{'*' if high is None else high}"])
            # "n:*" names the last mail even where its UID is below n (RFC 3501, section 6.4.8)
            return sorted(uid for uid in set(found) if uid >= low and (high is None or uid <= high))

    def present(self, uids: Iterable[int]) -> set[int]:
        """Those of `uids` that the folder still has."""
        with self._wrapped():
            return set(self._client.search(["UID", ",".join(map(str, uids))]))

    def facts(self, uids: Sequence[int]) -> list[Facts]:
        """Size and date of those of `uids` that the server answers for, in their order."""
        with self._wrapped():
            answer = self._client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
        known = ((uid, answer.get(uid, {})) for uid in uids)
        return [
            Facts(uid, item[b"RFC822.SIZE"], _utc(item.get(b"INTERNALDATE")))
            for uid, item in known
            if item.get(b"RFC822.SIZE") is not None
        ]

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The whole mails, unread marks untouched; a UID the server does not answer for is left out."""
        with self._wrapped():
            answer = self._client.fetch(uids, ["BODY.PEEK[]"])
        bodies = {uid: item.get(b"BODY[]") for uid, item in answer.items()}
        return {uid: body for uid, body in bodies.items() if body is not None}

    def beginning(self, uid: int, size: int) -> dict[int, bytes]:
        """The first `size` bytes of one mail, or nothing where the server does not answer for it."""
        with self._wrapped():
            item = self._client.fetch([uid], [f"BODY.PEEK[]<0.{size}>"]).get(uid, {})
        body = item.get(b"BODY[]<0>")
        return {} if body is None else {uid: body}

    def tidy(self, uids: Sequence[int], folder: str) -> None:
        """Move mails to `folder` where the server can, else mark them as seen; a refusal is only logged."""
        with self._wrapped():
            if folder and self._can_move and self._courtesy("move", uids, folder):
                return
            self._courtesy("add_flags", uids, [b"\\Seen"], silent=True)

    def idle(self, seconds: float) -> bool:
        """Wait for news of the selected folder (RFC 2177), at most `seconds`; says whether there are any."""
        with self._wrapped():
            self._client.idle()
            news = self._has_buffered() or self._announced(seconds)
            _, rest = self._client.idle_done()
            return news or _tells_arrival(rest)

    def _announced(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        empty = 0
        while (left := deadline - time.monotonic()) > 0:
            answers = self._client.idle_check(timeout=left)
            if _tells_arrival(answers):
                return True
            empty = 0 if answers else empty + 1
            if empty >= _EMPTY_ANSWERS and time.monotonic() < deadline:
                # the library swallows the end of the stream and would be asked for ever
                raise ConnectionResetError
        return False

    def _has_buffered(self) -> bool:
        """Whether an announcement came in one piece with the go-ahead for IDLE.

        The library waits for the socket to become readable; what it has read already it would not notice
        until the server speaks again (measured: every mail that arrives between SELECT and IDLE).
        """
        buffer = getattr(self._client._imap, "file", None)  # noqa: SLF001  (no public way to see it)
        connection = self._client.socket()
        connection.setblocking(False)
        try:
            return bool(buffer and buffer.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            connection.settimeout(_READ_SECONDS)

    def _courtesy(self, command: str, *args: Any, **kwargs: Any) -> bool:
        try:
            getattr(self._client, command)(*args, **kwargs)
        except IMAPClientAbortError:
            raise
        except IMAPClientError:
            if command not in self._refused:
                self._refused.add(command)
                log.warning("The mail server refuses to tidy up", mailbox=self._mailbox.name, command=command)
            return False
        return True

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        name = self._mailbox.name
        try:
            yield
        except LoginError as error:
            raise TransientError(f"mailbox {name}: the server refused the sign-in") from error
        except (IMAPClientError, OSError, EOFError, ValueError, KeyError) as error:
            # the text of a library error may hold parts of a mail
            what = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise TransientError(
                f"mailbox {name}: connection to {self._mailbox.host} failed: {what}"
            ) from error


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)


def _tells_arrival(answers: Sequence[Any]) -> bool:
    return any(isinstance(answer, tuple) and answer[1:2] == (b"EXISTS",) for answer in answers)


def _utc(moment: datetime | None) -> datetime | None:
    """None also for the epoch, which Dovecot states for a mail that has just been expunged."""
    return None if moment is None or moment.year <= 1970 else moment.astimezone(UTC)
