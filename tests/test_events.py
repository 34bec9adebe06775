"""What departments are told: sizes, masks, headers, and what a record must never hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.events import (
    SCHEMA_MODELS,
    SCHEMAS,
    TEXT_BYTES,
    VALUE_BYTES,
    CaseFacts,
    Origin,
    Relation,
    cut,
    followed_up,
    registered,
    rerouted,
)
from intake.privacy import masked
from intake.schema import (
    Attachment,
    ContactPoint,
    Entities,
    Evidence,
    Message,
    Money,
    Normalized,
    Sender,
    Status,
    Triage,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ORIGIN = Origin("https://complaints.example", "https://intake.example")
SCHEMA_FILES = Path(__file__).parent.parent / "docs" / "reference" / "schemas"
SECRETS = ("Ayşe Gizli", "gizli konu", "gizli metin", "ayse@gizli.example", "ayse_gizli", "gizli.png")

FACTS = CaseFacts(
    case_id="019ab001-5c00-7000-8000-000000000001",
    code="7K2MQ9TR4XZB5Y",
    sequence=3,
    status=Status.REGISTERED,
    department="payments",
    category="payments",
    priority="normal",
    flags=(),
    language="tr",
    customer_id="c1",
    contact_points=[ContactPoint(kind="email", value="ayse@gizli.example")],
    accounts=["ayse_gizli"],
    trust="claimed",
    name="Ayşe Gizli",
    subject="gizli konu",
    related=[Relation(case_id="other", relation="earlier", confirmed=False)],
    registered_at=NOW,
    received_at=NOW,
    channel="email",
)
FILE = Attachment(id="f1", filename="gizli.png", media_type="image/png", size=3, sha256="ab" * 32)
EVIDENCE = Evidence(
    begins_at=NOW.replace(hour=8), ends_at=NOW, ids=("TR-1",), url="https://logs.example/?id=TR-1"
)
TRIAGE = Triage(category="payments", department="payments", confidence=0.5, classifier="rules")


def mail(text: str = "gizli metin") -> Message:
    """As it leaves a worker: subject and text are masked there, names and file names by the event."""
    message = Message(
        channel="email", source="support", received_at=NOW, sender=Sender(), text=text, subject=text
    )
    return masked(Normalized(message)).message


def rows(
    facts: CaseFacts = FACTS, text: str = "gizli metin", triage: Triage = TRIAGE
) -> list[dict[str, Any]]:
    return registered(facts, mail(text), triage, [FILE], ORIGIN)


def by_topic(found: list[dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
    return {row["topic"]: row for row in found}


def value(row: Mapping[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(row["value"])
    return decoded


def test_a_new_case_goes_to_its_department_and_to_the_life_cycle() -> None:
    """And to the expert on call where it is urgent; each record has an id of its own and the same fact."""
    urgent = rows(replace(FACTS, priority="urgent"))
    assert [row["topic"] for row in rows()] == ["payments.v1", "events.v1"]
    assert [row["topic"] for row in urgent] == ["payments.v1", "events.v1", "urgent.v1"]
    assert len({row["event_id"] for row in urgent}) == 3
    assert {(row["case_id"], row["sequence"]) for row in urgent} == {(FACTS.case_id, 3)}
    assert all(row["event_id"] == row["headers"]["ce_id"] == value(row)["event_id"] for row in urgent)


@pytest.mark.parametrize("topic", ["events.v1", "urgent.v1"])
def test_shared_topics_hold_nothing_personal(topic: str) -> None:
    """No text, subject, name, contact point, account or file name, in value and headers."""
    row = by_topic(rows(replace(FACTS, priority="urgent")))[topic]
    seen = row["value"].decode() + json.dumps(row["headers"], ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in seen] == []


def test_the_department_sees_all_of_it() -> None:
    """The same words are there where they belong, so that the test above can fail."""
    seen = by_topic(rows())["payments.v1"]["value"].decode()
    assert [secret for secret in SECRETS if secret not in seen] == []


def test_a_rerouted_case_tells_the_old_department_without_content() -> None:
    """One record on the old topic, naming the new owner."""
    (row,) = rerouted(FACTS, "technical", TRIAGE, ORIGIN, at=NOW)
    assert (row["topic"], row["type"]) == ("technical.v1", "complaint.rerouted.v1")
    assert value(row)["department"] == "payments"
    assert [secret for secret in SECRETS if secret in row["value"].decode()] == []


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Kartım 4111 1111 1111 1111 bloke", "4111"),
        ("TC 10000000146 ile", "10000000146"),
    ],
)
def test_card_and_national_id_numbers_are_masked(text: str, secret: str) -> None:
    """In text, subject, name and file name."""
    message = mail(text)
    facts = replace(FACTS, subject=message.subject, name=text)
    file = FILE.model_copy(update={"filename": f"{text}.png"})
    found = registered(facts, message, TRIAGE, [file], ORIGIN)
    assert secret in text
    assert all(secret not in row["value"].decode() for row in found)


def test_a_number_across_the_cut_is_masked() -> None:
    """The end of the text that is kept shows no part of a card number, wherever it lies."""
    for start in range(TEXT_BYTES - 20, TEXT_BYTES + 1):
        text = "x" * (start - 1) + " 4111111111111111 " + "y" * 100
        assert "41111" not in value(rows(text=text)[0])["text"]


@given(st.text(min_size=1), st.integers(1, 70_000))
def test_a_text_is_cut_on_a_characters_border(piece: str, length: int) -> None:
    """At most the limit in bytes, a prefix of the text, and not one character less than fits."""
    text = (piece.encode(errors="ignore").decode() * (length // len(piece) + 1))[:length]
    kept, truncated = cut(text, TEXT_BYTES)
    assert text.startswith(kept)
    assert len(kept.encode()) <= TEXT_BYTES
    assert truncated == (kept != text)
    assert not truncated or len(text[: len(kept) + 1].encode()) > TEXT_BYTES


def test_a_long_text_says_so_and_where_the_rest_is() -> None:
    """`text_truncated`, and a URL on the private listener; a follow-up's names its message."""
    long = value(registered(FACTS, mail("ş" * 20_000), TRIAGE, [], ORIGIN)[0])
    assert (len(long["text"].encode()), long["text_truncated"]) == (TEXT_BYTES, True)
    assert long["text_url"] == f"https://intake.example/v1/cases/{FACTS.case_id}/text"
    further = followed_up(FACTS, mail(), TRIAGE, [], ORIGIN, at=NOW, message_id="m7")
    assert value(further[0])["text_url"].endswith("/text?message=m7")
    assert value(further[0])["text_truncated"] is False


