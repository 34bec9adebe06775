"""What the trained part of triage sees in a text: hashed pieces of words, words, and meanings.

All pieces of one length are hashed at once: with powers of an odd number a piece is a difference of two prefix sums
times an inverse power (modulo 2^64), so the cost is a dozen operations of numpy whatever the text holds.
"""

from __future__ import annotations

import hashlib
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import cast

import numpy as np
import numpy.typing as npt

from intake.text import fold

READ = (
    2_000,
    1_000,
)  # characters looked at, from the beginning and the end: its edges say what a page is about
_BITS = 17
PIECES = 1 << _BITS  # rows that hashed pieces share; the rows of meanings come after them
# characters of a piece; it may begin or end with the blank around a word, and never spans one. By trial: 4 beside
# them adds nothing, and pairs of words lose (a writer's habits are learnt instead of what is said)
_LENGTHS = (3, 5)
_LONGEST_STEM, _LONGEST_WORD, _MOST_WORDS = 16, 60, 600
_MOST_SEEN = 50_000  # words kept in memory, some 400 bytes each
_ROW = 4  # bytes

Rows = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]

_WRAP = 1 << 64
_STEP = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF, _SPARE = np.uint64(29), np.uint64(64 - _BITS)
_BLANK, _ZERO = np.uint32(32), np.uint32(48)
_KNOWN = 0x2000  # beyond the scripts of our languages: punctuation, signs, emoji


def _powers(step: int, count: int) -> Hashes:
    powers = [1]
    for _ in range(count - 1):
        powers.append(powers[-1] * step % _WRAP)
    return np.array(powers, np.uint64)


def _letters() -> Codes:
    """What each character counts as: a letter itself, a digit the ASCII one, anything else a blank."""
    table = np.full(_KNOWN + 1, _BLANK, np.uint32)
    for code in range(_KNOWN):
        char = chr(code)
        if char.isalpha():
            table[code] = code
        elif char.isdecimal():
            table[code] = _ZERO + unicodedata.decimal(char)
    return table


_MOST_CODES = sum(READ) + 8
_POWERS = _powers(_STEP, _MOST_CODES)
_INVERSE = _powers(pow(_STEP, -1, _WRAP), _MOST_CODES)
_LETTERS = _letters()
_ALIKE = _LETTERS.copy()
_ALIKE[ord("0") : ord("9") + 1] = _ZERO  # amounts differ, and their length says enough


@dataclass(frozen=True, slots=True)
class Seen:
    """What a word holds: rows of its pieces as they lie in memory, its meanings, and the same as they lie there."""

    pieces: bytes
    meanings: tuple[int, ...]
    rows: bytes


_SEEN: dict[str, Seen] = {}  # people use few words: most of a text's were read before


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Stems and the rows of what they mean, with a digest: a model holds only for the lexicon it was trained with."""

    names: tuple[str, ...]
    whole: dict[str, tuple[int, ...]]
    begins: dict[str, tuple[int, ...]]
    digest: str

    @property
    def first_pair(self) -> int:
        """The row after the last meaning: pairs of meanings begin here."""
        return PIECES + len(self.names)

    @property
    def rows(self) -> int:
        """Rows of all features: hashed pieces, then each meaning, then each pair of meanings in either order."""
        return PIECES + len(self.names) * (len(self.names) + 1)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The packaged lexicon, read once in a process."""
    source = files("router").joinpath("data/meanings.toml").read_bytes()
    lists = tomllib.loads(source.decode())
    whole: dict[str, set[int]] = {}
    begins: dict[str, set[int]] = {}
    for row, stems in enumerate(lists.values(), PIECES):
        for stem in fold(stems).split():
            (whole if stem.endswith("=") else begins).setdefault(stem.removesuffix("="), set()).add(row)
    for stem in whole:
        whole[stem] |= begins.get(stem, set())
    return Lexicon(
        names=tuple(lists),
        whole={stem: tuple(sorted(found)) for stem, found in whole.items()},
        begins={stem: tuple(sorted(found)) for stem, found in begins.items()},
        digest=hashlib.blake2b(source, digest_size=8).hexdigest(),
    )


def features(folded: str) -> Rows:
    """The rows of a text of `intake.text.fold` or `rules.plain_words`, at least one; what is twice there is twice here.

    Never raises; linear, and bounded.
    """
    words = _plain(folded)
    if not words:
        return _pieces(words)
    seen = _read(words)
    parts = [word.pieces for word in seen]
    last: tuple[int, ...] = ()
    for word in seen[:_MOST_WORDS]:
        if word.meanings:
            parts += word.rows, _pairs(last, word.meanings)
            last = word.meanings
    return np.frombuffer(b"".join(parts), np.uint32)


