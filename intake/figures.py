"""Numbers in a folded text: by what they count where they are neither money nor ids, and all as plain values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

import re2

_NUMBER = re.compile(r"\d{1,12}(?:[.,:]\d{1,6}){0,3}")
_AFTER = re.compile(r"['’]?([a-z%]{0,12}) ?([a-z]{0,14})(?: ([a-z]{0,14}))?")
_MONTHS = (
    "ocak",
    "subat",
    "mart",
    "nisan",
    "mayis",
    "haziran",
    "temmuz",
    "agustos",
    "eylul",
    "ekim",
    "kasim",
    "aralik",
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
# what is counted says nothing about which matter it is
_UNITS = (
    "gun",
    "saat",
    "dakika",
    "dk",
    "saniye",
    "sn",
    "hafta",
    "ay",
    "yil",
    "yas",
    "kez",
    "kere",
    "defa",
    "kat",
    "kisi",
    "puan",
    "day",
    "hour",
    "minute",
    "week",
    "month",
    "year",
    "times",
    "asama",
    "adim",
    "is",
)
_SPINS = ("freespin", "free", "bedava", "ucretsiz", "cevirme", "spin", "donus")
_LOCATIVE = re.compile(r"(?:s?[iu])?(?:nda|nde|nin|nun)\Z")
_ORDINAL = ("st", "nd", "rd", "th")
_AT_THE_HOUR = re.compile(r"(?:[dt][ae](?:ki)?)?\Z")
# what clerks and sites number: "44-1982", "BT7918", "WD 55812", the end of a transaction hash
_CODED = re2.compile(
    r"\b(?:(\d{2,6}-\d{3,10})|([a-z]{1,4}-?|(?:wd|dp|tx|bt|trx|txn|dep|wdr|ref|inv|kp|tk|ck|cp) )"
    r"#?(\d{4,12})|(?:sonu|bitisi|biten|ending(?: in| with)?|ends(?: in)?) "
    r"(\d{2} \d{2}|[0-9a-f]{3,6}))\b"
)
_NO_PREFIX = frozenset(
    """saat ayin yil sonu ve de da bu en in of for on to at by my the was is not and all tl usd eur gbp try than over
    from only i a bir iki uc bes on tam net bana ben yani once son ocak mart may jun jul aug sep oct nov dec jan feb mar
    apr year pay paid won lost kart iban trc erc bep usdt btc eth usdc""".split()  # noqa: SIM905  (easier to read)
)
_MONTH_ALONE = re2.compile(
    r"\b(?:(ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos|eylul|ekim|kasim|aralik)"
    r"(?: ayi\w{0,5}| bonusu\w*| cekilisi\w*| icin| ekstresi\w*| faturasi\w*| kampanyasi\w*)"
    r"|(?:in|for|of|since|last) (january|february|march|april|may|june|july|august|september"
    r"|october|november|december))\b"
)
_AT = ("de", "da", "te", "ta", "deki", "teki")
_HOURLY = ("oyun", "mac", "gibi", "sular", "civar", "seans", "el")
_TAIL_BEFORE = ("sonu ", "bitisi ", "ending ", "ending in ", "ending with ", "* ", "*")
_NUMERALS = {"iki": 2, "uc": 3, "dort": 4, "bes": 5, "alti": 6, "yedi": 7, "sekiz": 8, "dokuz": 9, "on": 10}
_NUMERALS |= {
    "yirmi": 20,
    "otuz": 30,
    "kirk": 40,
    "elli": 50,
    "altmis": 60,
    "yetmis": 70,
    "seksen": 80,
    "doksan": 90,
}
_SPELT = re2.compile(rf"\b(?:(?:{'|'.join(_NUMERALS)}|yuz|bin) ?){{1,12}}\b")
_EACH = re.compile("|".join(sorted((*_NUMERALS, "yuz", "bin"), key=len, reverse=True)))
_DAY_SPELT = re.compile(r"\bayin ((?:on )?[a-z]+)")
_DAY_WORDS = sorted({**_NUMERALS, "bir": 1}.items(), key=lambda item: -len(item[0]))
_LEAST_SPELT = 200

Figure = tuple[str, str]
"""Kind (number, percent, time, tail, factor, spins, year, date) and canonical value."""


def figures_of(folded: str, today: date) -> Iterator[Figure]:
    """Every figure; days of a month are given as the last such date before or on `today`. Linear in the text."""
    for match in _NUMBER.finditer(folded):
        start, end = match.span()
        after = _AFTER.match(folded, end)
        suffix, following, third = (after[1], after[2], after[3] or "") if after else ("", "", "")
        if dated := _dated(match[0], suffix or following, today):
            yield "date", dated
            continue
        figure = _figure(match[0], folded[max(0, start - 14) : start], (suffix, following, third))
        if figure:
            kind, value = figure
            yield figure if kind != "day" else ("date", _last(int(value), today))
    yield from _coded(folded)
    if "yuz" in folded or "bin" in folded:
        yield from (("number", str(value)) for value in _spelt(folded))
    spelt = _DAY_SPELT.search(folded) if "ayin " in folded else None
    if spelt:
        yield "date", _last(sum(_day_word(word) for word in spelt[1].split()), today)


def _dated(typed: str, following: str, today: date) -> str:
    """The day of "18.11 saat 14:10" and "18.11 tarihinde"; empty for what is no day and month."""
    if not following.startswith(_DAY_FOLLOWS) or not _DAY_AND_MONTH.match(typed):
        return ""
    day, month = int(typed[:2]), int(typed[3:])
    try:
        found = date(today.year, month, day)
        return (found if found <= today else date(today.year - 1, month, day)).isoformat()
    except ValueError:
        return ""


_DAY_FOLLOWS = ("saat", "tarih", "gunu")
_DAY_AND_MONTH = re.compile(r"\d\d\.\d\d\Z")


def _coded(folded: str) -> Iterator[Figure]:
    """Numbers with a letter or a dash in them, ends of long ones, and months that stand alone."""
    encoded = folded.encode("utf-8", "replace")
    for match in _CODED.finditer(encoded):
        dashed, prefix, digits, tail = (group.decode() if group else "" for group in match.groups())
        if tail:
            if any(c.isdigit() for c in tail):
                yield "tail", tail.replace(" ", "")
        elif dashed:
            if encoded[match.end() : match.end() + 1] != b"-":
                yield "id", dashed.replace("-", "")
        elif (prefix := prefix.strip(" -")) not in _NO_PREFIX:
            yield "id", prefix + digits
    for match in _MONTH_ALONE.finditer(encoded):
        name = (match[1] or match[2]).decode()
        yield "month", str(next(n for n, month in enumerate(_MONTHS) if name.startswith(month)) % 12 + 1)


def _figure(typed: str, before: str, after: tuple[str, str, str]) -> Figure | None:
    suffix, following, third = after
    if "%" in (suffix[:1], before[-1:], before[-2:-1]) or before.endswith("yuzde "):
        return "percent", typed
    if (clock := _clock(typed, suffix, following)) is not None:
        return ("time", clock) if clock else None
    if len(typed) == _TAIL and (before.endswith(_TAIL_BEFORE) or (following, third) == ("ile", "biten")):
        return "tail", typed
    if (following or suffix).startswith(_MONTHS) or before.rstrip().split(" ")[-1].startswith(_MONTHS):
        return None
    if typed.isdigit() and (day := _of_month(int(typed), before, suffix)):
        return "day", str(day)
    return _counted(typed, suffix, following, third)


def _counted(typed: str, suffix: str, following: str, third: str) -> Figure | None:
    """A number by the word behind it."""
    if suffix == "x":
        return "factor", typed.replace(",", ".")
    if any(word.startswith(_SPINS) for word in (suffix, following, third)):
        return "spins", typed
    if len(typed) == _TAIL and typed.startswith(_YEARS) and _is_year(suffix):
        return "year", typed
    if (suffix or following).startswith(_UNITS) or following.startswith(_UNITS):
        return None
    return "number", plain(typed, thousands=suffix in _THOUSAND or (not suffix and following in _THOUSAND))


_YEARS = ("201", "202", "203")
_TAIL = 4  # digits of a card's end, and of a year
_THOUSAND = ("k", "bin")


def _clock(typed: str, suffix: str, following: str) -> str | None:
    """The time of day; empty for what only looks like one, such as a date; None for any other number."""
    parts = re.split("[.:,]", typed)
    if (
        len(parts) == 3
        and "." in typed
        and len(parts[2]) in (2, 4)
        and int(parts[1]) <= 12
        and int(parts[0]) <= 31
    ):
        return ""
    if len(parts) != 2 or "," in typed or len(parts[1]) != 2 or int(parts[0]) > 23 or int(parts[1]) > 59:
        return None
    spoken = (suffix and _AT_THE_HOUR.match(suffix)) or following.startswith(_HOURLY) or following in _AT
    return f"{parts[0]}:{parts[1]}" if ":" in typed or spoken else None


def _of_month(value: int, before: str, suffix: str) -> int:
    """The day of the month that is meant ("9'unda", "ayin 9", "the 9th"); 0 where none is."""
    meant = bool(_LOCATIVE.match(suffix)) or before.endswith("ayin ")
    meant = meant or (before.endswith("the ") and suffix in _ORDINAL)
    return value if meant and 1 <= value <= 31 else 0


def _is_year(suffix: str) -> bool:
    return suffix in (
        "",
        "e",
        "a",
        "i",
        "u",
        "te",
        "de",
        "ye",
        "ta",
        "da",
        "den",
        "ten",
        "in",
        "un",
        "yil",
        "yili",
    )


def plain(typed: str, *, thousands: bool = False) -> str:
    """A number as Turks or Americans write it, without what says nothing: 1.250,50 is 1250.5, 2k is 2000."""
    mark = max(typed.rfind("."), typed.rfind(","))
    whole, fraction = (typed[:mark], typed[mark + 1 :]) if mark >= 0 else (typed, "")
    if len(fraction) == 3 and whole != "0" and not thousands:
        whole, fraction = whole + fraction, ""
    whole = re.sub(r"\D", "", whole)
    if thousands:
        return str(round(float(f"{whole or 0}.{fraction or 0}") * 1000))
    fraction = fraction.rstrip("0")
    return f"{int(whole or 0)}.{fraction}" if fraction else str(int(whole or 0))


def _spelt(folded: str) -> Iterator[int]:
    """Numbers of two hundred and more in Turkish words: "dort bin iki yuz" is 4200."""
    encoded = folded.encode("utf-8", "replace")
    for match in _SPELT.finditer(encoded):
        value = _value(_EACH.findall(match[0].decode()))
        after_a_figure = encoded[max(0, match.start() - 3) : match.start()].rstrip()[-1:].isdigit()
        if value >= _LEAST_SPELT and not after_a_figure:
            yield value


def _value(words: list[str]) -> int:
    total = group = 0
    for word in words:
        if word == "bin":
            total, group = total + max(group, 1) * 1000, 0
        elif word == "yuz":
            group = max(group, 1) * 100
        else:
            group += _NUMERALS[word]
    return total + group


def _day_word(word: str) -> int:
    return next((value for begins, value in _DAY_WORDS if word.startswith(begins)), 0)


def _last(day: int, today: date) -> str:
    """The last such day of a month that is not in the future; empty where no month has it."""
    for back in range(62):
        candidate = today - timedelta(days=back)
        if candidate.day == day:
            return candidate.isoformat()
    return ""


# all numbers, for weighing rather than deciding

_SMALL = {**_NUMERALS, "yuz": 100, "bin": 1000}
_SMALL |= {
    word: number
    for number, word in enumerate(
        """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty""".split(),  # noqa: SIM905  (easier to read)
        2,
    )
}
_SMALL |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_SMALL |= {"hundred": 100, "thousand": 1000}
_ENDINGS = ("luk", "lik", "lugu", "ligi", "inci", "uncu", "nci", "ncu", "si", "de", "da", "te", "ta", "den", "dan",
            "er", "ar", "e", "a")  # fmt: skip
_VALUES = _SMALL | {
    word + ending: value for word, value in _NUMERALS.items() if word != "on" for ending in _ENDINGS
}
_VALUES |= {"yuzluk": 100, "yuzde": 0, "binlik": 1000, "binlige": 1000, "onluk": 10}
_DURATIONS = ("gun", "saat", "hafta", "day", "hour", "week", "month", "ay", "yil", "year", "tag", "woche", "stund",
              "dakka", "dakika", "dk", "min", "дн", "час", "kez", "kere", "defa", "times")  # fmt: skip
_LEAST_COUNTED = 100  # of what a duration is named in
_DAY_OF_A_MONTH = re.compile(r"\d{1,2}\.\d{1,2}\.\d{2,4}\Z")
_HALVES = ("bucuk", "bucugu")
_NUMBER_WORDS = _VALUES.keys() | {*_HALVES}


def numerals(tokens: list[str]) -> set[str]:
    """The values of all numbers of a folded text's words and figures in order, but for days, hours and durations."""
    found: set[str] = set()
    spelt: list[float] = []
    last = len(tokens) - 1
    for place, token in enumerate(tokens):
        if not (token in _NUMBER_WORDS or token[0].isdigit()):
            continue
        following = tokens[place + 1] if place < last else ""
        if spelt and token in _HALVES:
            spelt[-1] += 0.5
            continue  # "bin" follows
        if token in _VALUES:
            spelt.append(_VALUES[token])
            if following in _VALUES or _goes_on(tokens, place):
                continue
        elif spelt:
            spelt.append(float(token))
        elif token[0].isdigit():
            if (typed := _typed(token, following)) is None:
                continue
            if following == "bin" or _goes_on(tokens, place):
                spelt.append(typed / 1000 if following == "bin" else typed)
                continue
            found.add(_shown_value(typed + 0.5 if following in _HALVES else typed))
        if spelt:
            if (value := _sum(spelt)) and not _is_duration(value, following) and (spelt != [10]):
                found.add(_shown_value(value + 0.5 if following in _HALVES else value))
            spelt = []
    return found - _TOO_SMALL