_words = st.text(max_size=400).map(lambda s: s.encode(errors="ignore").decode())
_many = st.integers(0, 3000)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(word=_words, text=_words, counts=st.tuples(_many, _many, _many, _many, _many, _many))
def test_a_value_never_exceeds_its_limit(word: str, text: str, counts: tuple[int, ...]) -> None:
    """Whatever a message brings: 256 KB at most, still JSON, and what was shortened is named."""
    reasons, files, amounts, flags, accounts, related = counts
    triage = TRIAGE.model_copy(
        update={
            "reasons": (word,) * reasons,
            "entities": Entities(
                amounts=(Money(value="1250.50", currency="TRY"),) * amounts, ids=(word,) * amounts
            ),
        }
    )
    facts = replace(
        FACTS,
        priority="urgent",
        flags=(word,) * flags,
        accounts=[word] * accounts,
        related=[Relation(case_id=word, relation="earlier", confirmed=False)] * related,
        name=word * 100,
        subject=word * 100,
    )
    found = registered(facts, mail(text * 200), triage, [FILE] * files, ORIGIN)
    for row in found:
        assert len(row["value"]) <= VALUE_BYTES
        shown = value(row)
        assert bool(shown["cut"]) == (
            len(row["value"]) < VALUE_BYTES and _is_short(shown, counts, row["topic"])
        )


def _is_short(shown: Mapping[str, Any], counts: tuple[int, ...], topic: str) -> bool:
    """Whether any list of a value is shorter than what it was made from."""
    reasons, files, amounts, flags, accounts, related = counts
    made = [(len(shown["flags"]), flags)]
    if topic != "urgent.v1":
        made.append((len(shown["related"]), related))
    if topic == "payments.v1":
        made += [(len(shown["reasons"]), reasons), (len(shown["attachments"]), files)]
        made += [(len(shown["entities"]["amounts"]), amounts)]
        made += [(len(shown["customer"]["platform_accounts"]), accounts)]
    return any(length < full for length, full in made)


