"""Who is one customer: joined on proof alone, and taken back without a trace."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from intake.customers import merge, split
from intake.errors import IntakeError
from intake.register import Policy
from intake.schema import Outcome
from intake.store import tables as t
from intake.store.database import AnyStore
from tests.complaints import NOW, OTHER, REWORDED, case_of, mail, rows, take

AYSE, MOBILE = "ayse@example.org", "ayse@mobile.example"
POINTS = (("email", AYSE), ("email", MOBILE))


async def two_customers(store: AnyStore, policy: Policy, trust: str = "verified") -> None:
    """One case by each of two addresses."""
    await take(
        store, policy, mail(1, REWORDED, trust=trust, account="ayse34"), mail(2, OTHER, MOBILE, trust=trust)
    )


async def owners(store: AnyStore) -> list[Any]:
    found = [await rows(store, table) for table in (t.contact_points, t.accounts, t.cases)]
    return [sorted((str(list(r.values())[:2]), r["customer_id"]) for r in table) for table in found]


async def test_verified_points_make_one_customer_of_two(store: AnyStore, policy: Policy) -> None:
    """What is sent through either point is compared with the cases of both."""
    await two_customers(store, policy)
    await store.write(lambda c: merge(c, *POINTS, "both addresses verified in one session", NOW))
    assert len({c["customer_id"] for c in await rows(store, t.cases)}) == 1
    (again,) = await take(store, policy, mail(3, REWORDED, MOBILE, trust="verified"))
    assert again.outcome is Outcome.DUPLICATE


@pytest.mark.parametrize("trust", ["claimed", "authenticated"])
async def test_nothing_less_than_verified_merges(store: AnyStore, policy: Policy, trust: str) -> None:
    """A mail server's word for an address is no proof of a person."""
    await two_customers(store, policy, trust)
    before = await owners(store)
    with pytest.raises(IntakeError, match="not verified"):
        await store.write(lambda c: merge(c, *POINTS, "they look alike", NOW))
    assert await owners(store) == before


async def test_a_merge_taken_back_leaves_nothing_behind(store: AnyStore, policy: Policy) -> None:
    """Points, accounts and cases are whose they were; a case opened since goes with the point it came through."""
    await two_customers(store, policy)
    before = await owners(store)
    (owner,) = [p["customer_id"] for p in await rows(store, t.contact_points) if p["value"] == MOBILE]
    merged = await store.write(lambda c: merge(c, *POINTS, "one session", NOW))
    (since,) = await take(store, policy, mail(3, "Uygulama açılmıyor.", MOBILE, trust="verified"))
    await store.write(lambda c: split(c, merged, NOW))
    assert (await case_of(store, since))["customer_id"] == owner
    after = await owners(store)
    assert after[:2] == before[:2]
    assert set(before[2]) <= set(after[2])


async def test_a_merge_is_taken_back_once(store: AnyStore, policy: Policy) -> None:
    """The second time there is nothing to take back."""
    await two_customers(store, policy)
    merged = await store.write(lambda c: merge(c, *POINTS, "one session", NOW))
    await store.write(lambda c: split(c, merged, NOW))
    with pytest.raises(IntakeError, match="taken back already"):
        await store.write(lambda c: split(c, merged, NOW))


async def test_an_address_that_was_verified_later_counts_as_verified(store: AnyStore, policy: Policy) -> None:
    """Trust in a contact point grows with the best proof there was, and never shrinks."""
    await take(store, policy, mail(1, REWORDED))
    await take(store, policy, mail(2, OTHER, trust="verified"))
    await take(store, policy, mail(3, "Uygulama açılmıyor.", trust="authenticated"))
    assert [p["trust"] for p in await rows(store, t.contact_points)] == ["verified"]


async def test_merges_are_taken_back_in_turn(store: AnyStore, policy: Policy) -> None:
    """A merge on which a later one rests is kept until that one is taken back."""
    await two_customers(store, policy)
    await take(store, policy, mail(3, "Uygulama açılmıyor.", "third@example.org", trust="verified"))
    inner = await store.write(lambda c: merge(c, *POINTS, "one session", NOW))
    outer = await store.write(lambda c: merge(c, ("email", "third@example.org"), POINTS[0], "again", NOW))
    with pytest.raises(IntakeError, match="take that back first"):
        await store.write(lambda c: split(c, inner, NOW))
    await store.write(lambda c: split(c, outer, NOW))
    await store.write(lambda c: split(c, inner, NOW))
    left = await store.read(lambda c: c.scalar(sa.select(sa.func.count(sa.distinct(t.cases.c.customer_id)))))
    assert left == 3