_UNCOUNTED = (*_DURATIONS, *_MONTHS, "lira", "dolar", "euro", "usd", "try", "gbp", "pound", "buck", "quid", "tl",
              "bin", "sani", "saniye", "sec", "kisi", "tane", "adet")  # fmt: skip
_TOO_SMALL = {"0", "1"}


def counted(tokens: list[str]) -> set[str]:
    """What small numbers count or number ("scatt:3" of "3 scatter"), but for money, days and durations."""
    return {
        f"{following[:_NOUN]}:{_VALUES[token] if token in _VALUES else int(token)}"
        for token, following in pairwise(tokens)
        if (token in _VALUES or (len(token) <= _SMALL_DIGITS and token.isdecimal()))
        and len(following) >= _SHORTEST_NOUN
        and following.isalpha()
        and not following.startswith(_UNCOUNTED)
        and following not in _NUMBER_WORDS
    }


_SMALL_DIGITS = 3
_NOUN = 5  # letters of what is counted
_SHORTEST_NOUN = 3


def _goes_on(tokens: list[str], place: int) -> bool:
    """Whether a number goes on: after "18 bin" in figures, "290", or before "bucuk bin"."""
    following = tokens[place + 1 : place + 3]
    if tokens[place] == "bin":
        return bool(following) and _is_rest(following[0]) and following[1:] != ["bin"]
    return len(following) == 2 and following[0] in _HALVES and following[1] == "bin"


