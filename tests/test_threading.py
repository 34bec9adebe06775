"""Which case a message belongs to: every way to point at one, and who may use it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from intake import identity, tracking
from intake.identity import Standing
from intake.register import Offer, Policy
from intake.schema import ContactPoint, Outcome, Receipt, Recipient, Sender, Thread
from intake.store import tables as t
from intake.store.database import AnyStore
from tests.complaints import NOW, OTHER, REWORDED, case_of, mail, rows, take

LETTER = "01900000-0000-7000-8000-000000000001"
AYSE, EVE = "ayse@example.org", "eve@example.org"


def pointing(way: str, first: Receipt, policy: Policy, sender: str, **given: Any) -> Offer:
    """A message by `sender` that points at the first case in one of the ways there are."""
    code = str(first.code)
    token = identity.letter_message_id(policy.secret, LETTER, AYSE)
    threads: dict[str, dict[str, Any]] = {
        "in-reply-to": {"thread": Thread(in_reply_to="m1@example.org")},
        "references": {"thread": Thread(references=("m1@example.org", "elsewhere@x"))},
        "letter": {"thread": Thread(in_reply_to=f"{token}@ours.example")},
        "code": {"thread": Thread(codes=(code,))},
        "plus address": {"recipients": (_to(f"support+{tracking.show(code)}@ours.example"),)},
        "plus letter": {"recipients": (_to(f"support+{token}@ours.example"),)},
        "chat": {"thread": Thread(chat_id="chat-7"), "channel": "telegram"},
    }
    return mail(2, "eklemek istediğim bir şey var", sender, **threads[way], **given)


def _to(address: str) -> Recipient:
    return Recipient(role="to", address=address)


async def first_case(store: AnyStore, policy: Policy) -> Receipt:
    """Ayşe's case, in a conversation, acknowledged by one letter of ours."""
    opened = mail(
        1, REWORDED, thread=Thread(message_id="m1@example.org", chat_id="chat-7"), channel="telegram"
    )
    (receipt,) = await take(store, policy, opened)
    await store.write(lambda c: c.execute(sa.insert(t.notices), [_notice(str(receipt.case_id))]))
    return receipt


def _notice(case_id: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": LETTER,
        "case_id": case_id,
        "kind": "acknowledgement",
        "channel": "email",
        "source": "support",
    }
    row |= {"recipient": AYSE, "language": "tr", "data": {}, "state": "sent", "letter": LETTER, "due_at": NOW}
    return row | {"created_at": NOW, "attempts": 1, "error": ""}


