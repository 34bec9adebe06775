"""What speaks for and against two complaints being one: named numbers, each with a trained weight."""

from __future__ import annotations

import json
from collections.abc import Set
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rapidfuzz import fuzz

from intake.concepts import meanings
from intake.figures import near, reckoned, weight_of
from intake.traces import STEM, Trace

Features = dict[str, float]
_NONE: frozenset[str] = frozenset()
_MOST = 3.0  # of a sum, so that a page says no more than a letter


class Trained:
    """What scripts/train_pairs.py has learnt: weights of the features, and how rare stems and meanings are."""

    __slots__ = ("bias", "duplicate_from", "meanings", "stems", "weights")

    def __init__(self, document: dict[str, Any]) -> None:
        self.weights: dict[str, float] = dict(document["weights"])
        self.bias = self.weights.pop("bias", 0.0)
        self.duplicate_from: float = document["duplicate_from"]
        self.meanings: dict[str, float] = document["meanings"]
        self.stems = {
            stem: float(rarity) for rarity, stems in document["stems"].items() for stem in stems.split()
        }


_installed: list[Trained] = []


def trained() -> Trained:
    """Read at the first comparison."""
    if not _installed:
        install(json.loads(files("intake").joinpath("likeness.json").read_text("utf-8")))
    return _installed[0]


def install(document: dict[str, Any]) -> None:
    """Puts another document in the place of likeness.json, for training."""
    _installed[:] = [Trained(document)]
    _rarity.cache_clear()


# words of one who writes again, or is angry: that only one of two has them says nothing about the matter
_CHASING = frozenset(
    word[:STEM]
    for word in """
    yaz yazdim yazmistim yaziyorum yaziyor mail mesaj mesajim cevap cevabi donus donen dondu bekliyorum
    bekli bekle beklemede hala halen nerede nerde zaman lutfen rica second third time asking asked still
    waiting wait wrote written told answer answers reply nobody please reminder news again noch immer
    mehrere soyledim demistim istemistim dedim diyorum attim kimse sabah aksam gece dun gecen ogle
    rezalet ayip yeter artik abi kardes hocam sayin yetkili musteri arayan telefon telefonda telefonla
    anlattim bildirdim bildirmistim dear hello sirs madam regards days weeks weekend morning evening
    night siteadi siteniz support destek canli chat sohbet musunuz olmaz""".split()  # noqa: SIM905  (easier to read)
)


@lru_cache(maxsize=1 << 15)
def _rarity(word: str) -> tuple[str, float]:
    """Its stem and how rare that is: 0 for the words of one who waits."""
    stem = word[:STEM]
    return stem, 0.0 if stem in _CHASING else trained().stems.get(stem, 1.0)


@lru_cache(maxsize=1 << 15)
def _senses(word: str) -> frozenset[str]:
    return frozenset([name for _, name in meanings(word)])


class _Side:
    """One of the two, read for comparing."""

    __slots__ = ("begins", "heads", "known", "meant", "senses", "stems", "sum", "trace")

    def __init__(self, trace: Trace) -> None:
        words = trace.words.split()
        self.trace = trace
        self.meant = trace.about | {f"{name}!" for name in trace.wrong}
        self.heads = [word[:STEM] for word in words[:_OPENING]]
        self.stems = {stem: rarity for stem, rarity in map(_rarity, words) if rarity}
        self.sum = sum(self.stems.values()) or 1.0
        self.senses: dict[str, frozenset[str]] = {}
        self.begins: set[str] = set()
        self.known = _NONE

    def read_on(self) -> None:
        """What each word means; few comparisons ask for it."""
        if self.begins:
            return
        for word in self.trace.words.split():
            if senses := _senses(word):
                stem = word[:STEM]
                self.senses[stem] = self.senses[stem] | senses if stem in self.senses else senses
        self.begins.update([stem[:_BEGINS] for stem in self.stems])
        self.known = _NONE.union(*self.senses.values())


