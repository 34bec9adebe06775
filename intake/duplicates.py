"""What makes two deliveries the same: equal content, or two complaints about one matter."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from intake.concepts import meanings
from intake.schema import Normalized
from intake.traces import STEM, Trace, stems

DUPLICATE_FROM = 0.6
"""The score from which two complaints count as the same."""


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
    other's, they are two matters, however alike the words are.
    """
    if conflict := _conflict(first, second):
        return Verdict(False, 0.02, (conflict,))
    found = features(first, second)
    score = 1 / (1 + math.exp(-sum(WEIGHTS[name] * value for name, value in found.items())))
    return Verdict(score >= DUPLICATE_FROM, round(score, 3), tuple(_reasons(first, second, found)))


def _reasons(first: Trace, second: Trace, found: dict[str, float]) -> list[str]:
    reasons = [f"same {kind}: {_shown(shared)}" for kind, shared in _shared(first, second)]
    if both := first.about & second.about:
        reasons.append(f"both about {_shown(both)}")
    if both := first.wrong & second.wrong:
        reasons.append(f"both say {_shown(both)}")
    reasons.append(f"words alike by {found['words']:.0%}")
    return reasons + [said for name, said in _SAID.items() if found[name]]


_SAID = {
    "about_apart": "about different things",
    "family": "about different things of one kind",
    "wrong_apart": "different things are wrong",
    "swap": "nearly the same words, but each has some of its own",
    "exchange": "the same sentence with another word in it",
    "copy": "the same words",
    "resend": "the second says that it was written before",
    "wish": "one asks, the other complains",
}


def features(first: Trace, second: Trace) -> dict[str, float]:
    """What speaks for and against, by name: shares from 0 to 1, marks of 0 or 1."""
    about = _share(first.about, second.about)
    pairs = (first.about, second.about), (first.wrong, second.wrong)
    one, other = stems(first.words), stems(second.words)
    common = one & other
    wrong = [frozenset(_COARSE.get(name, name) for name in trace.wrong) for trace in (first, second)]
    wishes = ("wish" in first.cues) != ("wish" in second.cues)
    return {
        "bias": 1.0,
        "about": about,
        "about_apart": float(bool(first.about and second.about) and not about),
        "about_private": _private(first.about - _BROAD, second.about - _BROAD),
        "family": float(any(_apart_in_family(a, b) for a, b in pairs)),
        "wrong": _share(wrong[0], wrong[1]),
        "wrong_apart": float(bool(wrong[0] and wrong[1]) and not wrong[0] & wrong[1]),
        "words": _alike(first, second, len(common) / max(1, min(len(one), len(other)))),
        "swap": 0.0 if (second.cues - first.cues) & {"resend", "still"} else _swap(one, other, common),
        "exchange": _exchange(first, second, one, other),
        "rare": min(1.0, sum(not meanings(stem) for stem in common) / _MANY_RARE),
        "still": float("still" in second.cues),
        "copy": float(len(common) >= _COPY_WORDS and (one <= other or other <= one)),
        "facts": min(_MOST_FACTS, sum(_weight(kind, shared) for kind, shared in _shared(first, second))),
        "resend": float("resend" in second.cues - first.cues),
        "wish": float(wishes),
        "names": _names(first, second),
    }


def _alike(first: Trace, second: Trace, stems_shared: float) -> float:
    """The share of words both have, counting misspelt ones as the letters have it."""
    return max(stems_shared, fuzz.token_set_ratio(first.words, second.words, score_cutoff=70) / 100 - 0.3)


_COPY_WORDS = 3
_MANY_RARE = 4  # words that are in no list of concepts.toml
_MOST_FACTS = 4.0
# what people say for one another: what is late is missing, what is refused does not work
_COARSE = dict.fromkeys(("missing", "pending", "unanswered"), "late")
_COARSE |= dict.fromkeys(("frozen", "crashed", "rejected", "slow"), "broken")
_FAMILIES = (
    frozenset({"cashback", "spins", "wagering", "friend", "birthday", "tournament", "jackpot", "vip"}),
    frozenset({"name", "birthdate", "phone", "email", "location", "language", "iban"}),
    frozenset({"withdrawal", "deposit"}),
    frozenset({"copy", "erase", "closure"}),
    frozenset({"odds", "cashout", "settle"}),
    frozenset({"login", "logout", "cashier", "support", "deposit", "notify", "bet"}),
    frozenset({"pending", "cancelled", "rejected"}),
    frozenset({"slow", "crashed"}),
)
WEIGHTS = {
    "bias": -1.1,
    "about": 1.7,
    "about_apart": -1.3,
    "about_private": -1.0,
    "family": -1.3,
    "wrong": 1.0,
    "wrong_apart": -1.2,
    "words": 0.4,
    "swap": -1.4,
    "exchange": -2.8,
    "rare": 1.1,
    "still": 0.3,
    "copy": 0.8,
    "facts": 1.5,
    "resend": 0.8,
    "wish": -0.5,
    "names": 0.4,
}
"""Of the features: fitted by logistic regression on the pairs dev, second and typical of tests/data/pairs, then
rounded, and strengthened where a wrong link would cost more than a missed one."""

