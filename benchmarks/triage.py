"""Triage: its parts and the whole against folding the same texts, which every one of them has to do at least."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from benchmarks.options import Options
from benchmarks.timing import Figure, interleaved, ratio, worker_gc
from intake.schema import Message
from intake.text import clean_text, fold
from intake.traces import trace_of
from intake.workers import CHUNK_MESSAGES
from router import age, entities, language, rulebook, rules
from router.model import packaged
from router.triage import triage_all

_NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_ABOUT = (220, 420)  # characters of the texts that stand for an ordinary mail
_LONG = 10_000
_WHOLE_TARGET = 90.0  # times the folding of the same text
_LONG_TARGET = 1.5  # times as long for a character of a long text as for one of an ordinary mail


def texts() -> list[str]:
    """The texts of the corpus that are as long as an ordinary mail."""
    folder = files("router").joinpath("data/corpus")
    lines = [line for file in folder.iterdir() for line in file.read_text("utf-8").splitlines() if line]
    written = [clean_text(json.loads(line)["text"]) for line in lines]
    return [text for text in written if _ABOUT[0] <= len(text) <= _ABOUT[1]]


def _message(text: str) -> Message:
    return Message(channel="email", source="benchmark", sent_at=_NOW, received_at=_NOW, text=text)


def run(options: Options) -> list[Figure]:
    """Multiples of folding the same texts; milliseconds in the details belong to this machine."""
    some = texts()[: 150 if options.quick else 600]
    triage_all([_message(text) for text in some[::2]])
    with worker_gc():
        first_ms = _median_ms([_message(text) for text in some[1::2]])
        return [*_parts(some, options, first_ms), *_long(some, options)]


def _parts(some: list[str], options: Options, first_ms: float) -> list[Figure]:
    """`first_ms` is of texts never read before, whose words a worker that runs knows for the most part."""
    plain, messages = [rules.plain_words(text) for text in some], [_message(text) for text in some]
    find, opinions = rulebook.packaged().lexicon.find, packaged().opinions
    seconds = interleaved(
        "triage",
        {
            "fold": _over(fold, some, times=10),
            "rules": _over(find, plain),
            "model": _over_all(opinions, plain),
            "age": _over(lambda words: age.read(words, _NOW), plain),
            "entities": _over(lambda text: entities.extract(text, _NOW), some),
            "language": _over(language.detect, some),
            "whole": _over_all(triage_all, messages),
            "whole with what sameness keeps": _over_all(_with_trace, messages),
        },
        options.rounds,
    )
    figures = []
    for name in list(seconds)[1:]:
        target = _WHOLE_TARGET if name == "whole" else None
        ms = round(1000 * statistics.median(seconds[name]), 3)
        middle = _median_ms(messages) if name == "whole" else None
        figures.append(
            ratio(
                "triage",
                f"{name} / folding",
                seconds[name],
                seconds["fold"],
                target=target,
                at_least=False,
                ms=ms,
                median_ms=middle,
                first_sight_ms=first_ms if name == "whole" else None,
            )
        )
    return figures


def _long(some: list[str], options: Options) -> list[Figure]:
    """Whether a character of a long text costs what one of an ordinary mail does."""
    long = _message(" ".join(some)[:_LONG])
    short = [_message(text) for text in some[:100]]
    characters = sum(len(message.text) for message in short)
    seconds = interleaved(
        "triage of 10 kB",
        {"long": _over_all(triage_all, [long]), "short": _over_all(triage_all, short)},
        options.rounds,
    )
    by_character = [
        [s / _LONG for s in seconds["long"]],
        [s * len(short) / characters for s in seconds["short"]],
    ]
    ms = round(1000 * statistics.median(seconds["long"]), 2)
    name = "10 kB / ordinary mail, a character"
    return [ratio("triage", name, *by_character, target=_LONG_TARGET, at_least=False, ms=ms)]


def _median_ms(messages: Sequence[Message]) -> float:
    """Of chunks as a worker gets them, since a mean is moved by few long ones."""
    costs = []
    for start in range(0, len(messages), CHUNK_MESSAGES):
        chunk = messages[start : start + CHUNK_MESSAGES]
        begun = time.process_time_ns()
        triage_all(chunk)
        costs.append((time.process_time_ns() - begun) / len(chunk))
    return round(statistics.median(costs) / 1e6, 3)


def _with_trace(messages: Sequence[Message]) -> object:
    return list(map(trace_of, messages, triage_all(messages)))


def _over_all(work: Callable[[Sequence[Any]], object], given: Sequence[Any]) -> Callable[[int], int]:
    """In chunks as a worker gets them."""
    chunks = [given[start : start + CHUNK_MESSAGES] for start in range(0, len(given), CHUNK_MESSAGES)]
    once = _over(work, chunks)
    return lambda number: once(number) * len(given) // len(chunks)


def _over(work: Callable[[Any], object], given: Sequence[Any], times: int = 1) -> Callable[[int], int]:
    for one in given:
        work(one)  # words that were seen are known, as in a worker that runs

    def one_round(_: int) -> int:
        for _ in range(times):
            for one in given:
                work(one)
        return times * len(given)

    return one_round