def _side(trace: Trace) -> _Side:
    """Made once a trace: a new complaint is compared with up to twenty."""
    learnt = trained()
    if not trace.read or trace.read[0] is not learnt:
        trace.read[:] = learnt, _Side(trace)
    side: _Side = trace.read[1]
    return side


def features(first: Trace, second: Trace) -> Features:
    """All features of `second`, written after `first`: shares from 0 to 1, sums up to 3, marks of 0 or 1."""
    one, other = _side(first), _side(second)
    found = _words(one, other)
    found.update(_meanings(one, other))
    found.update(_numbers(first, second))
    found.update(_days(first, second))
    found.update(_facts(one, other))
    found.update(_turns(first, second))
    found["restated"], found["kept"] = _retold(one, other, found)
    return found


def _words(one: _Side, other: _Side) -> Features:
    common = one.stems.keys() & other.stems.keys()
    shared = sum([one.stems[stem] for stem in common])
    mine, theirs = _left(one, other, common)
    least = shared / ((shared + max(mine, theirs)) or 1)
    own = min(mine, theirs)
    chased = not _CHASED.isdisjoint(other.trace.cues - one.trace.cues)
    swap = max(0.0, least - 0.25) if own >= _OWN else 0.0
    return {
        "words_left_first": min(2 * _MOST, mine) / _MOST,
        "words_left_second": min(2 * _MOST, theirs) / _MOST,
        "words_left_both": min(_MOST, own) / _MOST,
        "swap": swap,
        "swap_unchased": 0.0 if chased else swap,
        "opening": _opening(one, other) if own >= _OWN else 0.0,
        "longer_first": min(_LONGER, max(0.0, one.sum - other.sum)) / _LONGER,
        "longer_second": min(_LONGER, max(0.0, other.sum - one.sum)) / _LONGER,
    }


_CHASED = frozenset({"resend", "still", "chase"})
_LONGER = 6.0  # of rarities
_OPENING = 4  # words


def _opening(one: _Side, other: _Side) -> float:
    """How far the two begin with the same words, before each goes its own way."""
    same = 0
    for mine, theirs in zip(one.heads, other.heads, strict=False):
        if mine != theirs:
            break
        same += 1
    return same / _OPENING


def _retold(one: _Side, other: _Side, found: Features) -> tuple[float, float]:
    """How much of the first the second tells and adds hardly a word; and whether it tells all of it and more.

    Nothing where anything says that it is news.
    """
    if any(found[name] for name in _NEWS):
        return 0.0, 0.0
    if other.meant - one.meant and one.meant - other.meant:
        return 0.0, 0.0
    one.read_on()
    other.read_on()
    added, left = _untold(other, one), _untold(one, other)
    kept = float(left <= _LITTLE and one.sum >= _ENOUGH)
    return (min(1.0, 2 - 2 * left / one.sum) if added <= _LITTLE else 0.0), kept


_NEWS = ("says_another", "again", "says_solved", "says_settled", "says_dropped", "says_kin", "says_other",
         "says_refused", "says_too", "says_now", "deed_turned", "deed_undone", "family_apart",
         "numbers_left_second", "facts_apart", "counts_apart", "facts_added", "day_after", "names_apart")  # fmt: skip
_LITTLE = 0.8  # of rarities: less than a rare word
_ENOUGH = 2.0  # of rarities, to be a story of which all can be told again


def _untold(one: _Side, other: _Side) -> float:
    """How much of one the other tells neither in the same words nor in words that mean the same."""
    return sum(
        [
            one.stems[stem]
            for stem in one.stems.keys() - other.stems.keys()
            if stem[:_BEGINS] not in other.begins and other.known.isdisjoint(one.senses.get(stem, _NONE))
        ]
    )


_BEGINS = 4  # letters of a word that an ending leaves as they are


