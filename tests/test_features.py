"""What the model sees in a text does not depend on what was read before, and neither does the memory used."""

from __future__ import annotations

import numpy as np
import pytest

from router import features


@pytest.fixture
def _nothing_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_SEEN", {})


@pytest.mark.usefixtures("_nothing_seen")
@pytest.mark.parametrize(
    "text",
    ["a", " ab ", "cekim 1500 tl a ab abc", "деньги не пришли ابني para para", "x" * 900 + " para", ""],
)
def test_a_word_seen_before_gives_the_same_rows(text: str) -> None:
    """A text gives the same rows when its words are new, when they are known, and when half of them are."""
    new = np.sort(features.features(text))
    known = np.sort(features.features(text))
    features._SEEN.clear()
    features.features(text[: len(text) // 2])
    mixed = np.sort(features.features(text))
    assert new.tolist() == known.tolist() == mixed.tolist()


@pytest.mark.usefixtures("_nothing_seen")
@pytest.mark.parametrize("text", ["bonus cevrim 350 tl", "ab cde f"])
def test_the_pieces_of_a_text_are_those_of_its_words(text: str) -> None:
    """Words hashed apart give what the whole text gives."""
    whole = features._pieces(text.split()).tolist()
    apart = b"".join(found.pieces for found in features._read(text.split()))
    assert sorted(np.frombuffer(apart, np.uint32).tolist()) == sorted(whole)


@pytest.mark.usefixtures("_nothing_seen")
def test_a_very_long_word_is_not_kept() -> None:
    """Only words as people write them are kept, so that the memory has a bound."""
    features.features("y" * 2000 + " para")
    assert set(features._SEEN) == {"para"}


@pytest.mark.usefixtures("_nothing_seen")
def test_only_so_many_words_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that runs for months does not keep every misspelling it ever read."""
    monkeypatch.setattr(features, "_MOST_SEEN", 10)
    for number in range(50):
        features.features(f"para kelime{chr(97 + number % 26)}{chr(97 + number // 26)}")
    assert len(features._SEEN) <= 10
