"""Whether a sender says to be under 18, and whether a message reports somebody else who is.

Works on `rules.plain_words`: folded, one blank between words. What people say is in `age_phrases`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import re2

from router import age_births, age_numbers, age_own
from router.age_phrases import ABOUT, ADULT, DECLARED, KIN, NOT_PLAYING, OF_CALLER, PLAYING, SIGNS

_SURE, _PERHAPS = 3.0, 2.5
_ADULT = 18
# A quick look before all others: only words, no gaps, so the automaton stays small
_MAYBE = re2.compile(
    r" (?:yas(?:im|in|i |ta |da | |1|l)|(?:ya)?sim |resit|ergin|lise|(?:orta|ilk) ?okul|okul"
    r"|[^ ]?1[0-8](?:[^0-9]|$)|(?:0?[3-9]|1[0-2]) ?[a-h]? ?"
    r"(?:sinif|yas|klasse|class|grade|form|th|inci|nci|uncu|d[ae]y|yo |years|лет|класс|سن|[ea] g|y[ea] g|[a-h] )"
    r"|on ?(?:iki|uc|dor|bes|alti|yedi|sekiz|yas)|(?:[a-z]{2,6}inci|[a-z]{2,4}uncu) sinif|sinif|dogum"
    r"|dogd|d ?o ?b |born|birth|bday|gebor|geburt|jahrgang"
    r"|(?:me|im|am|is|be|turned|only|just) (?:ten|eleven|twelve)|(?:eleven|twelve) (?:year|yo)"
    r"|[a-z]{3,5}teen|(?:year|yr|grade|gr|form|class|std|primary|j?ss|y|g|kelas) ?[1-9]|(?:year|grade"
    r"|class|form) (?:three|four|five|six|seven|eight|nine|ten|eleven|twelve) |(?:iki ?bin"
    r"|two thousand)|that age"
    r"|(?:[a-z]{3,8}th|first|second|third) (?:grade|class|form|year)|(?:high|middle|secondary|boarding"
    r"|to|at|in) ?school|highschool|sixth form|gcse|waec|matric"
    r"|sophomore|freshman|(?:of|my|the|legal|full) age |old en|too young|bit young|under ?age|minor "
    r"|legally |(?:funf|sechs|sieb|acht|neun|zehn|elf)te|not legal|not allowed|not an adult|teen"
    r"|a kid |a child |schoolk"
    r"|200[5-9]|201[0-9]|0[5-9](?:l|dog)|[a-z]{3,6}zehn|klasse|vollja|minderj|schuler|zu jung"
    r"|alt genug|[a-z]{4,6}te klasse"
    r"|надцат|[^ ]*надцат|лет |класс|[^ ]+классни|несоверш|совершен|школ|малолет|возраст|рожден|родил"
    r"|[^ ]{0,2}عمر|[^ ]?قاصر|[^ ]{0,3}صف|[^ ]{0,3}ثانوي|[^ ]{0,2}متوسط|[^ ]{0,3}اعدادي|[^ ]?مواليد"
    r"|ولدت|ميلاد|سني|السن|عشر|[^ ]+(?:طعش|تاشر|تاش|طاشر)"
    r"|karne|lgs|yks|tyt|ders(?:te|i|ten)|hoca |ogretmen|an adult|homeroom|prom |be legal|schule |teacher|огэ"
    r"|егэ|перемен|مصروف|velim|harclig|teneffus|odev|"
    r"dershane|cocugum|cocuk |kucugum|ehliyet|kimligim|taschengeld|roblox)"
)
_EAST_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_EAST_DIGIT = re.compile("[٠-٩۰-۹]")
_SINCE = re.compile(
    r" (?:(1[0-7]):(?:imde|imda|umda|imden|inde|unda|sinda|\S+mden|\S+mdan)|(1[0-7]) yas\S*|(?:started"
    r"|since|began|joined)"
    r"(?: playing| betting| at| when| i was| here| age){0,4} (1[0-7])) (?:\S+ ){0,8}?(\d|bir|one"
    r"|a) (?:sene|yil|years?)"
)
# "haftaya 18im" is said by somebody of 17
_SOON_18 = re2.compile(
    r" (?:ay|aya|haftaya|hafta|seneye|sene|yila|yarin|yazin|sonra|gune|gun) 18:[iu][mz]"
    r"| (?:sonra|seneye|yakinda|yazin) resit(?:im|iz)"
    r"| (?:till|until|when|once|before) (?:im|i am|being|becoming) an adult"
)
_SINCE_2000 = {"sekiz": 8, "dokuz": 9, "on": 10, "onbir": 11, "oniki": 12, "onuc": 13, "ondort": 14}
_SINCE_2000 |= {"seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13}
_YEAR_IN_WORDS = re.compile(
    r" (?:iki ?bin|two thousand(?: and)?) ?(sekiz|dokuz|on ?(?:bir|iki|uc|dort)|on|seven|eight|nine"
    r"|ten|eleven|twelve|thirteen)"
    r"(l[iu]\w{0,8}|um|)(?= )"
)
_AT_SCHOOL_ONCE = re.compile(
    r" (?:was|were)(?: still| only| just)?(?: an?| in| at| my| the){1,2} (?:freshman|sophomore|junior|senior"
    r"|high ?school"
    r"|middle school|school|(?:year|grade) \d+)(?: (?:in|at|year)(?: the)? high ?school)?(?= )"
)
_OLD_EXAMS = re.compile(r" gcses? (?:back )?in (?:19|20[01])\d+(?= )")
_CLASS_OF_KIN = re.compile(
    r" (?:ابني|بنتي|ابنتي|ولدي|اخوي|اخي|اختي|حفيدي|ابن \S{1,20})(?: \S{1,20}){0,2} "
    r"(?:ب|في |ب?ال)?(?:ال)?صف(?: \S{1,20})?(?= )"
)
_SINCE_STEMS = ("basla", "beri", "started", "since", "began", "joined")
_ONE = {"bir", "one", "a"}


@dataclass(frozen=True, slots=True)
class Age:
    """What a text says: the sender is a minor, somebody else is, or it cannot be told and a person should look."""

    sender: bool = False
    reported: bool = False
    unsure: bool = False
    reason: str = ""
    hints: float = 0.0  # signs of a minor that alone say too little


_NOTHING = Age()


def read(plain: str, when: datetime | int) -> Age:
    """The ages a text of `plain_words` declares; `when` is the date (or only the year) it was written."""
    if not plain.isascii() and _EAST_DIGIT.search(plain):
        plain = plain.translate(_EAST_DIGITS)
    if not _MAYBE.search(plain.encode("utf-8", "replace")):
        return _NOTHING
    told = age_numbers.told(_respelt(plain))
    people = age_numbers.of_people(told)
    text = people.encode("utf-8", "replace")
    about = ABOUT.search(text)
    declared = DECLARED.search(text) or age_own.found(text) or _of_caller(text, about)
    if declared and age_own.is_of_a_teacher(text, declared[0]):
        declared = None
    reported = about is not None and PLAYING.search(text) is not None and not NOT_PLAYING.search(text)
    joined = f" {' '.join(told)} "
    births = age_births.of(told, when) if any(map(joined.__contains__, age_births.STEMS)) else age_births.NONE
    grown = bool(births.adults) or ADULT.search(_SOON_18.sub(b" ", text)) is not None
    if grown and births.mistaken and not declared:
        return Age(reported=reported)
    if grown and (declared or births.minors):
        return Age(reported=reported, unsure=True, reason="names two ages, one of them under 18")
    if declared:
        return Age(sender=True, reason=f"sender declares: “{_quoted(declared)}”")
    if births.minors:
        return Age(sender=True, reason=f"born {births.age} years before the message")
    if births.between and not births.adults:
        return Age(reported=reported, unsure=True, reason="turns 18 this year")
    if (since := _since(joined)) and since < _ADULT:
        return Age(sender=True, reason=f"began so young that he is {since} now")
    said = f"about a minor: “{_quoted(about)}”" if about and reported else ""
    return _by_signs(text, grown or about is not None, Age(reported=reported, reason=said))


def _respelt(plain: str) -> str:
    """Years in words as digits, and what is two words for one thing as one."""
    plain = plain.replace(" d o b ", " dob ").replace(" cocuk ses", " kucuk ses")
    if "bin " in plain or "two thousand" in plain:
        plain = _YEAR_IN_WORDS.sub(_year_told, plain)
    if " was " in plain or " were " in plain:
        plain = _AT_SCHOOL_ONCE.sub(" was there ", plain)
    if "gcse" in plain:
        plain = _OLD_EXAMS.sub(" exams ", plain)
    if "الصف" in plain or " صف " in plain:
        plain = _CLASS_OF_KIN.sub(" بنتي ", plain)
    return plain


def _year_told(found: re.Match[str]) -> str:
    after = found[1].replace(" ", "")
    return f" {2000 + _SINCE_2000[after]}{found[2] or ''}"


def _of_caller(text: bytes, about: Any) -> Any:
    """What an agent notes of the caller's own age; not where a child is named in it or before it."""
    found = OF_CALLER.search(text)
    if not found or KIN.search(found[0]) or (about and about.start() < found.start()):
        return None
    return found


def _quoted(found: Any) -> str:
    return str(found[0].decode("utf-8", "replace").strip())


def _by_signs(text: bytes, spoken_for: bool, otherwise: Age) -> Age:
    """What several signs say together, or `otherwise` with what they hint at."""
    hints = 0.0 if spoken_for else sum(weight for weight, pattern in SIGNS if pattern.search(text))
    if hints >= _PERHAPS:
        return Age(hints >= _SURE, unsure=hints < _SURE, reason="speaks like a minor: several signs of age")
    return replace(otherwise, hints=max(hints, 0.0))


def _since(text: str) -> int:
    """The age of today of somebody who tells when he began and for how long he has been there; 0 where he does not."""
    if not any(stem in text for stem in _SINCE_STEMS) or not (found := _SINCE.search(text)):
        return 0
    began = int(next(group for group in found.groups() if group))
    return began + (1 if found[4] in _ONE else int(found[4]))