def _left(one: _Side, other: _Side, common: Set[str]) -> tuple[float, float]:
    """How much only the one says and only the other, a misspelt or inflected word counting as the same."""
    few = 0 < len(one.stems) - len(common) <= _FEW and 0 < len(other.stems) - len(common) <= _FEW
    mine, theirs = one.stems.keys() - common, other.stems.keys() - common
    if few:
        for stem in sorted(mine):
            for said in sorted(theirs):
                if stem[:3] == said[:3] or fuzz.ratio(stem, said, score_cutoff=_MISSPELT):
                    mine.discard(stem)
                    theirs.discard(said)
                    break
    return sum([one.stems[stem] for stem in mine]), sum([other.stems[stem] for stem in theirs])


_OWN = 0.5  # of what one alone says: less is an ending or a filler
_FEW = 6  # words
_MISSPELT = 74  # per cent of letters


def _meanings(one: _Side, other: _Side) -> Features:
    rarity = trained().meanings
    common = one.meant & other.meant
    shared = sum([rarity.get(name, 1.0) for name in common])
    mine = sum([rarity.get(name, 1.0) for name in one.meant - common])
    theirs = sum([rarity.get(name, 1.0) for name in other.meant - common])
    shares = shared / ((shared + mine) or 1), shared / ((shared + theirs) or 1)
    return {
        "meanings_shared": min(_MOST, shared) / _MOST,
        "meanings_most": max(shares),
        "meanings_left_second": min(_MOST, theirs) / _MOST,
        "meanings_unnumbered": 0.0 if other.trace.facts.get("numeral") else max(shares),
        "nothing_meant": float(not one.meant or not other.meant),
    }


def numbers_apart(first: Trace, second: Trace) -> tuple[set[str], set[str], set[str], bool]:
    """The numbers both name, those only one names and that are not reckoned from the other's, and whether some are."""
    a, b = first.facts.get("numeral", _NONE), second.facts.get("numeral", _NONE)
    shared = a & b
    left, right = a - shared, b - shared
    if not left or not right:
        return set(shared), set(left), set(right), False
    roughly = "roughly" in first.cues | second.cues
    alike = (
        {(v, w) for v in left for w in right if near(v, w, roughly=roughly)}
        if len(left) * len(right) <= _MOST_COMPARED
        else set()
    )
    from_a, from_b = _derived(first), _derived(second)
    mine = {v for v in left if v not in from_b and not any(v == pair[0] for pair in alike)}
    theirs = {w for w in right if w not in from_a and not any(w == pair[1] for pair in alike)}
    return set(shared), mine, theirs, len(mine) < len(left) or len(theirs) < len(right)


_MOST_COMPARED = 100  # pairs of numbers


def _derived(trace: Trace) -> frozenset[str]:
    return reckoned(trace.facts["numeral"]) | reckoned(trace.facts.get("amount", _NONE))


def _numbers(first: Trace, second: Trace) -> Features:
    shared, mine, theirs, reckon = numbers_apart(first, second)
    sums = [min(_MOST, sum(map(weight_of, values))) / _MOST for values in (shared, mine, theirs)]
    return {
        "numbers_shared": sums[0],
        "numbers_reckoned": float(reckon),
        "numbers_left_second": sums[2],
        "numbers_left_both": min(sums[1], sums[2]),
        "numbers_apart": float(bool(not shared and not reckon and mine and theirs)),
        "no_number_second": float(not second.facts.get("numeral")),
    }


def _days(first: Trace, second: Trace) -> Features:
    a, b = first.facts.get("date", _NONE), second.facts.get("date", _NONE)
    gap = _ordinal(second.sent_on) - _ordinal(first.sent_on) if first.sent_on and second.sent_on else 0
    return {
        "day_shared": float(bool(a & b)),
        "day_after": float(bool(b) and not _chases(first, second) and all(day > first.sent_on for day in b)),
        "days_between": min(7, max(0, gap)) / 7,
    }


@lru_cache(maxsize=1 << 10)
def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


_FACTS = frozenset({"means", "team", "game", "paper", "relation", "device", "percent"})


