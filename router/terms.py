"""Terms of the rules: how they are written, compiled with google-re2, and found in one reading of a text.

A text is read word by word. Each word is asked for once in a process: one automaton knows every word pattern of the
rules. Phrases are then looked for only where all their words are, by the places of these words.
"""

from __future__ import annotations

import re
from bisect import bisect_right as bisect
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import re2

from intake.text import Memory, fold

Place = tuple[int, int]
"""The first and the last word of something found, counted from 0."""

_GAPS = {"..": 4, "...": 12, "&": -15}  # words between; below 0 in either order
_KNOWN_WORDS = 60_000  # kept in memory; people use few
_MOST_PLACES = 48  # of one pattern in one text: more would make texts of one word repeated dear
_LONGEST_WORD = 48
_MOST_SAID = 8  # words quoted in a reason
_LONGEST_SAID = 3  # digits quoted in a reason: more may be part of a card or national-id number
_MANY = 60  # pairs of places that are not all looked at
_FEW = 60  # words that stand for something, of which few places are asked for
_LONGEST_STEM = 14  # letters of a stem that is known misspelt
_SHORTEST_STEM = 6
_MEMORY = 256 << 20  # bytes the automaton may use; beyond that re2 drops its cache and starts again
_APOSTROPHE = re.compile("['’‘`´ʼ]")
_PATTERN = re.compile(r"~?[\w*()|#]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One term that was found. `place` names its list, such as ("flags", "crisis", "any")."""

    place: tuple[str, str, str]
    term: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Symbols in a row with the gaps between them, and what it means when they are found."""

    symbols: tuple[int, ...]
    gaps: tuple[int, ...]
    means: int
    needs: frozenset[int]


Index = dict[int, tuple[tuple[int, tuple[Phrase, ...]], ...]]
"""Phrases by the two of their symbols that the fewest phrases use: most texts do not hold both."""


Keys = tuple[frozenset[int], frozenset[int]]
"""Symbols that phrases are listed by, and the others of which one has to be there as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """What a word stands for: all its symbols, those that mean something alone, and the keys of phrases."""

    symbols: frozenset[int]
    means: frozenset[int]
    class_keys: Keys
    keys: Keys


class Places(dict[int, list[Place]]):
    """Where each symbol stands in a text: looked for when it is asked, in a long one for many symbols at once."""

    def __init__(self, words: list[Word]) -> None:
        super().__init__()
        self._told: dict[Word, list[Place]] = {}
        for at, word in enumerate(words):
            if word.symbols:
                self._told.setdefault(word, []).append((at, at))

    @property
    def words(self) -> Collection[Word]:
        """Each word that stands for something once, in the order of the text."""
        return self._told.keys()

    def prepare(self, phrases: list[Phrase]) -> None:
        """Finds what these phrases are going to ask for."""
        if len(self._told) < _FEW or not phrases:
            return
        wanted = set().union(*[phrase.needs for phrase in phrases], [phrase.means for phrase in phrases])
        wanted -= self.keys()
        self.update((symbol, []) for symbol in wanted)
        for word, spots in self._told.items():
            for symbol in word.symbols & wanted:
                self[symbol] += spots[:_MOST_PLACES]
        for symbol in wanted:
            self[symbol] = sorted(self[symbol])[:_MOST_PLACES]

    def __missing__(self, symbol: int) -> list[Place]:
        spots = [spot for word, its in self._told.items() if symbol in word.symbols for spot in its]
        self[symbol] = sorted(spots)[:_MOST_PLACES]
        return self[symbol]


@dataclass(slots=True)
class Found:
    """What one text holds: terms in the order of the file, and the classes of words."""

    words: list[str]
    hits: list[Hit]
    classes: dict[str, int]
    places: Places

    def said(self, name: str) -> str:
        """The words of a class that was found, as they stand in the text; long numbers are left out."""
        first, last = self.places[self.classes[name]][0]
        said = self.words[first : min(last + 1, first + _MOST_SAID)]
        return " ".join(
            "…" if any(map(str.isdigit, word)) and len(word) > _LONGEST_SAID else word for word in said
        )


@dataclass(slots=True)
class Lexicon:
    """Compiled terms and classes; grows a memory of the words it was asked for."""

    automaton: re2.Set
    symbols_of: list[tuple[int, ...]]
    stems: dict[str, tuple[int, ...]]
    hits: dict[int, Hit]
    classes: dict[int, str]
    class_phrases: Index
    phrases: Index
    known: Memory[Word] = field(init=False)
    _means: frozenset[int] = field(init=False)
    _located: frozenset[int] = field(init=False)
    _stem_begins: frozenset[str] = field(init=False)
    _words: dict[frozenset[int], Word] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = Memory(self._learn, _KNOWN_WORDS)
        self._means = frozenset(chain(self.hits, self.classes))
        asked = (p.symbols for by in self.phrases.values() for _, found in by for p in found)
        self._located = frozenset(chain.from_iterable(asked)).intersection(self.classes)
        self._stem_begins = frozenset(stem[:4] for stem in self.stems)

    def find(self, plain: str) -> Found:
        """What a text of `rules.plain_words` holds, one term of each list at least. Time linear in the text."""
        words = plain.split()
        read = list(map(self.known.__getitem__, words))
        places = Places(read)
        telling = places.words
        present = set().union(*[word.symbols for word in telling])
        means = set().union(*[word.means for word in telling])
        keys = _keys_there([word.class_keys for word in telling], present)
        self._find_classes(_likely(self.class_phrases, keys, present), means, places)
        present |= means
        classes = {self.classes[symbol]: symbol for symbol in sorted(means) if symbol in self.classes}
        keys = _keys_there([word.keys for word in telling], present).union(classes.values())
        self._find_terms(_likely(self.phrases, keys, present), means, places)
        hits = [self.hits[symbol] for symbol in sorted(means) if symbol in self.hits]
        return Found(words, hits, classes, places)

    def _find_classes(self, phrases: list[Phrase], means: set[int], places: Places) -> None:
        """Adds the classes that phrases mean, with all their places where terms ask for these."""
        missing = [p for p in phrases if p.means not in means or p.means in self._located]
        places.prepare(missing)
        for phrase in missing:
            if phrase.means not in self._located and phrase.means in means:
                continue
            if spots := _spots(phrase, places):
                known = places[phrase.means] if phrase.means in self._located else ()
                places[phrase.means] = sorted({*known, *spots})[:_MOST_PLACES]
                means.add(phrase.means)

    def _find_terms(self, phrases: list[Phrase], means: set[int], places: Places) -> None:
        """Adds what phrases mean; a list of which a term was found is not looked into any further."""
        lists = {self.hits[symbol].place for symbol in means if symbol in self.hits}
        missing = [phrase for phrase in phrases if self.hits[phrase.means].place not in lists]
        places.prepare(missing)
        for phrase in missing:
            place = self.hits[phrase.means].place
            if place not in lists and _spots(phrase, places):
                lists.add(place)
                means.add(phrase.means)

    def _learn(self, word: str) -> Word:
        """What a word stands for, asked of the automaton once, and misspelt stems where that knows nothing."""
        matched = self.automaton.Match(word[:_LONGEST_WORD].encode("utf-8", "replace")) or ()
        symbols = {symbol for atom in matched for symbol in self.symbols_of[atom]}
        if not symbols and len(word) >= _SHORTEST_STEM:
            symbols.update(self._misspelt(word))
        return self._word(frozenset(symbols))

    def _word(self, symbols: frozenset[int]) -> Word:
        """One for all words that stand for the same, so that what is in use fits the processor's cache."""
        if len(self._words) >= _KNOWN_WORDS:
            self._words.clear()
        if symbols not in self._words:
            keys = _keys(self.class_phrases, symbols), _keys(self.phrases, symbols)
            self._words[symbols] = Word(symbols, self._means.intersection(symbols), *keys)
        return self._words[symbols]

    def _misspelt(self, word: str) -> tuple[int, ...]:
        """The symbols of a stem that the word begins with but for one letter dropped, doubled or wrong."""
        begins = word[:4], word[0] + word[2:5], word[:2] + word[3:5], word[:3] + word[4:5]
        if self._stem_begins.isdisjoint(begins):
            return ()
        for size in range(min(len(word), _LONGEST_STEM + 1), _SHORTEST_STEM - 2, -1):
            start = word[:size]
            for variant in (start, *_one_dropped(start)):
                if variant in self.stems:
                    return self.stems[variant]
        return ()


def _one_dropped(stem: str) -> Iterator[str]:
    """The stem without one of its letters; the first letter is hardly ever mistyped."""
    return (stem[:at] + stem[at + 1 :] for at in range(1, len(stem)))


def _keys(index: Index, symbols: frozenset[int]) -> Keys:
    """Those of the symbols that the index lists phrases by."""
    keys = symbols & index.keys()
    return frozenset(keys), frozenset(other for key in keys for other, _ in index[key])


def _keys_there(words: list[Keys], present: set[int]) -> set[int]:
    """The keys worth looking at: a word's others are hardly ever there, and one question settles that for all."""
    return set().union(*[keys for keys, others in words if not others.isdisjoint(present)])


def _likely(index: Index, keys: set[int], present: set[int]) -> list[Phrase]:
    """The phrases of which all symbols are there; all that they may be listed by are in `keys`."""
    return [
        phrase
        for symbol in keys
        for other, phrases in index.get(symbol, ())
        if other in present
        for phrase in phrases
        if phrase.needs <= present
    ]


def _spots(phrase: Phrase, places: Places) -> list[Place]:
    """Where the symbols of a phrase stand with no more than its gaps between them."""
    spots = places[phrase.symbols[0]]
    for symbol, gap in zip(phrase.symbols[1:], phrase.gaps, strict=True):
        spots = _joined(spots, places[symbol], gap)
        if not spots:
            break
    return spots


def _joined(before: list[Place], after: list[Place], gap: int) -> list[Place]:
    """Each place of the one with each of the other that is near enough."""
    if gap >= 0:
        if len(before) * len(after) > _MANY:  # `after` is in order
            firsts = [place[0] for place in after]
            near = ((a[0], bisect(firsts, a[1]), bisect(firsts, a[1] + gap + 1)) for a in before)
            return [(first, b[1]) for first, start, stop in near for b in after[start:stop]][:_MOST_PLACES]
        return [(a[0], b[1]) for a in before for b in after if 0 < b[0] - a[1] <= gap + 1][:_MOST_PLACES]
    return [
        (min(a[0], b[0]), max(a[1], b[1]))
        for a in before
        for b in after
        if 0 < b[0] - a[1] <= -gap or 0 < a[0] - b[1] <= -gap
    ][:_MOST_PLACES]


class Builder:
    """Collects classes and terms, then compiles them together; raises ValueError for a term it cannot use."""

    def __init__(self) -> None:
        self._atoms: dict[str, int] = {}
        self._atom_means: dict[int, set[int]] = {}
        self._classes: dict[str, int] = {}
        self._hits: dict[int, Hit] = {}
        self._phrases: tuple[list[Phrase], list[Phrase]] = ([], [])
        self._symbols = 0

    def add_class(self, name: str) -> None:
        """A class of words that terms may name as {name}."""
        self._classes[name] = self._symbol()

    def add_word(self, name: str, term: str) -> None:
        """One term of a class; other classes cannot stand in it."""
        self._add(term, self._classes[name], inner=True)

    def add_term(self, hit: Hit) -> None:
        """One term of a rule."""
        symbol = self._symbol()
        self._add(hit.term, symbol, inner=False)
        self._hits[symbol] = hit

    def build(self) -> Lexicon:
        """The compiled lexicon."""
        automaton = re2.Set.FullMatchSet(options())
        for pattern in self._atoms or {"\x00": 0}:
            automaton.Add(_regex(pattern).encode())
        automaton.Compile()
        means = [tuple(sorted(self._atom_means.get(atom, ()))) for atom in range(len(self._atoms))]
        return Lexicon(
            automaton=automaton,
            symbols_of=means,
            stems=_stems((pattern, means[atom]) for pattern, atom in self._atoms.items()),
            hits=self._hits,
            classes={symbol: name for name, symbol in self._classes.items()},
            class_phrases=_by_rarest(self._phrases[0]),
            phrases=_by_rarest(self._phrases[1]),
        )

    def _symbol(self) -> int:
        self._symbols += 1
        return self._symbols

    def _add(self, term: str, meaning: int, *, inner: bool) -> None:
        for spelt in list(_spellings(_APOSTROPHE.sub("", fold(term)))):
            names, gaps = _parts(spelt)
            if not re.search(r"\w\w|\d|#", spelt):
                raise ValueError("a term needs a word of at least two letters")
            if inner and any(name.startswith("{") for name in names):
                raise ValueError("a class of words cannot hold another class")
            if len(names) == 1 and not names[0].startswith("{"):
                self._atom_means.setdefault(self._atom(names[0]), set()).add(meaning)
                continue
            symbols = tuple(self._part_symbol(name) for name in names)
            self._phrases[0 if inner else 1].append(Phrase(symbols, gaps, meaning, frozenset(symbols)))

    def _part_symbol(self, name: str) -> int:
        if name.startswith("{"):
            if name[1:-1] not in self._classes:
                raise ValueError(f"there is no class of words {name[1:-1]!r}")
            return self._classes[name[1:-1]]
        atom = self._atom(name)
        symbol = -1 - atom  # the word itself, for phrases
        self._atom_means.setdefault(atom, set()).add(symbol)
        return symbol

    def _atom(self, pattern: str) -> int:
        if not _PATTERN.fullmatch(pattern) or not re.search(r"[\w#]", pattern):
            raise ValueError("only words, blanks, * # ( | ) ~ {class} and .. ... & are allowed")
        if pattern not in self._atoms:
            re2.compile(_regex(pattern).encode(), options())  # refuses what the automaton would
            self._atoms[pattern] = len(self._atoms)
        return self._atoms[pattern]


def options() -> re2.Options:
    """How patterns are compiled: over bytes, in which "any letters" stays one small state."""
    chosen = re2.Options()
    chosen.encoding = re2.Options.Encoding.LATIN1
    chosen.max_mem = _MEMORY
    chosen.log_errors = False
    return chosen


def _regex(pattern: str) -> str:
    return pattern.lstrip("~").replace("*", "[^ ]*").replace("#", "[0-9]+").replace("(", "(?:")


def _spellings(term: str) -> Iterable[str]:
    """The term once for each alternative of several words: "(hos geldin|kayip) bonus" is two terms."""
    start = -1
    depth = 0
    for at, letter in enumerate(term):
        depth += (letter == "(") - (letter == ")")
        if letter == "(" and depth == 1:
            start = at
        elif letter == ")" and depth == 0 and " " in term[start:at]:
            for way in _ways(term[start + 1 : at]):
                yield from _spellings(f"{term[:start]}{way}{term[at + 1 :]}")
            return
        elif depth < 0:
            break
    if depth:
        raise ValueError("missing ) or (")
    yield term


def _ways(group: str) -> list[str]:
    """The alternatives of a group, which may hold groups."""
    ways, depth = [""], 0
    for letter in group:
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            ways.append("")
        else:
            ways[-1] += letter
    return ways


def _parts(term: str) -> tuple[list[str], tuple[int, ...]]:
    """Words and classes of a term, and how far they may be apart."""
    names: list[str] = []
    gaps: list[int] = []
    gap = 0
    for piece in term.split():
        if piece in _GAPS:
            if not names or gap:
                raise ValueError(f"{piece} has to stand between words")
            gap = _GAPS[piece]
        else:
            gaps += [gap] if names else []
            names.append(piece)
            gap = 0
    if gap or not names:
        raise ValueError("a term has to begin and end with a word")
    return names, tuple(gaps)


def _by_rarest(phrases: Sequence[Phrase]) -> Index:
    uses: dict[int, int] = {}
    for phrase in phrases:
        for symbol in phrase.needs:
            uses[symbol] = uses.get(symbol, 0) + 1
    index: dict[int, dict[int, list[Phrase]]] = {}
    for phrase in phrases:
        rare = sorted(phrase.needs, key=uses.__getitem__)
        index.setdefault(rare[0], {}).setdefault(rare[min(1, len(rare) - 1)], []).append(phrase)
    return {
        symbol: tuple((other, tuple(found)) for other, found in by_other.items())
        for symbol, by_other in index.items()
    }


def _stems(atoms: Iterable[tuple[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
    """The stems marked with ~, whole and with one letter dropped."""
    stems: dict[str, set[int]] = {}
    for pattern, symbols in atoms:
        stem = pattern.lstrip("~").rstrip("*")
        if not pattern.startswith("~"):
            continue
        if not stem.isalpha() or not _SHORTEST_STEM <= len(stem) <= _LONGEST_STEM:
            raise ValueError(f"~ needs a stem of {_SHORTEST_STEM} to {_LONGEST_STEM} letters: {pattern}")
        for spelling in (stem, *_one_dropped(stem)):
            stems.setdefault(spelling, set()).update(symbols)
    return {stem: tuple(sorted(symbols)) for stem, symbols in stems.items()}
