"""Triage: what a message is, whose it is and how fast, with reasons. Pure; runs in worker processes.

Rules decide what must never be missed, then a category the customer chose, then the model, to which terms of the
operator's own may add; where these do not know either, a person does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import structlog
from pydantic import BaseModel, ValidationError

from intake import tracking
from intake.errors import ConfigError
from intake.given import WholeText, moment, one_sentence
from intake.schema import (
    Category,
    ChannelName,
    Department,
    Entities,
    Evidence,
    Kind,
    Message,
    Priority,
    Triage,
)
from intake.settings import TriageSettings
from intake.text import clean_line, clean_text, fold
from router import age, entities, evidence, explain, language, model, rulebook, rules
from router.model import Opinion
from router.terms import Found

log = structlog.get_logger(__name__)

NAME = "rules-3"
_FLAGS_READ = (
    12_000,
    4_000,
)  # characters from the beginning and the end where the must-never-miss rules look
_EVIDENCE_READ = 2_000  # and where a time of day is looked for
_NARROW_READ = (2_000, 1_000)  # and where category, kind and age are read: its edges say what a page is about
_RANK: dict[Priority, int] = {"low": 0, "normal": 1, "high": 2, "urgent": 3}
_HINTS_AND_MODEL = 1.5  # signs of age that are enough where the model suspects a minor as well
_PERHAPS_ASKED = 0.15  # what the model has to think where words of a question are found
_AN_AGE = 0.5
_MOST_SIGNS = 4  # named as the reason for a flag
_STATUS_CHARACTERS, _STATUS_WORDS = 600, 40  # a status question is short


class _Line(BaseModel):
    """What `intake triage` reads; other keys are not ours and are let pass."""

    channel: ChannelName
    text: WholeText
    subject: WholeText | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Belief:
    """How much speaks for each category, as shares of one, and the words and terms that did for the best."""

    shares: dict[Category, float]
    words: tuple[str, ...] = ()

    @property
    def best(self) -> Category:
        return max(self.shares, key=self.shares.__getitem__)


Ask = Callable[[Sequence[str]], list[Opinion]]


@dataclass(frozen=True, slots=True)
class Config:
    """What the operator decides of triage; crosses to the workers by value."""

    rules_file: Path | None = None
    evidence_url: str = ""
    evidence_hours: float = 2.0
    time_zone: str = "Europe/Istanbul"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what led to it, for people who ask why."""

    triage: Triage
    shares: dict[Category, float]
    found: Found


@dataclass(frozen=True, slots=True)
class _Text:
    """A message as it is read: whole, folded, as plain words, and the edges of these."""

    message: Message
    whole: str
    when: datetime
    folded: str
    wide: str
    narrow: str

    @classmethod
    def of(cls, message: Message) -> _Text:
        """The subject and the fresh text count, quoted text does not."""
        whole = f"{message.subject}\n{message.text}".strip()
        folded = fold(_edges(whole, _FLAGS_READ))
        wide = rules.words_of(folded)
        when = message.sent_at or message.received_at
        return cls(message, whole, when, folded, wide, _edges(wide, _NARROW_READ))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the readers found in a text, each on its own."""

    found: Found
    opinion: Opinion
    ages: age.Age
    games: tuple[str, ...]
    named: Entities
    language: str


def configured(settings: TriageSettings, time_zone: str) -> Callable[[Sequence[Message]], list[Triage]]:
    """`triage_all` with the operator's settings, fit for a worker. Raises RulesError for a wrong rules file."""
    if settings.rules_file:
        rules.load(settings.rules_file)
    given = settings.rules_file, settings.evidence_url, settings.evidence_hours
    return partial(triage_all, config=Config(*given, time_zone))


def triage(message: Message, config: Config = Config()) -> Triage:
    """What to make of a message, by the rules of now. Never raises whatever the text holds."""
    return triage_all([message], config)[0]


def triage_all(messages: Sequence[Message], config: Config = Config()) -> list[Triage]:
    """What to make of each message, the same as of each alone; together they take half the time."""
    return [judged.triage for judged in judge(messages, rulebook.of(config.rules_file).current(), config)]


def judge(
    messages: Sequence[Message], book: rules.Rules, config: Config = Config(), ask: Ask | None = None
) -> list[Judged]:
    """What to make of messages by these rules."""
    texts = [_Text.of(message) for message in messages]
    return [
        _judged(text, seen, book, config)
        for text, seen in zip(texts, _read(texts, book, ask or _model()[0]), strict=True)
    ]