def _facts(one: _Side, other: _Side) -> Features:
    first, second = one.trace, other.trace
    shared = apart = added = 0
    for kind in first.facts.keys() & second.facts.keys() & _FACTS:
        a, b = first.facts[kind], second.facts[kind]
        if kind == "means":
            a, b = means_named(a, b)
        common = a & b
        shared += bool(common)
        apart += bool(not common and a and b)
        added += bool(common and b - a)
    names = _names(one, other)
    return {
        "id_shared": float(bool(same_ids(first, second))),
        "facts_shared": min(3, shared) / 3,
        "facts_apart": float(apart > 0),
        "facts_added": float(added > 0),
        "names_shared": float(names > 0),
        "names_apart": float(names < 0),
        "family_apart": float(_apart_in_family(one, other)),
        "counts_apart": float(_counts_apart(first, second)),
    }


def means_named(mine: frozenset[str], theirs: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The ways of paying of each, without "transfer" where one names a bank, for which it is the other's word."""
    if _BANKS.isdisjoint(mine | theirs):
        return mine, theirs
    return mine - _MANNERS, theirs - _MANNERS


_MANNERS = frozenset({"transfer", "sepa", "qr"})  # in which a bank pays: no contradiction to its name
_BANKS = frozenset({"garanti", "ziraat", "yapikredi", "isbank", "akbank", "vakifbank", "halkbank", "denizbank", "qnb",
                    "teb", "ing", "kuveyt", "enpara", "odeabank", "sekerbank", "fibabanka", "revolut", "monzo",
                    "barclays", "hsbc", "n26", "wise"})  # fmt: skip


def _counts_apart(first: Trace, second: Trace) -> bool:
    """Whether both count or number one thing, and otherwise."""
    mine, theirs = first.facts.get("counted", _NONE), second.facts.get("counted", _NONE)
    if not mine or not theirs or not mine.isdisjoint(theirs):
        return False
    nouns = {value.partition(":")[0] for value in mine}
    return any(value.partition(":")[0] in nouns for value in theirs)


def same_ids(first: Trace, second: Trace) -> frozenset[str]:
    """The ids, IBANs and ends of numbers both name, an id perhaps by its digits alone."""
    shared = first.facts.get("iban", _NONE) & second.facts.get("iban", _NONE)
    shared |= first.facts.get("tail", _NONE) & second.facts.get("tail", _NONE)
    mine, theirs = first.facts.get("id", _NONE), second.facts.get("id", _NONE)
    if mine or theirs:
        ends = [{n for n in t.facts.get("numeral", _NONE) if len(n) >= _BARE} for t in (first, second)]
        shared |= {i for i in mine if i in theirs or any(i.endswith(n) for n in ends[1])}
        shared |= {i for i in theirs if any(i.endswith(n) for n in ends[0])}
    return shared


_BARE = 4  # digits of a number that may be the end of an id


def _names(one: _Side, other: _Side) -> int:
    mine, theirs = one.trace.names, other.trace.names
    if not mine and not theirs:
        return 0
    words = [{word[: STEM + 2] for word in side.trace.words.split()} for side in (one, other)]
    if not mine.isdisjoint(words[1]) or not theirs.isdisjoint(words[0]):
        return 1
    return -1 if mine and theirs else 0


_FAMILIES = (
    frozenset({"cashback", "spins", "wagering", "friend", "birthday", "tournament", "jackpot", "vip"}),
    frozenset({"name", "birthdate", "phone", "email", "location", "language", "iban"}),
    frozenset({"withdrawal", "deposit"}),
    frozenset({"copy", "erase", "closure"}),
    frozenset({"odds", "cashout", "settle"}),
    frozenset({"login", "logout", "cashier", "support", "deposit", "withdrawal", "notify", "bet"}),
    frozenset({"pending!", "cancelled!", "rejected!"}),
    frozenset({"slow!", "crashed!"}),
)


_FAMILY_OF = {name: [n for n, f in enumerate(_FAMILIES) if name in f] for f in _FAMILIES for name in f}


def _apart_in_family(one: _Side, other: _Side) -> bool:
    mine = {family for name in one.meant - other.meant for family in _FAMILY_OF.get(name, ())}
    return any(family in mine for name in other.meant - one.meant for family in _FAMILY_OF.get(name, ()))


_CUES = ("resend", "still", "chase", "unheard", "wrote", "shout", "another", "solved", "dropped", "kin",
         "settled", "now", "too", "other", "refused", "vague")  # fmt: skip


_SAYS = {cue: f"says_{cue}" for cue in _CUES}
_NO_TURNS = dict.fromkeys(_SAYS.values(), 0.0)


def _chases(first: Trace, second: Trace) -> bool:
    """Whether what the second says of today is no new matter: he writes again, or it is what happens every day."""
    return bool(second.cues & {"resend", "still"}) or "ads" in first.about & second.about


def _turns(first: Trace, second: Trace) -> Features:
    new = second.cues - first.cues
    found = _NO_TURNS.copy()
    for cue in new & _SAYS.keys():
        found[_SAYS[cue]] = 1.0
    found["again"] = float("another" in new or ("anew" in new and not _chases(first, second)))
    a, b = first.facts.get("deed", _NONE), second.facts.get("deed", _NONE)
    found["deed_turned"] = float(any(f"{d[:-1]}+" in b for d in a if d[-1] == "-" and d not in b))
    found["deed_undone"] = float(any(f"{d[:-1]}-" in b for d in a if d[-1] == "+" and d not in b))
    return found


def total(found: Features) -> float:
    """The weighed sum, from which the score is made."""
    learnt = trained()
    weights = learnt.weights
    return learnt.bias + sum([weights[name] * value for name, value in found.items() if value])


def named(found: Features) -> list[tuple[float, str]]:
    """What weighed most and how a person says it, the strongest first."""
    weights = trained().weights
    said = [(weights[name] * value, name) for name, value in found.items() if value and name in _SAID]
    said = [item for item in said if abs(item[0]) >= _WORTH_SAYING]
    said.sort(key=lambda item: -abs(item[0]))
    return [(value, _SAID[name]) for value, name in said]


_WORTH_SAYING = 0.2
_SAID = {
    "words_left_both": "each has words of its own",
    "restated": "the second says nothing new",
    "counts_apart": "the same thing is counted or numbered otherwise",
    "kept": "the second tells all of the first",
    "opening": "they begin with the same words and go on with others",
    "swap": "nearly the same words, but each has some of its own",
    "swap_unchased": "the same sentence with other words in it",
    "meanings_most": "what one is about is in the other",
    "meanings_shared": "about the same things",
    "meanings_left_both": "each is about something of its own",
    "meanings_left_second": "the second is about more",
    "numbers_shared": "the same numbers",
    "numbers_reckoned": "a number of one is reckoned from the other's",
    "numbers_left_both": "each names numbers of its own",
    "numbers_left_second": "the second names other numbers",
    "numbers_apart": "no number in common",
    "day_shared": "the same day",
    "day_after": "it happened after the first was written",
    "id_shared": "the same id",
    "days_between": "days lie between them",
    "facts_shared": "the same things are named",
    "facts_apart": "different things are named",
    "facts_added": "the second names one thing more",
    "names_shared": "a name in common",
    "names_apart": "other names",
    "family_apart": "about different things of one kind",
    "says_resend": "the second says that it was written before",
    "says_still": "the second says that it lasts",
    "says_chase": "the second waits",
    "says_unheard": "the second got no answer",
    "says_wrote": "the second says that it was written before",
    "says_shout": "the second is angrier",
    "says_another": "it happened again",
    "again": "it happened again",
    "says_solved": "the second says that the first is solved",
    "says_settled": "the second says that something is settled",
    "says_dropped": "the second takes it back",
    "says_kin": "the second is about another person",
    "says_too": "the second adds something",
    "says_other": "the second tells it from another",
    "says_refused": "the second has been refused since",
    "deed_turned": "what had not happened has happened since",
    "deed_undone": "what had happened has not happened in the second",
}
