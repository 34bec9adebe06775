"""What the sources give while the service is killed: mails, answers in a thread, files, the form and the API."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import smtplib
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from intake.settings import Settings
from tests.failpoints import ROOT
from tests.running import wait_for
from tests.spine import Installation, free_port

_API = """[web_form]
api_per_minute = 1000000
api_keys = { site = "site-key" }
"""
_TICK_SECONDS = 0.25
_POSTS_OPEN = 12  # unanswered ones are offered again before new ones are made
_ANSWER_SECONDS = 10.0
_CODE = re.compile(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{2}\b")


@contextmanager
def own_sink(folder: Path) -> Iterator[None]:
    """A mail sink of our own, which installations made meanwhile send to and read from."""
    port, log = free_port(), (folder / "sink.log").open("wb")
    command = [sys.executable, str(ROOT / "scripts" / "smtp_sink.py"), "--port", str(port), "--folder"]
    sink = subprocess.Popen([*command, str(folder / "sink")], stdout=log, stderr=log)
    wait_for((folder / "sink" / "new").exists, 30, "the mail sink")
    given = {"DEV_SMTP_HOST": "127.0.0.1", "DEV_SMTP_PORT": str(port), "DEV_SMTP_DIR": str(folder / "sink")}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        sink.terminate()
        sink.wait(10)
        log.close()


@dataclass
class Place(Installation):
    """An installation whose API has a key and takes as much as is offered."""

    def __post_init__(self) -> None:
        super().__post_init__()
        with _loading:
            self._settings = super().settings()
        self.config.write_text(self.config.read_text("utf-8").replace("[web_form]\n", _API), "utf-8")

    def settings(self) -> Settings:
        """Read once."""
        return self._settings


_loading = threading.Lock()  # CPython 3.11 trips over two threads that parse source, as settings do


@dataclass(slots=True)
class Mail:
    """A mail the mailbox has taken; `first` is the Message-ID of the one it answers."""

    sender: str
    first: str = ""
    files: int = 0


@dataclass
class Ledger:
    """What the sources gave, as they know it."""

    mails: dict[str, Mail] = field(default_factory=dict)
    """By Message-ID."""
    posts: dict[str, str] = field(default_factory=dict)
    """By the client's id: the tracking code it was answered with, empty while it was not."""
    addresses: dict[str, str] = field(default_factory=dict)
    """By the client's id: the address typed into the form."""

    def unanswered(self) -> list[str]:
        """Posts nobody has said yes to yet."""
        return [client for client, code in self.posts.items() if not code]

    def firsts(self) -> list[str]:
        """The mails that begin a complaint."""
        return [message_id for message_id, mail in self.mails.items() if not mail.first]


class Sources(threading.Thread):
    """Gives mails and posts at a steady pace until told to finish; then only what is unanswered, until it is not."""

    def __init__(self, place: Installation, seed: int) -> None:
        super().__init__(name=f"sources-{place.run}", daemon=True)
        self.ledger = Ledger()
        self._place, self._random = place, random.Random(seed)
        self._finishing, self._ended = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self._finishing.is_set():
                began = time.monotonic()
                self.give(mails=2, posts=2)
                self._finishing.wait(max(0.0, _TICK_SECONDS - (time.monotonic() - began)))
            while not self._ended.is_set() and self.ledger.unanswered():
                self.give(mails=0, posts=len(self.ledger.unanswered()))
                self._ended.wait(_TICK_SECONDS)
        except Exception as error:
            self.error = error

    def finish(self) -> None:
        """Give nothing new."""
        self._finishing.set()

    def end(self) -> None:
        """Give nothing at all any more."""
        self.finish()
        self._ended.set()
        self.join(_ANSWER_SECONDS * 4)

    def is_answered(self) -> bool:
        """Everything offered has been taken."""
        if self.error:
            raise self.error
        return not self.is_alive() and not self.ledger.unanswered()

    def give(self, *, mails: int, posts: int) -> None:
        """So many mails by LMTP and so many submissions over HTTP, each known by its id before it is offered."""
        if mails:
            self._send_mails([self._mail() for _ in range(mails)])
        for client in self._next_posts(posts):
            if not self._post(client):
                return

    def _send_mails(self, mails: list[EmailMessage]) -> None:
        host, port = os.environ["DEV_DOVECOT_HOST"], int(os.environ["DEV_LMTP_PORT"])
        with smtplib.LMTP(host, port) as lmtp:
            for mail in mails:
                lmtp.send_message(mail, str(mail["From"]), [f"{self._place.run}@localhost"])
                first = str(mail["In-Reply-To"] or "")
                files = len(list(mail.iter_attachments()))
                self.ledger.mails[str(mail["Message-ID"])] = Mail(str(mail["From"]), first, files)

    def _mail(self) -> EmailMessage:
        number = len(self.ledger.mails) + self._random.randrange(10**9) * 1000
        firsts = self.ledger.firsts()
        if firsts and self._random.random() < 0.35:
            first = self._random.choice(firsts[-40:])
            mail = self._place.mail(number, self.ledger.mails[first].sender)
            mail["In-Reply-To"] = mail["References"] = first
            mail.set_content(f"Ek bilgi veriyorum, kayıt {number}.\n")
        else:
            mail = self._place.mail(number, f"m{number}@{self._place.run}.example")
        if self._random.random() < 0.15:
            mail.set_content(f"Uzun bir yazı, {number}.\n" + "Param hâlâ gelmedi, bekliyorum.\n" * 2_500)
        if self._random.random() < 0.3:
            mail.add_attachment(self._random.randbytes(20_000), "image", "png", filename="ekran.png")
        return mail

    def _next_posts(self, count: int) -> list[str]:
        open_ones = self.ledger.unanswered()
        fresh = max(0, min(count, _POSTS_OPEN - len(open_ones))) if not self._finishing.is_set() else 0
        for _ in range(fresh):
            client = str(UUID(int=self._random.getrandbits(128), version=4))
            self.ledger.posts[client] = ""
            if self._random.random() < 0.5:
                self.ledger.addresses[client] = f"f{client[:8]}@{self._place.run}.example"
        return self.ledger.unanswered()[:count]

    def _post(self, client: str) -> bool:
        """Offer one, the same bytes each time; the code is noted only where the answer says it was taken."""
        text = f"Çekim talebim bekliyor, başvuru {client}."
        email = self.ledger.addresses.get(client, "")
        base = f"http://127.0.0.1:{self._place.public}"
        if client[0] in "01234567":
            fields = {"id": client, "category": "payments", "text": text, "email": email}
            request = urllib.request.Request(f"{base}/sikayet", urllib.parse.urlencode(fields).encode())
        else:
            document = json.dumps({"id": client, "text": text, "email": email}).encode()
            headers = {"Authorization": "Bearer site-key", "Content-Type": "application/json"}
            request = urllib.request.Request(f"{base}/v1/complaints", document, headers)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                body = answer.read().decode()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503:
                raise
            return False
        except (OSError, http.client.HTTPException):
            return False  # nobody there, or cut in the middle of the answer
        found = _CODE.search(body)
        assert found, "an answer without a code"
        self.ledger.posts[client] = found[0]
        return True
