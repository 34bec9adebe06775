"""Triage: what a message is, whose it is and how fast, with reasons. Pure; runs in worker processes.

A later model replaces `_classify` alone: it gives a share of belief to each category, the rest stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ValidationError

from intake import tracking
from intake.schema import Category, ChannelName, Department, Kind, Message, Priority, Triage
from intake.text import clean_line, clean_text
from router import age, entities, language, rules

NAME = "rules-1"
_FLAGS_READ = (
    12_000,
    4_000,
)  # characters from the beginning and the end where the must-never-miss rules look
_NARROW_READ = (2_000, 1_000)  # and where category, kind and age are read: its edges say what a page is about
_TEMPERATURE = 1.5  # of the softmax over weights: one strong term alone gives 0.56
_RANK: dict[Priority, int] = {"low": 0, "normal": 1, "high": 2, "urgent": 3}
_GAME_NAMED = 2.0  # the weight of a game's name
_STATUS_WORDS = 40  # a status question is short


def _whole(value: Any) -> Any:
    """JSON may spell half a surrogate pair, which no text may hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


class _Line(BaseModel):
    """What `intake triage` reads; other keys are not ours and are let pass."""

    channel: ChannelName
    text: Annotated[str, BeforeValidator(_whole)]
    subject: Annotated[str | None, BeforeValidator(_whole)] = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Belief:
    """How much speaks for each category, and the terms that did."""

    shares: dict[Category, float]
    terms: dict[str, list[str]]

    @property
    def best(self) -> Category:
        return max(self.shares, key=self.shares.__getitem__)


@lru_cache(maxsize=1)
def packaged() -> rules.Rules:
    """The rules that come with this release, compiled once in a process."""
    return rules.load()


def triage(message: Message) -> Triage:
    """What to make of a message, by the packaged rules. Pure, and never raises whatever the text holds."""
    return judge(message, packaged())


def judge(message: Message, book: rules.Rules) -> Triage:
    """What to make of a message by these rules. The subject and the fresh text count, quoted text does not."""
    text = f"{message.subject}\n{message.text}".strip()
    when = message.sent_at or message.received_at
    wide = rules.plain_words(_edges(text, _FLAGS_READ))
    narrow = _edges(wide, _NARROW_READ)
    flags, reasons = _flags(wide, book)
    ages = age.read(narrow, when.year)
    if ages.reported and "minor_report" in book.data.flags and "minor_report" not in flags:
        flags = [*flags, "minor_report"]
    reasons += [ages.reason] if ages.reason else []
    kind = _kind(narrow, flags, book)
    games = _games(narrow, book)
    belief = _classify(narrow, kind, games, book)
    category, confidence, why = _category(message, kind, flags, belief, book)
    review = why == _ABSTAINS or ages.unsure
    if kind == "thanks":
        flags = [*flags, "thanks_only"]
    if _is_status_question(message, text, book):
        flags = [*flags, "status_question"]
    priority, urgency = _priority(message, kind, flags, book)
    return Triage(
        language=message.language or language.detect(message.text or message.subject),
        kind=kind,
        category=category,
        department=_department(kind, category, abstains=why == _ABSTAINS, book=book),
        priority=priority,
        underage=ages.sender,
        flags=(*flags, "needs_review") if review else tuple(flags),
        entities=entities.extract(text, when, games),
        confidence=round(confidence, 3),
        reasons=tuple(reason for reason in (*urgency, *reasons, why) if reason),
        classifier=f"{NAME}+{book.data.version}",
    )


_ABSTAINS = "below the confidence limit: a person decides"


def _edges(text: str, sizes: tuple[int, int]) -> str:
    head, tail = sizes
    return text if len(text) <= head + tail else f"{text[:head]} \n {text[-tail:]}"


def _flags(plain: str, book: rules.Rules) -> tuple[list[str], list[str]]:
    """The must-never-miss rules that fire, in the order of the file, and why."""
    terms: dict[str, str] = {}
    spared = set()
    for hit in book.flags.find(plain):
        _, name, key = hit.place
        if key == "unless":
            spared.add(name)
        else:
            terms.setdefault(name, hit.term)
    fired = [name for name in book.data.flags if name in terms and name not in spared]
    return fired, [f"{name}: found “{terms[name]}”" for name in fired]


def _kind(plain: str, flags: list[str], book: rules.Rules) -> Kind:
    """In doubt a complaint."""
    urgent = any(book.data.flags[name].priority == "urgent" for name in flags)
    if "data_request" in flags and not urgent:
        return "data_request"
    words = plain.count(" ") - 1
    if flags or words > max(
        rule.longest_words for rule in (book.data.kinds["thanks"], book.data.kinds["enquiry"])
    ):
        return "complaint"
    found = {hit.place[1:] for hit in book.kinds.find(plain)}

    def holds(kind: str) -> bool:
        fits = words <= book.data.kinds[kind].longest_words
        return fits and (kind, "any") in found and (kind, "unless") not in found

    if holds("problem"):
        return "complaint"
    if holds("thanks"):
        return "thanks"
    return "enquiry" if holds("enquiry") else "complaint"


