"""What each delivery becomes: the contract of registration, on both stores."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from intake import identity
from intake.register import Offer, Policy, _lock_keys, register
from intake.schema import (
    ContactPoint,
    Message,
    Normalized,
    Outcome,
    RawMessage,
    Receipt,
    Sender,
    Thread,
    Triage,
)
from intake.store import schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, open_store
from intake.store.ledger import balance
from intake.workers import Prepared

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
Clock = Callable[[], datetime]


def mail(uid: int, sender: str = "ayse@example.org", **given: Any) -> Offer:
    """A prepared mail; keyword arguments replace fields of its message, raw message or triage."""
    thread = given.pop("thread", Thread(message_id=f"m{uid}@example.org"))
    triage = given.pop("triage", Triage(language="tr", category="payments", department="payments"))
    hashed = given.pop("content_hash", None)
    raw = RawMessage("email", "support", "message/rfc822", b"raw %d" % uid, NOW, "INBOX/1", uid)
    message = Message(
        channel="email",
        source="support",
        external_id=thread.message_id,
        received_at=NOW,
        sender=Sender(
            name="Ayşe",
            contact_points=(ContactPoint(kind="email", value=sender),),
            trust=given.pop("trust", "claimed"),
        ),
        subject=given.pop("subject", "Para çekme"),
        text=given.pop("text", "Çekim talebim beş gündür bekliyor."),
        thread=thread,
        **given,
    )
    return Offer(raw, Prepared(Normalized(message), triage), hashed)


def unreadable(uid: int, body: bytes = b"From: ali@example.org\r\n\r\nx") -> Offer:
    raw = RawMessage("email", "support", "message/rfc822", body, NOW, "INBOX/1", uid)
    return Offer(raw, Prepared(None, None, "timeout"))


async def take(store: AnyStore, policy: Policy, *offers: Offer, now: datetime = NOW) -> list[Receipt]:
    return await store.write(lambda c: register(c, offers, policy, now))


async def rows(store: AnyStore, table: sa.Table) -> list[dict[str, Any]]:
    return await store.read(lambda c: [dict(r) for r in c.execute(sa.select(table)).mappings()])


async def test_a_new_message_becomes_a_case_with_events_and_an_acknowledgement(
    store: AnyStore, policy: Policy
) -> None:
    """One delivery: a case, a full event for its department, one without text for all, one letter."""
    (receipt,) = await take(store, policy, mail(1))
    assert receipt.outcome is Outcome.REGISTERED
    assert receipt.first
    events = await rows(store, t.outbox)
    assert [e["topic"] for e in events] == ["payments.v1", "events.v1"]
    assert "beş gündür" in json.loads(events[0]["value"])["text"]
    assert b"g\xc3\xbcnd\xc3\xbcr" not in events[1]["value"]
    assert b"ayse@" not in events[1]["value"]
    (notice,) = await rows(store, t.notices)
    assert (notice["kind"], notice["recipient"], notice["data"]["code"]) == (
        "acknowledgement",
        "ayse@example.org",
        receipt.code,
    )


async def test_a_delivery_offered_again_changes_nothing(store: AnyStore, policy: Policy) -> None:
    """Promise 2: the same source key any number of times, within a batch and after it, is one effect."""
    first, again = await take(store, policy, mail(1), mail(1))
    (later,) = await take(store, policy, mail(1))
    assert again == later == replace(first, first=False)
    assert len(await rows(store, t.cases)) == 1
    assert len(await rows(store, t.outbox)) == 2


async def test_the_same_content_through_another_door_is_a_repeat(store: AnyStore, policy: Policy) -> None:
    """The same mail in a second folder: no case, no event, no letter, but a line in the ledger."""
    first, again = await take(store, policy, mail(1, content_hash="a" * 64), mail(2, content_hash="a" * 64))
    (later,) = await take(store, policy, mail(3, content_hash="a" * 64))
    assert [again.outcome, later.outcome] == [Outcome.REPEAT, Outcome.REPEAT]
    assert again.code == later.code == first.code
    assert len(await rows(store, t.notices)) == 1


async def test_a_reply_of_the_same_sender_follows_up(store: AnyStore, policy: Policy) -> None:
    """A reply in the thread by an address of the case keeps its code; the event's sequence grows."""
    (first,) = await take(store, policy, mail(1))
    (second,) = await take(
        store, policy, mail(2, thread=Thread(message_id="r@x", in_reply_to="m1@example.org"))
    )
    assert (second.outcome, second.code) == (Outcome.FOLLOW_UP, first.code)
    sequences = [
        (e["type"], e["sequence"]) for e in await rows(store, t.outbox) if e["topic"] == "payments.v1"
    ]
    assert sequences == [("complaint.registered.v1", 1), ("complaint.followed_up.v1", 2)]


