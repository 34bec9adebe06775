"""The log tells operations what happened and nobody who complained."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest

from intake import tracking
from intake.store import tables as t
from tests.running import wait_for
from tests.spine import Installation

pytestmark = [pytest.mark.kafka, pytest.mark.dovecot, pytest.mark.slow]

# what a customer writes, where it could slip into a log: in texts, names, addresses, numbers, file names
_CANARIES = (
    "kanaryakuş", "kanarya.posta", "Kanaryagil", "KANARYASIFRE", "5321234567", "kanarya-dekont", "kanaryahesap",
    "TR330006100519786457841326", "kanaryakonu",
)  # fmt: skip


def _mail(place: Installation) -> EmailMessage:
    mail = place.mail(1, f"Ayse Kanaryagil <kanarya.posta@{place.run}.example>")
    del mail["Subject"]
    mail["Subject"] = "kanaryakonu"
    mail.set_content(
        "Ben kanaryakuş, hesabım kanaryahesap, şifrem KANARYASIFRE, telefonum 0532 123 45 67 (+905321234567), "
        "IBAN TR33 0006 1005 1978 6457 8413 26 (TR330006100519786457841326). Param gelmedi.\n"
    )
    mail.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="kanarya-dekont.png")
    return mail


def _submit(place: Installation) -> None:
    fields = {
        "id": str(uuid4()),
        "text": "kanaryakuş yazıyor, KANARYASIFRE",
        "subject": "kanaryakonu",
        "name": "Ayşe Kanaryagil",
        "email": f"kanarya.posta@{place.run}.example",
        "phone": "+905321234567",
        "account": "kanaryahesap",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{place.public}/sikayet?kanaryakonu=1", urllib.parse.urlencode(fields).encode()
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def _broken(place: Installation) -> EmailMessage:
    """A mail that cannot be read: what is said of a failure is said of it too."""
    mail = EmailMessage()
    mail["From"] = f"kanarya.posta@{place.run}.example"
    mail["Message-ID"] = f"<kanaryakonu.{place.run}@mail.example>"
    mail["Subject"] = "kanaryakonu"
    mail["Content-Type"] = 'multipart/mixed; boundary="kanaryahesap"'
    mail.set_payload("--kanaryahesap\n" * 6_000)
    return mail


def test_the_log_at_its_most_talkative_names_no_customer(tmp_path: Path) -> None:
    """At DEBUG, with mails, a form, files, a mail nobody can read and letters back: no name, address, number, text
    or tracking code; and every line is JSON with a level and a time.
    """
    place = Installation(tmp_path, f"sqlite:///{tmp_path / 'intake.db'}")
    place.config.write_text(
        place.config.read_text("utf-8").replace('level = "info"', 'level = "debug"'), "utf-8"
    )
    service = place.start()
    try:
        place.send(_mail(place))
        place.send(_broken(place))
        _submit(place)
        wait_for(
            lambda: place.count(t.cases) == 3 and not place.unsent(), 60, "three cases, sent and answered"
        )
        assert service.terminate()[0] == 0
    finally:
        service.close()
    said = service.log()
    assert [canary for canary in _CANARIES if canary.lower() in said.lower()] == []
    codes = [row.code for row in place.ask(t.cases.select())]
    assert [code for code in codes if code in said or tracking.show(code) in said] == []
    lines = [json.loads(line) for line in said.splitlines()]
    assert len(lines) >= 5  # start, stop, the request, what could not be read
    assert [line for line in lines if not {"level", "timestamp", "event"} <= line.keys()] == []
