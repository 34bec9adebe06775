"""The one transaction: what each delivery of a batch becomes, and every row that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from uuid_utils import uuid7

from intake import events, identity, tracking
from intake.schema import (
    Attachment,
    ContactPoint,
    Department,
    Message,
    Outcome,
    Priority,
    RawMessage,
    Receipt,
    Sender,
    Status,
    Triage,
)
from intake.store import registration as ask
from intake.store import tables as t
from intake.store.bulk import insert_rows
from intake.store.ledger import insert_new
from intake.store.registration import CaseState
from intake.workers import Prepared

_CASE_COLUMNS = [column.name for column in t.cases.columns]
_RECEIPT_PAUSE = timedelta(hours=1)
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


@dataclass(slots=True)
class _Threads:
    """Which cases a message points at, the surest first, and which of them our token vouches for."""

    cases: list[str]
    vouched: set[str]


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
        self._look_up_threads(connection, found)
        self._owners = ask.customers_of(connection, {p for m in found for p in identity.points(m.sender)})
        self._touched: set[str] = set()
        self._reread: list[str] = []

    def _look_up_threads(self, connection: sa.Connection, found: list[Message]) -> None:
        references = {r for m in found for r in _references(m)}
        self._letters = ask.cases_of_letters(connection, identity.letters_answered(b"", list(references), ""))
        self._external = ask.cases_of_messages(connection, references)
        self._codes = ask.cases_of_codes(connection, {c for m in found for c in m.thread.codes})
        ids = {*self._letters.values(), *self._external.values(), *self._codes.values()}
        ids |= {known.case_id for key in self._replayed if (known := self._known.get(key)) and known.case_id}
        self._cases = ask.lock_cases(connection, ids)

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
        threads = self._threads(message)
        if asked := self._asked_about(offer, threads):
            return self._answer(offer, asked)
        for case_id in threads.cases:
            case = self._cases[case_id]
            vouched = case_id in threads.vouched
            if case.status in _OPEN and identity.agrees(message.sender, case.contacts, vouched=vouched):
                return self._follow_up(offer, message, case, vouched=vouched)
        return self._register(
            offer, message, offer.prepared.triage or Triage(), self._related(message, threads)
        )

    def _threads(self, message: Message) -> _Threads:
        references = _references(message)
        own = identity.points(message.sender)
        address = own[0][1] if len(own) == 1 else ""
        ours = identity.letters_answered(self._policy.secret, references, address)
        vouched = {
            self._letters[k] for k, made_for_him in ours.items() if made_for_him and k in self._letters
        }
        pointed = [
            *vouched,
            *(self._letters[k] for k in ours if k in self._letters),
            *(self._external[r] for r in references if r in self._external),
            *(self._codes[c] for c in message.thread.codes if c in self._codes),
        ]
        return _Threads([c for c in dict.fromkeys(pointed) if c in self._cases], vouched)

    def _asked_about(self, offer: Offer, threads: _Threads) -> CaseState | None:
        triage = offer.prepared.triage
        if triage is None or "status_question" not in triage.flags or not threads.cases or not offer.message:
            return None
        codes = offer.message.thread.codes
        return next((self._cases[i] for i in threads.cases if self._cases[i].code in codes), None)

    def _related(self, message: Message, threads: _Threads) -> list[dict[str, Any]]:
        """Cases a new one names: earlier ones of the same sender, or a stranger's claim to be reviewed."""
        related = []
        for case_id in threads.cases:
            contacts = self._cases[case_id].contacts
            confirmed = identity.agrees(message.sender, contacts, vouched=case_id in threads.vouched)
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
        self._rows[t.cases].append(_case_row(case))
        facts = self._facts(case, message, triage)
        self._rows[t.outbox] += events.registered(facts, message, triage, attachments, self._policy.origin)
        self._remember(case, "registered", {"outcome": outcome.value, "reasons": list(triage.reasons)})
        self._notify(case, message, "acknowledgement", {"code": case.code})
        return self._deliver(offer, outcome, case, reason=offer.prepared.error)

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
        facts = self._facts(case, message, triage)
        self._rows[t.outbox] += events.registered(facts, message, triage, attachments, self._policy.origin)
        if old != case.department:
            self._rows[t.outbox] += events.rerouted(
                facts, _department(old), triage, self._policy.origin, at=self._now
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
        if message.external_id:
            self._external.setdefault(message.external_id, case.id)
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

    def _follow_up(self, offer: Offer, message: Message, case: CaseState, *, vouched: bool) -> Receipt:
        if vouched and message.sender.trust in ("none", "claimed"):
            sender = message.sender.model_copy(update={"trust": "authenticated"})
            message = message.model_copy(update={"sender": sender})
        case.sequence += 1
        self._touched.add(case.id)
        attachments = self._store_message(offer, message, case)
        triage = case.triage
        facts = replace(self._facts(case, message, triage), received_at=message.received_at)
        self._rows[t.outbox] += events.followed_up(
            facts, message, triage, attachments, self._policy.origin, at=self._now
        )
        self._remember(case, "followed_up", {"vouched": vouched})
        if case.last_receipt_at is None or self._now - case.last_receipt_at >= _RECEIPT_PAUSE:
            case.last_receipt_at = self._now
            self._notify(case, message, "receipt", {"code": case.code})
        return self._deliver(offer, Outcome.FOLLOW_UP, case)

    def _answer(self, offer: Offer, case: CaseState) -> Receipt:
        """The state and nothing else: whoever holds a code may know it."""
        message = offer.message
        if message:
            self._notify(case, message, "status", {"code": case.code, "status": case.status})
        return self._deliver(offer, Outcome.ANSWERED, case)

    def _facts(self, case: CaseState, message: Message, triage: Triage) -> events.CaseFacts:
        contacts = sorted(case.contacts)
        return events.CaseFacts(
            case_id=case.id,
            code=case.code,
            sequence=case.sequence,
            status=Status(case.status),
            department=_department(case.department),
            category=triage.category,
            priority=_priority(case.priority),
            flags=triage.flags,
            language=case.language,
            customer_id=case.customer_id,
            contact_points=[ContactPoint.model_validate({"kind": k, "value": v}) for k, v in contacts],
            accounts=[message.sender.account] if message.sender.account else [],
            trust=message.sender.trust,
            name=message.sender.name,
            subject=message.subject or case.subject,
            related=[events.Relation(**r) for r in case.related],
            registered_at=case.registered_at,
            received_at=case.received_at,
            channel=message.channel,
        )

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
            t.history,
            t.outbox,
            t.notices,
        ):
            if rows := self._rows[table]:
                insert_rows(connection, table, rows)
                # failpoint: table written
        for table in (t.contact_points, t.accounts, t.quarantine):
            if rows := self._rows[table]:
                connection.execute(insert_new(connection, table), rows)
        for case_id in sorted(self._touched):
            case = self._cases[case_id]
            changed = {name: value for name, value in _case_row(case).items() if name not in ("id", "code")}
            connection.execute(sa.update(t.cases).where(t.cases.c.id == case_id).values(**changed))


def _references(message: Message) -> list[str]:
    """Message ids this one answers, the nearest first."""
    thread = message.thread
    ids = [thread.in_reply_to, *reversed(thread.references)]
    return [i for i in dict.fromkeys(ids) if i]


def _aside_reason(message: Message) -> str:
    if message.automatic != "none":
        return message.automatic
    return "spam" if message.spam else ""


def _case_row(case: CaseState) -> dict[str, Any]:
    row = {name: getattr(case, name) for name in _CASE_COLUMNS}
    row["triage"] = case.triage.model_dump_json()
    return row


def _department(name: str) -> Department:
    return name  # type: ignore[return-value]


def _priority(name: str) -> Priority:
    return name  # type: ignore[return-value]
