"""The one transaction: what each delivery of a batch becomes, and every row that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import sqlalchemy as sa
from uuid_utils import uuid7

from intake import events, identity, sameness, tracking
from intake.casefacts import facts_of, row_of
from intake.identity import Standing
from intake.schema import (
    Attachment,
    Department,
    Message,
    Outcome,
    RawMessage,
    Receipt,
    Sender,
    Status,
    Triage,
)
from intake.store import registration as ask
from intake.store import tables as t
from intake.store.bulk import insert_rows
from intake.store.candidates import Identifier
from intake.store.ledger import insert_new
from intake.store.registration import CaseState
from intake.threads import Pointed, Threads, conversation
from intake.workers import Prepared

_RECEIPT_PAUSE = timedelta(hours=1)
_MOST_RELATED = 50  # relations a case keeps, the newest ones
_WAITS_FOR_A_PERSON = frozenset({Outcome.QUARANTINED, Outcome.SET_ASIDE})
_OPEN = frozenset(
    {
        Status.REGISTERED,
        Status.IN_PROGRESS,
        Status.WAITING_CUSTOMER,
        Status.WAITING_THIRD_PARTY,
        Status.RESOLVED,
    }
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the transaction has to know besides the store: fixed for the life of the process."""

    secret: bytes
    origin: events.Origin
    languages: tuple[str, ...]
    mail_source: str | None
    """The source letters to typed addresses go out through; None: no e-mail is sent."""
    window: timedelta = timedelta(days=14)
    """How long a customer's cases are compared with what he sends."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A delivery, prepared: its bytes are durable and its meaning is known, or why not."""

    raw: RawMessage
    prepared: Prepared
    content_hash: str | None = None
    blob: str | None = None
    replay: bool = False
    """A person wants it registered now, although it was quarantined or set aside."""

    @property
    def message(self) -> Message | None:
        """The normalised message; None where it could not be read."""
        return self.prepared.normalized.message if self.prepared.normalized else None


def register(
    connection: sa.Connection, offers: Sequence[Offer], policy: Policy, now: datetime
) -> list[Receipt]:
    """Decide and write a whole batch. Receipts are in the order of the offers."""
    ask.lock(connection, _lock_keys(offers))
    # failpoint: locks taken
    batch = _Batch(connection, offers, policy, now)
    receipts = [batch.take(offer) for offer in offers]
    # failpoint: batch decided
    batch.write(connection)
    # failpoint: batch written
    return receipts


def _lock_keys(offers: Sequence[Offer]) -> set[str]:
    keys = {offer.raw.source_key for offer in offers}
    keys |= {offer.content_hash for offer in offers if offer.content_hash}  # it may name no sender at all
    for offer in offers:
        if offer.message:
            keys |= {f"{kind}:{value}" for kind, value in identity.points(offer.message.sender)}
    return keys