def _read(texts: Sequence[_Text], book: rules.Rules, ask: Ask) -> list[_Seen]:
    """One reader after the other over all texts: what a reader needs stays in the processor's cache."""
    founds = [book.lexicon.find(text.wide) for text in texts]
    opinions = ask([text.narrow for text in texts]) if texts else []
    ages = [age.read(text.narrow, text.when) for text in texts]
    games = [_games(found) for found in founds]
    named = [entities.extract(t.whole, t.when, g, t.folded) for t, g in zip(texts, games, strict=True)]
    given = [text.message for text in texts]
    languages = [m.language or language.detect(m.text or m.subject) for m in given]
    return list(map(_Seen, founds, opinions, ages, games, named, languages))


def _judged(text: _Text, seen: _Seen, book: rules.Rules, config: Config) -> Judged:
    """The verdict from all that was found."""
    message, found, opinion = text.message, seen.found, seen.opinion
    flags, reasons = _flags(found, opinion, book)
    ages = _aged(seen.ages, opinion, book)
    flags = _with_minor(flags, ages, book)
    reasons += [ages.reason] if ages.reason else []
    kind = _kind(text.narrow, found, flags, opinion, book)
    belief = _believed(opinion, found, flags, book, underage=ages.sender)
    category, confidence, why = _category(message, kind, flags, belief, book)
    priority, urgency = _priority(message, kind, flags, opinion, book, underage=ages.sender)
    abstains = why == _ABSTAINS
    verdict = Triage(
        language=seen.language,
        kind=kind,
        category=category,
        department=_department(kind, category, abstains=abstains, book=book),
        priority=priority,
        underage=ages.sender,
        flags=_all_flags(message, text.whole, kind, flags, found, book, review=abstains or ages.unsure),
        entities=seen.named,
        confidence=round(confidence, 3),
        reasons=tuple(reason for reason in (*urgency, *reasons, why) if reason),
        classifier=f"{NAME}+{_model()[1]}+{book.data.version}",
        evidence=_evidence(seen.named, text.folded, text.when, config),
    )
    return Judged(verdict, belief.shares, found)


def _all_flags(
    message: Message,
    text: str,
    kind: Kind,
    flags: list[str],
    found: Found,
    book: rules.Rules,
    *,
    review: bool,
) -> tuple[str, ...]:
    """The flags of the rules, and those that follow from the rest."""
    more = ["thanks_only"] if kind == "thanks" else []
    more += ["status_question"] if _is_status_question(message, text, found, book) else []
    return (*flags, *more, *(["needs_review"] if review else []))


def _evidence(named: Entities, folded: str, when: datetime, config: Config) -> Evidence:
    hours, zone = config.evidence_hours, config.time_zone
    return evidence.of(
        named, folded[:_EVIDENCE_READ], when, url=config.evidence_url, hours=hours, time_zone=zone
    )


@lru_cache(maxsize=1)
def _model() -> tuple[Ask, str]:
    """The trained model that comes with this release and its version; the rules alone decide where there is none."""
    if not files("router").joinpath("data/model.npz").is_file():
        return _no_opinion, "untrained"
    try:
        trained = model.packaged()
    except ConfigError as error:
        log.error("the model cannot be used, the rules decide alone", problems=list(error.problems))  # noqa: TRY400  no trace
        return _no_opinion, "untrained"
    return trained.opinions, trained.version


def _no_opinion(texts: Sequence[str]) -> list[Opinion]:
    return [Opinion({}, {}) for _ in texts]


def _believed(
    opinion: Opinion, found: Found, flags: list[str], book: rules.Rules, *, underage: bool
) -> _Belief:
    """What the model thinks, with the weight of the operator's terms and of the flags, which decide nothing alone."""
    named = {hit.place: hit.term for hit in found.hits if hit.place[0] == "categories"}
    powers = {
        name: opinion.shares.get(name, 1.0) * rule.weight for name, rule in book.data.categories.items()
    }
    if underage:
        powers["responsible_gaming"] *= book.data.underage_weight
    for place in named:
        powers[cast("Category", place[1])] *= rules.FACTORS[place[2]]
    for name in {category for flag in flags if (category := book.data.flags[flag].category)}:
        powers[name] *= book.data.flag_weight
    total = sum(powers.values())
    belief = _Belief({name: power / total for name, power in powers.items()})
    terms = [term for place, term in named.items() if place[1] == belief.best]
    alike = not opinion.shares or belief.best == max(opinion.shares, key=opinion.shares.__getitem__)
    return replace(belief, words=(*terms, *(opinion.telling if alike else ()))[:4])


