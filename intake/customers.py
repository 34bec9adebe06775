"""Customers: joining two that are proven to be one person, and taking that back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from uuid_utils import uuid7

from intake.errors import IntakeError
from intake.identity import Point
from intake.store import tables as t

_PROVEN = "verified"


def merge(connection: sa.Connection, kept: Point, gone: Point, evidence: str, now: datetime) -> str:
    """Make one customer of the owners of two contact points; the id of the merge is returned.

    Both points must be verified: the customer proved control of each. `evidence` says how it is known that they
    are one person, in words without personal data. What moves is recorded, so that `split` can take it back.
    Raises `IntakeError` where a point is unknown or not verified, or both have one owner already.
    """
    kept_id, gone_id = _owner(connection, kept), _owner(connection, gone)
    if kept_id == gone_id:
        raise IntakeError("both contact points belong to one customer already")
    cases = sa.select(t.cases.c.id).where(t.cases.c.customer_id == gone_id)
    moved = {
        "points": [list(point) for point in _points_of(connection, gone_id)],
        "accounts": sorted(_accounts_of(connection, gone_id) - _accounts_of(connection, kept_id)),
        "cases": sorted(connection.scalars(cases)),
    }
    _give(connection, moved, gone_id, kept_id)
    merge_id = str(uuid7())
    row = {"id": merge_id, "kept_id": kept_id, "gone_id": gone_id, "moved": moved, "evidence": evidence[:200]}
    connection.execute(sa.insert(t.customer_merges), [row | {"merged_at": now}])
    return merge_id


def split(connection: sa.Connection, merge_id: str, now: datetime) -> None:
    """Take a merge back: what it moved returns, and so do cases opened since through the points that moved.

    Raises `IntakeError` where there is no such merge, it was taken back, or a later one rests on it.
    """
    found = sa.select(t.customer_merges).where(t.customer_merges.c.id == merge_id).with_for_update()
    merged = connection.execute(found).one_or_none()
    if merged is None or merged.split_at is not None:
        raise IntakeError("there is no such merge, or it was taken back already")
    later = sa.select(t.customer_merges.c.id).where(
        t.customer_merges.c.gone_id == merged.kept_id, t.customer_merges.c.split_at.is_(None)
    )
    if connection.scalar(later) is not None:
        raise IntakeError("the customer was merged into another one since; take that back first")
    since = _opened_since(connection, merged.kept_id, merged.moved["points"], merged.merged_at)
    returned = {**merged.moved, "cases": sorted({*merged.moved["cases"], *since})}
    _give(connection, returned, merged.kept_id, merged.gone_id)
    taken_back = sa.update(t.customer_merges).where(t.customer_merges.c.id == merge_id)
    connection.execute(taken_back.values(split_at=now))


def _owner(connection: sa.Connection, point: Point) -> str:
    chosen = sa.select(t.contact_points).where(
        t.contact_points.c.kind == point[0], t.contact_points.c.value == point[1]
    )
    row = connection.execute(chosen.with_for_update()).one_or_none()
    if row is None or row.trust != _PROVEN:
        raise IntakeError("a contact point that is not verified proves nothing: customers are not merged")
    owner: str = row.customer_id
    return owner


def _points_of(connection: sa.Connection, customer: str) -> list[Point]:
    chosen = sa.select(t.contact_points.c.kind, t.contact_points.c.value).where(
        t.contact_points.c.customer_id == customer
    )
    return sorted((row.kind, row.value) for row in connection.execute(chosen))


def _accounts_of(connection: sa.Connection, customer: str) -> set[str]:
    chosen = sa.select(t.accounts.c.account).where(t.accounts.c.customer_id == customer)
    return set(connection.scalars(chosen))


def _opened_since(
    connection: sa.Connection, kept: str, points: list[list[str]], since: datetime
) -> list[str]:
    """Cases of the merged customer that came through these points after the merge."""
    pair = sa.tuple_(t.case_contacts.c.kind, t.case_contacts.c.value)
    chosen = (
        sa.select(t.cases.c.id)
        .join(t.case_contacts, t.case_contacts.c.case_id == t.cases.c.id)
        .where(t.cases.c.customer_id == kept, t.cases.c.registered_at >= since)
        .where(pair.in_([(kind, value) for kind, value in points]))
    )
    return list(connection.scalars(chosen))


def _give(connection: sa.Connection, moved: dict[str, Any], giver: str, taker: str) -> None:
    """These points, accounts and cases of one customer are the other's from now on."""
    for kind, value in moved["points"]:
        point = t.contact_points.c.kind == kind, t.contact_points.c.value == value
        connection.execute(sa.update(t.contact_points).where(*point).values(customer_id=taker))
    theirs = t.accounts.c.customer_id == giver, t.accounts.c.account.in_(moved["accounts"])
    connection.execute(sa.update(t.accounts).where(*theirs).values(customer_id=taker))
    for case_id in moved["cases"]:
        connection.execute(sa.update(t.cases).where(t.cases.c.id == case_id).values(customer_id=taker))