class _Batch:
    """Looks everything up once, decides offer by offer, and writes table by table."""

    def __init__(
        self, connection: sa.Connection, offers: Sequence[Offer], policy: Policy, now: datetime
    ) -> None:
        self._policy, self._now = policy, now
        self._rows: dict[sa.Table, list[dict[str, Any]]] = defaultdict(list)
        self._replayed = [o.raw.source_key for o in offers if o.replay]
        keys = {o.raw.source_key for o in offers}
        self._known = ask.known_deliveries(connection, keys)
        self._content = ask.same_content(connection, {o.content_hash for o in offers if o.content_hash})
        found = [o.message for o in offers if o.message]
        self._threads = Threads.look_up(connection, found, now)
        self._owners = ask.customers_of(connection, {p for m in found for p in identity.points(m.sender)})
        self._identifiers: dict[int, list[Identifier]] = {}
        self._same = self._look_up_same(connection, offers)
        self._cases = ask.lock_cases(connection, self._case_ids(offers))
        self._touched: set[str] = set()
        self._reread: list[str] = []
        self._verified: list[dict[str, str]] = []

    def _case_ids(self, offers: Sequence[Offer]) -> set[str]:
        """All stored cases this batch may add to; locked together, in their order."""
        ids = self._threads.case_ids() | self._stored_roots(offers)
        return ids | {k.case_id for key in self._replayed if (k := self._known.get(key)) and k.case_id}

    def _look_up_same(self, connection: sa.Connection, offers: Sequence[Offer]) -> sameness.Known:
        compared = [(o, o.message) for o in offers if o.message and o.prepared.trace]
        customers = {c for _, message in compared if (c := self._owner(message.sender))}
        named = {i for offer, message in compared for i in self._named(offer, message)}
        return sameness.Known.look_up(connection, customers, named, self._now - self._policy.window)

    def _stored_roots(self, offers: Sequence[Offer]) -> set[str]:
        """First cases that something of this batch may be linked to."""
        return {
            m.root for o in offers if o.message and not self._is_known(o) for m in self._matches(o, o.message)
        }

    def _is_known(self, offer: Offer) -> bool:
        content = offer.content_hash is not None and offer.content_hash in self._content
        return not offer.replay and (offer.raw.source_key in self._known or content)

    def _matches(self, offer: Offer, message: Message) -> list[sameness.Match]:
        trace = offer.prepared.trace
        if trace is None or _aside_reason(message):
            return []
        return self._same.matches(trace, self._owner(message.sender), self._named(offer, message))

    def _named(self, offer: Offer, message: Message) -> list[Identifier]:
        """What the message names; asked for at each step of a decision."""
        if id(offer) not in self._identifiers:
            triage = offer.prepared.triage or Triage()
            self._identifiers[id(offer)] = sameness.identifiers_of(message, triage)
        return self._identifiers[id(offer)]

    def _owner(self, sender: Sender) -> str | None:
        """The customer whose contact point he wrote from; typed addresses prove nothing."""
        own = identity.points(sender) if sender.trust != "none" else []
        return next((self._owners[p] for p in own if p in self._owners), None)

    def take(self, offer: Offer) -> Receipt:
        """Decide one offer; the first rule that fits counts."""
        key = offer.raw.source_key
        known = self._known.get(key)
        if known and not (offer.replay and known.outcome in _WAITS_FOR_A_PERSON):
            return known
        receipt = self._decide(offer)
        self._known[key] = replace(receipt, first=False)
        return receipt

    def _decide(self, offer: Offer) -> Receipt:
        message = offer.message
        known = self._known.get(offer.raw.source_key)
        if message is None:
            return known if known else self._quarantine(offer)
        if known and known.outcome is Outcome.QUARANTINED and known.case_id in self._cases:
            return self._read_at_last(offer, message, self._cases[known.case_id])
        if not offer.replay:
            if reason := _aside_reason(message):
                return self._deliver(offer, Outcome.SET_ASIDE, None, reason=reason)
            if offer.content_hash and offer.content_hash in self._content:
                case_id, code = self._content[offer.content_hash]
                return self._deliver(offer, Outcome.REPEAT, None, case_id=case_id, code=code)
        threads = self._threads.of(message, self._policy.secret, self._cases)
        if asked := self._asked_about(offer, threads):
            return self._answer(offer, asked)
        for case_id in threads.cases:
            told = self._cases[case_id]
            vouched = case_id in threads.vouched
            standing = identity.standing(message.sender, told.contacts, vouched=vouched)
            if self._first(told).status in _OPEN and standing >= Standing.CLAIMANT:
                return self._follow_up(offer, message, told, vouched=vouched)
        return self._new(offer, message, self._related(message, threads))

    def _root(self, match: sameness.Match) -> str:
        case = self._cases.get(match.case_id)
        return self._first(case).id if case else match.root

    def _first(self, case: CaseState) -> CaseState:
        """The case whose state counts: the one this is a duplicate of, else itself."""
        return self._cases.get(case.duplicate_of or "", case)

    def _new(self, offer: Offer, message: Message, related: list[dict[str, Any]]) -> Receipt:
        """A case of its own, linked to the customer's first one where it says the same."""
        triage = offer.prepared.triage or Triage()
        found = [replace(m, root=self._root(m)) for m in self._matches(offer, message)]
        for match in found:
            first = self._cases.get(match.root)
            if first and match.mine and first.status in _OPEN and sameness.may_be_linked(triage, first):
                related += sameness.proposals(found, first.id)
                return self._link(offer, message, triage, first, match, related)
        return self._register(offer, message, triage, related + sameness.proposals(found, None))

    def _asked_about(self, offer: Offer, threads: Pointed) -> CaseState | None:
        triage = offer.prepared.triage
        if triage is None or "status_question" not in triage.flags or not threads.cases or not offer.message:
            return None
        codes = offer.message.thread.codes
        return next((self._cases[i] for i in threads.cases if self._cases[i].code in codes), None)

    def _related(self, message: Message, threads: Pointed) -> list[dict[str, Any]]:
        """Cases a new one names: earlier ones of the same sender, or a stranger's claim to be reviewed."""
        related = []
        for case_id in threads.cases:
            contacts = self._cases[case_id].contacts
            standing = identity.standing(message.sender, contacts, vouched=case_id in threads.vouched)
            confirmed = standing >= Standing.CLAIMANT
            related.append({"case_id": case_id, "relation": "earlier", "confirmed": confirmed})
        return related

    def _quarantine(self, offer: Offer) -> Receipt:
        raw = offer.raw
        message = Message(
            channel=raw.channel,
            source=raw.source,
            received_at=raw.received_at,
            sender=identity.glimpse_sender(raw),
            warnings=(f"could not be read: {offer.prepared.error}",),
        )
        triage = Triage(flags=("needs_review",), reasons=(f"could not be read: {offer.prepared.error}",))
        receipt = self._register(offer, message, triage, [], outcome=Outcome.QUARANTINED)
        self._rows[t.quarantine].append(
            {
                "source_key": raw.source_key,
                "reason": offer.prepared.error[:100],
                "detail": offer.prepared.detail[:2000],
                "attempts": 1,
                "state": "waiting",
                "first_seen": self._now,
                "last_seen": self._now,
            }
        )
        return receipt

    def _register(
        self,
        offer: Offer,
        message: Message,
        triage: Triage,
        related: list[dict[str, Any]],
        outcome: Outcome = Outcome.REGISTERED,
    ) -> Receipt:
        case = self._open_case(message, triage, related)
        attachments = self._store_message(offer, message, case)
        self._rows[t.cases].append(row_of(case))
        self._keep_trace(offer, message, case)
        facts = facts_of(case, message, triage)
        self._rows[t.outbox] += events.registered(facts, message, triage, attachments, self._policy.origin)
        self._remember(case, "registered", {"outcome": outcome.value, "reasons": list(triage.reasons)})
        self._notify(case, message, "acknowledgement", {"code": case.code})
        return self._deliver(offer, outcome, case, reason=offer.prepared.error)

    def _link(
        self,
        offer: Offer,
        message: Message,
        triage: Triage,
        first: CaseState,
        match: sameness.Match,
        related: list[dict[str, Any]],
    ) -> Receipt:
        """A case with its own code that points at the first, whose department is told on the first."""
        mine = {"case_id": first.id, "relation": "duplicate", "confirmed": True}
        case = self._open_case(message, triage, [mine, *related])
        case.duplicate_of, case.department = first.id, first.department
        attachments = self._store_message(offer, message, case)
        self._rows[t.cases].append(row_of(case))
        self._keep_trace(offer, message, case)
        first.sequence += 1
        first.related = [*first.related, {**mine, "case_id": case.id}][-_MOST_RELATED:]
        self._touched.add(first.id)
        facts = replace(facts_of(first, message, first.triage), received_at=message.received_at)
        self._rows[t.outbox] += events.duplicate_linked(
            facts, message, first.triage, attachments, self._policy.origin, at=self._now, duplicate=case.id
        )
        why = {"score": match.verdict.score, "reasons": list(match.verdict.reasons)}
        self._remember(first, "duplicate_linked", {"case_id": case.id, **why})
        self._remember(case, "registered", {"outcome": "duplicate", "duplicate_of": first.id, **why})
        owner = identity.standing(message.sender, first.contacts, vouched=False) is Standing.OWNER
        named = {"first": first.code} if owner else {}
        self._notify(case, message, "acknowledgement", {"code": case.code, **named})
        return self._deliver(offer, Outcome.DUPLICATE, case)

    def _keep_trace(self, offer: Offer, message: Message, case: CaseState) -> None:
        """What later messages are compared with."""
        named = self._named(offer, message)
        self._rows[t.case_identifiers] += [{"kind": k, "value": v, "case_id": case.id} for k, v in named]
        if offer.prepared.trace:
            self._rows[t.traces].append({"case_id": case.id, "document": offer.prepared.trace.dump()})
            self._same.add(case, offer.prepared.trace, named)

    def _read_at_last(self, offer: Offer, message: Message, case: CaseState) -> Receipt:
        """A quarantined message that can be read now: its case gets what it lacked, under the same code."""
        triage, old = offer.prepared.triage or Triage(), case.department
        was_told = bool(case.contacts)
        case.sequence += 1
        case.department, case.priority = triage.department, triage.priority
        case.subject, case.language = message.subject[:1000], self._language(message, triage)
        case.triage = triage
        case.customer_id = case.customer_id or self._customer(message.sender)
        for kind, value in sorted(set(identity.points(message.sender)) - case.contacts):
            case.contacts.add((kind, value))
            self._rows[t.case_contacts].append({"case_id": case.id, "kind": kind, "value": value})
        self._touched.add(case.id)
        self._reread.append(offer.raw.source_key)
        attachments = self._store_message(offer, message, case)
        self._keep_trace(offer, message, case)
        facts = facts_of(case, message, triage)
        self._rows[t.outbox] += events.registered(facts, message, triage, attachments, self._policy.origin)
        if old != case.department:
            self._rows[t.outbox] += events.rerouted(
                facts, cast("Department", old), triage, self._policy.origin, at=self._now
            )
        self._remember(case, "registered", {"outcome": "replayed", "reasons": list(triage.reasons)})
        if not was_told and message.automatic == "none":
            self._notify(case, message, "acknowledgement", {"code": case.code})
        return self._deliver(offer, Outcome.REGISTERED, case)

    def _open_case(self, message: Message, triage: Triage, related: list[dict[str, Any]]) -> CaseState:
        case = CaseState(
            id=str(uuid7()),
            code=tracking.new(),
            customer_id=self._customer(message.sender),
            channel=message.channel,
            source=message.source,
            status=Status.REGISTERED.value,
            department=triage.department,
            priority=triage.priority,
            language=self._language(message, triage),
            subject=message.subject[:1000],
            triage=triage,
            related=related,
            sequence=1,
            received_at=message.received_at,
            registered_at=self._now,
            contacts=set(identity.points(message.sender)),
        )
        for kind, value in sorted(case.contacts):
            self._rows[t.case_contacts].append({"case_id": case.id, "kind": kind, "value": value})
        self._cases[case.id] = case
        self._threads.opened(message, case.id)
        return case

    def _customer(self, sender: Sender) -> str | None:
        """The customer behind the contact points; typed addresses prove nothing and join nobody."""
        own = identity.points(sender)
        if not own and not sender.name and not sender.account:
            return None
        proven = own if sender.trust != "none" else []
        customer = next((self._owners[p] for p in proven if p in self._owners), None)
        if customer is None:
            customer = str(uuid7())
            self._rows[t.customers].append({"id": customer, "name": sender.name, "created_at": self._now})
        for kind, value in proven:
            if sender.trust == "verified":
                self._verified.append({"k": kind, "v": value})
            if (kind, value) not in self._owners:
                self._owners[kind, value] = customer
                self._rows[t.contact_points].append(
                    {"kind": kind, "value": value, "customer_id": customer, "trust": sender.trust}
                    | {"created_at": self._now}
                )
        if sender.account:
            self._rows[t.accounts].append(
                {"account": sender.account[:200], "customer_id": customer, "trust": sender.trust}
                | {"created_at": self._now}
            )
        return customer

    def _follow_up(self, offer: Offer, message: Message, told: CaseState, *, vouched: bool) -> Receipt:
        """A further message of a case, of the first one where `told`, whose code he knows, is a duplicate."""
        if vouched and message.sender.trust in ("none", "claimed"):
            sender = message.sender.model_copy(update={"trust": "authenticated"})
            message = message.model_copy(update={"sender": sender})
        case = self._first(told)
        case.sequence += 1
        self._touched |= {case.id, told.id}
        attachments = self._store_message(offer, message, case)
        triage = case.triage
        facts = replace(facts_of(case, message, triage), received_at=message.received_at)
        self._rows[t.outbox] += events.followed_up(
            facts, message, triage, attachments, self._policy.origin, at=self._now
        )
        self._remember(case, "followed_up", {"vouched": vouched})
        if told.last_receipt_at is None or self._now - told.last_receipt_at >= _RECEIPT_PAUSE:
            told.last_receipt_at = self._now
            self._notify(told, message, "receipt", {"code": told.code})
        return self._deliver(offer, Outcome.FOLLOW_UP, None, case_id=case.id, code=told.code)

    def _answer(self, offer: Offer, case: CaseState) -> Receipt:
        """The state and nothing else: whoever holds a code may know it."""
        message = offer.message
        if message:
            status = self._first(case).status
            self._notify(case, message, "status", {"code": case.code, "status": status})
        return self._deliver(offer, Outcome.ANSWERED, case)

    def _store_message(self, offer: Offer, message: Message, case: CaseState) -> list[Attachment]:
        """The message and its files, under ids that cannot be guessed."""
        message_id = str(uuid7())
        files = [a.model_copy(update={"id": str(uuid4())}) for a in message.attachments]
        stored = message.model_copy(update={"attachments": tuple(files)})
        self._rows[t.messages].append(
            {
                "id": message_id,
                "case_id": case.id,
                "source_key": offer.raw.source_key,
                "external_id": message.external_id[:500],
                "received_at": message.received_at,
                "document": stored.model_dump_json(),
                "chat": conversation(message) or None,
            }
        )
        self._rows[t.attachments] += [
            {"id": f.id, "case_id": case.id, "message_id": message_id, "sha256": f.sha256, "size": f.size}
            | {"filename": f.filename, "media_type": f.media_type[:100], "scan": f.scan}
            for f in files
        ]
        return files

    def _remember(self, case: CaseState, fact: str, data: dict[str, Any]) -> None:
        self._rows[t.history].append(
            {"case_id": case.id, "sequence": case.sequence, "at": self._now, "fact": fact, "data": data}
        )

    def _notify(self, case: CaseState, message: Message, kind: str, data: dict[str, Any]) -> None:
        """A notice to the address the message came from; nowhere else, and never to a machine."""
        target = next((p for p in message.sender.contact_points if p.kind == "email"), None)
        source = message.source if message.channel == "email" else self._policy.mail_source
        if target is None or source is None or identity.is_machine(target.value):
            return
        thread = message.thread
        self._rows[t.notices].append(
            {
                "id": str(uuid7()),
                "case_id": case.id,
                "kind": kind,
                "channel": "email",
                "source": source,
                "recipient": target.value,
                "language": case.language,
                "data": {
                    **data,
                    "in_reply_to": thread.message_id,
                    "references": [*thread.references[-10:], thread.message_id] if thread.message_id else [],
                    "received_at": message.received_at.isoformat(),
                },
                "state": "pending",
                "due_at": self._now,
                "created_at": self._now,
                "attempts": 0,
                "error": "",
            }
        )

    def _language(self, message: Message, triage: Triage) -> str:
        spoken = message.language or triage.language
        if spoken in self._policy.languages:
            return spoken
        foreign = spoken not in ("und", "tr") and "en" in self._policy.languages
        return "en" if foreign else self._policy.languages[0]

    def _deliver(
        self,
        offer: Offer,
        outcome: Outcome,
        case: CaseState | None,
        *,
        case_id: str | None = None,
        code: str | None = None,
        reason: str = "",
    ) -> Receipt:
        raw = offer.raw
        receipt = Receipt(outcome, case.code if case else code, case.id if case else case_id, True, reason)
        # what was not taken must not make the same content a repeat when it comes through another door
        content_hash = None if outcome in (Outcome.SET_ASIDE, Outcome.QUARANTINED) else offer.content_hash
        if content_hash:
            self._content.setdefault(content_hash, (receipt.case_id, receipt.code))
        self._rows[t.deliveries].append(
            {
                "source_key": raw.source_key,
                "channel": raw.channel,
                "source": raw.source,
                "scope": raw.scope,
                "position": raw.position,
                "outcome": outcome.value,
                "reason": reason[:200],
                "content_hash": content_hash,
                "case_id": receipt.case_id,
                "received_at": raw.received_at,
                "committed_at": self._now,
            }
        )
        if not offer.replay:
            self._rows[t.raw].append(
                {
                    "source_key": raw.source_key,
                    "content_type": raw.content_type,
                    "meta": {**raw.meta},
                    "body": None if offer.blob else raw.body,
                    "blob": offer.blob,
                    "size": len(raw.body),
                }
            )
        return receipt

    def write(self, connection: sa.Connection) -> None:
        """Every row, one statement a table."""
        again = [row["source_key"] for row in self._rows[t.deliveries] if row["source_key"] in self._replayed]
        if again:
            connection.execute(sa.delete(t.deliveries).where(t.deliveries.c.source_key.in_(again)))
        if self._reread:
            read = t.quarantine.c.source_key.in_(self._reread)
            connection.execute(
                sa.update(t.quarantine).where(read).values(state="replayed", last_seen=self._now)
            )
        for table in (
            t.deliveries,
            t.raw,
            t.customers,
            t.cases,
            t.case_contacts,
            t.messages,
            t.attachments,
            t.traces,
            t.history,
            t.outbox,
            t.notices,
        ):
            if rows := self._rows[table]:
                insert_rows(connection, table, rows)
                # failpoint: table written
        for table in (t.contact_points, t.accounts, t.quarantine, t.case_identifiers):
            if rows := self._rows[table]:
                connection.execute(insert_new(connection, table), rows)
        if self._verified:
            point = (
                t.contact_points.c.kind == sa.bindparam("k"),
                t.contact_points.c.value == sa.bindparam("v"),
            )
            connection.execute(
                sa.update(t.contact_points).where(*point).values(trust="verified"), self._verified
            )
        for case_id in sorted(self._touched):
            case = self._cases[case_id]
            changed = {name: value for name, value in row_of(case).items() if name not in ("id", "code")}
            connection.execute(sa.update(t.cases).where(t.cases.c.id == case_id).values(**changed))


def _aside_reason(message: Message) -> str:
    if message.automatic != "none":
        return message.automatic
    return "spam" if message.spam else ""
