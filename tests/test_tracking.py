"""Tracking codes: what is noticed, what is forgiven, what is found and what is not."""

from __future__ import annotations

import base64
import contextlib
import random
import string
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import tracking


def _code(drawn: int) -> str:
    """The code `tracking.new` makes of these random bits."""
    body = "".join(tracking.ALPHABET[drawn >> shift & 31] for shift in range(55, -1, -5))
    return body + tracking._check(body)


CODES = st.integers(0, 2**60 - 1).map(_code).filter(tracking._is_unlike_words)
GAPS = st.sampled_from(
    ["", "-", " ", " - ", "–", "—", "\u2011", "\u2212", "\u00a0", "\u2009", "\u00ad", "\n", "-\u200b"]
)


def _grouped(code: str, gaps: list[str]) -> str:
    parts = [code[:4], code[4:8], code[8:12], code[12:]]
    return "".join(part + gap for part, gap in zip(parts, [*gaps, ""], strict=True))


def test_codes_have_the_shape_and_differ() -> None:
    """A code has 14 symbols of the alphabet, is shown in groups, and 2,000 of them are all different."""
    codes = {tracking.new() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(len(code) == 14 and set(code) <= set(tracking.ALPHABET) for code in codes)
    code = min(codes)
    assert tracking.show(code) == f"{code[0:4]}-{code[4:8]}-{code[8:12]}-{code[12:14]}"


def test_symbols_are_spread_evenly() -> None:
    """Each symbol of the alphabet turns up about as often as any other in the random part."""
    drawn = "".join(tracking.new()[:12] for _ in range(8000))
    shares = [drawn.count(symbol) / len(drawn) for symbol in tracking.ALPHABET]
    assert min(shares) > 0.027
    assert max(shares) < 0.036


@given(CODES)
def test_every_single_wrong_symbol_is_noticed(code: str) -> None:
    """All 14 x 31 codes that differ in one symbol are refused as mistyped."""
    for place, right in enumerate(code):
        for wrong in set(tracking.ALPHABET) - {right}:
            with pytest.raises(tracking.MistypedCodeError):
                tracking.parse(code[:place] + wrong + code[place + 1 :])


@given(CODES)
def test_every_swap_of_neighbours_is_noticed(code: str) -> None:
    """All swaps of two different neighbours are refused as mistyped."""
    swaps = {code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(13)} - {code}
    for swapped in swaps:
        with pytest.raises(tracking.MistypedCodeError):
            tracking.parse(swapped)


@given(CODES, st.lists(GAPS, min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_typing_variants_read_the_same(code: str, gaps: list[str], chance: random.Random) -> None:
    """Case, O for 0, I, L, ı and İ for 1, and any blanks and dashes lead to the same code."""
    likes = {"0": "0oO", "1": "1iIlLıİ"}
    typed = "".join(chance.choice(likes.get(symbol, symbol + symbol.lower())) for symbol in code)
    assert tracking.parse(_grouped(typed, gaps)) == code


@given(CODES, st.lists(GAPS, min_size=3, max_size=3), st.sampled_from(["upper", "lower"]))
def test_codes_are_found_as_people_type_them(code: str, gaps: list[str], case: str) -> None:
    """A code in a Turkish sentence is found whatever stands between its groups, in either case."""
    typed = _grouped(getattr(code, case)(), gaps)
    assert tracking.find(f"Merhaba, {typed}'nin durumu nedir? Yanıt yok.") == [code]
    assert tracking.find(f"(kod: {typed})") == [code]


@given(CODES)
def test_spelt_out_codes_are_found(code: str) -> None:
    """A code spelt symbol by symbol, as voice transcripts have it, is found."""
    assert tracking.find("kodum " + " ".join(code.lower()) + " tamam") == [code]


@given(CODES, CODES)
def test_codes_come_in_order_and_once(first: str, second: str) -> None:
    """Several codes are listed in order of appearance, a repeated one once."""
    text = f"{tracking.show(first)} ve {second.lower()} ve yine {tracking.show(first)}; BANA PARA VERI"
    assert tracking.find(text) == list(dict.fromkeys([first, second]))


def test_a_candidate_does_not_hide_the_code_behind_it() -> None:
    """Words that look like the first groups of a code do not swallow the real one."""
    code = tracking.new()
    assert tracking.find(f"2023 kods {tracking.show(code).replace('-', ' ')}") == [code]


def test_at_most_twenty_codes_are_found() -> None:
    """A text full of codes gives the first twenty."""
    codes = [tracking.new() for _ in range(100)]
    assert tracking.find(" ".join(map(tracking.show, codes))) == codes[:20]


def test_ordinary_text_holds_no_codes() -> None:
    """Words of 14 letters, groups of short words, cards, IBANs, UUIDs and phones are not codes."""
    for text in (
        "yapamayacaksınız BEKLETİYORSANIZ incomprehensible",
        "para kart bana ne diye size dedi ki",
        "4111 1111 1111 1111 ve 4111-1111-1111-11, 30569309025904",
        "TR33 0006 1005 1978 6457 8413 26",
        "550e8400-e29b-41d4-a716-446655440000",
        "+90 532 123 45 67, 0532 123 45 67",
        "a b c d e f g h j k m n p q",
    ):
        assert tracking.find(text) == []


def test_numbers_and_base64_hold_no_codes() -> None:
    """Among 200,000 random digit groups and 300 kB of base64 nothing passes for a code."""
    chance = random.Random(7)
    digits = " ".join(f"{chance.randrange(10**14):014d}" for _ in range(20_000))
    assert tracking.find(digits) == []
    assert tracking.find(base64.b64encode(chance.randbytes(300_000)).decode()) == []


@pytest.mark.parametrize(
    "text", ["", "   ", "merhaba", "123", "-" * 30, "kodum nerede acaba", "A" * 500, "\ud800", "8" * 40]
)
def test_what_is_no_code_is_refused_plainly(text: str) -> None:
    """Something that is no code at all raises ValueError, not MistypedCodeError."""
    with pytest.raises(ValueError, match="not a tracking code") as caught:
        tracking.parse(text)
    assert not isinstance(caught.value, tracking.MistypedCodeError)


def test_a_missing_or_extra_symbol_looks_mistyped() -> None:
    """One symbol too few, one too many or a U says mistyped."""
    code = tracking.new()
    for typed in (code[:-1], code + "7", code[:5] + "U" + code[6:]):
        with pytest.raises(tracking.MistypedCodeError, match="looks mistyped"):
            tracking.parse(typed)


def test_punctuation_around_a_code_is_forgiven() -> None:
    """A code copied with its full stop, quotes or number sign is read."""
    code = tracking.new()
    assert tracking.parse(f" #“{tracking.show(code)}”. ") == code


def test_all_dashes_and_blanks_of_unicode_are_gaps() -> None:
    """Every character Unicode calls a dash or a space may stand between the groups."""
    code = tracking.new()
    gaps = [
        c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in {"Pd", "Zs", "Zl", "Zp"}
    ]
    assert len(gaps) > 30
    assert [
        gap for gap in gaps if tracking.find(gap.join([code[:4], code[4:8], code[8:12], code[12:]])) != [code]
    ] == []


@given(st.text())
def test_any_text_is_read_without_surprise(text: str) -> None:
    """`find` never raises and gives only codes `parse` accepts; `parse` raises nothing but ValueError."""
    assert all(tracking.parse(code) == code for code in tracking.find(text))
    with contextlib.suppress(ValueError):
        assert len(tracking.parse(text)) == tracking.LENGTH


def test_a_megabyte_is_searched_in_linear_time() -> None:
    """1 MB of the worst shapes takes under three seconds each, on a shared machine."""
    chance = random.Random(3)
    words = "".join(chance.choices(string.ascii_lowercase + "   23", k=1_000_000))
    for text in (
        "a " * 500_000,
        "2A3 " * 250_000,
        "-" * 1_000_000,
        "2" * 1_000_000,
        "ABC2 " * 200_000,
        words,
    ):
        begun = time.process_time()
        tracking.find(text)
        assert time.process_time() - begun < 3
