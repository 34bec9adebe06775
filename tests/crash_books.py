"""The three ledgers compared: what the sources gave, what the store holds, what Kafka and the mail sink received."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, fields
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from intake import tracking
from intake.store import tables as t
from tests.crash_load import Ledger
from tests.running import intake
from tests.spine import Installation, once, sequences


@dataclass
class Findings:
    """Figures that add up over installations. All but the first six have to be nought, repeats excepted."""

    mails: int = 0
    posts: int = 0
    cases: int = 0
    events: int = 0
    letters: int = 0
    blobs: int = 0
    lost: int = 0
    """Mails the mailbox took and posts that were answered, without a delivery or a case."""
    cases_twice: int = 0
    """Cases beyond one for each complaint; a follow-up that became a case counts."""
    events_lost: int = 0
    events_altered: int = 0
    """Repeats with other bytes, and records the outbox does not know."""
    out_of_order: int = 0
    """Cases whose events stand in another order for a reader who drops repeats."""
    letters_lost: int = 0
    blobs_lost: int = 0
    books_off: int = 0
    """Mails the books cannot account for."""
    events_repeated: int = 0
    letters_repeated: int = 0

    def __iadd__(self, other: Findings) -> Findings:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))
        return self

    @property
    def faults(self) -> dict[str, int]:
        """What must not be."""
        harmless = {"mails", "posts", "cases", "events", "letters", "blobs"}
        allowed = harmless | {"events_repeated", "letters_repeated"}
        return {name: count for name, count in asdict(self).items() if count and name not in allowed}


def compare(place: Installation, ledger: Ledger) -> Findings:
    """Read everything back and count what is missing, double, altered or out of order."""
    found = Findings(mails=len(ledger.mails), posts=len(ledger.posts))
    _compare_cases(place, ledger, found)
    _compare_events(place, found)
    _compare_letters(place, ledger, found)
    _compare_blobs(place, found)
    if ledger.mails:
        books = intake("reconcile", "--json", config=place.config, check=False).stdout.splitlines()
        mail = next(b for line in books if (b := json.loads(line))["channel"] == "email")
        found.books_off = abs(mail["gap"]) + abs(mail["seen"] - len(ledger.mails))
    return found


def _compare_cases(place: Installation, ledger: Ledger, found: Findings) -> None:
    codes = {str(row.code) for row in place.ask(sa.select(t.cases.c.code))}
    cases_of: dict[str, list[str]] = defaultdict(list)
    for row in place.ask(sa.select(t.messages.c.external_id, t.messages.c.case_id)):
        cases_of[str(row.external_id).strip("<>")].append(str(row.case_id))
    found.cases = len(codes)
    for message_id, mail in ledger.mails.items():
        stored = cases_of[message_id.strip("<>")]
        found.lost += not stored
        found.cases_twice += max(0, len(stored) - 1)
        if mail.first and stored:
            found.cases_twice += stored[0] not in cases_of[mail.first.strip("<>")]
    answered = Counter(tracking.parse(code) for code in ledger.posts.values() if code)
    found.lost += sum(count for code, count in answered.items() if code not in codes)
    found.lost += sum(count - 1 for count in answered.values())  # two posts under one code
    unanswered = len(ledger.unanswered())  # may be there or not: nobody was told
    expected = len(ledger.firsts()) + len(answered)
    found.cases_twice += max(0, found.cases - expected - unanswered)


def _compare_events(place: Installation, found: Findings) -> None:
    chosen = sa.select(t.outbox.c.topic, t.outbox.c.event_id, t.outbox.c.value)
    decided = {(f"{place.run}.{r.topic}", str(r.event_id)): bytes(r.value) for r in place.ask(chosen)}
    records = place.records()
    arrived = Counter((r.topic, dict(r.headers)["ce_id"].decode()) for r in records)
    found.events = len(decided)
    found.events_lost = len(decided.keys() - arrived.keys())
    found.events_repeated = arrived.total() - len(arrived)
    found.events_altered = sum(
        decided.get((r.topic, dict(r.headers)["ce_id"].decode())) != r.value for r in records
    )
    orders = sequences(once(records)).values()
    found.out_of_order = sum(order != sorted(order) for order in orders)


def _compare_letters(place: Installation, ledger: Ledger, found: Findings) -> None:
    chosen = sa.select(t.notices.c.letter, t.notices.c.kind, t.notices.c.recipient, t.notices.c.case_id)
    notices = place.ask(chosen)
    arrived = letters_of(place)
    found.letters = len({row.letter for row in notices})
    found.letters_lost = len({str(row.letter) for row in notices} - arrived.keys())
    found.letters_repeated = arrived.total() - len(arrived)
    acknowledged = Counter(row.recipient for row in notices if row.kind == "acknowledgement")
    expected = {ledger.mails[first].sender for first in ledger.firsts()} | {
        address for client, address in ledger.addresses.items() if ledger.posts[client]
    }
    found.letters_lost += len(expected - acknowledged.keys())


def letters_of(place: Installation) -> Counter[str]:
    """How often each letter, by its id, reached the sink for this installation's customers."""
    arrived: Counter[str] = Counter()
    for path in (Path(os.environ["DEV_SMTP_DIR"]) / "new").glob("*.eml"):
        headers = BytesHeaderParser().parsebytes(path.read_bytes())
        if f"@{place.run}.example" in str(headers["To"]):
            arrived[str(headers["Message-ID"]).strip("<> ").partition(".")[0]] += 1
    return arrived


def _compare_blobs(place: Installation, found: Findings) -> None:
    named = {str(row.sha256) for row in place.ask(sa.select(t.attachments.c.sha256))}
    named |= {str(row.blob) for row in place.ask(sa.select(t.raw.c.blob).where(t.raw.c.blob.is_not(None)))}
    folder = place.folder / "data" / "blobs" / "sha256"
    found.blobs = len(named)
    found.blobs_lost = sum(not _is_whole(folder / name[:2] / name[2:], name) for name in named)


def _is_whole(path: Path, name: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == name


def described(found: Findings) -> dict[str, Any]:
    """As plain JSON."""
    return asdict(found)
