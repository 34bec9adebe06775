"""What the model sees in a text: its words and their meanings, the same wherever and however often they are read."""

from __future__ import annotations

import pytest

from intake.text import fold
from router import features, rules


@pytest.mark.parametrize(
    "words", [["a", "ab"], ["cekim", "1500", "tl", "a", "abc"], ["деньги", "пришли", "ابني"]]
)
def test_a_word_has_the_same_pieces_alone_and_among_others(words: list[str]) -> None:
    """Hashing words together gives each what it gets by itself."""
    together = [rows.tolist() for rows in features.pieces(words)]
    assert together == [features.pieces([word])[0].tolist() for word in words]


def test_many_words_are_hashed_in_parts() -> None:
    """More words than one pass can hold, and words longer than any, still have pieces of their own."""
    words = [f"kelime{number}" for number in range(3_000)] + ["y" * 5_000]
    found = features.pieces(words)
    assert len(found) == len(words)
    assert found[2_999].tolist() == features.pieces(["kelime2999"])[0].tolist()
    assert 0 < len(found[-1]) <= 3 * features.LONGEST_WORD


def test_a_text_is_its_words_and_what_follows_what() -> None:
    """Words are counted wherever they stand; meanings also by what stands before them."""
    found = features.features("para yok para")
    assert found.words == {"para": 2, "yok": 1}
    assert sum(found.meant.values()) == 1 + sum(found.pairs.values())


def test_folded_and_plain_words_are_seen_alike() -> None:
    """Punctuation, apostrophes and line breaks are nothing to the model."""
    text = "Merhaba,\n\nPara'm nerede?! 3.gün oldu; “işlemde” yazıyor…"
    assert features.features(fold(text)) == features.features(rules.plain_words(text))


def test_only_the_edges_of_a_long_text_are_read() -> None:
    """A megabyte between the edges changes nothing, so the cost is bounded."""
    head, tail = features.READ
    edges = "baş " * (head // 4), "son " * (tail // 4)
    short, long = f"{edges[0]}{edges[1]}", f"{edges[0]}{'orta ' * 200_000}{edges[1]}"
    assert features.features(long) == features.features(short[:head] + " " + short[-tail:])


def test_other_words_have_other_rows() -> None:
    """Two words without a common piece share no row."""
    one, other = (set(rows.tolist()) for rows in features.pieces(["bakiye", "uzunluk"]))
    assert one.isdisjoint(other)


def test_amounts_of_one_length_are_alike_and_words_are_not() -> None:
    """Of a number only its length counts as a word; letters always do, and so does a minor's age as a meaning."""
    assert features.features("1500tl 16") == features.features("2759tl 17")
    assert features.features("16").meant != features.features("56").meant
    assert features.features("kasa") != features.features("masa")


def test_digits_of_any_script_are_alike() -> None:
    """Arabic digits say what ASCII ones say."""
    assert features.features("٥٠٠ lira") == features.features("500 lira")


@pytest.mark.parametrize("word", ["çekimim", "withdrawal", "Auszahlung", "вывести", "سحب", "والسحب"])
def test_a_meaning_knows_no_language(word: str) -> None:
    """Words for one thing share a row in all languages, with endings and articles."""
    assert set(features.meanings(fold(word))) & set(features.meanings("payout"))


@pytest.mark.parametrize(("word", "found"), [("16", True), ("16yim", True), ("1600", False), ("36", False)])
def test_ages_of_minors_are_whole_numbers(word: str, found: bool) -> None:
    """Sixteen is an age of a minor with any ending; an amount that begins like it is not."""
    minor = set(features.meanings("16")) & set(features.meanings("underage"))
    assert bool(minor & set(features.meanings(word))) is found
