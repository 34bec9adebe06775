"""Card and national-id numbers are masked before anything is stored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.privacy import masked
from intake.schema import Message, Normalized
from intake.telemetry import redact
from intake.text import bound_marks, clean_text, fold, mask_numbers

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("kartım 4111 1111 1111 1111 çalışmıyor", "kartım ************1111 çalışmıyor"),
        ("4111-1111-1111-1111", "************1111"),
        ("TC 10000000146", "TC *******0146"),
        ("işlem 4111111111111112", "işlem 4111111111111112"),
        ("telefon 05321234567", "telefon 05321234567"),
    ],
)
def test_only_checked_numbers_are_masked(text: str, shown: str) -> None:
    """Cards by Luhn, national ids by their check digits; other numbers stay."""
    assert mask_numbers(text) == shown


def test_every_text_of_a_message_is_masked() -> None:
    """Subject, fresh text, quote, HTML and the whole body."""
    number = "4111111111111111"
    message = Message(
        channel="email", source="s", received_at=NOW, subject=number, text=number, quoted=number, html=number
    )
    assert number not in repr(masked(Normalized(message, number)))


def test_logs_name_nobody() -> None:
    """Addresses and long numbers are blanked out of log lines."""
    assert redact("from ayse@example.org at +90 532 123 45 67") == "from [address] at [number]"


@given(st.text(max_size=300))
def test_clean_text_is_storable(text: str) -> None:
    """Whatever comes in, UTF-8 can encode it and no NUL is left; cleaning twice changes nothing."""
    cleaned = clean_text(text)
    cleaned.encode()
    assert "\x00" not in cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("text", ["ŞİKÂYET", "𝕊", "é", "ﬁ"])
def test_folding_twice_changes_nothing(text: str) -> None:
    """What is folded is one spelling already."""
    assert fold(fold(text)) == fold(text)


def test_fold_knows_turkish() -> None:
    """The four i's and the diacritics."""
    assert fold("ŞİKÂYET IĞDIR ığdır") == "sikayet igdir igdir"


def test_runs_of_marks_are_bounded() -> None:
    """A letter keeps 30 marks of a thousand."""
    assert len(bound_marks("e" + "\u0301" * 1000)) == 31
