"""The rules of triage as data: read from TOML, checked, compiled once, matched in linear time.

A term is one or more words as `plain_words` writes them. `*` stands for any letters, ` .. ` for up to four
words, `(a|b)` for either. All terms of a file become one automaton (google-re2 `Set`), so a text is read once
however many rules there are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from intake.errors import ConfigError
from intake.schema import Category, Department, Priority
from intake.text import fold

WEIGHTS = {"strong": 3.0, "clear": 2.0, "weak": 1.0}

_APOSTROPHE = re.compile("['’‘`´ʼ]")
_NOT_WORD = re.compile(r"[\W_]+")
_ODD_NOT_WORD = re.compile(r"[^\w\x00-\x7f]+")
_BLANKED = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_THRICE = re2.compile("|".join(letter * 3 for letter in "abcdefghijklmnopqrstuvwxyz"))
_PART = re.compile(r"[\w*()| ]+")
_GAP = "(?:[^ ]+ ){0,4}"
_CATEGORIES = {"payments", "account", "technical", "game", "responsible_gaming", "general"}
_KINDS = {"problem", "thanks", "enquiry"}
_MEMORY = 256 << 20  # bytes the automaton may use; beyond that re2 drops its cache and starts again


_Lists = list[tuple[tuple[str, str], str]]


class RulesError(ConfigError):
    """A rules file that cannot be used; `problems` holds one line per mistake, with file, line and reason."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Terms = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=400)], ...], Field()]


class CategoryRule(_Table):
    """What speaks for a category: strong terms count 3, clear ones 2, weak ones 1."""

    department: Department
    bias: float = Field(0.0, ge=-5, le=5, description="where the category starts before anything is read")
    strong: Terms = ()
    clear: Terms = ()
    weak: Terms = ()


class FlagRule(_Table):
    """A rule that must not be missed: set by one term of `any` unless one of `unless` is there too."""

    any: Terms
    unless: Terms = ()
    category: Category | None = Field(
        None, description="decides the category, over the customer's choice too"
    )
    priority: Priority = "normal"


class KindRule(_Table):
    """What makes a message an enquiry, thanks, a problem: one of `any` and none of `unless`."""

    any: Terms
    unless: Terms = ()
    longest_words: int = Field(10_000, gt=0, description="a longer message is not of this kind")


class StatusRule(_Table):
    """Words of a pure status question: all its words are among these, and one of `asking` is there."""

    asking: Terms
    polite: Terms


class RulesFile(_Table):
    """The whole file."""

    version: str = Field(pattern=r"^[A-Za-z0-9.-]{1,32}$")
    abstain_below: float = Field(ge=0, le=1, description="confidence under which a person decides")
    categories: dict[Category, CategoryRule]
    flags: dict[str, FlagRule]
    kinds: dict[str, KindRule]
    status_question: StatusRule
    games: dict[str, Terms] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """One term that was found. `place` names its list, such as ("flags", "crisis", "any")."""

    place: tuple[str, str, str]
    term: str


@dataclass(frozen=True, slots=True)
class Term:
    """One term with the indexes of its parts in the automaton, and their order where it matters."""

    hit: Hit
    parts: tuple[int, ...]
    order: Any  # a re2 pattern over bytes, or None for a term without a gap


@dataclass(frozen=True, slots=True)
class Matcher:
    """The terms of one group of rules as one automaton.

    It knows only the parts between gaps: with the gaps in it, it would grow anew with nearly every text,
    which is a hundred times slower. Their order is looked at only where all parts are there.
    """

    terms: tuple[Term, ...]
    by_first_part: dict[int, tuple[int, ...]]
    automaton: re2.Set

    def find(self, plain: str) -> list[Hit]:
        """The terms in a text of `plain_words`, in the order of the file. Linear in the text."""
        text = plain.encode("utf-8", "replace")
        present = frozenset(self.automaton.Match(text) or ())
        by_first = self.by_first_part
        likely = sorted([i for part in present if part in by_first for i in by_first[part]])
        return [
            term.hit
            for term in map(self.terms.__getitem__, likely)
            if term.order is None or (present.issuperset(term.parts) and term.order.search(text))
        ]


@dataclass(frozen=True, slots=True)
class Rules:
    """A compiled file: its values, and one matcher for each group, since not every text needs all."""

    data: RulesFile
    categories: Matcher
    flags: Matcher
    kinds: Matcher
    games: Matcher


def plain_words(text: str) -> str:
    """Folded words with one blank before, between and after; apostrophes closed, stretched letters cut."""
    words = _words(_APOSTROPHE.sub("", fold(text)))
    if _THRICE.search(words.encode("utf-8", "replace")):  # far cheaper than the substitution, and rarely true
        words = _STRETCHED.sub(r"\1", words)
    return f" {words} "


