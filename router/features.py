"""What the trained part of triage sees in a text: for each word hashed pieces and meanings, and pairs of meanings.

A word says the same wherever it stands, so what is known of it is worked out once in a process (`router.model` keeps
the sums). Pieces of all words that are new are hashed at once: with powers of an odd number a piece is a difference of
two prefix sums times an inverse power (modulo 2^64).
"""

from __future__ import annotations

import hashlib
import tomllib
import unicodedata
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from intake.text import Memory, fold

READ = (
    2_000,
    1_000,
)  # characters looked at, from the beginning and the end: its edges say what a page is about
LONGEST_WORD = 60
_BITS = 17
PIECES = 1 << _BITS  # rows that hashed pieces share; the rows of meanings come after them
# characters of a piece; it may begin or end with the blank around a word, and never spans one. By trial; pairs of
# words beside them lose (a writer's habits are learnt instead of what is said)
_LENGTHS = (3, 5, 7)
_LONGEST_STEM, _MOST_WORDS = 16, 600

Rows = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint64]
Meant = tuple[int, ...]
"""The rows of all that one word means."""

_Thing = TypeVar("_Thing", bound=Hashable)

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
_ALL_ALIKE = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Stems and the rows of what they mean, with a digest: a model holds only for the lexicon it was trained with."""

    names: tuple[str, ...]
    whole: dict[str, Meant]
    begins: dict[str, Meant]
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


@dataclass(frozen=True, slots=True)
class Features:
    """All of a text with how often it is there: words, what words mean, and meanings that follow one another.

    In the words all digits are 0: amounts differ, and their length says enough.
    """

    words: dict[str, int]
    meant: dict[Meant, int]
    pairs: dict[tuple[Meant, Meant], int]


def features(folded: str) -> Features:
    """What a text of `intake.text.fold` or `rules.plain_words` holds. Never raises; linear, and bounded."""
    words = plain(folded)
    meant = [found for word in words[:_MOST_WORDS] if (found := _MEANT[word])]
    alike = " ".join(words).translate(_ALL_ALIKE).split()
    return Features(_counted(alike), _counted(meant), _counted(pairwise(meant)))


def _counted(things: Iterable[_Thing]) -> dict[_Thing, int]:
    """How often each is there; quicker than a Counter for the few things of a message."""
    counts: dict[_Thing, int] = {}
    for thing in things:
        counts[thing] = counts.get(thing, 0) + 1
    return counts


def plain(folded: str) -> list[str]:
    """The words of both edges of the text, digits as ASCII."""
    head, tail = READ
    if len(folded) > head + tail:
        folded = f"{folded[:head]} {folded[-tail:]}"
    if folded.isascii() and folded.replace(" ", "").replace("\n", "").isalnum():
        return folded.split()
    folded = folded.replace("'", "").replace("’", "")
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), np.uint32)
    return _LETTERS.take(np.minimum(codes, _KNOWN)).tobytes().decode("utf-32-le").split()


def pieces(words: Sequence[str]) -> list[Rows]:
    """The rows of the pieces of each word, and of the word itself."""
    return [
        rows for start in range(0, len(words), _AT_ONCE) for rows in _pieces(words[start : start + _AT_ONCE])
    ]


_AT_ONCE = (sum(READ) + 6) // (LONGEST_WORD + 1)  # words whose codes surely fit the powers


def _pieces(words: Sequence[str]) -> list[Rows]:
    """Pieces come by length and in the order of the words, and a word's length says how many."""
    words = [word[:LONGEST_WORD] for word in words]
    stored = _hashed(words)
    counts = [[max(0, len(word) + 3 - length) for word in words] for length in _LENGTHS] + [[1] * len(words)]
    found: list[list[Rows]] = [[] for _ in words]
    at = 0
    for kind in counts:
        for place, count in enumerate(kind):
            found[place].append(stored[at : at + count])
            at += count
    return [np.concatenate(parts) for parts in found]


def _hashed(words: Sequence[str]) -> Rows:
    codes = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le"), np.uint32)
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


def pair_rows(some: Meant, others: Meant) -> list[int]:
    """The rows of all pairs of two words' meanings, whichever comes first."""
    count = len(lexicon().names)
    return [
        PIECES + count + (min(a, b) - PIECES) * count + max(a, b) - PIECES
        for a in some
        for b in others
        if a != b
    ]


def meanings(word: str) -> Meant:
    """The rows of all a word means: by the longest stem it begins with."""
    return _MEANT[word]


def _meant(word: str) -> Meant:
    known, word = lexicon(), word[:LONGEST_WORD]
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


_MEANT = Memory(_meant)