WAYS = ["in-reply-to", "references", "letter", "code", "plus address", "plus letter", "chat"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trust", ["claimed", "authenticated", "verified"])
async def test_the_customer_follows_up_his_case(
    store: AnyStore, policy: Policy, way: str, trust: str
) -> None:
    """Each way leads to the case, with a result of authentication and without one."""
    first = await first_case(store, policy)
    (second,) = await take(store, policy, pointing(way, first, policy, AYSE, trust=trust))
    assert (second.outcome, second.case_id, second.code) == (Outcome.FOLLOW_UP, first.case_id, first.code)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trust", ["claimed", "authenticated"])
async def test_a_stranger_gets_a_case_of_his_own(
    store: AnyStore, policy: Policy, way: str, trust: str
) -> None:
    """Whatever he copied from a letter: a new case, the other only as an unconfirmed relation, nothing revealed."""
    first = await first_case(store, policy)
    (second,) = await take(store, policy, pointing(way, first, policy, EVE, trust=trust))
    assert second.outcome is Outcome.REGISTERED
    assert (await case_of(store, second))["related"] == [
        {"case_id": first.case_id, "relation": "earlier", "confirmed": False}
    ]
    assert str(first.code) not in str(await written_to(store, EVE))


async def written_to(store: AnyStore, address: str) -> list[dict[str, Any]]:
    return [notice["data"] for notice in await rows(store, t.notices) if notice["recipient"] == address]


@pytest.mark.parametrize("way", ["in-reply-to", "references", "code", "plus address", "chat"])
async def test_a_forged_address_does_not_pass(store: AnyStore, policy: Policy, way: str) -> None:
    """Our server said that the address is not his: only our own token outweighs that."""
    first = await first_case(store, policy)
    (second,) = await take(store, policy, pointing(way, first, policy, AYSE, trust="none"))
    assert second.outcome is Outcome.REGISTERED


@pytest.mark.parametrize("way", ["letter", "plus letter"])
async def test_our_token_outweighs_a_failed_authentication(store: AnyStore, policy: Policy, way: str) -> None:
    """Mailing lists and forwarders break signatures; who answers our own letter is its reader."""
    first = await first_case(store, policy)
    (second,) = await take(store, policy, pointing(way, first, policy, AYSE, trust="none"))
    assert second.case_id == first.case_id
    event = next(e for e in await rows(store, t.outbox) if e["type"] == "complaint.followed_up.v1")
    assert b'"trust":"authenticated"' in event["value"]


async def test_a_token_of_another_secret_is_worth_nothing(store: AnyStore, policy: Policy) -> None:
    """The letter's id is no secret; the code behind it has to be ours."""
    await first_case(store, policy)
    made_up = identity.letter_message_id(b"another secret", LETTER, AYSE)
    (second,) = await take(
        store, policy, mail(2, OTHER, trust="none", thread=Thread(in_reply_to=f"{made_up}@x"))
    )
    assert second.outcome is Outcome.REGISTERED


async def test_a_conversation_that_rested_is_about_something_new(store: AnyStore, policy: Policy) -> None:
    """An hour after the last message of a chat the next one is a case of its own."""
    first = await first_case(store, policy)
    late = NOW + timedelta(minutes=61)
    offer = mail(2, OTHER, thread=Thread(chat_id="chat-7"), channel="telegram", sent_at=late)
    (second,) = await take(store, policy, offer, now=late)
    assert second.outcome is Outcome.REGISTERED
    assert second.case_id != first.case_id


async def test_the_second_message_of_a_chat_follows_up_in_the_same_batch(
    store: AnyStore, policy: Policy
) -> None:
    """People write one sentence at a time."""
    chat: dict[str, Any] = {"thread": Thread(chat_id="chat-9"), "channel": "telegram"}
    first, second = await take(store, policy, mail(1, REWORDED, **chat), mail(2, "lütfen bakın", **chat))
    assert (second.outcome, second.case_id) == (Outcome.FOLLOW_UP, first.case_id)


async def test_an_answer_to_a_closed_case_is_a_new_one_related_to_it(store: AnyStore, policy: Policy) -> None:
    """After closing a reply is a new case; the customer's own relation to the old one is confirmed."""
    first = await first_case(store, policy)
    await store.write(lambda c: c.execute(sa.update(t.cases).values(status="closed")))
    (second,) = await take(store, policy, pointing("code", first, policy, AYSE))
    assert (await case_of(store, second))["related"][0] == {
        "case_id": first.case_id,
        "relation": "earlier",
        "confirmed": True,
    }


@pytest.mark.parametrize(
    ("trust", "vouched", "expected"),
    [
        ("none", False, Standing.STRANGER),
        ("claimed", False, Standing.CLAIMANT),
        ("authenticated", False, Standing.OWNER),
        ("verified", False, Standing.OWNER),
        ("none", True, Standing.OWNER),
        ("claimed", True, Standing.OWNER),
    ],
)
def test_who_may_add_and_who_may_see(trust: Any, vouched: bool, expected: Standing) -> None:
    """One function decides for a sender whose address is the case's."""
    point = ContactPoint(kind="email", value=AYSE)
    sender = Sender(contact_points=(point,), trust=trust)
    assert identity.standing(sender, {("email", AYSE)}, vouched=vouched) is expected
    assert identity.standing(sender, {("email", EVE)}, vouched=vouched) is Standing.STRANGER


def test_two_addresses_agree_with_nothing() -> None:
    """A message of two authors is nobody's follow-up."""
    both = tuple(ContactPoint(kind="email", value=address) for address in (AYSE, EVE))
    sender = Sender(contact_points=both, trust="verified")
    assert identity.standing(sender, {("email", AYSE), ("email", EVE)}, vouched=True) is Standing.STRANGER