def _is_rest(token: str) -> bool:
    return len(token) == _HUNDREDS and token.isdecimal()


_HUNDREDS = 3  # digits


def _typed(token: str, following: str) -> float | None:
    """A number in figures; None for a time, a day or a duration."""
    if ":" in token or _DAY_OF_A_MONTH.match(token):
        return None
    thousand = following in _THOUSAND
    try:
        value = float(plain(token, thousands=thousand))
    except ValueError:
        return None
    return None if _is_duration(value, following) else value


def _is_duration(value: float, following: str) -> bool:
    return value < _LEAST_COUNTED and following.startswith(_DURATIONS)


def _sum(values: list[float]) -> float:
    total = group = 0.0
    for value in values:
        if value == 1000:
            total, group = total + max(group, 1) * 1000, 0
        elif value == 100:
            group = max(group, 1) * 100
        else:
            group += value
    return total + group


def _shown_value(value: float) -> str:
    return f"{value:.12g}"


def weight_of(value: str) -> float:
    """How much it says that two texts name this number: long and odd ones say more."""
    number = float(value)
    if number < 32:
        return 0.25 if number < 10 else 0.5
    digits = len(value.replace(".", "").strip("0"))
    return 0.8 if digits < 2 else 1.0 if digits < 3 else 1.4