def _aged(ages: age.Age, opinion: Opinion, book: rules.Rules) -> age.Age:
    """What the text says of age; where it only hints at it, the model has a say, and alone it calls a person."""
    if ages.sender or opinion.suspicions.get("underage", 0.0) < book.data.underage_suspicion:
        return ages
    sender = ages.unsure or ages.hints >= _HINTS_AND_MODEL
    return replace(
        ages, sender=sender, unsure=not sender, reason="speaks like a minor, as the model thinks, too"
    )


def _with_minor(flags: list[str], ages: age.Age, book: rules.Rules) -> list[str]:
    """A sender who is a minor reports nobody but himself; an age somebody else is said to have is a report."""
    others = [flag for flag in flags if flag != "minor_report"]
    if "minor_report" not in book.data.flags or (ages.sender and not ages.reported):
        return others
    return [*others, "minor_report"] if ages.reported or "minor_report" in flags else flags


_ABSTAINS = "below the confidence limit: a person decides"


def _edges(text: str, sizes: tuple[int, int]) -> str:
    head, tail = sizes
    return text if len(text) <= head + tail else f"{text[:head]} \n {text[-tail:]}"


def _flags(found: Found, opinion: Opinion, book: rules.Rules) -> tuple[list[str], list[str]]:
    """The must-never-miss rules that fire, in the order of the file, and why."""
    terms: dict[str, str] = {}
    spared = set()
    for hit in found.hits:
        group, name, key = hit.place
        if group == "flags" and key == "unless":
            spared.add(name)
        elif group == "flags":
            terms.setdefault(name, f"found “{hit.term}”")
    for name, total in _signs(found, book).items():
        if total >= book.data.flags[name].limit:
            terms.setdefault(name, _spoken_signs(name, found, book))
    for name, rule in book.data.flags.items():
        if name not in terms and opinion.suspicions.get(name, 0.0) >= rule.suspicion:
            terms[name] = f"the model suspects it ({opinion.suspicions[name]:.2f})"
    fired = [name for name in book.data.flags if name in terms and name not in spared]
    return fired, [f"{name}: {terms[name]}" for name in fired]


def _signs(found: Found, book: rules.Rules) -> dict[str, float]:
    """What the classes of words found add up to, for each flag that knows one of them."""
    totals: dict[str, float] = {}
    for word_class in found.classes:
        for flag, weight in book.signs.get(word_class, ()):
            totals[flag] = totals.get(flag, 0.0) + weight
    return totals


def _spoken_signs(flag: str, found: Found, book: rules.Rules) -> str:
    signs = book.data.flags[flag].signs
    said = sorted((s for s in signs if signs[s] > 0 and s in found.classes), key=lambda s: -signs[s])
    return "found " + ", ".join(f"{s} “{found.said(s)}”" for s in said[:_MOST_SIGNS])


def _kind(plain: str, found: Found, flags: list[str], opinion: Opinion, book: rules.Rules) -> Kind:
    """In doubt a complaint."""
    urgent = any(book.data.flags[name].priority == "urgent" for name in flags)
    if "data_request" in flags and not urgent:
        return "data_request"
    words = plain.count(" ") - 1
    if flags or words > max(
        rule.longest_words for rule in (book.data.kinds["thanks"], book.data.kinds["enquiry"])
    ):
        return "complaint"
    kinds = {hit.place[1:] for hit in found.hits if hit.place[0] == "kinds"}

    def holds(kind: str) -> bool:
        fits = words <= book.data.kinds[kind].longest_words
        return fits and (kind, "any") in kinds and (kind, "unless") not in kinds

    if opinion.suspicions:
        thanks, enquiry = (opinion.suspicions.get(name, 0.0) for name in ("thanks", "enquiry"))
        if thanks > enquiry and thanks >= book.data.kind_suspicion:
            return "complaint" if holds("problem") else "thanks"
        asks = enquiry >= book.data.kind_suspicion or (holds("enquiry") and enquiry >= _PERHAPS_ASKED)
        return "enquiry" if asks else "complaint"
    if holds("problem"):
        return "complaint"
    if holds("thanks"):
        return "thanks"
    return "enquiry" if holds("enquiry") else "complaint"


def _category(
    message: Message, kind: Kind, flags: list[str], belief: _Belief, book: rules.Rules
) -> tuple[Category, float, str]:
    """The category, how sure we are, and why: the customer's unless a must-never-miss rule fires, else the text."""
    said = f"text says {belief.best}"
    ruled = next((book.data.flags[name].category for name in flags if book.data.flags[name].category), None)
    if ruled and message.chosen_category:
        return (
            ruled,
            0.95,
            f"{ruled} by a rule that must not be missed; chosen by the customer: {message.chosen_category}",
        )
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
        f"{belief.best}: by {', '.join(belief.words) or 'the words together'}",
    )


