"""Dates of birth that a text names, and the ages they give at the date of the message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_MONTHS = {
    "ocak": 1, "subat": 2, "mart": 3, "nisan": 4, "mayis": 5, "haziran": 6, "temmuz": 7, "agustos": 8, "eylul": 9,
    "ekim": 10, "kasim": 11, "aralik": 12, "jan": 1, "january": 1, "feb": 2, "february": 2, "march": 3, "april": 4,
    "may": 5, "june": 6, "july": 7, "jul": 7, "jun": 6, "aug": 8, "august": 8, "sep": 9, "sept": 9, "september": 9,
    "oct": 10, "october": 10, "nov": 11, "november": 11, "dec": 12, "december": 12, "januar": 1, "februar": 2,
    "marz": 3, "mai": 5, "juni": 6, "juli": 7, "oktober": 10, "dezember": 12, "января": 1, "февраля": 2, "марта": 3,
    "апреля": 4, "мая": 5, "июня": 6, "июля": 7, "августа": 8, "сентября": 9, "октября": 10, "ноября": 11,
    "декабря": 12, "يناير": 1, "فبراير": 2, "مارس": 3, "ابريل": 4, "مايو": 5, "يونيو": 6, "يوليو": 7, "اغسطس": 8,
    "سبتمبر": 9, "اكتوبر": 10, "نوفمبر": 11, "ديسمبر": 12,
}  # fmt: skip
_YEAR = re.compile(r"((?:19[3-9]|20[0-2])\d)(\D*)$")
_OF_ME = re.compile(r"(?:l[iu]y[iu][mz]|[iu]m|dogumluy[iu][mz]|l[iu]yumm?|muş|mus)$")
_BORN_OF_ME = re.compile(
    r"(?:dogumlu(?:y\S*m|y\S*z|m|yum\S*)|dogdum|dogmusum|yum|yim|luyum|liyim|baby|modelim|modeliyim|musum)$"
)
_MONTH_OF_ME = re.compile(r"([a-z]{4,7}?)(?:l[iu]y[iu]m|lu|li|ta|te|da|de)?$")
_OF_BIRTH = re.compile(
    r"(?:dogum(?:um|umu|lu|luyum)?|dob|birth|birthday|birthdate|bday|born|geboren\S*|geburtstag"
    r"|geburtsdatum|jahrgang"
    r"|dogdum\S*|dogdugum\S*|родил\S*|рождени\S*|др|مواليد\S*|ولدت|ميلادي?|مولود\S*|وانولدت|تولد|dogmusum)$"
)
_AFTER_BIRTH = re.compile(r"(?:geboren|geburtstag|рождения|dogumlu|dogdum\S*|baby|doguml\S+)$")
_DOCUMENT = re.compile(
    r"(?:kimli\S+|nufus\S*|cuzdan\S*|ehliyet\S*|pasaport\S*|ustunde|ustumde|id|passport|licen[cs]e"
    r"|ausweis|perso|паспорт\S*|هوية\S*|هويتي)$"
)
_SHOWS = re.compile(
    r"(?:yaz\S+|gozuk\S+|gorun\S+|diyo\S*|diye|says|shows|on|steht|var|yaziyor|written|стоит|написано)$"
)
_TRUE = re.compile(
    r"(?:real|really|actual|actually|true|truth|gercek\S*|asli\S*|aslinda|dogrusu|wirklich|echt)$"
)
_CLAIMED = re.compile(r"(?:yazm\S+|yazd\S+|girm\S+|girdim|yapmis\S+|yaptim|sectim|secmis\S+|demis\S*|dedim)$")
_CLAIM = re.compile(
    r"(?:put|wrote|entered|said|typed|gave|used|lied|picked|set|chose|angegeben|указал\S?|написал\S?)$"
)
_KIN = re.compile(
    r"(?:oglu\S*|kizi\S*|kardes\S*|cocu[gk]\S*|yegen\S*|torun\S*|kuzen\S*|son|sons|daughters?|kids?"
    r"|child|brothers?|sisters?"
    r"|nephew|niece|cousins?|grandson|sohn\S*|tochter|bruder\S*|сын\S*|доч\S+|брат\S*|ابني|ابنتي|بنتي|اخي|اخوي"
    r"|abim\S*|annem\S*|babam\S*)$"
)
_PRONOUNS = frozenset({"he", "she", "his", "her"})
_CALLERS = frozenset({"caller", "customer", "client", "player", "user"})
_NO_BIRTH = re.compile(r"(?:since|member|beri|customer|account|model|iphone)$")
_MISTAKEN = re.compile(
    r"(?:yanlis\S*|yerine|secmis\S*|cikmis|gorun\S*|kay(?:mis|di)|mistake\S*|wrong|typo|instead"
    r"|accident\S*)$"
)
_SHORT = re.compile(
    r" (?:dob|dogum (?:tarih|gun)\S*|date of birth|birthday|born)(?: [a-z]\S*){0,3} (\d{1,2}) (\d{1,2}) (\d\d) "
)
_SHORT_YEAR = re.compile(r" (0\d):?(?:l[iu]y[iu]m|dogumluyum|l[iu] dogumluyum) | 0(\d) dogumluyum ")
STEMS = (" 19", " 20", " 0", "dogum", " dob ", " birth", " born ")  # none of these, no birth
_OF_SHORT = frozenset("dob dogum birth birthday born".split())  # noqa: SIM905
_ADULT, _EARLIEST = 18, 100


@dataclass(frozen=True, slots=True)
class Births:
    """The ages given by dates of birth: of the sender as he tells them, and what he claims he has put down."""

    minors: int = 0
    adults: int = 0
    between: int = 0  # turns 18 in the year or month of the message
    age: int = 0  # the lowest
    mistaken: bool = False  # the minor's may be a slip of the finger


NONE = Births()


def _day_and_month(words: list[str], at: int) -> tuple[int, int]:
    """Month and day told beside the year at this place, 0 where they are not."""
    follows = words[at + 1] if at + 1 < len(words) else ""
    month = (found := _MONTH_OF_ME.match(follows)) and _MONTHS.get(found[1], 0)
    if month:
        return month, 0
    last, first = (words[at - 1] if at else ""), (words[at - 2] if at > 1 else "")
    day, named = _number(first), _MONTHS.get(last, 0)
    if named:
        return named, day
    if named := _MONTHS.get(first, 0):
        return named, _number(last)
    month = _number(last)
    if day > 0 and month > 12:
        day, month = month, day
    return (month, day) if 0 < month <= 12 else (0, 0)


def _number(word: str) -> int:
    digits = word.partition(":")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 3 and int(digits) < 32 else 0


def _range(year: int, month: int, day: int, when: datetime | int) -> tuple[int, int]:
    """The least and the greatest age at that date."""
    if isinstance(when, int):
        return when - year - 1, when - year
    age = when.year - year
    if not month:
        return age - 1, age
    if month != when.month:
        return (age, age) if month < when.month else (age - 1, age - 1)
    if not day:
        return age - 1, age
    return (age, age) if day <= when.day else (age - 1, age - 1)


def _is_of_sender(words: list[str], at: int, ending: str) -> bool:
    """Whether a year is one in which the sender says to be born."""
    follows = words[at + 1 : at + 4]
    if _OF_ME.match(ending) or any(_BORN_OF_ME.match(word) for word in follows[:2]):
        return True
    if follows and (found := re.match(r"([a-z]{4,7}?)l[iu]y[iu]m$", follows[0])) and found[1] in _MONTHS:
        return True
    before = words[max(0, at - 7) : at]
    if any(_KIN.match(word) for word in before):
        return False
    if not _PRONOUNS.isdisjoint(before) and _CALLERS.isdisjoint(words[:at]):
        return False
    if before[-1:] == ["a"] and before[-2:-1] in (["im"], ["am"]):
        return not any(_NO_BIRTH.match(word) for word in words[at + 1 : at + 2])
    if any(_OF_BIRTH.match(word) for word in before) or any(_AFTER_BIRTH.match(word) for word in follows[:2]):
        return not any(_NO_BIRTH.match(word) for word in words[at + 1 : at + 3])
    if any(_DOCUMENT.match(word) for word in before):
        return any(map(_SHOWS.match, [*follows, *before[-2:]]))
    return _is_i_am(words, at) or (
        any(_TRUE.match(word) for word in before[-3:]) and any(_OF_BIRTH.match(word) for word in words[:at])
    )


def _is_i_am(words: list[str], at: int) -> bool:
    """Whether it is the year of an adult told as he tells his age: "I'm 1992"."""
    return at > 0 and words[at - 1] in {"im", "am"} and words[at].startswith("19")


def _is_claimed(words: list[str], at: int) -> bool:
    """Whether the year is said to have been put down rather than true."""
    if _is_i_am(words, at):
        return False
    return any(_CLAIMED.match(word) for word in words[at + 1 : at + 5]) or any(
        _CLAIM.match(word) for word in words[max(0, at - 3) : at]
    )


def _is_firm(words: list[str], at: int, ending: str) -> bool:
    """Whether the sender says it in the first person."""
    follows = words[at + 1] if at + 1 < len(words) else ""
    return _OF_ME.match(ending) is not None or _BORN_OF_ME.match(follows) is not None


def _is_shown(words: list[str], at: int) -> bool:
    return any(_SHOWS.match(word) for word in words[at + 1 : at + 3])


def of(words: list[str], when: datetime | int) -> Births:
    """The births of the sender in words of `age_numbers.told`; a plain year as `when` knows no month."""
    minors = adults = between = 0
    ages: list[int] = []
    shown = firm = mistaken = False
    for at, word in enumerate(words):
        if (
            word[0] not in "12"
            or len(word) < 4
            or not (found := _YEAR.match(word))
            or not _is_of_sender(words, at, found[2])
        ):
            continue
        low, high = _range(int(found[1]), *_day_and_month(words, at), when)
        if low < 0 or high > _EARLIEST:
            continue
        if low >= _ADULT:
            adults += not _is_claimed(words, at)
            firm = firm or _is_firm(words, at, found[2])
        elif high < _ADULT:
            minors += 1
            ages.append(low)
            shown = shown or _is_shown(words, at)
            mistaken = mistaken or any(_MISTAKEN.match(near) for near in words[max(0, at - 6) : at + 4])
        else:
            between += 1
    for low in _short(words, when):
        minors += low < _ADULT
        ages.append(low)
    if shown and firm and minors == 1:
        minors = 0
    return Births(minors, adults, between, min(ages, default=0), mistaken)


def _short(words: list[str], when: datetime | int) -> list[int]:
    """Ages from years of two digits: "dob 14/09/09", "09luyum"."""
    ages: list[int] = []
    if _OF_SHORT.isdisjoint(words) and not any(word[0] == "0" for word in words):
        return ages
    told = f" {' '.join(words)} "
    for found in _SHORT.finditer(told):
        low, high = _range(
            2000 + int(found[3]), int(found[2]) if int(found[2]) < 13 else 0, int(found[1]), when
        )
        ages += [low] if 0 < high < _ADULT else []
    for found in _SHORT_YEAR.finditer(told):
        low, high = _range(2000 + int(found[1] or found[2]), 0, 0, when)
        ages += [low] if 0 < high < _ADULT else []
    return ages