def _words(folded: str) -> str:
    """The words with one blank between them; translating is far cheaper where only ASCII is left."""
    if not folded.isascii():
        folded = _ODD_NOT_WORD.sub(" ", folded)
    if folded.isascii():
        return " ".join(folded.translate(_BLANKED).split())
    return _NOT_WORD.sub(" ", folded).strip()


def load(path: Path | None = None) -> Rules:
    """Read and compile a rules file, the packaged one by default. Raises RulesError with line and reason."""
    name = str(path or "rules.toml")
    source = _read(path)
    try:
        data = RulesFile.model_validate(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        raise RulesError(f"{name}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise RulesError(*(_explain(name, source, problem) for problem in error.errors())) from error
    return _compile(name, source, data)


def _read(path: Path | None) -> str:
    try:
        packaged = files("router").joinpath("data/rules.toml")
        return path.read_text("utf-8") if path else packaged.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(f"{path}: cannot read the rules: {error}") from error


def _compile(name: str, source: str, data: RulesFile) -> Rules:
    problems = [f"{name}:1: categories.{c}: missing" for c in sorted(_CATEGORIES - set(data.categories))]
    problems += [f"{name}:1: kinds.{k}: missing" for k in sorted(_KINDS - set(data.kinds))]

    def build(group: str, lists: _Lists) -> Matcher:
        terms, parts, wrong = [], list[str](), list[str]()
        for place, term in lists:
            try:
                terms.append(_term(Hit((group, *place), term), parts))
            except (ValueError, re2.error) as error:
                where = f"{name}:{_line_of(source, term)}: {group}.{'.'.join(place)}"
                wrong.append(f"{where}: cannot use the term {term!r}: {error}")
        problems.extend(wrong)
        return _matcher(terms, parts)

    rules = Rules(
        data,
        build("categories", _lists(data.categories, ("strong", "clear", "weak"))),
        build("flags", _lists(data.flags, ("any", "unless"))),
        build("kinds", _lists(data.kinds, ("any", "unless"))),
        build("games", [((game, "any"), term) for game, terms in data.games.items() for term in terms]),
    )
    if problems:
        raise RulesError(*problems)
    return rules


def _lists(table: Mapping[str, BaseModel] | Mapping[Category, BaseModel], keys: tuple[str, ...]) -> _Lists:
    return [
        ((str(name), key), term)
        for name, rule in table.items()
        for key in keys
        for term in getattr(rule, key)
    ]


def _term(hit: Hit, known: list[str]) -> Term:
    """The compiled term; parts not yet known are added to the list, whose indexes are the automaton's."""
    parts = [_pattern(part) for part in hit.term.split(" .. ")]
    in_order = _GAP.join([parts[0], *(part[1:] for part in parts[1:])])
    order = re2.compile(in_order.encode(), _options())  # also refuses what the automaton would
    known.extend(part for part in dict.fromkeys(parts) if part not in known)
    return Term(hit, tuple(known.index(part) for part in parts), order if len(parts) > 1 else None)


def _matcher(terms: list[Term], parts: list[str]) -> Matcher:
    automaton = re2.Set.SearchSet(_options())
    for part in parts or ["\x00"]:
        automaton.Add(part.encode())
    automaton.Compile()
    by_first_part: dict[int, tuple[int, ...]] = {}
    for number, term in enumerate(terms):
        by_first_part[term.parts[0]] = (*by_first_part.get(term.parts[0], ()), number)
    return Matcher(tuple(terms), by_first_part, automaton)


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: "anything but a blank" stays one small state
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def _pattern(part: str) -> str:
    folded = _APOSTROPHE.sub("", fold(part))
    if not _PART.fullmatch(folded) or not re.search(r"\w{2}", folded):
        raise ValueError(
            "only words, blanks, * ( | ) and ' .. ' are allowed, and at least two letters in a part"
        )
    return f" {' '.join(folded.split()).replace('*', '[^ ]*')} "


def _line_of(source: str, term: str) -> int:
    at = source.find(f'"{term}"')
    return source.count("\n", 0, at) + 1 if at >= 0 else 1


def _explain(name: str, source: str, problem: Any) -> str:
    """One line for one validation error, with the line of the innermost key or value that can be found."""
    keys = [part for part in problem["loc"] if isinstance(part, str)]
    given, at = problem["input"], 0
    for depth, key in enumerate(keys, 1):
        table = re.escape(".".join(keys[:depth]))
        spot = re.compile(rf"^(?:\[{table}\]|\s*\"?{re.escape(key)}\"?\s*=)", re.MULTILINE).search(source, at)
        at = spot.start() if spot else at
    if isinstance(given, str) and f'"{given}"' in source[at:]:
        at = source.index(f'"{given}"', at)
    where = ".".join(str(part) for part in problem["loc"])
    return f"{name}:{source.count(chr(10), 0, at) + 1}: {where}: {problem['msg']}"