async def test_a_reply_in_the_same_batch_follows_up(store: AnyStore, policy: Policy) -> None:
    """The case a batch is about to make is already there for the messages behind it."""
    reply = mail(2, thread=Thread(message_id="r@x", references=("m1@example.org",)))
    first, second = await take(store, policy, mail(1), reply)
    assert (second.outcome, second.case_id) == (Outcome.FOLLOW_UP, first.case_id)
    assert (await rows(store, t.cases))[0]["sequence"] == 2


@pytest.mark.parametrize(
    ("sender", "trust"), [("stranger@example.org", "authenticated"), ("ayse@example.org", "none")]
)
async def test_a_code_in_other_hands_makes_a_case_of_its_own(
    store: AnyStore, policy: Policy, sender: str, trust: str
) -> None:
    """Someone who does not agree with the case gets a new one, and the other only as an unconfirmed relation."""
    (first,) = await take(store, policy, mail(1))
    assert first.code
    (second,) = await take(store, policy, mail(2, sender, trust=trust, thread=Thread(codes=(first.code,))))
    assert second.outcome is Outcome.REGISTERED
    assert second.code != first.code
    (case,) = [c for c in await rows(store, t.cases) if c["id"] == second.case_id]
    assert case["related"] == [{"case_id": first.case_id, "relation": "earlier", "confirmed": False}]


async def test_our_thread_token_vouches_for_its_address_alone(store: AnyStore, policy: Policy) -> None:
    """A reply to our letter counts although authentication failed, but not from another address."""
    (first,) = await take(store, policy, mail(1))
    letter = "01900000-0000-7000-8000-000000000001"
    await store.write(lambda c: c.execute(sa.update(t.notices).values(letter=letter)))
    reference = identity.letter_message_id(policy.secret, letter, "ayse@example.org") + "@ours.example"
    thread = Thread(message_id="r@x", in_reply_to=reference)
    own, other = await take(
        store, policy, mail(2, trust="none", thread=thread), mail(3, "eve@example.org", thread=thread)
    )
    assert (own.outcome, own.case_id) == (Outcome.FOLLOW_UP, first.case_id)
    assert other.outcome is Outcome.REGISTERED


async def test_receipts_for_follow_ups_are_one_an_hour(store: AnyStore, policy: Policy) -> None:
    """Promise 6: three replies within the hour bring one receipt, one after it brings another."""
    await take(store, policy, mail(1))
    replies = [mail(n, thread=Thread(message_id=f"r{n}@x", in_reply_to="m1@example.org")) for n in (2, 3, 4)]
    await take(store, policy, *replies)
    kinds = [n["kind"] for n in await rows(store, t.notices)]
    assert kinds == ["acknowledgement", "receipt"]
    late = mail(5, thread=Thread(message_id="r5@x", in_reply_to="m1@example.org"))
    await take(store, policy, late, now=NOW.replace(hour=11))
    assert [n["kind"] for n in await rows(store, t.notices)].count("receipt") == 2


@pytest.mark.parametrize("automatic", ["auto-reply", "bounce", "list", "own"])
async def test_automatic_mail_is_set_aside_and_not_answered(
    store: AnyStore, policy: Policy, automatic: str
) -> None:
    """No case, no letter, the reason in the ledger and the bytes kept."""
    (receipt,) = await take(store, policy, mail(1, automatic=automatic))
    assert (receipt.outcome, receipt.reason) == (Outcome.SET_ASIDE, automatic)
    assert await rows(store, t.notices) == []
    assert (await rows(store, t.raw))[0]["body"] == b"raw 1"


async def test_nothing_is_too_broken_to_register(store: AnyStore, policy: Policy) -> None:
    """Promise 3: unreadable bytes get a case, a code, a quarantine entry, and an acknowledgement."""
    (receipt,) = await take(store, policy, unreadable(1))
    assert receipt.outcome is Outcome.QUARANTINED
    assert receipt.code
    assert (await rows(store, t.quarantine))[0]["reason"] == "timeout"
    assert (await rows(store, t.raw))[0]["body"].startswith(b"From: ali")
    assert (await rows(store, t.notices))[0]["recipient"] == "ali@example.org"


async def test_a_replayed_message_keeps_its_case_and_code(store: AnyStore, policy: Policy) -> None:
    """Once the bytes can be read, the case is told to the right department under the same code."""
    (broken,) = await take(store, policy, unreadable(1))
    (read,) = await take(store, policy, replace(mail(1, "ali@example.org"), replay=True))
    assert (read.outcome, read.code) == (Outcome.REGISTERED, broken.code)
    assert [(e["topic"], e["type"]) for e in await rows(store, t.outbox)][2:] == [
        ("payments.v1", "complaint.registered.v1"),
        ("events.v1", "complaint.registered.v1"),
        ("general.v1", "complaint.rerouted.v1"),
    ]
    assert (await rows(store, t.quarantine))[0]["state"] == "replayed"
    assert (await store.read(balance))[0]["registered"] == 1


