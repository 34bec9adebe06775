"""The whole of it on real servers: mails in, kills on the way, exactly once out."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from intake.store import tables as t
from tests.conftest import IN_CI
from tests.running import Running, intake, wait_for
from tests.spine import Installation, once, sequences

pytestmark = [pytest.mark.kafka, pytest.mark.dovecot, pytest.mark.slow]

MAILS = int(os.environ.get("DEV_SPINE_MAILS", "1000"))
KILLS = 5
_SENDS_AT_ONCE = 4  # letters the postman has under way at most
_NEEDED = ("DEV_KAFKA_BOOTSTRAP", "DEV_DOVECOT_IMAPS_PORT", "DEV_SMTP_DIR")


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str], Installation]:
    """Makes an installation for a store's URL."""
    missing = [name for name in _NEEDED if name not in os.environ]
    if missing:
        reason = f"servers are not running ({', '.join(missing)}); start them with: scripts/services up"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    return lambda url: Installation(tmp_path, url)


def test_a_thousand_mails_through_five_kills(install: Callable[[str], Installation], store_url: str) -> None:
    """Promises 1, 2, 4, 6 and 9 together.

    Mails arrive by LMTP while the IMAP connection is kicked and the service is killed five times. Then there
    is one case a mail, each event once for a reader that drops repeats, in order per case; one letter a sender,
    repeated at most once per letter under way at a kill; the books balance; and nothing was left running.
    """
    place = install(store_url)
    service = place.start()
    try:
        injector = threading.Thread(target=place.inject, args=(0, MAILS))
        injector.start()
        for number in range(1, KILLS + 1):
            wait_for(lambda n=number: place.count(t.cases) >= MAILS * n // (KILLS + 2), 120, "cases")  # type: ignore[misc]
            place.kick()
            assert service.kill() < 5  # nothing of ours is left; under a second on an idle machine
            service.restart()
            service.until_ready()
        injector.join(120)
        wait_for(lambda: place.count(t.cases) >= MAILS and not place.unsent(), 180, "everything sent")
        code, seconds = service.terminate()
        assert code == 0
        assert seconds < 25
    finally:
        service.close()
    check(place)


def check(place: Installation) -> None:
    """Compare what came in, what is stored, what the broker has and what the customers got."""
    assert place.count(t.cases) == MAILS
    records = place.records()
    kept = once(records)
    registered = [r for r in kept if r.topic not in (f"{place.run}.events.v1", f"{place.run}.urgent.v1")]
    assert len(registered) == len({r.key for r in registered}) == MAILS
    assert len([r for r in kept if r.topic == f"{place.run}.events.v1"]) == MAILS
    repeats = {dict(r.headers)["ce_id"]: r.value for r in records}
    assert all(repeats[dict(r.headers)["ce_id"]] == r.value for r in records)
    assert all(found == sorted(found) for found in sequences(kept).values())
    letters = place.letters()
    assert len(letters) == MAILS
    assert place.recipients() == {f"u{n}@{place.run}.example" for n in range(MAILS)}
    assert letters.total() - MAILS <= KILLS * _SENDS_AT_ONCE
    books = [
        json.loads(line) for line in intake("reconcile", "--json", config=place.config).stdout.splitlines()
    ]
    assert [(b["channel"], b["seen"], b["registered"], b["gap"]) for b in books] == [
        ("email", MAILS, MAILS, 0)
    ]


def test_one_mail_from_the_mailbox_to_the_topic(
    install: Callable[[str], Installation], tmp_path: Path
) -> None:
    """The thinnest line through all of it: what was written is in the record, and `show` tells its way."""
    place = install(f"sqlite:///{tmp_path / 'data' / 'intake.db'}")
    service: Running = place.start()
    try:
        place.inject(7, 1)
        wait_for(lambda: place.count(t.cases) == 1 and not place.unsent(), 30, "one case, sent")
        assert service.terminate()[0] == 0
    finally:
        service.close()
    event = next(r for r in place.records() if not r.topic.endswith((".events.v1", ".urgent.v1")))
    value = json.loads(event.value)
    assert value["text"] == "Merhaba, 7 numaralı çekim talebim üç gündür hesabıma geçmedi."
    shown = intake("show", value["tracking_code"], config=place.config).stdout
    assert f"{event.topic}-{event.partition}-{event.offset}" in shown
    assert "acknowledgement by email: sent" in shown
