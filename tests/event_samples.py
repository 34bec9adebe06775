"""A case as events tell of it, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from intake.events import CaseFacts, Origin, registered
from intake.schema import Attachment, ContactPoint, Message, Status, Triage

ORIGIN = Origin("https://complaints.example", "http://private.example")
NOW = datetime(2026, 11, 23, 9, 0, 0, 250_000, tzinfo=UTC)
CODE = "7K3M9QXT2VRBHD"
SHOWN = "7K3M-9QXT-2VRB-HD"

MESSAGE = Message(
    channel="email",
    source="support",
    received_at=NOW,
    text="Çekim talebim üç gündür bekliyor, İşlem no 4711.",
)
TRIAGE = Triage(
    language="tr",
    category="payments",
    department="payments",
    confidence=0.8,
    reasons=("çekim",),
    classifier="rules-1",
)
FACTS = CaseFacts(
    case_id="0199f0a0-0000-7000-8000-000000000001",
    code=CODE,
    sequence=1,
    status=Status.REGISTERED,
    department="payments",
    category="payments",
    priority="normal",
    flags=(),
    language="tr",
    customer_id="0199f0a0-0000-7000-8000-00000000000c",
    contact_points=(ContactPoint(kind="email", value="ayse@example.com"),),
    accounts=("ayse34",),
    trust="claimed",
    name="Ayşe Yılmaz",
    subject="Çekim talebi",
    related=(),
    registered_at=NOW,
    received_at=NOW,
    channel="email",
)


def attachment(name: str = "ekran görüntüsü.png") -> Attachment:
    """A file as the store knows it."""
    return Attachment(id=str(uuid4()), filename=name, media_type="image/png", size=1000, sha256="0" * 64)


def rows(number: int, *, case_id: str = "", sequence: int = 1, **facts: Any) -> list[dict[str, Any]]:
    """Outbox rows of one registered case; `number` stands in its text."""
    message = MESSAGE.model_copy(update={"text": f"Şikayet {number}"})
    case = replace(FACTS, case_id=case_id or str(uuid4()), sequence=sequence, **facts)
    return registered(case, message, TRIAGE, (), ORIGIN)
