"""What terms of the rules find: gaps, classes of words, misspelt stems, numbers; and what they cost."""

from __future__ import annotations

import time

import pytest

from router.rules import plain_words
from router.terms import Builder, Hit, Lexicon

PLACE = ("flags", "crisis", "any")


def _lexicon(*terms: str, **classes: list[str]) -> Lexicon:
    builder = Builder()
    for name in classes:
        builder.add_class(name)
    for name, words in classes.items():
        for word in words:
            builder.add_word(name, word)
    for term in terms:
        builder.add_term(Hit(PLACE, term))
    return builder.build()


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("mor ... kedi", "mor bir iki üç dört beş altı kedi", True),
        ("mor & kedi", "kedi çok ama çok mor", True),
        ("mor & kedi", "mor kedi", True),
        ("mor & kedi", "mor " + "ve " * 20 + "kedi", False),
        ("# bin", "250 bin", True),
        ("# bin", "yüz bin", False),
        ("~dolandir*", "dolndırıldım", True),
        ("~dolandir*", "dolllandırıldım", True),
        ("~dolandir*", "dolanıyor", False),
        ("(uzun mor|kisa) kedi", "uzun mor kedi", True),
        ("(uzun mor|kisa) kedi", "kısa kedi", True),
        ("(uzun mor|kisa) kedi", "uzun kedi", False),
    ],
)
def test_what_a_term_finds(term: str, text: str, *, expected: bool) -> None:
    """Wide gaps, either order, numbers, misspelt stems and alternatives of several words."""
    assert bool(_lexicon(term).find(plain_words(text)).hits) is expected


def test_a_class_stands_for_all_its_words() -> None:
    """A term that names a class is found by any of its words, of several words as well, and says which."""
    lexicon = _lexicon("{animal} .. sleeps", animal=["cat*", "old dog"])
    assert lexicon.find(" the cats sleeps ").hits
    found = lexicon.find(" my old dog never sleeps ")
    assert found.hits
    assert found.said("animal") == "old dog"
    assert not lexicon.find(" my dog sleeps ").hits


def test_a_reason_quotes_no_long_number() -> None:
    """What may be part of a card or national-id number is not repeated in a reason."""
    lexicon = _lexicon("{lost}", lost=["kartim ... calindi"])
    found = lexicon.find(plain_words("kartım 4111 1111 1111 1111 çalındı"))
    assert found.said("lost") == "kartim … … … … calindi"


@pytest.mark.parametrize(
    "term", ["a[b cd", "*", "mor ..", ".. mor", "(mor", "{nothing} mor", "~mor", "mor .. .. kedi"]
)
def test_a_term_that_means_nothing_is_refused(term: str) -> None:
    """A term that cannot be used is an error, not a rule that never fires."""
    with pytest.raises(ValueError, match=r"\w"):
        _lexicon(term)


def test_a_word_repeated_is_not_dear() -> None:
    """A text of one word that many phrases begin with does not cost the square of its length."""
    lexicon = _lexicon(*(f"mor .. kedi{n} .. mor" for n in range(50)), "mor & mor")
    begun = time.process_time()
    lexicon.find(" mor kedi7" * 4000 + " ")
    assert time.process_time() - begun < 5