def near(one: str, other: str, *, roughly: bool = False) -> bool:
    """Whether one is the other as people round it: 63 bin is 63,400, 14 is 14.80; `roughly` where they say so."""
    a, b = sorted((float(one), float(other)))
    if a < _LEAST_ROUNDED or b - a > _ROUGHLY * b:
        return False
    if a == int(b):
        return True
    shorter, longer = sorted((_digits(a), _digits(b)))
    if shorter > _ROUND_DIGITS or shorter == longer:
        return False
    off = (b - a) / b
    if roughly or off <= _CLOSELY * (longer - shorter):
        return True
    round_one = a if _digits(a) == shorter else b
    return longer - shorter >= _ROUND_DIGITS and round_one % 1000 == 0 and off <= _ROUGHLY / 2


_LEAST_ROUNDED = 10
_ROUND_DIGITS = 2  # of a rounded number, before its noughts
_CLOSELY = 0.01  # of the number, for each digit that is left out
_ROUGHLY = 0.16


def _digits(value: float) -> int:
    return len(_shown_value(value).replace(".", "").strip("0"))


def reckoned(values: frozenset[str]) -> frozenset[str]:
    """Differences, sums and products of numbers, and one as a percentage of another, from 10 up."""
    if not 1 < len(values) <= _MOST_RECKONED:
        return frozenset()
    return _reckoned(values)


@lru_cache(maxsize=256)
def _reckoned(values: frozenset[str]) -> frozenset[str]:
    numbers = sorted(float(value) for value in values)
    found: set[float] = set()
    for place, low in enumerate(numbers):
        for high in numbers[place + 1 :]:
            found.update((high - low, high + low, high * low, high * low / 100))
    return frozenset(_shown_value(round(value, 2)) for value in found if value >= 10)


_MOST_RECKONED = 6  # numbers
