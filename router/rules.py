"""The rules of triage as data: read from TOML, checked, compiled once, matched in linear time.

A term is one or more words as `plain_words` writes them: `*` any letters, `(a|b)` either, `~` before a stem also
misspelt, `{name}` a class of words; between words ` .. ` up to four others, ` ... ` up to twelve, ` & ` near in
either order. All terms of a file share one automaton (see `router.terms`), so a text is read once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from intake.errors import ConfigError
from intake.schema import Category, Department, Priority
from intake.text import fold
from router.terms import Builder, Hit, Lexicon

FACTORS = {"strong": 20.0, "clear": 6.0, "weak": 2.0}

_APOSTROPHE = re.compile("['’‘`´ʼ]")
_NOT_WORD = re.compile(r"[\W_]+")
_ODD_NOT_WORD = re.compile(r"[^\w\x00-\x7f]+")
_BLANKED = bytes(code if chr(code).isalnum() else 32 for code in range(128)) + bytes(range(128, 256))
_STRETCHED = re.compile(r"([^\W\d])\1{2,}")
_THRICE = re2.compile("|".join(letter * 3 for letter in "abcdefghijklmnopqrstuvwxyz"))
_STRETCHES = {letter * 3: re.compile(f"{letter}{{3,}}") for letter in "abcdefghijklmnopqrstuvwxyz"}
_CATEGORIES = {"payments", "account", "technical", "game", "responsible_gaming", "general"}
_KINDS = {"problem", "thanks", "enquiry"}


class RulesError(ConfigError):
    """A rules file that cannot be used; `problems` holds one line per mistake, with file, line and reason."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Terms = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=400)], ...], Field()]


class CategoryRule(_Table):
    """Whose a category is, and what speaks for it beside the model: each list found multiplies its share."""

    department: Department
    weight: float = Field(1.0, gt=0, le=20, description="of its share; over 1 where missing it costs more")
    strong: Terms = ()
    clear: Terms = ()
    weak: Terms = ()


class FlagRule(_Table):
    """A rule that must not be missed: set by one term of `any`, or by signs that add up to `limit`.

    A sign is a class of words, which counts once however often it is found. Not set where one of `unless` is
    found.
    """

    any: Terms = ()
    unless: Terms = ()
    signs: dict[str, float] = Field(default_factory=dict)
    limit: float = Field(1.0, gt=0, description="sum of signs from which the flag is set")
    suspicion: float = Field(1.1, ge=0, description="of the model, from which the flag is set; over 1: never")
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
    flag_weight: float = Field(8.0, ge=1, description="by which a flag multiplies the share of its category")
    urgent_suspicion: float = Field(1.1, ge=0, description="of the model, from which a complaint is urgent")
    kind_suspicion: float = Field(
        1.1, ge=0, description="of the model, from which it is thanks or an enquiry"
    )
    underage_suspicion: float = Field(1.1, ge=0, description="of the model, from which a person looks")
    underage_weight: float = Field(4.0, ge=1, description="by which a minor multiplies responsible gaming")
    underage_priority: Priority = Field("urgent", description="of a complaint whose sender is under 18")
    words: dict[str, Terms] = Field(default_factory=dict)
    categories: dict[Category, CategoryRule]
    flags: dict[str, FlagRule]
    kinds: dict[str, KindRule]
    status_question: StatusRule
    games: dict[str, Terms] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """A compiled file: its values, and what finds its terms in a text."""

    data: RulesFile
    lexicon: Lexicon
    signs: dict[str, tuple[tuple[str, float], ...]]
    """For each class of words the flags it is a sign of, with its weight."""


def plain_words(text: str) -> str:
    """Folded words with one blank before, between and after; apostrophes closed, stretched letters cut."""
    return words_of(fold(text))


def words_of(folded: str) -> str:
    """`plain_words` of a text that is folded already."""
    words = _words(_APOSTROPHE.sub("", folded))
    if _THRICE.search(words.encode("utf-8", "replace")):  # far cheaper than the substitution, and rarely true
        words = _cut(words)
    return f" {words} "


def _cut(words: str) -> str:
    """Stretched letters once; one letter after the other is far cheaper than all of them wherever they may be."""
    if not words.isascii():
        return _STRETCHED.sub(r"\1", words)
    for thrice, pattern in _STRETCHES.items():
        if thrice in words:
            words = pattern.sub(thrice[0], words)
    return words


def _words(folded: str) -> str:
    """The words with one blank between them; bytes are translated far cheaper where only ASCII is left."""
    if not folded.isascii():
        folded = _ODD_NOT_WORD.sub(" ", folded)
    if folded.isascii():
        return b" ".join(folded.encode().translate(_BLANKED).split()).decode()
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
    problems += [
        f"{name}:{_line_of(source, sign)}: flags.{flag}.signs: there is no class of words {sign!r}"
        for flag, rule in data.flags.items()
        for sign in rule.signs
        if sign not in data.words
    ]
    builder = Builder()
    for word_class in data.words:
        builder.add_class(word_class)
    for place, term in _all_terms(data):
        try:
            if place[0] == "words":
                builder.add_word(place[1], term)
            else:
                builder.add_term(Hit(place, term))
        except (ValueError, re2.error) as error:
            where = f"{name}:{_line_of(source, term)}: {'.'.join(place)}"
            problems.append(f"{where}: cannot use the term {term!r}: {error}")
    if problems:
        raise RulesError(*problems)
    signs = {
        word_class: tuple(
            (n, rule.signs[word_class]) for n, rule in data.flags.items() if word_class in rule.signs
        )
        for word_class in data.words
    }
    return Rules(data, builder.build(), signs)


def _all_terms(data: RulesFile) -> Iterable[tuple[tuple[str, str, str], str]]:
    """Every term with its place, in the order of the file."""
    groups: tuple[tuple[str, Mapping[str, Any], tuple[str, ...]], ...] = (
        ("categories", {str(c): rule for c, rule in data.categories.items()}, ("strong", "clear", "weak")),
        ("flags", data.flags, ("any", "unless")),
        ("kinds", data.kinds, ("any", "unless")),
    )
    yield from ((("words", name, "any"), term) for name, terms in data.words.items() for term in terms)
    for group, table, keys in groups:
        for name, rule in table.items():
            for key in keys:
                yield from (((group, name, key), term) for term in getattr(rule, key))
    yield from ((("games", game, "any"), term) for game, terms in data.games.items() for term in terms)


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
