"""A submission of the form as a Message: cleaned, canonical, and trusted no further than it was proven."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.web_form.entry import raw_message
from connectors.web_form.tokens import UploadedFile
from intake import tracking
from intake.errors import RejectedMessage
from intake.schema import Message, RawMessage
from normalizers.web_form import canonical_phone, normalize

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DIGEST = "ab" * 32


def raw(body: bytes) -> RawMessage:
    return RawMessage("web_form", "web", "application/json", body, NOW, key="k")


def read(**document: Any) -> Message:
    """The Message of a submission by the form, as its connector hands it in."""
    fields = {"via": "form", "language": "tr", "category": None, "text": "Param yatmadı.", **document}
    files = fields.pop("files", [])
    return normalize(raw_message("web", "an id", fields, files, NOW)).message


def test_fields_come_out_where_they_belong() -> None:
    """What the customer chose and typed, in the one schema."""
    message = read(category="payments", subject="Çekim", name="Ayşe  Öz", account="ayse77")
    assert (message.channel, message.source, message.external_id) == ("web_form", "web", "an id")
    assert (message.text, message.subject, message.language) == ("Param yatmadı.", "Çekim", "tr")
    assert (message.chosen_category, message.received_at) == ("payments", NOW)
    assert (message.sender.name, message.sender.account) == ("Ayşe Öz", "ayse77")
    assert message.warnings == ()


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        ({"via": "form"}, "none"),
        ({"via": "form", "verified": True}, "none"),
        ({"via": "api"}, "none"),
        ({"via": "api", "verified": "yes"}, "none"),
        ({"via": "api", "verified": True}, "authenticated"),
    ],
)
def test_typed_addresses_prove_nothing(fields: dict[str, Any], trust: str) -> None:
    """Only the operator's own site may vouch, and only by saying so."""
    assert read(email="ayse@example.org", **fields).sender.trust == trust


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("0532 123 45 67", "+905321234567"),
        ("532 123 45 67", "+905321234567"),
        ("(0212) 345 67 89", "+902123456789"),
        ("+90 (0) 532 123 45 67", "+905321234567"),
        ("0090 532 123 45 67", "+905321234567"),
        ("90 532 123 45 67", "+905321234567"),
        ("+44 20 7946 0018", "+442079460018"),
        ("٠٥٣٢ ١٢٣ ٤٥ ٦٧", "+905321234567"),
        ("345 67 89", "3456789"),
        ("12345", ""),
        ("1234567890123456", ""),
        ("none", ""),
    ],
)
def test_phones_become_one_spelling(typed: str, canonical: str) -> None:
    """E.164 where the country shows; bare digits where it does not."""
    assert canonical_phone(typed) == canonical


def test_contact_points_are_canonical() -> None:
    """The mail address is folded, and what is none is left out with a warning."""
    message = read(email="Ayse@Example.ORG", phone="345 67 89")
    assert [(p.kind, p.value) for p in message.sender.contact_points] == [
        ("email", "ayse@example.org"),
        ("phone", "3456789"),
    ]
    assert message.warnings == ("phone: no country can be told",)
    assert read(email="nobody").warnings == ("email: not a valid address",)


def test_codes_are_found_in_subject_and_text() -> None:
    """Canonical, each once."""
    one, two = tracking.new(), tracking.new()
    message = read(subject=f"Re: {tracking.show(one)}", text=f"{tracking.show(two)} ve {tracking.show(one)}")
    assert message.thread.codes == (one, two)


def test_files_are_described_and_numbered() -> None:
    """Safe names, the type that was sniffed, ids in order; bytes stay where the connector put them."""
    files = [
        UploadedFile("../a\u202egnp.exe", "image/png", 3, DIGEST, "text/html"),
        UploadedFile("", "", 5, DIGEST, "image/png"),
    ]
    first, second = read(files=files).attachments
    assert (first.id, first.filename, first.media_type) == ("0", "agnp.exe", "text/html")
    assert (first.declared_type, first.size, first.sha256) == ("image/png", 3, DIGEST)
    assert (second.id, second.filename, second.media_type) == ("1", "ek.png", "image/png")


def test_text_is_fit_for_every_store() -> None:
    """No NUL, no lone surrogate, no override of direction; newlines are newlines."""
    document = '{"text": "a\\u0000b\\ud800c\\u202ed\\r\\ne", "subject": "x\\ny", "name": "\\u0007z"}'
    message = normalize(raw(document.encode())).message
    assert (message.text, message.subject, message.sender.name) == ("abcd\ne", "x y", "z")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000])
def test_only_broken_json_is_rejected(body: bytes) -> None:
    """With a reason that goes into quarantine."""
    with pytest.raises(RejectedMessage) as raised:
        normalize(raw(body))
    assert raised.value.reason == "not_json"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
)
_FIELDS = [
    "via",
    "language",
    "category",
    "text",
    "subject",
    "name",
    "account",
    "email",
    "phone",
    "id",
    "verified",
]
_FILES = st.lists(
    st.dictionaries(st.sampled_from(["filename", "declared_type", "size", "sha256", "head_type"]), _VALUES)
    | _VALUES
)


@given(st.dictionaries(st.sampled_from(_FIELDS), _VALUES), _FILES)
@settings(max_examples=150, deadline=None)
def test_any_json_object_becomes_a_message(fields: dict[str, Any], files: list[Any]) -> None:
    """Whatever stands in the fields: a Message, if need be with warnings."""
    message = normalize(raw(json.dumps({**fields, "files": files}).encode())).message
    assert message.channel == "web_form"
