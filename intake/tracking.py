"""Tracking codes: made, shown, read as people type them, and found in what they write.

A code is 12 symbols of Crockford's base 32 (60 random bits) and 2 check symbols holding a CRC of 10 bits.
Every change of one symbol or swap of two neighbours stays within 10 neighbouring bits, and a CRC finds all
bursts up to its own width, so both are always noticed; any other slip passes once in 1,024.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

import re2

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 14
MAX_FOUND = 20

_POLYNOMIAL = 0x633  # x^10 + x^9 + x^5 + x^4 + x + 1 (ITU-T I.610)
_START = 0x2A5  # so that a row of zeros is no code
_LONGEST_TYPED = 200  # characters; more is a text, not a code

_SYMBOL = "[0-9A-TV-Za-tv-zıİ]"
# Unicode's Pd with the minus signs and soft hyphens people paste, then what is invisible
_DASH = (
    r"\-"
    "\u00ad\u02d7\u058a\u05be\u1400\u1806\u2010-\u2015\u2043\u2053\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40"
    "\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010d6e\U00010ead"
)
_INVISIBLE = "\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff"
_GAP = re.compile(rf"[\s{_DASH}{_INVISIBLE}]+")
_GAP_IN_CODE = rf"[\s{_DASH}{_INVISIBLE}]{{0,5}}"
_DASHED = re.compile(rf"[{_DASH}]")
_QUARTER = f"{_SYMBOL}{{4}}"
_EDGE = r"[^\W_]"
# A look-ahead consumes nothing, so one candidate cannot hide the next; every repeat is bounded: linear time
_GROUPED = re.compile(
    rf"(?<!{_EDGE})(?=({_QUARTER}{_GAP_IN_CODE}{_QUARTER}{_GAP_IN_CODE}{_QUARTER}{_GAP_IN_CODE}{_SYMBOL}{{2}})"
    rf"(?!{_EDGE}))"
)
_SPELT = re.compile(
    rf"(?<!{_EDGE})(?=({_SYMBOL}(?:[\s{_DASH}{_INVISIBLE}]{{1,3}}{_SYMBOL}){{13}})(?!{_EDGE}))"
)
# What holds a code matches this, and most texts do not: a quick look that saves the two patterns above.
# RE2's own \s is ASCII; \pZ and the separators beside it are what Python calls a blank.
_QUICK_GAP = rf"[\s\pZ\x1c-\x1f\x{{85}}{_DASH}{_INVISIBLE}]"
# a code without a digit from 2 to 9 is one only with dashes (see _valid)
_WITH_DIGIT = "|".join(f"{_SYMBOL}{{{before}}}[2-9]{_SYMBOL}{{{3 - before}}}" for before in range(4))
_WITH_DASH = rf"{_QUICK_GAP}{{0,4}}[{_DASH}]{_QUICK_GAP}{{0,4}}"


def _quick_ways() -> list[str]:
    ways = [f"{_SYMBOL}(?:{_QUICK_GAP}{{1,3}}{_SYMBOL}){{13}}"]
    gap = f"{_QUICK_GAP}{{0,5}}"
    for marked in range(3):
        quarters, gaps = [_QUARTER] * 3, [gap] * 3
        quarters[marked] = f"(?:{_WITH_DIGIT})"
        ways.append(gap.join([*quarters, f"{_SYMBOL}{{2}}"]))
        gaps[marked] = _WITH_DASH
        ways.append("".join(f"{_QUARTER}{between}" for between in gaps) + f"{_SYMBOL}{{2}}")
    return [*ways, gap.join([_QUARTER] * 3 + [f"(?:[2-9]{_SYMBOL}|{_SYMBOL}[2-9])"])]


_QUICK_EDGE = "[^0-9A-Za-zªµºÀ-ÖØ-öø-ɏ]"
_MAYBE = re2.compile(rf"(?:^|{_QUICK_EDGE})(?:{'|'.join(_quick_ways())})(?:$|{_QUICK_EDGE})")
_FOLD = str.maketrans({"ı": "1", "İ": "1", "I": "1", "L": "1", "O": "0"})
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_SURE_DIGITS = frozenset("23456789")


class MistypedCodeError(ValueError):
    """It looks like a tracking code, but a symbol is wrong, missing or too many."""


def new() -> str:
    """A fresh canonical code. One in fifty is drawn again: each has a letter and a digit from 2 to 9,
    by which `find` tells codes from words and from numbers.
    """
    while True:
        drawn = secrets.randbits(60)
        body = "".join(ALPHABET[drawn >> shift & 31] for shift in range(55, -1, -5))
        code = body + _check(body)
        if _is_unlike_words(code):
            return code


def show(code: str) -> str:
    """A canonical code as people read it: XXXX-XXXX-XXXX-CC."""
    return f"{code[:4]}-{code[4:8]}-{code[8:12]}-{code[12:]}"


def parse(text: str) -> str:
    """The canonical form of one code as somebody typed it.

    Raises MistypedCodeError where it nearly is one, ValueError where it is none; the message is a sentence.
    """
    code = _canonical(text) if len(text) <= _LONGEST_TYPED else ""
    if not code:
        raise ValueError("This is not a tracking code; one looks like XXXX-XXXX-XXXX-CC.")
    wrong = [symbol for symbol in code if symbol not in _VALUE]
    if len(code) == LENGTH and not wrong:
        if _check(code[:12]) == code[12:]:
            return code
        raise MistypedCodeError("This tracking code looks mistyped; please compare it with our message.")
    if abs(len(code) - LENGTH) <= 1 and len(wrong) <= 1:
        raise MistypedCodeError(
            "This tracking code looks mistyped; it has 14 letters and digits, without the letter U."
        )
    raise ValueError("This is not a tracking code; it has 14 letters and digits, like XXXX-XXXX-XXXX-CC.")


def find(text: str) -> list[str]:
    """All valid codes in a text: canonical, in order, each once, at most 20. Linear in the text's length.

    Blanks and dashes may stand between the groups of a code, or between all its symbols. Without the dashes
    a code has to be in one case and hold a letter and a digit, which words, card numbers and base64 do not.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("i\u0307", "i")
    if not any(digit in text for digit in _SURE_DIGITS) and not _DASHED.search(text):
        return []
    first: dict[str, int] = {}
    places = _likely_places(text)
    for pattern in (_GROUPED, _SPELT):
        limit = len(first) + MAX_FOUND
        for place in places:
            if (match := pattern.match(text, place)) and (code := _valid(match[1])):
                first[code] = min(place, first.get(code, place))
                if len(first) == limit:
                    break
    return sorted(first, key=first.__getitem__)[:MAX_FOUND]


