"""What is kept of a complaint to tell later whether another one is the same. Pure; made in the workers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import re2

from intake.concepts import IDLE, meanings, meanings_of_two, phrases
from intake.cues import cues_of, deed_of
from intake.figures import counted, figures_of, numerals
from intake.schema import Entities, Message, Triage
from intake.text import Memory, fold

TEXT_CHARACTERS = 2_000
"""Most characters kept of a text's words."""
_SHORTEST = 2  # letters of a word
_READ = (2_400, 600)  # characters looked at, from the beginning and the end
_MOST = 24  # facts of a kind
STEM = 5  # letters by which inflected Turkish words are told apart

WORDS = re.compile(r"[^\W\d_]{1,30}|\d{1,12}(?:[.,:]\d{1,6}){0,4}")
_SIGNATURE = re2.compile(
    r"(?m)^[ \t]{0,9}(?:saygilar\w{0,8}|iyi (?:gunler|calismalar)|(?:kind |best )?regards|sincerely|mfg)\b"
)
_NAMED = re.compile(
    r"\b([^\W\d_]{3,20}) (?:isimli|adli|adinda\w*|bey|hanim|diye biri)\b"
    r"|\b(?:agent|named|called|temsilci|mr|mrs|ms|operator|personeliniz|calisaniniz|krupiye|dealer|by|esim|kardesim"
    r"|oglum|kizim) ([^\W\d_]{3,20})\b"
)
_AGENTS = re.compile(
    r"temsilci|agent|destek|support|krupiye|dealer|operator|calisan|personel|esim|hanim|bey\b"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """A complaint as `intake.duplicates.compare` reads it: words folded and without idle ones, and its facts.

    `facts` are canonical values by kind: amount, id, iban, date (ISO), person, game and so on; `about` and
    `wrong` say what it is about and what is wrong, in the names of concepts.toml.
    """

    words: str
    about: frozenset[str]
    wrong: frozenset[str]
    facts: dict[str, frozenset[str]] = field(default_factory=dict)
    cues: frozenset[str] = frozenset()
    """resend: he writes again; still: it lasts; anew, another: it happened again, or to something else; solved,
    dropped: the first is settled or taken back; kin: it is another person's; wish; vague: its dates are weeks."""
    sent_on: str = ""
    names: frozenset[str] = frozenset()
    """Words with a capital inside a sentence that mean nothing else: names of things, places and people."""
    read: list[Any] = field(default_factory=list, compare=False, repr=False)
    """What a comparison has made of it, so that it is made once; not stored."""

    def dump(self) -> str:
        """As JSON, for the store."""
        return json.dumps(
            {
                "words": self.words,
                "about": sorted(self.about),
                "wrong": sorted(self.wrong),
                "facts": {kind: sorted(values) for kind, values in self.facts.items()},
                "cues": sorted(self.cues),
                "sent_on": self.sent_on,
                "names": sorted(self.names),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def load(cls, document: str) -> Trace:
        """What `dump` wrote."""
        given = json.loads(document)
        return cls(
            given["words"],
            frozenset(given["about"]),
            frozenset(given["wrong"]),
            {kind: frozenset(values) for kind, values in given["facts"].items()},
            frozenset(given["cues"]),
            given["sent_on"],
            frozenset(given["names"]),
        )


def trace_of(message: Message, triage: Triage) -> Trace:
    """The trace of a message; subject and fresh text count."""
    when = message.sent_at or message.received_at
    own = set(fold(message.sender.name[:200]).split())
    return trace(f"{message.subject}\n{message.text}", triage.entities, when, own)


def trace(
    text: str, entities: Entities, when: datetime, own_names: set[str] | frozenset[str] = frozenset()
) -> Trace:
    """The trace of a text written at `when`. Linear in the text, of which only the edges are read; never raises."""
    head, tail = _READ
    text = text if len(text) <= head + tail else f"{text[:head]}\n{text[-tail:]}"
    folded = fold(text)
    folded = _unsigned(folded)
    read = WORDS.findall(folded)
    words, found = _read(read)
    facts = _facts(folded, entities, when, found, own_names)
    if values := numerals(read):
        facts["numeral"] = frozenset(sorted(values)[:_MOST])
    if nouns := counted(read):
        facts["counted"] = frozenset(sorted(nouns)[:_MOST])
    return Trace(
        words=" ".join(words)[:TEXT_CHARACTERS],
        about=frozenset(found.get("about", ())),
        wrong=frozenset(found.get("wrong", ())),
        facts=facts,
        cues=frozenset(cues_of(folded) | ({"done"} & found.get("stage", set()))),
        sent_on=when.date().isoformat(),
        names=_proper(text[: len(folded)], own_names),
    )


def _unsigned(folded: str) -> str:
    """Without the signature: nothing that begins in the first third is one."""
    encoded = folded.encode("utf-8", "replace")
    found = _SIGNATURE.search(encoded, len(encoded) // 3)
    return encoded[: found.start()].decode() if found else folded


def stems(words: str) -> set[str]:
    """The words' beginnings: what is left of them when their endings are not counted."""
    return {word[:STEM] for word in words.split()}


def _read(read: list[str]) -> tuple[list[str], dict[str, set[str]]]:
    """The words that say something, in order, and what they mean by kind."""
    kept, found = [], {}  # type: tuple[list[str], dict[str, set[str]]]
    before = phrases()
    for word, following in pairwise(read):
        if word in before:
            for kind, name in meanings_of_two(word, following):
                found.setdefault(kind, set()).add(name)
    for word in dict.fromkeys(read):
        if (said := _SAID[word]) is None:
            continue
        kept.append(word)
        for kind, name in said:
            found.setdefault(kind, set()).add(name)
    return kept, found


def _said(word: str) -> tuple[tuple[str, str], ...] | None:
    """What a word means and does; None for those that say nothing."""
    if len(word) < _SHORTEST or word in IDLE or word[0].isdigit():
        return None
    deed = deed_of(word)
    return (("deed", deed), *meanings(word)) if deed else meanings(word)


_SAID = Memory(_said)


def _facts(
    folded: str,
    entities: Entities,
    when: datetime,
    found: dict[str, set[str]],
    own_names: set[str] | frozenset[str],
) -> dict[str, frozenset[str]]:
    facts: dict[str, set[str]] = {kind: set(names) for kind, names in found.items() if kind not in _NOT_FACTS}
    facts["amount"] = {_amount(money.value) for money in entities.amounts}
    facts["id"] = {"".join(c for c in value.lower() if c.isalnum()) for value in entities.ids}
    facts["iban"] = set(entities.ibans)
    facts["date"] = set(entities.dates)
    facts.setdefault("game", set()).update(fold(name) for name in entities.games)
    if _DAYS_WENT.search(folded) and "gec+" in facts.get("deed", ()):
        facts["deed"].discard("gec+")  # days went by, no money
    if "coin" in facts:
        facts.setdefault("means", set()).add("crypto")
    if "big bass bonanza" in facts["game"]:
        facts["game"].discard("sweet bonanza")
    facts["person"] = _people(folded, own_names)
    _add_figures(folded, when.date(), facts)
    return {kind: frozenset(sorted(values)[:_MOST]) for kind, values in facts.items() if values}


_DAYS_WENT = re.compile(r"(?:gun|saat|hafta|ay|sure|zaman|dakika|dk) (?:gecti|gecmis|geciyor)")
_NOT_FACTS = {"about", "wrong", "stage", "again"}


def _amount(value: str) -> str:
    """An amount without decimals that say nothing: 1250.50 is 1250.5, 500.00 is 500."""
    return value.rstrip("0").rstrip(".") if "." in value else value


def _add_figures(folded: str, today: date, facts: dict[str, set[str]]) -> None:
    """Figures, but for those that are part of an id or an IBAN, or an amount written in pieces."""
    numbers = []
    for kind, value in figures_of(folded, today):
        if kind == "number":
            numbers.append(value)
        else:
            facts.setdefault(kind, set()).add(value)
    long = " ".join((*facts["id"], *facts["iban"], *facts.get("tail", ())))
    for value in numbers:
        if (
            value not in _SAYS_NOTHING
            and value not in long
            and not any(a.endswith(value) for a in facts["amount"])
        ):
            is_id = len(value) >= _ID_DIGITS and value.isdigit()
            facts.setdefault("id" if is_id else "number", set()).add(value)
    facts["date"].discard("")


_ID_DIGITS = 6  # of a bare number that is no amount
_SAYS_NOTHING = frozenset({"0", "1"})


def _people(folded: str, own_names: set[str] | frozenset[str]) -> set[str]:
    if (
        not _AGENTS.search(folded)
        and "named" not in folded
        and "isimli" not in folded
        and "adli" not in folded
    ):
        return set()
    found = {match[1] or match[2] for match in _NAMED.finditer(folded)}
    return {
        name
        for name in found
        if name not in IDLE
        and not meanings(name)
        and name not in own_names
        and name not in _NO_NAMES
        and not name.endswith(_NO_NAME_ENDS)
    }


_NO_NAME_ENDS = ("ed", "ing", "yor", "di", "dim", "mis", "lari", "leri", "iyle")
_NO_NAMES = frozenset(
    [
        "bir",
        "canli",
        "musteri",
        "sayin",
        "destek",
        "hesab",
        "kumar",
        "sizin",
        "bana",
        "beni",
        "bize",
        "benim",
        "ilgili",
        "the",
        "your",
        "our",
        "this",
    ]
)


def _proper(text: str, own_names: set[str] | frozenset[str]) -> frozenset[str]:
    """Words with a capital that do not begin a sentence; nothing where all is written in capitals."""
    found: set[str] = set()
    for match in _CAPITAL.finditer(text):
        word = fold(match[1])
        if word not in IDLE and word not in own_names and not meanings(word) and word not in _CALENDAR:
            found.add(word[: STEM + 2])
    return frozenset(sorted(found)[:_MOST])


_CALENDAR = frozenset(
    """ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik pazar pazartesi sali carsamba
    persembe cuma cumartesi january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday""".split()  # noqa: SIM905  (easier to read)
)
_CAPITAL = re.compile(r"(?<=[a-zçğıöşü0-9,] )([A-ZÇĞİÖŞÜ][a-zçğıöşü]{2,20})")
