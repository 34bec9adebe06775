"""Which case a new message repeats: looked up for a whole batch, decided message by message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from intake.duplicates import Verdict, compare
from intake.schema import Message, Triage
from intake.store import candidates as ask
from intake.store.candidates import Candidate, Identifier
from intake.store.registration import CaseState
from intake.traces import Trace

_IDENTIFIER_LENGTH = 5  # characters; a shorter id is no id of one matter
_MOST_IDENTIFIERS = 10  # of one message
_MOST_PROPOSALS = 5
# what a department must hear as a case of its own, unless the first case said it too
_GRAVE = frozenset(
    {"crisis", "loss_of_control", "self_exclusion", "takeover", "fraud", "minor_report", "data_leak"}
)


@dataclass(frozen=True, slots=True)
class Match:
    """A case that a message repeats; `mine` where the same customer wrote both."""

    case_id: str
    root: str
    verdict: Verdict
    mine: bool


@dataclass(slots=True)
class Known:
    """Everything a batch may repeat: what was stored when it began, and what it has opened since."""

    own: dict[str, list[Candidate]] = field(default_factory=dict)
    naming: dict[Identifier, list[Candidate]] = field(default_factory=dict)
    fresh: dict[str, tuple[Trace, Candidate]] = field(default_factory=dict)
    _by_customer: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _by_identifier: dict[Identifier, list[str]] = field(default_factory=lambda: defaultdict(list))
    _loaded: dict[str, Trace] = field(default_factory=dict)
    _verdicts: dict[tuple[str, int], Verdict] = field(default_factory=dict)

    @classmethod
    def look_up(
        cls,
        connection: sa.Connection,
        customers: Collection[str],
        identifiers: Collection[Identifier],
        since: datetime,
    ) -> Known:
        """What is stored: two statements for the whole batch."""
        return cls(ask.of_customers(connection, customers, since), ask.naming(connection, identifiers))

    def add(self, case: CaseState, trace: Trace, identifiers: Collection[Identifier]) -> None:
        """A case this batch has opened."""
        self.fresh[case.id] = trace, Candidate(case.id, case.customer_id, case.duplicate_of, "")
        if case.customer_id:
            self._by_customer[case.customer_id].append(case.id)
        for identifier in identifiers:
            self._by_identifier[identifier].append(case.id)

    def matches(self, trace: Trace, customer: str | None, identifiers: Collection[Identifier]) -> list[Match]:
        """The cases that say the same, the customer's own first, then the best, then the newest."""
        found = []
        for candidate in self._candidates(customer, identifiers):
            verdict = self._verdict(candidate, trace)
            if verdict.duplicate:
                mine = customer is not None and candidate.customer_id == customer
                root = candidate.duplicate_of or candidate.case_id
                found.append(Match(candidate.case_id, root, verdict, mine))
        return sorted(found, key=lambda m: (m.mine, m.verdict.score, m.case_id), reverse=True)

    def _candidates(self, customer: str | None, identifiers: Collection[Identifier]) -> list[Candidate]:
        found: dict[str, Candidate] = {}
        if customer:
            newest = reversed(self._by_customer.get(customer, []))
            found |= {i: self.fresh[i][1] for i in newest}
            found |= {c.case_id: c for c in self.own.get(customer, [])}
        found = dict(list(found.items())[: ask.MOST])
        for identifier in identifiers:
            newest = reversed(self._by_identifier.get(identifier, []))
            named = {i: self.fresh[i][1] for i in newest}
            named |= {c.case_id: c for c in self.naming.get(identifier, [])}
            found |= dict(list(named.items())[: ask.MOST])
        return list(found.values())

    def _verdict(self, candidate: Candidate, trace: Trace) -> Verdict:
        """Asked twice of a stored case: which rows to lock, and what to do."""
        key = candidate.case_id, id(trace)
        if key not in self._verdicts:
            self._verdicts[key] = compare(self._trace(candidate), trace)
        return self._verdicts[key]

    def _trace(self, candidate: Candidate) -> Trace:
        if candidate.case_id in self.fresh:
            return self.fresh[candidate.case_id][0]
        if candidate.case_id not in self._loaded:
            self._loaded[candidate.case_id] = Trace.load(candidate.document)
        return self._loaded[candidate.case_id]


def identifiers_of(message: Message, triage: Triage) -> list[Identifier]:
    """What the message names that belongs to one matter or one person: transaction and bet ids, IBANs, his account."""
    found = [("iban", value) for value in triage.entities.ibans]
    for value in triage.entities.ids:
        plain = "".join(c for c in value.lower() if c.isalnum())
        if len(plain) >= _IDENTIFIER_LENGTH:
            found.append(("id", plain[:200]))
    if account := (message.sender.account or "").strip().lower():
        found.append(("account", account[:200]))
    return list(dict.fromkeys(found))[:_MOST_IDENTIFIERS]


def may_be_linked(triage: Triage, first: CaseState) -> bool:
    """Whether the first case's department learns enough from it: nothing graver, nothing of another kind."""
    if triage.underage or triage.kind not in ("complaint", "enquiry"):
        return False
    if triage.priority == "urgent" and first.priority != "urgent":
        return False
    return not (_GRAVE & set(triage.flags)) - set(first.triage.flags)


def proposals(found: Collection[Match], linked: str | None) -> list[dict[str, object]]:
    """Relations for a person to review: the same matter in other hands, or one that could not be linked."""
    others = [match.case_id for match in found if linked is None or match.root != linked]
    return [
        {"case_id": case_id, "relation": "duplicate", "confirmed": False}
        for case_id in others[:_MOST_PROPOSALS]
    ]