# subjects that most complaints name in passing
_BROAD = frozenset(
    {
        "account",
        "site",
        "support",
        "signup",
        "registered",
        "rules",
        "game",
        "phone",
        "email",
        "app",
        "code",
        "money",
        "balance",
        "cashier",
        "stream",
        "settle",
    }
)


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def _private(one: frozenset[str], other: frozenset[str]) -> float:
    return float(bool(one - other) and bool(other - one))


def _apart_in_family(one: frozenset[str], other: frozenset[str]) -> bool:
    if one <= other or other <= one:
        return False
    return any(_private(one & family, other & family) for family in _FAMILIES)


_SWAP_FROM = 0.35


def _swap(one: set[str], other: set[str], common: set[str]) -> float:
    """How alike they are where each has words the other has not: people who write again hardly copy themselves."""
    alike = len(common) / max(1, len(one), len(other))
    return min(1.0, max(0.0, (alike - _SWAP_FROM) * 5)) if one - common and other - common else 0.0


def _exchange(first: Trace, second: Trace, one: set[str], other: set[str]) -> float:
    """1 where one or two words stand for others in the same sentence, as in the second of two matters."""
    mine, theirs, common = one - other, other - one, one & other
    if (second.cues - first.cues) & {"resend", "still"} or len(common) < max(
        _COPY_WORDS, len(mine), len(theirs)
    ):
        return 0.0
    if not 0 < len(mine) <= _MOST_EXCHANGED or not 0 < len(theirs) <= _MOST_EXCHANGED:
        return 0.0
    if any(fuzz.ratio(a, b) >= _MISSPELT for a in mine for b in theirs):
        return 0.0
    return float(_in_order(first, common) == _in_order(second, common))


def _in_order(trace: Trace, common: set[str]) -> list[str]:
    return [stem for word in trace.words.split() if (stem := word[:STEM]) in common]


_MOST_EXCHANGED = 2  # words
_MISSPELT = 60  # per cent of letters


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


def _shared(first: Trace, second: Trace) -> Iterator[tuple[str, frozenset[str]]]:
    """The facts both name, by kind; an amount without its currency is a number to one and an amount to the other."""
    both = first.facts.keys() & second.facts.keys()
    for kind in _TELLING if both else ():
        if kind in both and kind != "id" and (shared := first.facts[kind] & second.facts[kind]):
            yield kind, shared
    if shared := _same_id(first, second):
        yield "id", shared
    if first.facts.get("amount", _NONE) & second.facts.get("amount", _NONE):
        return
    a, b = _figures(first), _figures(second)
    if shared := a & b:
        yield "number", shared
    elif a and b and (shared := (_reckoned(a) & b) | (_reckoned(b) & a)):
        yield "difference", shared


def _weight(kind: str, shared: frozenset[str]) -> float:
    """How much it says that both name these: ids and odd amounts say more than round ones."""
    if kind == "id":
        return 3.0
    if kind in ("iban", "tail"):
        return 2.0
    odd = any(len(value.replace(".", "").strip("0")) >= _ODD for value in shared)
    return 2.0 if kind in ("amount", "number") and (odd or len(shared) > 1) else 1.0


_ODD = 3  # significant digits
_NONE: frozenset[str] = frozenset()


def _figures(trace: Trace) -> frozenset[str]:
    return trace.facts.get("amount", _NONE) | trace.facts.get("number", _NONE)


def _names(first: Trace, second: Trace) -> float:
    """1 for a name both have, -1 where each names something else, 0 otherwise. A name counts in any case."""
    if not first.names and not second.names:
        return 0.0
    words = {w[:7] for w in first.words.split()}, {w[:7] for w in second.words.split()}
    if first.names & words[1] or second.names & words[0]:
        return 1.0
    return -1.0 if first.names and second.names else 0.0


# conflicts

_EXCLUSIVE = ("move", "offer", "limit", "history", "id", "iban", "tail", "person", "relation", "game", "team", "sport",
              "means", "coin", "paper", "device", "percent", "spins", "year", "month", "factor", "direction", "window",
              "channel")  # fmt: skip


def _conflict(first: Trace, second: Trace) -> str:
    both = first.facts.keys() & second.facts.keys()
    for kind in _EXCLUSIVE if both else ():
        if kind not in both:
            continue
        mine, theirs = first.facts[kind], second.facts[kind]
        if not (mine <= theirs or theirs <= mine) and not _same_ids(kind, mine, theirs):
            return f"different {kind}: {_shown(mine - theirs)} against {_shown(theirs - mine)}"
    return (
        _other_occasion(first, second)
        or _other_amount(first, second)
        or _other_day(first, second)
        or _other_hour(first, second)
    )