async def test_a_message_is_replayed_once(store: AnyStore, policy: Policy) -> None:
    """Promise 2: a person who asks again, or for a delivery that was registered at once, makes no second case."""
    replayed = replace(mail(1, "ali@example.org"), replay=True)
    await take(store, policy, unreadable(1))
    first, second = [(await take(store, policy, replayed))[0] for _ in range(2)]
    assert second == replace(first, first=False)
    (plain,) = await take(store, policy, mail(2))
    (again,) = await take(store, policy, replace(mail(2), replay=True))
    assert again == replace(plain, first=False)
    assert len(await rows(store, t.cases)) == 2


async def test_who_could_not_be_told_is_told_when_his_message_is_read(
    store: AnyStore, policy: Policy
) -> None:
    """Promise 6: a quarantined message without a readable sender is acknowledged at its replay, and only then."""
    (broken,) = await take(store, policy, unreadable(1, b"nobody can tell"))
    assert await rows(store, t.notices) == []
    await take(store, policy, replace(mail(1), replay=True))
    (letter,) = await rows(store, t.notices)
    assert (letter["kind"], letter["data"]["code"]) == ("acknowledgement", broken.code)


async def test_a_borrowed_message_id_steals_no_thread(store: AnyStore, policy: Policy) -> None:
    """A stranger's mail under the Message-ID of an earlier one does not turn its sender's answers away."""
    (first,) = await take(store, policy, mail(1))
    await take(store, policy, mail(2, "eve@example.org", thread=Thread(message_id="m1@example.org")))
    answer = mail(3, thread=Thread(message_id="r@x", in_reply_to="m1@example.org"))
    (third,) = await take(store, policy, answer)
    assert (third.outcome, third.case_id) == (Outcome.FOLLOW_UP, first.case_id)


def test_the_same_content_is_locked_whoever_sent_it() -> None:
    """Two instances that get one mail through two doors meet, also where it names no sender."""
    offers = [mail(n, content_hash="a" * 64) for n in (1, 2)]
    nameless = [replace(o, prepared=Prepared(None, None, "timeout")) for o in offers]
    assert _lock_keys(nameless[:1]) & _lock_keys(nameless[1:]) == {"a" * 64}


async def test_a_status_question_is_answered_and_makes_no_case(store: AnyStore, policy: Policy) -> None:
    """The state goes back to whoever holds the code; nothing else happens."""
    (first,) = await take(store, policy, mail(1))
    assert first.code
    question = mail(2, thread=Thread(codes=(first.code,)), triage=Triage(flags=("status_question",)))
    (answer,) = await take(store, policy, question)
    assert answer.outcome is Outcome.ANSWERED
    letter = (await rows(store, t.notices))[1]
    assert (letter["kind"], letter["data"]["status"]) == ("status", "registered")
    assert len(await rows(store, t.cases)) == 1


async def test_a_typed_address_joins_nobody(store: AnyStore, policy: Policy) -> None:
    """An address somebody typed gets its own customer, whoever it belongs to, and proves nothing later."""
    await take(store, policy, mail(1, trust="authenticated"))
    await take(store, policy, mail(2, trust="none"))
    customers = {c["customer_id"] for c in await rows(store, t.cases)}
    assert len(customers) == 2
    assert len(await rows(store, t.contact_points)) == 1


async def test_an_urgent_case_goes_to_the_expert_on_call(store: AnyStore, policy: Policy) -> None:
    """The urgent topic gets the code and the flags, and no text."""
    triage = Triage(department="accounts", category="account", priority="urgent", flags=("takeover",))
    await take(store, policy, mail(1, triage=triage))
    urgent = next(e for e in await rows(store, t.outbox) if e["topic"] == "urgent.v1")
    assert json.loads(urgent["value"])["flags"] == ["takeover"]
    assert b"bekliyor" not in urgent["value"]


@pytest.mark.postgres
async def test_two_instances_make_one_case_of_one_mail(
    postgres_url: str, policy: Policy, make_settings: Any
) -> None:
    """The same deliveries and contents written by two stores at once, in opposite orders, are each taken once."""
    settings = make_settings(store={"url": postgres_url})
    one, two = open_store(settings), open_store(settings)
    await schema_version.upgrade(one)
    offers = [mail(n, f"u{n % 7}@example.org", content_hash=f"{n:064d}") for n in range(60)]
    other_door = [replace(o, raw=replace(o.raw, scope="Junk/1")) for o in offers]
    batches = [offers[:30], offers[30:]]
    mirrored = [list(reversed(offers[:30])), list(reversed(other_door[30:]))]
    await asyncio.gather(
        *(take(one, policy, *batch) for batch in batches), *(take(two, policy, *batch) for batch in mirrored)
    )
    assert len(await rows(one, t.cases)) == 60
    assert len(await rows(two, t.outbox)) == 120
    await one.close()
    await two.close()
