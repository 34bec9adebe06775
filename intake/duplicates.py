"""What makes two deliveries the same: equal content, or two complaints about one matter."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

from intake.likeness import features, means_named, named, numbers_apart, same_ids, total, trained
from intake.schema import Normalized
from intake.traces import Trace


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two complaints are the same, how sure that is (0 to 1), and why, for a person."""

    duplicate: bool
    score: float
    reasons: tuple[str, ...]


def content_hash(normalized: Normalized) -> str | None:
    """The content of a mail as one sha256: Message-ID, Date, From address, body and files.

    The same mail through any mailbox or folder has the same. None where a message carries no id and no date of
    its own, so that equal words stay two complaints.
    """
    message = normalized.message
    if message.channel != "email" or not (message.external_id or message.sent_at):
        return None
    parts = [
        message.external_id,
        message.sent_at.isoformat() if message.sent_at else "",
        *(p.value for p in message.sender.contact_points),
        normalized.body or message.text,
        *sorted(a.sha256 for a in message.attachments),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def compare(first: Trace, second: Trace) -> Verdict:
    """Whether `second`, written after `first` by the same customer, is about the same matter. Pure.

    Facts decide over words: where both name amounts, ids, dates, a person, a game and neither names all of the
    other's, they are two matters, however alike the words are. All else is weighed.
    """
    if conflict := conflict_of(first, second):
        return Verdict(False, 0.02, (conflict,))
    if first.words and first.words == second.words and first.facts == second.facts:
        return Verdict(True, 0.98, ("the same words",))
    found = features(first, second)
    score = 1 / (1 + math.exp(-total(found)))
    duplicate = score >= trained().duplicate_from
    return Verdict(duplicate, round(score, 3), tuple(_reasons(first, second, named(found), duplicate)))


def _reasons(first: Trace, second: Trace, said: list[tuple[float, str]], duplicate: bool) -> Iterator[str]:
    """What both name, then what weighed most, the verdict's own side first."""
    facts = [f"same {kind}: {_shown(shared)}" for kind, shared in _shared(first, second)]
    if both := first.about & second.about:
        facts.append(f"both about {_shown(both)}")
    if both := first.wrong & second.wrong:
        facts.append(f"both say {_shown(both)}")
    for_it = [reason for value, reason in said if value > 0]
    against = [reason for value, reason in said if value < 0]
    if duplicate:
        yield from (*facts, *for_it[:_MOST_SAID], *(f"but {reason}" for reason in against[:1]))
    else:
        yield from (*against[:_MOST_SAID], *(f"though {reason}" for reason in (*facts, *for_it)[:_MOST_SAID]))


_MOST_SAID = 3
_TELLING = (
    "amount",
    "id",
    "iban",
    "tail",
    "person",
    "game",
    "team",
    "date",
    "percent",
    "coin",
    "time",
    "factor",
)
_NONE: frozenset[str] = frozenset()


def _shared(first: Trace, second: Trace) -> Iterator[tuple[str, frozenset[str]]]:
    """The facts both name, by kind."""
    both = first.facts.keys() & second.facts.keys()
    for kind in _TELLING if both else ():
        if kind in both and (shared := first.facts[kind] & second.facts[kind]):
            yield kind, shared
    numbers = first.facts.get("numeral", _NONE) & second.facts.get("numeral", _NONE)
    if numbers := numbers - first.facts.get("amount", _NONE):
        yield "number", numbers


def _shown(values: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(values)[:3])


# conflicts

_EXCLUSIVE = ("id", "iban", "tail", "person", "game", "team", "offer", "fee", "limit", "history", "move", "relation",
              "sport", "means", "coin", "device", "percent", "year", "month", "factor", "direction", "part",
              "window")  # fmt: skip


def conflict_of(first: Trace, second: Trace) -> str:
    """The fact in which the two are surely two matters, in words; empty where there is none."""
    both = first.facts.keys() & second.facts.keys()
    for kind in _EXCLUSIVE if both else ():
        if kind not in both:
            continue
        mine, theirs = first.facts[kind], second.facts[kind]
        if kind == "means":
            mine, theirs = means_named(mine, theirs)
        if not (mine <= theirs or theirs <= mine) and not _same_ids(kind, mine, theirs):
            return f"different {kind}: {_shown(mine - theirs)} against {_shown(theirs - mine)}"
    if "corrects" in second.cues:
        return ""
    return (
        _other_occasion(first, second)
        or _first_settled(first, second)
        or _other_amount(first, second)
        or _other_day(first, second)
        or _other_hour(first, second)
    )


_CHASING = frozenset({"resend", "still", "chase", "unheard", "wrote"})


def _other_occasion(first: Trace, second: Trace) -> str:
    """What the second says of itself: once more, another person's, taken back. Not where he asks for an answer."""
    new = second.cues - first.cues
    if "apart" in new:
        return "the second says that it is another matter"
    if "dropped" in new:
        return "the second takes it back"
    if "reopen" in new and "closure" in first.about and "suspended" not in first.about:
        return "the second takes it back"
    if (
        "another" in new
        and "ads" not in first.about & second.about
        and _CHASING.isdisjoint(second.cues)
        and not same_ids(first, second)
    ):
        return "it happened again"
    return "the second is about another person" if "kin" in new else ""


def _first_settled(first: Trace, second: Trace) -> str:
    """Where the second names what the first names as settled, and one thing more of the same kind."""
    if "solved" not in second.cues - first.cues:
        return ""
    for kind in ("date", "id"):
        mine, theirs = first.facts.get(kind), second.facts.get(kind)
        if mine and theirs and mine < theirs and not theirs <= mine | {second.sent_on}:
            return (
                f"the second says that the first is settled: {_shown(mine)} and now {_shown(theirs - mine)}"
            )
    return ""


def _same_ids(kind: str, mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether all ids of one are among the other's, given in full or by their end."""
    return kind == "id" and (_all_end(mine, theirs) or _all_end(theirs, mine))


def _all_end(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return all(any(a.endswith(b) or b.endswith(a) for b in theirs) for a in mine)


def _other_amount(first: Trace, second: Trace) -> str:
    """Where each names money that the other does not name, nor rounds, nor can be reckoned from the other's."""
    mine, theirs = first.facts.get("amount"), second.facts.get("amount")
    if not mine or not theirs or mine <= theirs or theirs <= mine:
        return ""
    _, left, right, _ = numbers_apart(first, second)
    left, right = left & mine, right & theirs
    return f"different amounts: {_shown(left)} against {_shown(right)}" if left and right else ""


_AGAIN_TODAY = frozenset({"resend", "wrote"})  # the day he names is perhaps that on which he writes


def _other_day(first: Trace, second: Trace) -> str:
    mine, theirs = first.facts.get("date", _NONE), second.facts.get("date", _NONE)
    if not _AGAIN_TODAY.isdisjoint(second.cues):
        theirs = theirs - {first.sent_on, second.sent_on}
    if not mine or not theirs or mine <= theirs or theirs <= mine or "vague" in first.cues | second.cues:
        return ""
    return f"different days: {_shown(mine - theirs)} against {_shown(theirs - mine)}"


def _other_hour(first: Trace, second: Trace) -> str:
    mine, theirs = first.facts.get("time"), second.facts.get("time")
    if not mine or not theirs:
        return ""
    near = any(_apart(a, b) <= _slack(a, b) for a in mine for b in theirs)
    return "" if near else f"different hours: {_shown(mine)} against {_shown(theirs)}"


_HOUR_SLACK = 45  # minutes
_MINUTE_SLACK = 5  # between two that were read off a clock


def _slack(one: str, other: str) -> int:
    """Minutes two people's memories of one moment may differ: few where neither is rounded."""
    return _MINUTE_SLACK if one[-1] not in "05" and other[-1] not in "05" else _HOUR_SLACK


def _apart(one: str, other: str) -> int:
    """Minutes between two times of the clock, which people also read by twelve hours."""
    minutes = [int(t.partition(":")[0]) * 60 + int(t.partition(":")[2]) for t in (one, other)]
    apart = abs(minutes[0] - minutes[1]) % 720
    return min(apart, 720 - apart)
