"""The stored cases a new message may be the same as: the customer's newest, and those that name the same things."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from intake.store.tables import Instant

Identifier = tuple[str, str]
"""Something that points at one matter whoever names it: kind (id, iban, account) and canonical value."""

MOST = 20
"""Newest cases of a customer, and newest naming one identifier, that are compared."""

_COLUMNS = "c.id, c.customer_id, c.duplicate_of, x.document"
# ruff: noqa: S608  (only constants of this file are put into the statements)
# one short walk along an index for each key, however many cases there are behind it
_OWN = {
    "sqlite": f"""
        SELECT k.value AS wanted, x.case_id AS id, k.value AS customer_id, NULL AS duplicate_of, x.document
        FROM json_each(:keys) k
        JOIN traces x ON x.case_id IN (SELECT i.id FROM cases i WHERE i.customer_id = k.value
            AND i.registered_at >= :since ORDER BY i.registered_at DESC LIMIT {MOST})""",
    "postgresql": f"""
        SELECT k.value AS wanted, c.id, k.value AS customer_id, NULL AS duplicate_of, x.document
        FROM json_array_elements_text(CAST(:keys AS json)) k
        CROSS JOIN LATERAL (SELECT i.id FROM cases i WHERE i.customer_id = k.value
            AND i.registered_at >= :since ORDER BY i.registered_at DESC LIMIT {MOST}) c
        JOIN traces x ON x.case_id = c.id""",
}
_NAMING = {
    "sqlite": f"""
        SELECT k.value AS wanted, {_COLUMNS} FROM json_each(:keys) k
        JOIN cases c ON c.id IN (SELECT i.case_id FROM case_identifiers i
            WHERE i.kind = json_extract(k.value, '$[0]') AND i.value = json_extract(k.value, '$[1]')
            ORDER BY i.case_id DESC LIMIT {MOST})
        JOIN traces x ON x.case_id = c.id""",
    "postgresql": f"""
        SELECT CAST(k.value AS text) AS wanted, {_COLUMNS} FROM json_array_elements(CAST(:keys AS json)) k
        CROSS JOIN LATERAL (SELECT i.case_id FROM case_identifiers i
            WHERE i.kind = k.value ->> 0 AND i.value = k.value ->> 1 ORDER BY i.case_id DESC LIMIT {MOST}) n
        JOIN cases c ON c.id = n.case_id
        JOIN traces x ON x.case_id = c.id""",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored case to compare with; `document` is its trace as `Trace.dump` wrote it.

    `duplicate_of` is None where it was not asked for: the case's own row would be one more page to read.
    """

    case_id: str
    customer_id: str | None
    duplicate_of: str | None
    document: str


def of_customers(
    connection: sa.Connection, customers: Collection[str], since: datetime
) -> dict[str, list[Candidate]]:
    """The newest cases of each customer that were registered after `since`, the newest first."""
    keys = json.dumps(sorted(customers))
    statement = sa.text(_OWN[connection.dialect.name]).bindparams(sa.bindparam("since", type_=Instant))
    return _ask(connection, statement, {"keys": keys, "since": since}) if customers else {}


def naming(connection: sa.Connection, wanted: Collection[Identifier]) -> dict[Identifier, list[Candidate]]:
    """The newest cases that name each identifier, whoever wrote them, the newest first."""
    if not wanted:
        return {}
    statement = sa.text(_NAMING[connection.dialect.name])
    found = _ask(connection, statement, {"keys": json.dumps(sorted(wanted))})
    return {(kind, value): cases for key, cases in found.items() for kind, value in [json.loads(key)]}


def _ask(
    connection: sa.Connection, statement: sa.TextClause, given: dict[str, object]
) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = defaultdict(list)
    for row in connection.execute(statement, given):
        found[row.wanted].append(Candidate(row.id, row.customer_id, row.duplicate_of, row.document))
    return {key: sorted(cases, key=lambda c: c.case_id, reverse=True) for key, cases in found.items()}
