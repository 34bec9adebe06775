"""Prepared mails as registration takes them, and what a store holds, for the tests of sameness and threads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from intake.register import Offer, Policy, register
from intake.schema import ContactPoint, Message, Normalized, RawMessage, Receipt, Sender, Thread
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.traces import trace_of
from intake.workers import Prepared
from router.triage import triage

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
WITHDRAWAL = "17 Kasım'da istediğim 4.250 TL çekim hâlâ hesabıma yatmadı, işlem no 88213347."
REWORDED = "ayın on yedisinde çektiğim 4250 lira hala gelmedi, paramı bekliyorum"
OTHER = "Dün oynadığım rulette yayın dondu, 300 TL bahsim gitti."


def mail(uid: int, text: str, sender: str = "ayse@example.org", **given: Any) -> Offer:
    """A mail prepared as a worker does it; keyword arguments replace fields of its message or sender."""
    sent = given.pop("sent_at", NOW)
    account, trust = given.pop("account", None), given.pop("trust", "claimed")
    kind = given.pop("kind", "email")
    raw = RawMessage("email", "support", "message/rfc822", b"raw %d" % uid, sent, "INBOX/1", uid)
    message = Message(
        channel=given.pop("channel", "email"),
        source="support",
        external_id=f"m{uid}@example.org",
        received_at=sent,
        sent_at=sent,
        sender=Sender(contact_points=(ContactPoint(kind=kind, value=sender),), account=account, trust=trust),
        text=text,
        thread=given.pop("thread", Thread(message_id=f"m{uid}@example.org")),
        **given,
    )
    verdict = triage(message)
    return Offer(raw, Prepared(Normalized(message), verdict, trace=trace_of(message, verdict)))


async def take(store: AnyStore, policy: Policy, *offers: Offer, now: datetime = NOW) -> list[Receipt]:
    """Register a batch."""
    return await store.write(lambda c: register(c, offers, policy, now))


async def rows(store: AnyStore, table: sa.Table) -> list[dict[str, Any]]:
    """Everything a table holds."""
    return await store.read(lambda c: [dict(r) for r in c.execute(sa.select(table)).mappings()])


async def case_of(store: AnyStore, receipt: Receipt) -> dict[str, Any]:
    """The row of the case a receipt names."""
    (found,) = [c for c in await rows(store, t.cases) if c["id"] == receipt.case_id]
    return found
