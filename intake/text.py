"""What text may enter the store: cleaned of what databases refuse, folded for comparing, masked for people."""

from __future__ import annotations

import re
import unicodedata

from stdnum import luhn
from stdnum.tr import tckimlik

_TURKISH_LOWER = str.maketrans({"İ": "i", "I": "ı"})
_TURKISH_ASCII = str.maketrans("ıİğĞşŞçÇöÖüÜâÂîÎûÛ", "iiggssccoouuaaiiuu")
# C0 but tab and newline, DEL, C1 but NEL (a line break), lone surrogates, bidi overrides, zero-width space, BOM
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DIGIT_RUN = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){10,22}(?![\d])")


def clean_text(value: str, limit: int = 1_000_000) -> str:
    """NFC text that SQLite, PostgreSQL and JSON all accept, with newlines as the only line breaks."""
    value = _LINE_BREAKS.sub("\n", value[:limit])
    return unicodedata.normalize("NFC", _UNWANTED.sub("", value))


def clean_line(value: str, limit: int = 1000) -> str:
    """`clean_text` on one line: fit for a header, a subject, a name."""
    return " ".join(clean_text(value, limit).split())


def turkish_lower(value: str) -> str:
    """Lower case as Turkish has it: İ to i, I to ı."""
    return value.translate(_TURKISH_LOWER).lower()


def fold(value: str) -> str:
    """One spelling for all ways people type a word: lower case, no diacritics, ı as i."""
    lowered = value.translate(_TURKISH_ASCII).lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFKD", lowered)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def mask_numbers(text: str) -> str:
    """Card numbers (Luhn) and Turkish national ids, with only their last four digits left."""
    return _DIGIT_RUN.sub(_mask_run, text)


def _mask_run(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    is_card = 13 <= len(digits) <= 19 and luhn.is_valid(digits)
    is_national_id = len(digits) == 11 and tckimlik.is_valid(digits)
    if not (is_card or is_national_id):
        return match[0]
    return "*" * (len(digits) - 4) + digits[-4:]
