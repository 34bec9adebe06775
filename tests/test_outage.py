"""The broker is away: intake goes on, nothing is lost, and the order of each case is kept."""

from __future__ import annotations

import os
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest

from intake.store import tables as t
from tests.brokers import Broker
from tests.conftest import IN_CI
from tests.running import wait_for
from tests.spine import Installation, once, sequences

pytestmark = [pytest.mark.kafka, pytest.mark.dovecot, pytest.mark.slow]

OUTAGE_SECONDS = float(os.environ.get("DEV_OUTAGE_SECONDS", "15"))
_RATE = 20  # complaints a second
_ANSWER_SECONDS = 5.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    if "DEV_KAFKA_BOOTSTRAP" not in os.environ or "DEV_SMTP_DIR" not in os.environ:
        reason = "servers are not running; start them with: scripts/services up"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    made = Broker(tmp_path / "services")
    made.run("up")
    yield made
    made.run("down")


class Load:
    """Complaints through the form at a steady pace from a thread; remembers what was answered, and how fast."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/sikayet"
        self.answered: list[str] = []
        self.refused = 0
        self.slowest = 0.0
        self.pausing = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(1 / _RATE):
            if not self.pausing.is_set():
                self._submit()

    def _submit(self) -> None:
        client = str(uuid4())
        fields = {"id": client, "category": "payments", "text": f"Çekim talebim bekliyor: {client}"}
        began = time.monotonic()
        try:
            request = urllib.request.Request(self._url, urllib.parse.urlencode(fields).encode())
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
                assert answer.status == 200
        except OSError:
            self.refused += 1
        else:
            self.answered.append(client)
            self.slowest = max(self.slowest, time.monotonic() - began)


def reply(place: Installation, number: int, turn: int) -> EmailMessage:
    """A further mail of a sender, in the thread of his first."""
    mail = place.mail(number, f"u{number}@{place.run}.example")
    first = mail["Message-ID"]
    del mail["Message-ID"]
    mail["Message-ID"] = f"<{number}.{turn}.{place.run}@mail.example>"
    mail["In-Reply-To"] = first
    mail.set_content(f"Ek bilgi {turn}\n")
    return mail


def test_an_outage_of_the_broker_stops_only_the_broker(
    broker: Broker, tmp_path: Path, store_url: str
) -> None:
    """Promise 5: Kafka is killed under load; the form answers and readiness stays green.

    The service is told to stop during the outage and does so in time, starts again without a broker, and when
    Kafka is back the backlog drains by itself: every event once, in order per case.
    """
    place = Installation(tmp_path, store_url, broker=broker.address)
    service = place.start()
    try:
        place.inject(0, 10)
        wait_for(lambda: place.count(t.cases) == 10 and not place.unsent(), 60, "ten cases, sent")
        with Load(place.public) as load:
            wait_for(lambda: len(load.answered) >= 2 * _RATE, 60, "load")
            broker.run("kill")
            until = time.monotonic() + OUTAGE_SECONDS
            for turn in range(1, 4):
                for number in range(10):
                    place.send(reply(place, number, turn))
                wait_for(lambda: time.monotonic() > until - OUTAGE_SECONDS * (3 - turn) / 3, 600, "time")  # noqa: B023
                assert service.get("/readyz")[0] == 200
            load.pausing.set()
            before = len(load.answered)
            code, seconds = service.terminate()
            assert (code, seconds < 25) == (0, True), seconds
            service.restart()
            service.until_ready()
            load.pausing.clear()
            wait_for(lambda: len(load.answered) >= before + _RATE, 60, "answers without a broker")
            broker.run("start")
            wait_for(lambda: place.count(t.unsent) < _RATE * 3, 120, "drained")
        assert load.refused == 0
        assert load.slowest < _ANSWER_SECONDS
        wait_for(lambda: not place.unsent(), 120, "everything sent")
        assert service.terminate()[0] == 0
    finally:
        service.close()
    kept = once(place.records())
    expected = 2 * (len(load.answered) + 10 + 30)
    assert len([r for r in kept if not r.topic.endswith(".urgent.v1")]) == expected
    assert all(found == sorted(found) for found in sequences(kept).values())