def _likely_places(text: str) -> list[int]:
    """Where a code may begin, in order; nowhere in most texts."""
    encoded = text.encode("utf-8", "replace")
    places: list[int] = []
    place = offset = after = 0
    while match := _MAYBE.search(encoded, after):
        place += len(encoded[offset : match.start()].decode())
        offset = match.start()
        after = offset + 1
        while encoded[after : after + 1] and encoded[after] & 0xC0 == 0x80:
            after += 1
        # the match may begin with what stands before the code
        places += [place, place + 1]
    return sorted(set(places))


def _valid(typed: str) -> str:
    code = _GAP.sub("", typed).upper().translate(_FOLD)
    if len(_DASHED.findall(typed)) != 3:
        letters = "".join(c for c in typed if c.isalpha())
        one_case = letters.isupper() or letters.islower() or letters.istitle()
        if not (one_case and _is_unlike_words(code)):
            return ""
    if code.isdigit() or _check(code[:12]) != code[12:]:
        return ""
    return code


def _canonical(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("i\u0307", "i")
    return re.sub(r"^[\W_]+|[\W_]+$", "", _GAP.sub("", plain)).upper().translate(_FOLD)


def _is_unlike_words(code: str) -> bool:
    return not code.isdigit() and not _SURE_DIGITS.isdisjoint(code)


def _shift_in(register: int) -> int:
    """The register after five more bits of message."""
    for _ in range(5):
        register = (register << 1) ^ (_POLYNOMIAL if register & 0x200 else 0)
    return register & 0x3FF


_STEP = [_shift_in(high << 5) for high in range(32)]


def _check(body: str) -> str:
    register = _START
    for symbol in body:
        high = register >> 5 ^ _VALUE[symbol]
        register = (register << 5 & 0x3FF) ^ _STEP[high]
    return ALPHABET[register >> 5] + ALPHABET[register & 31]
