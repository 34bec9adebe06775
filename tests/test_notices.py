"""The way back: which letters go out, how many, and again after a crash."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from intake import letters
from intake.errors import RejectedNotice, TransientError
from intake.notices import Postman
from intake.ports import Channel
from intake.schema import Letter
from intake.settings import Operator, Settings
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.store.outbox import Bell
from intake.tracking import new, show

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def notice(recipient: str = "ayse@example.org", **given: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "case_id": str(uuid4()),
        "kind": "acknowledgement",
        "channel": "email",
        "source": "support",
        "recipient": recipient,
        "language": "tr",
        "data": {"code": new(), "received_at": NOW.isoformat()},
        "state": "pending",
        "due_at": NOW,
        "created_at": NOW,
        "attempts": 0,
        "error": "",
        **given,
    }


async def post(store: AnyStore, *rows: dict[str, Any]) -> None:
    await store.write(lambda c: c.execute(sa.insert(t.notices), list(rows)))


async def states(store: AnyStore) -> Counter[str]:
    return Counter(await store.read(lambda c: list(c.scalars(sa.select(t.notices.c.state)))))


class Box:
    """A channel that keeps what it is given, after the errors it is told to raise first."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.letters = list(errors), list[Letter]()
        self.arrived = asyncio.Event()

    async def send(self, letter: Letter) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.letters.append(letter)
        self.arrived.set()


def postman(store: AnyStore, box: Box, settings: Settings, clock: Any) -> Postman:
    channel = Channel("email", send=box.send, send_rate=10_000)
    return Postman(store, {"email": channel}, settings, b"secret", clock, Bell())


async def test_a_code_reaches_its_sender(store: AnyStore, make_settings: Any, clock: Any) -> None:
    """The letter carries the code in subject and text, and answers in the thread."""
    row = notice(
        data={"code": new(), "received_at": NOW.isoformat(), "in_reply_to": "m1@x", "references": ["m1@x"]}
    )
    await post(store, row)
    box = Box()
    assert await postman(store, box, make_settings(), clock)._send_due(["email"])
    (letter,) = box.letters
    assert show(row["data"]["code"]) in letter.subject
    assert show(row["data"]["code"]) in letter.text
    assert letter.in_reply_to == "m1@x"
    assert await states(store) == {"sent": 1}


async def test_a_recipient_gets_five_letters_an_hour_and_every_code(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """Promise 6: eight complaints at once are four letters and one that bundles the rest; no code is dropped."""
    rows = [notice() for _ in range(8)]
    await post(store, *rows)
    box = Box()
    await postman(store, box, make_settings(), clock)._send_due(["email"])
    assert len(box.letters) == 5
    told = " ".join(letter.text for letter in box.letters)
    assert all(show(row["data"]["code"]) in told for row in rows)


async def test_above_the_limit_codes_wait_and_are_bundled(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """What comes after the fifth letter waits until the hour is over, and then goes out in one letter."""
    sender = postman(store, box := Box(), make_settings(), clock)
    await post(store, *(notice() for _ in range(8)))
    await sender._send_due(["email"])
    late = [notice() for _ in range(9)]
    await post(store, *late)
    assert not await sender._send_due(["email"])
    clock.forward(minutes=61)
    await sender._send_due(["email"])
    assert len(box.letters) == 10
    told = " ".join(letter.text for letter in box.letters)
    assert all(show(row["data"]["code"]) in told for row in late)


async def test_a_letter_refused_for_now_goes_out_later_under_the_same_id(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """A temporary failure is tried again with the same Message-ID."""
    await post(store, notice())
    sender = postman(
        store, box := Box(TransientError("451"), ConnectionError("lost")), make_settings(), clock
    )
    for _ in range(3):
        await sender._send_due(["email"])
        clock.forward(minutes=5)
    assert len(box.letters) == 1
    stored = await store.read(lambda c: c.execute(sa.select(t.notices)).one())
    assert box.letters[0].id == stored.letter
    assert (stored.state, stored.attempts) == ("sent", 3)


async def test_a_letter_refused_for_good_waits_for_a_person(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """It fails, says why, and stops no other."""
    await post(store, notice("nobody@example.org"), notice())
    sender = postman(store, box := Box(RejectedNotice("550 unknown")), make_settings(), clock)
    await sender._send_due(["email"])
    assert len(box.letters) == 1
    assert await states(store) == {"failed": 1, "sent": 1}


async def test_letters_on_their_way_at_a_crash_go_out_again_whole(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """After a restart a bundle is sent again under its id with all its codes."""
    letter = str(uuid4())
    rows = [notice(state="sending", letter=letter, due_at=NOW + timedelta(seconds=n)) for n in range(3)]
    await post(store, *rows)
    box = Box()
    running = asyncio.create_task(postman(store, box, make_settings(), clock).run())
    await asyncio.wait_for(box.arrived.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [one.id for one in box.letters] == [letter]
    assert all(show(row["data"]["code"]) in box.letters[0].text for row in rows)


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("kind", ["acknowledgement", "receipt", "status"])
def test_every_letter_says_its_code_and_who_writes(language: str, kind: str) -> None:
    """Each kind in each language names the code and the operator and leaves no placeholder."""
    row = notice(kind=kind)
    row["data"]["status"] = "registered"
    subject, text = letters.render([row], language, Operator(name="Deneme A.Ş."), "https://x.example/status")
    assert show(row["data"]["code"]) in subject
    assert "Deneme A.Ş." in text
    assert "{" not in subject + text


def test_the_words_are_there_in_both_languages() -> None:
    """Every state has words in every language."""
    assert {name: set(words.states) for name, words in letters.WORDS.items()} == {
        name: set(letters._TR.states) for name in letters.WORDS
    }