def _classify(plain: str, kind: Kind, games: tuple[str, ...], book: rules.Rules) -> _Belief:
    """The share of belief in each category: a softmax over the weights of the terms found."""
    scores = {name: rule.bias for name, rule in book.data.categories.items()}
    if kind == "enquiry":
        scores["general"] += 1.0
    terms: dict[str, list[str]] = {}
    for hit in book.categories.find(plain):
        category = cast("Category", hit.place[1])
        scores[category] += rules.WEIGHTS[hit.place[2]]
        terms.setdefault(category, []).append(hit.term)
    for name in games:
        scores["game"] += _GAME_NAMED
        terms.setdefault("game", []).append(name)
    highest = max(scores.values())
    powers = {name: math.exp((score - highest) / _TEMPERATURE) for name, score in scores.items()}
    total = sum(powers.values())
    return _Belief({name: power / total for name, power in powers.items()}, terms)


def _category(
    message: Message, kind: Kind, flags: list[str], belief: _Belief, book: rules.Rules
) -> tuple[Category, float, str]:
    """The category, how sure we are, and why: a must-never-miss rule, else the customer, else the text."""
    said = f"text says {belief.best}"
    ruled = next((book.data.flags[name].category for name in flags if book.data.flags[name].category), None)
    if ruled:
        chosen = f"; chosen by the customer: {message.chosen_category}" if message.chosen_category else ""
        return ruled, 0.95, f"{ruled} by a rule that must not be missed{chosen}"
    if message.chosen_category:
        return message.chosen_category, 0.95, f"chosen by the customer: {message.chosen_category}; {said}"
    if kind in {"thanks", "data_request"}:
        return "general", 0.9, f"kind {kind}"
    share = belief.shares[belief.best]
    if share < book.data.abstain_below:
        return belief.best, share, _ABSTAINS
    return (
        belief.best,
        share,
        f"{belief.best}: found {', '.join(belief.terms.get(belief.best, ['nothing else'])[:4])}",
    )


def _department(kind: Kind, category: Category, *, abstains: bool, book: rules.Rules) -> Department:
    if kind == "data_request":
        return "compliance"
    return "general" if abstains else book.data.categories[category].department


def _priority(
    message: Message, kind: Kind, flags: list[str], book: rules.Rules
) -> tuple[Priority, list[str]]:
    if message.call is not None and message.call.emergency:
        return "urgent", ["logged as an emergency call"]
    given: list[Priority] = [book.data.flags[name].priority for name in flags if name in book.data.flags]
    floor: Priority = "low" if kind in {"thanks", "enquiry"} else "normal"
    return max([floor, *given], key=_RANK.__getitem__), []


def _is_status_question(message: Message, text: str, book: rules.Rules) -> bool:
    """Whether nothing but the state of a code is asked: all other words are among the polite ones."""
    if len(text) > 600 or message.attachments or not (codes := tracking.find(text)):
        return False
    symbols = set("".join(codes))
    words = [word for word in rules.plain_words(text).split() if not _is_of_code(word, codes, symbols)]
    rule = book.data.status_question
    asking, allowed = set(rule.asking), {*rule.asking, *rule.polite}
    return len(words) <= _STATUS_WORDS and not asking.isdisjoint(words) and allowed.issuperset(words)


def _is_of_code(word: str, codes: list[str], symbols: set[str]) -> bool:
    typed = word.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    return set(typed) <= symbols and any(typed in code or code in typed for code in codes)


def _games(plain: str, book: rules.Rules) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.place[1] for hit in book.games.find(plain)))


def from_line(line: dict[str, Any]) -> dict[str, Any]:
    """One line of `intake triage`: {id, channel, text, subject?, sent_at?} in, the verdict as plain JSON out.

    A line that cannot be read gives {id, error} and nothing is raised.
    """
    given = line.get("id") if isinstance(line, dict) else None
    try:
        message = _message(line)
    except ValidationError as error:
        return {"id": given, "error": _one_sentence(error)}
    verdict = triage(message).model_dump(mode="json")
    verdict["entities"].pop("games")
    order = (
        "language",
        "kind",
        "category",
        "department",
        "priority",
        "underage",
        "flags",
        "entities",
        "confidence",
    )
    return {"id": given} | {key: verdict[key] for key in (*order, "reasons", "classifier")}


def _message(line: Any) -> Message:
    given = _Line.model_validate(line)
    sent = given.sent_at or datetime.now(UTC)
    sent = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    return Message(
        channel=given.channel,
        source="cli",
        sent_at=sent,
        received_at=sent,
        subject=clean_line(given.subject or ""),
        text=clean_text(given.text),
    )


def _one_sentence(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else f"a line has to be a JSON object: {first['msg']}"
