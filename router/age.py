"""Whether a sender says to be under 18, and whether a message reports somebody else who is.

Works on `rules.plain_words`: folded, one blank between words. All repeats are bounded, so the time is linear.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2

ADULT = 18

_MINOR = (
    r"(?:[89]|1[0-7]|sekiz|dokuz|on ?(?:bir|iki|uc|dort|bes|alti|yedi)"
    r"|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen)"
)
_OLDER = (
    r"(?:1[89]|[2-9]\d|on ?dokuz|nineteen"
    r"|(?:yirmi|otuz|kirk|elli|altmis|twenty|thirty|forty|fifty|sixty)(?: ?[a-z]{2,5})?)"
)
# "im 16 days waiting" is no age
_UNITS = (
    r"(?:days?|weeks?|months?|hours?|minutes?|mins?|times?|years?(?! (?:old|of age))|euros?|usd|dollars?|tl|lira"
    r"|percent|levels?|lvl|bets?|spins?|points?|k|bin|games?|matches|thousand|down|up|emails?"
    r"|tage|wochen|monate|stunden|днеи|дня|раз|руб\w{0,4}|%) "
)
_RELATION = (
    r"(?:oglum|oglumun|oglumuz|oglan|kizim|kizimin|kizimiz|cocugum|cocugumun|cocuk|kardesim|kardesimin|yegenim"
    r"|yegenimin|torunum|torunumun|kuzenim|ogrencim|ogrencimiz|oglu|kizi|cocugu|kardesi|kizinin|oglunun|cocugunun"
    r"|son|daughter|child|kid|brother|sister|nephew|niece|grandson|sohn|tochter|kind|bruder|сын|дочь|дочка|брат"
    r"|ابني|ابنتي)"
)
_STUDYING = r"(?:ogrencisiyim|okuyor\w{2}|okuyom|gidiyor\w{2}|gidiyom|talebesiyim)"


def _any(*ways: str) -> re.Pattern[str]:
    """A pattern of whole words: one of these between blanks."""
    return re.compile(f" (?:{'|'.join(ways)}) ")


_DECLARED = _any(
    rf"{_MINOR} ?yas(?:indayim|indaym|indaim|imdayim|indeyim|dayim|(?:ina|ima) (?:yeni )?(?:girdim|bastim))",
    rf"yas(?:im)?(?: daha| henuz| su an)? {_MINOR}(?: yim)?",
    rf"{_MINOR} yasim",
    r"1[0-7](?:yim|im|um| yim| yum)",
    r"17 bucuk yas\w{1,9}",
    r"yasim (?:tutmuy\w{1,6}|yetmiy\w{1,6}|kucuk|yeterli degil|uygun degil|18 (?:degil|den kucuk|in altinda))",
    r"resit (?:degilim|olmadim|olmadigim|olmama)",
    r"18 ?(?:den kucugum|yasindan kucugum|yas alti ?yim|altiyim|yasin altindayim)",
    r"18 ?(?:e|i|im|ime|yasima|yasimi|yasinda|yasini)? ?(?:olmadim|degilim|dolmadim|doldurmadim|basmadim|girmedim"
    r"|bitirmedim)",
    r"(?:18|resit) olmama (?:\d{1,3}|bir|iki|uc|az)",
    r"18 ?(?:e|ime|yasima|yasina)? (?:girmeme )?(?:\d{1,3}|bir|iki|uc|az) ?(?:gun|ay|hafta)?(?:um|im)? (?:var|kaldi)",
    rf"(?:lise|ortaokul)(?: [1-4]| son)?(?: sinif)?(?:a|ta|e|de|ya)? ?{_STUDYING}",
    rf"(?:lise|ortaokul)(?:ye|da|de|a) {_STUDYING}",
    r"liseliyim|ortaokulluyum",
    rf"(?:[5-9]|1[01]) ?(?:inci |uncu |nci )?sinif(?:a|ta|i|in)? ?{_STUDYING}",
    r"(?:[5-9]|1[01]) ?(?:inci |uncu )?siniftayim",
    rf"(?:im|i am|i m)(?: only| just| actually| still)? {_MINOR}(?! {_UNITS})",
    rf"my age is {_MINOR}|i just turned {_MINOR}|as an? {_MINOR} year old",
    rf"{_MINOR} ?(?:yo|y o|years? old) (?:boy|girl|student|here|and i)",
    r"(?:im|i am)(?: still| only)? (?:under ?18|underage|under age|a minor|not 18|not yet 18|below 18|not of age"
    r"|not old enough)",
    r"(?:i havent|i have not) (?:turned|reached) 18(?: yet)?|not 18 yet|my age is not enough|until im 18",
    r"(?:turning|turn|ill be|i will be|gonna be) 18 (?:next|in|soon|on|this|tomorrow)",
    r"(?:im|i am)(?: only| still)?(?: an?)?(?: in)? (?:the )?(?:[5-9]|1[01])th grade\w{0,2}",
    r"in the (?:[5-9]|1[01])th grade",
    r"(?:im|i am) (?:still )?(?:an?|in) (?:high ?school|middle ?school|secondary school)(?: student)?",
    rf"ich bin(?: erst)? {_MINOR}(?! {_UNITS})|ich bin (?:noch )?minderjahrig",
    rf"мне(?: всего| только)? {_MINOR}(?! {_UNITS})|я несовершеннолетн\w{{1,4}}",
    rf"عمري {_MINOR}|انا قاصر",
)
# An agent writes the log of a call: "müşteri 16 yaşında olduğunu söyledi"
_DECLARED_OF_CALLER = _any(
    rf"(?:musteri|musterinin|arayan|arayan kisi|kullanici|caller|customer)(?: [^ ]{{1,30}}){{0,4}}? {_MINOR} (?:yasinda"
    r"|years? old)"
)
_EIGHTEEN = re.compile(r" (?:on ?sekiz|eighteen)(?= |\w)")
_ADULT = _any(
    rf"{_OLDER} ?yas(?:indayim|imdayim)",
    r"18 yasini (?:doldurdum|bitirdim)",
    rf"(?:im|i am)(?: now)? {_OLDER}(?! {_UNITS})",
    rf"yasim {_OLDER}(?! (?:den|degil|in))|resitim|resit oldum",
)
_YEAR = r"((?:19|20)\d\d)"
_BORN = _any(
    rf"{_YEAR} ?(?:dogumluyum|dogumlu biriyim|luyum|liyim)",
    rf"dogum (?:yilim|tarihim)(?: \d{{1,2}}){{0,2}} {_YEAR}",
    rf"{_YEAR} ?(?:de|da|te|ta|yilinda) dogdum",
    rf"(?:i was |im |i am )?born (?:in |on )?(?:[a-z0-9]{{1,9}} ){{0,3}}{_YEAR}",
    rf"(?:ich bin )?{_YEAR} geboren|я родил\w{{2}} в {_YEAR}",
)
_YEARS_OLD = r"(?:yasinda|yasindaki|yas|yasini|yaslarinda|year old|years old|yr old|yo|jahre|лет)"
_SOME = r"(?: [^ ]{1,30}){0,5}?"
_ABOUT = (
    _any(rf"{_MINOR} ?{_YEARS_OLD}{_SOME} {_RELATION}"),
    _any(rf"{_RELATION}{_SOME} (?:only |just |daha |henuz |erst )?{_MINOR} ?{_YEARS_OLD}"),
    _any(rf"{_RELATION} (?:is|ist|was) (?:only |just |erst )?{_MINOR}(?! {_UNITS})"),
    _any(rf"(?:ilkokul|ortaokul|lise|liseye|ortaokula)\w{{0,4}} (?:giden |okuyan |ogrencisi )?{_RELATION}"),
    _any(rf"{_RELATION}{_SOME} (?:resit degil|18 yasindan kucuk|under 18|underage|a minor)"),
)
_PLAYING = re.compile(
    r" (?:oyn|uye|kumar|bahis|kupon|kayit|kullan|harca|yatir|kaybet|engel|girmis|girdi|girebil|izin ver|kimlig"
    r"|telefonumdan|kartim|hesap ac|hesabi |kapatin|play|gambl|bet|account|card|using|deposit|register"
    r"|signed up|block|spiel|konto"
    r"|игра|ставк|счет|يلعب)"
)


_HINT = re.compile(
    r" (?:yas|resit|lise|ortaokul|ilkokul|sinif|dogum|dogdu|geboren|born|1[0-8]\D|[89] |minor|under|grade|turning|turn "
    r"|ten |eleven|twelve|on |onalti|onyedi|onbes|ondort|sekiz|dokuz|мне|родил|несовер|عمري|قاصر|minderj|\d{4} ?dog"
    r"|(?:im|i am|not|until im|ill be|will be) (?:1|not|in|a |an |under|still|only|just|f|s|t|e))|teen"
)
_AROUND = 90  # characters


def _quick(*patterns: re.Pattern[str]) -> Any:
    """One automaton that finds whatever any of these finds, and a little more: a quick look before them all."""
    without_looks = [_LOOK_AHEAD.sub("", pattern.pattern) for pattern in patterns]
    wider = "|".join(without_looks).replace(r"\w", "[^ ]").replace(r"\d", r"\pN")
    return re2.compile(wider)


_LOOK_AHEAD = re.compile(rf"\(\?! (?:{re.escape(_UNITS)}|\(\?:den\|degil\|in\))\)")
_MAYBE = _quick(*_ABOUT, _DECLARED, _DECLARED_OF_CALLER, _BORN)


@dataclass(frozen=True, slots=True)
class Age:
    """What a text says: the sender is a minor, somebody else is, or it cannot be told and a person should look."""

    sender: bool = False
    reported: bool = False
    unsure: bool = False
    reason: str = ""


def _near_hints(plain: str) -> str:
    """The text around words that may have to do with age: the patterns cost too much to try everywhere."""
    pieces, end = [], 0
    for match in _HINT.finditer(plain):
        start = max(end, plain.rfind(" ", 0, max(0, match.start() - _AROUND)), 0)
        stop = plain.find(" ", match.end() + _AROUND) + 1 or len(plain)
        if stop > end:
            pieces += [" / " if start > end else "", plain[start:stop]]
            end = stop
    return "".join(pieces)


def read(plain: str, year: int) -> Age:
    """The ages a text of `plain_words` declares; `year` is the one it was written in."""
    plain = _near_hints(_EIGHTEEN.sub(" 18", plain))
    if not _MAYBE.search(plain.encode("utf-8", "replace")):
        return Age()
    about = next((found for pattern in _ABOUT if (found := pattern.search(plain))), None)
    reported = about is not None and _PLAYING.search(plain) is not None
    declared = _DECLARED.search(plain) or (None if about else _DECLARED_OF_CALLER.search(plain))
    if declared and _ADULT.search(plain):
        return Age(reported=reported, unsure=True, reason="names two ages, one of them under 18")
    if declared:
        return Age(sender=True, reported=reported, reason=f"sender declares: “{declared[0].strip()}”")
    if born := _BORN.search(plain):
        age = year - int(next(group for group in born.groups() if group))
        if 0 < age < ADULT:
            return Age(sender=True, reported=reported, reason=f"born {age} years before the message")
        if age == ADULT:
            return Age(reported=reported, unsure=True, reason="turns 18 this year")
    reason = f"about a minor: “{about[0].strip()}”" if about and reported else ""
    return Age(reported=reported, reason=reason)