def _other_occasion(first: Trace, second: Trace) -> str:
    new = second.cues - first.cues
    same_id = bool(_same_id(first, second))
    weakly = "anew" in new and not second.cues & {"resend", "still"} and not _is_nuisance(first, second)
    if not same_id and (weakly or "another" in new):
        return "it happened again"
    for cue, said in _BREAKS.items():
        if cue in new:
            return said
    if not same_id and "resend" not in second.cues and _turned(first, second):
        return "what had not happened has happened since, or the other way round"
    return ""


_BREAKS = {
    "solved": "the second says that the first is solved",
    "done": "the second says that the first is solved",
    "dropped": "the second takes it back",
    "kin": "the second is about another person",
}


def _is_nuisance(first: Trace, second: Trace) -> bool:
    """What happens every day: one more unwanted letter is no new matter."""
    return "ads" in first.about & second.about


def _turned(first: Trace, second: Trace) -> bool:
    mine, theirs = first.facts.get("deed", _NONE), second.facts.get("deed", _NONE)
    return any(
        _opposite(deed) in theirs for deed in mine if _opposite(deed) not in mine and deed not in theirs
    )


def _opposite(deed: str) -> str:
    return deed[:-1] + ("+" if deed[-1] == "-" else "-")


def _same_id(first: Trace, second: Trace) -> frozenset[str]:
    """The ids both name, one of them perhaps by its digits alone."""
    mine, theirs = first.facts.get("id", _NONE), second.facts.get("id", _NONE)
    if not mine and not theirs:
        return _NONE
    bare = (
        {n for n in first.facts.get("number", _NONE) if len(n) >= _BARE},
        {n for n in second.facts.get("number", _NONE) if len(n) >= _BARE},
    )
    return frozenset(i for i in mine if i in theirs or any(i.endswith(n) for n in bare[1])) | frozenset(
        i for i in theirs if any(i.endswith(n) for n in bare[0])
    )


_BARE = 4  # digits of a number that may be the end of an id


def _shown(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)[:3])


def _same_ids(kind: str, mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether all ids of one are among the other's, given in full or by their end."""
    if kind != "id":
        return False
    return _all_end(mine, theirs) or _all_end(theirs, mine)


def _all_end(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    return all(any(a.endswith(b) or b.endswith(a) for b in theirs) for a in mine)


def _other_amount(first: Trace, second: Trace) -> str:
    a, b = _figures(first), _figures(second)
    if not a or not b:
        return ""
    mine, theirs = first.facts.get("amount", _NONE), second.facts.get("amount", _NONE)
    # a bare number of one may be an amount of the other
    if said := _apart_but("amounts", mine - b, theirs - a, a, b):
        return said
    bare = first.facts.get("number", _NONE) - b, second.facts.get("number", _NONE) - a
    if said := _apart_but("numbers", *bare, a, b):
        return said
    return "" if a & b else _apart_but("numbers", a, b, a, b)


def _apart_but(
    kind: str, mine: frozenset[str], theirs: frozenset[str], a: frozenset[str], b: frozenset[str]
) -> str:
    """The conflict of figures that are not the other's, nor reckoned from all of the other's."""
    if not mine or not theirs:
        return ""
    left, right = mine - _reckoned(b), theirs - _reckoned(a)
    return f"different {kind}: {_shown(left)} against {_shown(right)}" if left and right else ""


def _reckoned(figures: frozenset[str]) -> frozenset[str]:
    """The differences of figures: who was paid 980 of 1,260 misses 280."""
    if not 1 < len(figures) <= _MOST_RECKONED:
        return _NONE
    values = [float(figure.replace(",", ".")) for figure in figures if figure.count(".") <= 1]
    return frozenset(f"{x - y:g}" for x in values for y in values if x > y)


_MOST_RECKONED = 6


def _other_day(first: Trace, second: Trace) -> str:
    mine, theirs = first.facts.get("date", _NONE), second.facts.get("date", _NONE)
    if "resend" in second.cues:
        theirs = theirs - {first.sent_on, second.sent_on}
    if not theirs:
        return ""
    if "vague" in first.cues | second.cues:
        return ""
    if not mine:
        later = all(day > first.sent_on for day in theirs) and not second.cues & {"resend", "still"}
        later = later and not _is_nuisance(first, second)
        return f"happened on {_shown(theirs)}, after the first was written" if later else ""
    if mine <= theirs or theirs <= mine:
        return ""
    return f"different days: {_shown(mine - theirs)} against {_shown(theirs - mine)}"


def _other_hour(first: Trace, second: Trace) -> str:
    mine, theirs = first.facts.get("time"), second.facts.get("time")
    if not mine or not theirs:
        return ""
    near = any(_apart(a, b) <= _HOUR_SLACK for a in mine for b in theirs)
    return "" if near else f"different hours: {_shown(mine)} against {_shown(theirs)}"


_HOUR_SLACK = 45  # minutes


def _apart(one: str, other: str) -> int:
    """Minutes between two times of the clock, which people also read by twelve hours."""
    minutes = [int(t.partition(":")[0]) * 60 + int(t.partition(":")[2]) for t in (one, other)]
    apart = abs(minutes[0] - minutes[1]) % 720
    return min(apart, 720 - apart)
