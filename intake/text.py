"""What text may enter the store: cleaned of what databases refuse, folded for comparing, masked for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

import re2
from stdnum import luhn
from stdnum.tr import tckimlik

_TURKISH_LOWER = str.maketrans({"İ": "i", "I": "ı"})
_TURKISH_ASCII = tuple(zip("ığşçöüâîû", "igscouaiu", strict=True))
# C0 but tab and newline, DEL, C1 but NEL (a line break), lone surrogates, bidi overrides, zero-width space, BOM
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
# in UTF-8: tab, newline, printable ASCII and U+00C0 to U+02FF, letters that NFC leaves as they are
_PLAIN_BYTES = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0xC0), *range(0xC3, 0xCC)])
_LINE_BREAKS = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")
_TO_CLEAN = re.compile(f"{_UNWANTED.pattern[:-1]}\u0085\u2028\u2029]")
# written out, since a search skips quickly only to a set that is not repeated
_ABOVE_LATIN = re.compile("[\u0300-\U0010ffff][\u0300-\U0010ffff]{30}")
# combining marks are neither letters nor blanks; long runs of emoji also match and pass unchanged
_ODD_RUN = re.compile(r"[^\w\s\x00-\x7f]{31,}")
_MOST_MARKS = 30
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
# the look behind comes second for the same reason
_DIGIT_RUN = re.compile(r"\d(?<![\d.,]\d)(?:[ -]?\d){10,22}(?![\d])")
_LONG_NUMBER = re2.compile(r"\pN(?:[ -]?\pN){10,}")


_Said = TypeVar("_Said")


class Memory(dict[str, _Said]):
    """What is said of each word, worked out when it is first asked for.

    People use few words, so most of a text's were asked for before. All is forgotten when there are too many; very
    long words are not kept. Far cheaper to ask than functools.lru_cache, which writes to its list at every question.
    """

    def __init__(self, learn: Callable[[str], _Said], most: int = 40_000, longest: int = 60) -> None:
        super().__init__()
        self._learn, self._most, self._longest = learn, most, longest

    def __missing__(self, word: str) -> _Said:
        said = self._learn(word)
        if len(word) <= self._longest:
            if len(self) >= self._most:
                self.clear()
            self[word] = said
        return said


def clean_text(value: str, limit: int = 1_000_000) -> str:
    """NFC text that SQLite, PostgreSQL and JSON all accept, with newlines as the only line breaks."""
    value = value[:limit]
    if "\r" in value:
        value = value.replace("\r\n", "\n")
    if _is_plain(value):
        return value
    # what is printable has nothing to clean, and asking that is far cheaper
    shown = value.replace("\n", " ").replace("\t", " ").replace("\xa0", " ")
    if not shown.isprintable() and _TO_CLEAN.search(value):
        value = _UNWANTED.sub("", _LINE_BREAKS.sub("\n", value))
    if value.isascii() or _is_composed(value):
        return value
    return unicodedata.normalize("NFC", bound_marks(value))


def _is_plain(value: str) -> bool:
    """Whether there is surely nothing to clean or to compose."""
    try:
        return not value.encode().translate(None, _PLAIN_BYTES)
    except UnicodeEncodeError:
        return False


def _is_composed(value: str) -> bool:
    """Whether all of it is in windows-1254, which holds no combining mark and nothing that NFC would change."""
    try:
        value.encode("cp1254")
    except UnicodeEncodeError:
        return False
    return True


def bound_marks(text: str) -> str:
    """The text with at most 30 combining marks on a letter: normalising takes quadratic time on more.

    30 is the bound of the Stream-Safe Text Format (Unicode Standard Annex 15).
    """
    if text.isascii() or not _ABOVE_LATIN.search(text):
        return text
    return _ODD_RUN.sub(_bound_run, text)


def _bound_run(match: re.Match[str]) -> str:
    kept, marks = [], 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def clean_line(value: str, limit: int = 1000) -> str:
    """`clean_text` on one line: fit for a header, a subject, a name."""
    return " ".join(clean_text(value, limit).split())


def turkish_lower(value: str) -> str:
    """Lower case as Turkish has it: İ to i, I to ı."""
    return value.translate(_TURKISH_LOWER).lower()


def fold(value: str) -> str:
    """One spelling for all ways people type a word: lower case, no diacritics, ı as i."""
    if value.isascii():
        return value.lower()
    lowered = value.replace("İ", "i").lower()
    for letter, plain in _TURKISH_ASCII:
        lowered = lowered.replace(letter, plain)
    return _NOT_ASCII.sub(_without_marks, lowered)


def _without_marks(run: re.Match[str]) -> str:
    decomposed = unicodedata.normalize("NFKD", bound_marks(run[0]))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def mask_numbers(text: str) -> str:
    """Card numbers (Luhn) and Turkish national ids, with only their last four digits left."""
    encoded = text.encode("utf-8", "surrogatepass")
    pieces, end = [], 0
    for number in _LONG_NUMBER.finditer(encoded):
        start, stop = number.span()
        before = encoded[start - 1 : start] if start and encoded[start - 1 : start] in (b".", b",") else b""
        masked = _DIGIT_RUN.sub(_mask_run, (before + encoded[start:stop]).decode()).encode()
        pieces += [encoded[end:start], masked[len(before) :]]
        end = stop
    return b"".join([*pieces, encoded[end:]]).decode("utf-8", "surrogatepass") if pieces else text


def _mask_run(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    is_card = 13 <= len(digits) <= 19 and luhn.is_valid(digits)
    # most such runs are phone numbers, and none of the ids begins with their 0
    is_national_id = len(digits) == 11 and digits[0] != "0" and tckimlik.is_valid(digits)
    if not (is_card or is_national_id):
        return match[0]
    return "*" * (len(digits) - 4) + digits[-4:]
