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
from intake.store import postbox, schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, open_store
from intake.store.leases import Lease
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


async def test_a_postman_who_lost_the_lease_sends_and_takes_nothing(
    store: AnyStore, make_settings: Any, clock: Any
) -> None:
    """Another one may be sending by then: the letter under way is the last, and the rest is left to him."""
    await post(store, *(notice(f"u{n}@example.org") for n in range(4)))
    box = Box()
    channel = Channel("email", send=box.send, send_rate=10_000, send_at_once=1)
    lost = Postman(
        store, {"email": channel}, make_settings(), b"secret", clock, Bell(), lambda: not box.letters
    )
    await asyncio.wait_for(lost.run(), 10)
    assert len(box.letters) == 1
    await asyncio.wait_for(lost.run(), 10)
    await postman(store, box, make_settings(), clock)._send_due(["email"])
    assert await states(store) == {"sent": 4}
    assert len({letter.id for letter in box.letters}) == len(box.letters) == 4


async def test_a_letter_that_was_sent_is_not_sent_again_for_a_database_that_was_away(
    store: AnyStore, make_settings: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fate is kept and stored before anything goes out again."""
    await post(store, notice())
    sender = postman(store, box := Box(), make_settings(), clock)

    async def gone(work: Any) -> Any:
        raise TransientError("connection lost")

    async def send_and_lose(letter: Letter) -> None:
        await box.send(letter)
        monkeypatch.setattr(store, "write", gone)

    sender._channels = {"email": Channel("email", send=send_and_lose, send_rate=10_000)}
    with pytest.raises(ExceptionGroup):
        await sender.run()
    monkeypatch.undo()
    running = asyncio.create_task(sender.run())
    await post(store, notice("other@example.org", data={"code": new(), "received_at": NOW.isoformat()}))
    sender._channels = {"email": Channel("email", send=box.send, send_rate=10_000)}
    box.arrived.clear()
    sender._bell.ring()
    await asyncio.wait_for(box.arrived.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [letter.recipient for letter in box.letters] == ["ayse@example.org", "other@example.org"]


@pytest.mark.postgres
async def test_of_two_postmen_one_sends(postgres_url: str, make_settings: Any, clock: Any) -> None:
    """Two instances, one lease: every letter goes out once, by one of them; when he stops the other goes on."""
    settings = make_settings(store={"url": postgres_url})
    one, two = open_store(settings), open_store(settings)
    await schema_version.upgrade(one)
    boxes, leases = [Box(), Box()], [Lease(one, "notices"), Lease(two, "notices")]
    await post(one, *(notice(f"u{n}@example.org") for n in range(30)))
    men = [
        Postman(
            s, {"email": Channel("email", send=b.send, send_rate=10_000)}, settings, b"s", clock, Bell(), m
        )
        for s, b, m in zip((one, two), boxes, (lease.still_mine for lease in leases), strict=True)
    ]
    first = asyncio.create_task(leases[0].hold(men[0].run))
    await asyncio.wait_for(boxes[0].arrived.wait(), 10)
    second = asyncio.create_task(leases[1].hold(men[1].run))
    async with asyncio.timeout(20):
        while await states(one) != {"sent": 30}:  # noqa: ASYNC110  two instances write it
            await asyncio.sleep(0.05)
    assert (len(boxes[0].letters), len(boxes[1].letters)) == (30, 0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await post(one, notice())
    await asyncio.wait_for(boxes[1].arrived.wait(), 20)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await one.close()
    await two.close()


async def test_what_was_ever_sent_costs_the_next_letter_nothing(store: AnyStore, make_settings: Any) -> None:
    """A look for what is due reads the few open notices by their index, however many have been sent."""
    plans: list[str] = []

    def explain(connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if store.dialect == "sqlite" and "EXPLAIN" not in statement:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in rows if "notices" in row[-1])

    def work(connection: sa.Connection) -> None:
        sa.event.listen(connection, "before_cursor_execute", explain)
        postbox.recover(connection, ["email"])
        postbox.due(connection, ["email"], NOW, 10)
        postbox.oldest_open(connection)
        postbox.sent_lately(connection, ["email"], ["ayse@example.org"], NOW)

    await store.write(work)
    assert [plan for plan in plans if "notices_open" not in plan and "recipient=?" not in plan] == []


def test_a_bundle_answers_the_status_questions_in_it() -> None:
    """Who asked for a state among many mails still gets it."""
    question = notice(kind="status", data={"code": new(), "status": "in_progress"})
    _, text = letters.render([notice(), question], "tr", Operator(), "https://x/status")
    assert f"{show(question['data']['code'])} kodlu başvurunuzun durumu: inceleniyor." in text


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