def _department(kind: Kind, category: Category, *, abstains: bool, book: rules.Rules) -> Department:
    if kind == "data_request":
        return "compliance"
    return "general" if abstains else book.data.categories[category].department


def _priority(
    message: Message, kind: Kind, flags: list[str], opinion: Opinion, book: rules.Rules, *, underage: bool
) -> tuple[Priority, list[str]]:
    if message.call is not None and message.call.emergency:
        return "urgent", ["logged as an emergency call"]
    given: list[Priority] = [book.data.flags[name].priority for name in flags if name in book.data.flags]
    if underage and kind == "complaint":
        given.append(book.data.underage_priority)
    urgency = opinion.suspicions.get("urgent", 0.0)
    if opinion.suspicions.get("underage", 0.0) >= _AN_AGE:
        urgency = (
            0.0  # what looks like an age made the model think of a minor, and ages are read better than that
        )
    if urgency >= book.data.urgent_suspicion and kind == "complaint" and "urgent" not in given:
        return "urgent", [f"the model suspects an emergency ({urgency:.2f})"]
    floor: Priority = "low" if kind in {"thanks", "enquiry"} else "normal"
    return max([floor, *given], key=_RANK.__getitem__), []


def _is_status_question(message: Message, text: str, found: Found, book: rules.Rules) -> bool:
    """Whether nothing but the state of a code is asked: all other words are among the polite ones."""
    rule = book.data.status_question
    if len(text) > _STATUS_CHARACTERS or message.attachments or set(found.words).isdisjoint(rule.asking):
        return False
    if not (codes := tracking.find(text)):
        return False
    symbols = set("".join(codes))
    words = [word for word in found.words if not _is_of_code(word, codes, symbols)]
    asking, allowed = set(rule.asking), {*rule.asking, *rule.polite}
    return len(words) <= _STATUS_WORDS and not asking.isdisjoint(words) and allowed.issuperset(words)


def _is_of_code(word: str, codes: list[str], symbols: set[str]) -> bool:
    typed = word.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    return set(typed) <= symbols and any(typed in code or code in typed for code in codes)


def _games(found: Found) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hit.place[1] for hit in found.hits if hit.place[0] == "games"))


def from_line(line: dict[str, Any], config: Config = Config()) -> dict[str, Any]:
    """One line of `intake triage`: {id, channel, text, subject?, sent_at?} in, the verdict as plain JSON out.

    A line that cannot be read gives {id, error} and nothing is raised.
    """
    return from_lines([line], config)[0]


def from_lines(lines: Iterable[Any], config: Config = Config()) -> list[dict[str, Any]]:
    """`from_line` of each, together."""
    answers: list[dict[str, Any]] = []
    messages: list[tuple[dict[str, Any], Message]] = []
    for line in lines:
        answers.append({"id": _id(line)})
        try:
            messages.append((answers[-1], _message(line)))
        except ValidationError as error:
            answers[-1]["error"] = one_sentence(error)
    verdicts = triage_all([message for _, message in messages], config)
    for (answer, _), verdict in zip(messages, verdicts, strict=True):
        answer.update(_line_of(verdict))
    return answers


_KEYS = (
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


def _id(line: Any) -> Any:
    return line.get("id") if isinstance(line, dict) else None


def _line_of(verdict: Triage) -> dict[str, Any]:
    given = verdict.model_dump(mode="json")
    given["entities"].pop("games")
    return {key: given[key] for key in (*_KEYS, "reasons", "classifier")}


def explained(line: dict[str, Any], config: Config = Config()) -> str:
    """One line of `intake triage --explain` as a block that people read."""
    try:
        message = _message(line)
    except ValidationError as error:
        return f"{_id(line)}: {one_sentence(error)}\n"
    judged = judge([message], rulebook.of(config.rules_file).current(), config)[0]
    return explain.block(str(line.get("id", "")), judged.triage, judged.shares)


def _message(line: Any) -> Message:
    given = _Line.model_validate(line)
    sent = moment(given.sent_at, datetime.now(UTC))
    return Message(
        channel=given.channel,
        source="cli",
        sent_at=sent,
        received_at=sent,
        subject=clean_line(given.subject or ""),
        text=clean_text(given.text),
    )