def test_turkish_is_written_as_it_is() -> None:
    """UTF-8, not escaped: half the size, and readable in any tool."""
    row = rows(text="İğne, ışık, çağrı, şikâyet, öğün, ütü")[0]
    assert "İğne, ışık, çağrı, şikâyet, öğün, ütü".encode() in row["value"]
    assert b"\\u" not in row["value"]


def test_control_characters_stay_within_the_limit() -> None:
    """JSON writes them six times as long; the value is JSON and fits all the same."""
    row = registered(FACTS, mail("\x01" * 50_000), TRIAGE, [], ORIGIN)[0]
    assert len(row["value"]) <= VALUE_BYTES
    assert value(row)["text"] == "\x01" * TEXT_BYTES


def read(row: Mapping[str, Any]) -> BaseCloudEvent:
    """The record as the CNCF's own library reads it: Kafka binding, binary mode."""
    headers = {name: text.encode() for name, text in row["headers"].items()}
    message = KafkaMessage(headers=headers, key=row["case_id"].encode(), value=row["value"])
    return from_binary_event(message)


@pytest.mark.parametrize("topic", ["payments.v1", "events.v1", "urgent.v1"])
def test_headers_are_cloudevents_to_an_independent_reader(topic: str) -> None:
    """Id, source, type, time, subject, schema and data come out as they went in."""
    row = by_topic(rows(replace(FACTS, priority="urgent")))[topic]
    event = read(row)
    assert event.get_specversion() == "1.0"
    assert event.get_id() == row["event_id"]
    assert event.get_source() == "https://complaints.example"
    assert event.get_type() == "complaint.registered.v1"
    assert event.get_time() == NOW
    assert event.get_subject() == "7K2M-Q9TR-4XZB-5Y"
    assert event.get_datacontenttype() == "application/json"
    assert str(event.get_dataschema()).startswith(SCHEMAS)
    assert event.get_data() == value(row)


@pytest.mark.parametrize("topic", ["payments.v1", "events.v1", "urgent.v1"])
def test_values_fit_the_schema_they_name(topic: str) -> None:
    """`ce_dataschema` leads to the published file, and the value is valid by it."""
    row = by_topic(rows(replace(FACTS, priority="urgent")))[topic]
    name = row["headers"]["ce_dataschema"].removeprefix(SCHEMAS)
    schema = json.loads((SCHEMA_FILES / f"{name}.json").read_text("utf-8"))
    assert schema["$id"] == row["headers"]["ce_dataschema"]
    jsonschema.Draft202012Validator(schema).validate(value(row))


@pytest.mark.parametrize("topic", ["payments.v1", "events.v1", "urgent.v1"])
def test_a_value_is_what_its_model_writes(topic: str) -> None:
    """Every field, in the order of the model and as it writes it: values are made without the model."""
    triage = TRIAGE.model_copy(
        update={
            "entities": Entities(amounts=(Money(value="1250.50", currency="TRY"),), ids=("TR-1",)),
            "evidence": EVIDENCE,
        }
    )
    row = by_topic(rows(replace(FACTS, priority="urgent", flags=("needs_review",)), triage=triage))[topic]
    model = SCHEMA_MODELS[row["headers"]["ce_dataschema"].removeprefix(SCHEMAS)]
    assert model.model_validate_json(row["value"]).model_dump_json().encode() == row["value"]
    assert list(value(row)) == list(model.model_fields)


def test_the_technical_team_is_told_where_to_look() -> None:
    """The window and the ids go to the technical department; to others where a link was configured for them."""
    unlinked = EVIDENCE.model_copy(update={"url": ""})
    seen = [
        value(rows(triage=TRIAGE.model_copy(update={"category": category, "evidence": found}))[0])["evidence"]
        for category, found in (("payments", EVIDENCE), ("technical", unlinked), ("payments", unlinked))
    ]
    window = {"begins_at": "2026-11-23T08:00:00Z", "ends_at": "2026-11-23T09:00:00Z", "ids": ["TR-1"]}
    assert seen == [window | {"url": "https://logs.example/?id=TR-1"}, window | {"url": ""}, None]


def test_a_trace_is_always_there() -> None:
    """Without a recording tracer every fact still gets a trace of its own, shared by its records."""
    first, second = rows(), rows()
    traces = {row["headers"]["traceparent"] for row in first}
    assert len(traces) == 1
    assert traces.isdisjoint({row["headers"]["traceparent"] for row in second})