def _read(words: list[str]) -> list[Seen]:
    """What was seen in each word; those that are new are hashed together."""
    seen = [_SEEN.get(word) for word in words]
    if None not in seen:
        return cast("list[Seen]", seen)
    new = _learn(list(dict.fromkeys(word for word, found in zip(words, seen, strict=True) if not found)))
    if len(_SEEN) + len(new) > _MOST_SEEN:
        _SEEN.clear()
    _SEEN.update((word, found) for word, found in new.items() if len(word) <= _LONGEST_WORD)
    return [found or new[word] for word, found in zip(words, seen, strict=True)]


def _learn(words: list[str]) -> dict[str, Seen]:
    """The rows of each word. Pieces come by length and in the order of the words, and a word's length says how many."""
    stored, size = _pieces(words).tobytes(), _ROW
    counts = [[max(0, len(word) + 3 - length) for word in words] for length in _LENGTHS] + [[1] * len(words)]
    pieces, at = [b""] * len(words), 0
    for kind in counts:
        for place, count in enumerate(kind):
            pieces[place] += stored[at : at + count * size]
            at += count * size
    found = [meanings(word[:_LONGEST_WORD]) for word in words]
    return {
        word: Seen(its, rows, np.array(rows, np.uint32).tobytes())
        for word, its, rows in zip(words, pieces, found, strict=True)
    }


def _plain(folded: str) -> list[str]:
    """The words of both edges of the text, digits as ASCII."""
    head, tail = READ
    if len(folded) > head + tail:
        folded = f"{folded[:head]} {folded[-tail:]}"
    folded = folded.replace("'", "").replace("’", "")
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), np.uint32)
    return _LETTERS.take(np.minimum(codes, _KNOWN)).tobytes().decode("utf-32-le").split()


def _pieces(words: list[str]) -> Rows:
    codes = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le"), np.uint32)
    codes = _ALIKE.take(codes)
    count = len(codes)
    sums = np.zeros(count + 1, np.uint64)
    np.cumsum(codes * _POWERS[:count], out=sums[1:])
    blank = codes == _BLANK
    hashes = np.concatenate((*_inside(sums, np.cumsum(blank), count), _words(sums, np.flatnonzero(blank))))
    rows: Rows = (((hashes ^ (hashes >> _HALF)) * _MIX) >> _SPARE).astype(np.uint32)
    return rows


def _inside(sums: Hashes, blanks: npt.NDArray[np.int64], count: int) -> Iterator[Hashes]:
    """Pieces of words: no blank but as the first or the last character."""
    for length in _LENGTHS:
        places = count - length + 1
        if places > 0:
            whole = blanks[length - 2 : count - 1] == blanks[:places]
            hashes = (sums[length:] - sums[:places]) * _INVERSE[:places]
            yield hashes[whole]


def _words(sums: Hashes, blanks: npt.NDArray[np.int64]) -> Hashes:
    """Whole words, with the blanks around them."""
    starts, ends = blanks[:-1], blanks[1:] + 1
    hashes: Hashes = (sums[ends] - sums[starts]) * _INVERSE[starts]
    return hashes


@lru_cache(maxsize=50_000)
def _pairs(some: tuple[int, ...], others: tuple[int, ...]) -> bytes:
    """The rows of all pairs of two words' meanings, whichever comes first, as they lie in memory."""
    count = len(lexicon().names)
    rows = [
        PIECES + count + (min(a, b) - PIECES) * count + max(a, b) - PIECES
        for a in some
        for b in others
        if a != b
    ]
    return np.array(rows, np.uint32).tobytes()


def meanings(word: str) -> tuple[int, ...]:
    """The rows of all a word means: by the longest stem it begins with."""
    known = lexicon()
    if word[0].isdigit():
        digits = word[: next((at for at, char in enumerate(word) if not char.isdigit()), len(word))]
        return known.whole.get(word) or known.whole.get(digits, ())
    for form in _forms(word):
        if form in known.whole:
            return known.whole[form]
        for length in range(min(len(form), _LONGEST_STEM), 1, -1):
            if form[:length] in known.begins:
                return known.begins[form[:length]]
    return ()


def _forms(word: str) -> Iterator[str]:
    """The word, and an Arabic one without its article and the small words written together with it."""
    yield word
    if "\u0600" <= word[0] <= "\u06ff":
        for prefix in ("وال", "بال", "فال", "كال", "لل", "ال", "و", "ب", "ل", "ف"):
            if word.startswith(prefix) and len(word) > len(prefix) + 2:
                yield word.removeprefix(prefix)
