"""Numbers that may be ages: number words as digits, suffixes told apart, and what surely is no age taken out.

Works on the words of `rules.plain_words`. "on yediyim" becomes `17:yim`, "fifteenth" `15:th`, "17 gündür" `# gundur`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import compress

_LONGEST = 40  # characters of a word that is looked at
_TR_UNITS = {
    "bir": 1,
    "iki": 2,
    "uc": 3,
    "dort": 4,
    "dord": 4,
    "bes": 5,
    "alti": 6,
    "yedi": 7,
    "sekiz": 8,
    "dokuz": 9,
}
_TR_TENS = {"yirmi": 20, "otuz": 30, "kirk": 40, "elli": 50, "altmis": 60, "yetmis": 70}
_EN_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70}
_EN_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_WORDS = {
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "forteen": "14", "fifteen": "15", "fiveteen": "15", "sixteen": "16", "seventeen": "17", "seventen": "17",
    "eighteen": "18", "eightteen": "18", "nineteen": "19", "third": "3:th", "fourth": "4:th", "fifth": "5:th",
    "sixth": "6:th", "seventh": "7:th", "eighth": "8:th", "ninth": "9:th", "tenth": "10:th", "eleventh": "11:th",
    "twelfth": "12:th", "sixteenth": "16:th", "seventeenth": "17:th", "eighteenth": "18:th", "eighteens": "18:th",
    "neunten": "9:te", "zehnten": "10:te", "elften": "11:te", "achten": "8:te", "siebten": "7:te", "elf": "11",
    "zwolf": "12", "dreizehn": "13", "vierzehn": "14", "funfzehn": "15",
    "sechzehn": "16",
    "siebzehn": "17", "achtzehn": "18", "funfte": "5:te", "sechste": "6:te", "siebte": "7:te", "achte": "8:te",
    "neunte": "9:te", "zehnte": "10:te", "elfte": "11:te", "zwolfte": "12:te", "achtzehnter": "18:te",
    "achtzehnten": "18:te", "тринадцати": "13", "birinci": "1:inci", "ikinci": "2:inci", "ucuncu": "3:inci",
    "dorduncu": "4:inci", "besinci": "5:inci", "altinci": "6:inci", "yedinci": "7:inci", "sekizinci": "8:inci",
    "dokuzuncu": "9:inci", "onuncu": "10:inci", "iki": "2", "uc": "3", "dort": "4", "bes": "5", "yedi": "7",
    "sekiz": "8", "dokuz": "9", "yr": "year", "yrs": "years", "y": "year", "gr": "grade", "std": "grade",
    "grader": "grade", "enuf": "enough", "enuff": "enough", "enugh": "enough", "yng": "young", "yung": "young",
    "bday": "birthday", "b4": "before", "til": "till", "untill": "until", "bn": "ben", "hs": "highschool",
    "yasm": "yasim", "ysm": "yasim", "yasimm": "yasim", "benm": "benim", "hab": "habe",
    "oldm": "oldum", "girdm": "girdim", "bastm": "bastim", "diilim": "degilim", "deilim": "degilim",
    "degilm": "degilim", "diiliz": "degiliz",
    "десятом": "10:м", "пятом": "5:м", "шестом": "6:м", "седьмом": "7:м",
    "восьмом": "8:м", "девятом": "9:м", "одиннадцатом": "11:м", "четвертом": "4:м", "третьем": "3:м",
    "девятыи": "9:м", "десятыи": "10:м", "восьмои": "8:м", "седьмои": "7:м", "одиннадцатыи": "11:м",
}  # fmt: skip
_RU_TEENS = {
    "один": 11,
    "две": 12,
    "три": 13,
    "четыр": 14,
    "пят": 15,
    "шест": 16,
    "сем": 17,
    "восем": 18,
    "девят": 19,
}
_RU_TEEN = re.compile(f"({'|'.join(_RU_TEENS)})надцат(?:ь|и|ью)$")
_AR_UNITS = {
    "ثلاث": 3, "تلات": 3, "تلت": 3, "اربع": 4, "خمس": 5, "خمست": 5, "ست": 6, "سبع": 7, "ثمان": 8, "تمان": 8,
    "تمن": 8, "ثمن": 8, "ثماني": 8, "تسع": 9,
}  # fmt: skip
_AR_UNIT = re.compile(f"({'|'.join(_AR_UNITS)})[ةهىا]?$")
_AR_TEEN = re.compile(f"({'|'.join(_AR_UNITS)})(?:طعش|تاشر|تاش|طاشر|طعشر|عطش|عشر|تعش)[ةه]?ر?$")
_AR_TEN = re.compile("عشر[ةه]?$")
_DE_OLDER = re.compile(
    "(?:ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)und(zwanzig|dreissig|dreißig|vierzig)$"
)

_TR_ENDING = (
    r"(?:y?[iu]m|y?[iu]z|m(?:[aeiu]|[dt][ae]\S*)?|[iu]m[dt][ae]\S*|(?:s?[iu]n)?[dt]e?a?y[iu]m|(?:s?[iu]n|[iu]m)?[dt][ae](?:n|ki|y\S*)?"
    r"|y?[aeiu]|[iu]m[aeiu]|s?[iu]n[aeiu]|n?[iu]n|s[iu]|(?:[iu]?nc[iu])\S*|l[iu]k?\S*|l[iu](?:y[iu]m)?"
    r"|ler|lar|lerde\S*|larda\S*)"
)
_TR_SUFFIXED = re.compile(
    rf"(on)?(bir|iki|uc|dor[td]|bes|alti|yedi|sekiz|dokuz)({_TR_ENDING}|yas\S*|bucuk)?$"
)
_TR_CLASS = re.compile(r"(bes|alti|yedi|sekiz|dokuz)(y?[ae]|d[ae]y[iu][mz])$")
_DIGITS_FIRST = re.compile(r"(\d{1,2})([^\W\d]\w*)$")
_CLASS_FIRST = re.compile(
    r"(year|yr|y|grade|gr|g|form|class|std|ss|sss|jss|js|jhs|shs|lise|sinif|klasse|u)(\d{1,2})$"
)
_APART = re.compile(
    r"(?:yas|yo$|yrs?$|years?|yr|sinif|gun|ay|yil|sene|hafta|saat|dk|tl|lira|days?$|grade|class|klasse"
    r"|jahr|лет|год|"
    r"bin$|k$|m$|f$|usd|eur|gbp|kg|cm|pm$|am$|bucuk|bet|oran|класс)"
)
_SCHOOL_YEARS = {
    "g": "grade",
    "gr": "grade",
    "y": "year",
    "yr": "year",
    "std": "grade",
    "u": "under",
    "js": "jss",
}
_SCHOOL_YEARS |= {"sss": "ss", "shs": "ss", "jhs": "jss"}
_DETACHED = frozenset(
    "de da den dan te ta ten tan ye ya yi yim yum ime ine imi ini una ume uma sine sini sinde deyim dayim teyim tayim"  # noqa: SIM905
    " li lik luk lu liyim luyum inci nci uncu ncu th st nd rd te м й ом".split()
)
_DETACHED_SHORT = frozenset("e a i u".split())  # noqa: SIM905
_GO = re.compile(r"(?:gir|bas|gid|gec|dol|bit|kadar$|var$|kal|\d|#|az$|iki|bir)")

# What a number counts when it is no age
_UNITS = re.compile(
    r"(?:days?|weeks?|wks?|months?|mths?|hours?|hrs?|minutes?|mins?|secs?|seconds?|times?|euros?|eur"
    r"|usd|gbp|dollars?"
    r"|quid|pounds?|bucks?|percent|levels?|lvl|bets|spins?|points?|pts|k|bin|games?|match(?:es)?|thousand|down|up"
    r"|emails?|mails?|calls?|grand|rounds?|stones?|st|kg|kilos?|lbs?|cm|km|miles?|feet|ft|inch(?:es)?|goals?|wins?"
    r"|loss(?:es)?|people|mates|hands?|tickets?|legs?|folds?|bookies|pm|oclock|nil|behind|short|away|off|out|left"
    r"|places?|spots?|screenshots?|pages?|gb|mb|euro|cents?|pence|naira|rand|ksh|bob|shillings?|rupees?|pesos?"
    r"|players?|horses?|runners?|teams?|accounts|decimals?|odds|x|clean|sober|mentally|lines?|numbers?"
    r"|gun|gunu|gundur|gunde|gunluk|gunden|gundu\S*|gune|ay|aydir|aylik|ayda|aydan|aya|yil|yildir"
    r"|yillik|yilda|yildan"
    r"|yilidir|yilim|sene|senedir|senelik|senede|haft\S*|saat\S*|dakika\S*|dk|dakka\S*|saniye\S*|tl|lira\S*|liralik"
    r"|kez|kere|defa|mac|maclik|maci|macim|mactan|macta|macin|maclar|kupon\S*|el|eli|elde|spin\S*|tane\S*|adet"
    r"|seviye\S*|sira\S*|sirada\S*|numara\S*|nolu|oran\S*|bahis\S*|kilo\S*|kisi\S*|puan\S*|tur|turu\S*"
    r"|turda\S*|turluk|masa\S*|yuz\S*"
    r"|milyon\S*|yillar|yasimda(?:yken|n|ki\S*)?|yasimdan\S*|yasimdayken|yasinda(?:yken|ydi\S*)|yasindan|yasta\S*"
    r"|yaslarim\S*|yasimdayd\S*|degil|degilim|yaz(?:iyo|ili|mis|is|ar|an|d)\S*"
    r"|gorun\S*|gozuk\S*|gibi|kadar|dolar|sterlin|kurus|numarali|bolum\S*|asama\S*|gol|goluk|dakikada|cesit|parca"
    r"|ocak\S*|subat\S*|mart\S*|nisan\S*|mayis\S*|haziran\S*|temmuz\S*|agustos\S*|eylul\S*|ekim\S*"
    r"|kasim\S*|aralik\S*"
    r"|jan|january|feb|february|march|april|may|june|july|aug|august|sept?|september|oct|october|nov|november|dec"
    r"|december|januar|februar|marz|mai|juni|juli|oktober|dezember"
    r"|tage\S*|wochen|monate\S*|stunden|minuten|uhr|mal|spieltage\S*|punkte\S*|wetten|prozent|runden"
    r"|kunde|jahriges|jahrige\S*"
    r"|днеи|дня|дней|раз|раза|руб\S*|лир\S*|час\S*|минут\S*|недел\S*|месяц\S*|ставок|долларов|евро|уровень|уровне"
    r"|тысяч\S*|января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря"
    r"|يوم\S*|ساعة|ساعات|ليرة|دولار|ريال|مرة|مرات|دقيقة|شهر\S*|اسبوع|يورو|جنيه|درهم|الف|دينار|كيلو)$"
)
_YEARS = frozenset({"year", "years", "jahre", "jahren", "jahr"})
_OLD = frozenset(
    "old of alt jung und and but aber so boy girl student here btw myself now only young guy male female yes bro sir"  # noqa: SIM905
    " if is can my please pls i im from living allowed enough too ok".split()
)
# What a number belongs to when it is no age
_OWNERS = re.compile(
    r"(?:levels?|lvl|seviye\S*|masa\S*|sira\S*|kupon|mac|no|nr|numara\S*|oran\S*|tur|turda|kapi|daire"
    r"|kat|sokak|cadde"
    r"|apt|blok|tables?|rounds?|day|week|chapter|gunun|ticket|hata|error|code|kod|seat|room|article"
    r"|madde|sayfa|page"
    r"|iphone|android|ios|version|surum|galaxy|windows|pixel|at|saat|saati|race|trap|lane|numbers?"
    r"|nummer|tisch|stufe"
    r"|top|ilk|liste\S*|total|toplam|skor|score|minute|dakika|zone|tier|stage|place|position|rank|yuz"
    r"|stall|channel|kanal|ust|x|plus|times"
    r"|ayin|стол\S*|уровень|уровне|номер|ставк\S*|матч|المستوى|طاولة|مستوى|رقم)$"
)
_PAST = frozenset("was were war had было كان كنت waren".split())  # noqa: SIM905
_AGE_WORD = re.compile(r"(?:yas\S*|yo|old|years?|лет|سنة)$")
# Ages that are somebody's, but not the sender's of today
_DID = re.compile(r"[a-z]{2,9}[dt][iu]m$")
_ANDS = frozenset({"and", "ve", "und"})
_MONTHS = re.compile(r"(?:months?|half|weeks?|ay\S*|monate?)$")
_BECAME = frozenset("oldum girdim doldurdum bitirdim bastim".split())  # noqa: SIM905
_THINGS = re.compile(r"(?:uyeli\S*|hesab\S*|accounts?|konto|membership|car|dog|cat|site|marriage|house)$")
_AT_THAT_AGE = frozenset({"yasinda", "yas", "yasindan", "yasina"})
# What is told of a life that went on since: marriages, first jobs, leaving school or home
_OF_A_LIFE = re.compile(
    r"(?:evlen\S*|calismaya|ise|gurbet\S*|asker\S*|gelin|dogur\S*|gocmus|goctu\S*|mezun|kaybet\S*"
    r"|isci\S*|cirak\S*|sanayi\S*|yetim|oksuz|dul|tanis\S*|babami|annemi|babasini|annesini)$"
)
_OF_KIN = frozenset(
    "сыну дочке дочери внуку внучке брату сестре племяннику племяннице ребенку жене мужу".split()  # noqa: SIM905
)
_NOT_MINE = frozenset("gibi alti ustu siniri sinirini degil degilim oldu nicht не".split())  # noqa: SIM905
_OF_OTHERS = re.compile(r"(?:yasinda(?:ki\S*|n)|yaslarinda\S*|yasli)$")
_STRONG = frozenset("im yasim yas aged мне عمري bin ben".split())  # noqa: SIM905
_LIKE = frozenset("like sanki wie treated than".split())  # noqa: SIM905


@lru_cache(maxsize=1 << 14)
def _token(word: str) -> str:
    """One word with its number told: digits, a colon and the ending; what stands for itself is set apart."""
    if known := _WORDS.get(word):
        return known
    if word[0].isdigit() or word[-1].isdigit():
        return _with_digits(word)
    if not word.isascii():
        return _of_the_east(word)
    if word.startswith("on"):
        found = _TR_SUFFIXED.match(word)
        if found and found[1]:
            return _ended(10 + _TR_UNITS[found[2]], found[3])
    elif found := _TR_CLASS.match(word):
        return f"{_TR_UNITS[found[1]]}:{found[2]}"
    elif word.endswith(("teens", "teenth")):
        return _WORDS.get(word.removesuffix("s").removesuffix("th"), word)
    return "25" if _DE_OLDER.match(word) else word  # how far over 18 does not matter


def _with_digits(word: str) -> str:
    if found := _DIGITS_FIRST.match(word):
        blank = " " if _APART.match(found[2]) else ":"
        return f"{found[1]}{blank}{_WORDS.get(found[2], found[2]) if blank == ' ' else found[2]}"
    if found := _CLASS_FIRST.match(word):
        return f"{_SCHOOL_YEARS.get(found[1], found[1])} {found[2]}"
    return word


def _of_the_east(word: str) -> str:
    if found := _RU_TEEN.match(word):
        return str(_RU_TEENS[found[1]])
    if found := _AR_TEEN.match(word):
        return str(10 + _AR_UNITS[found[1]])
    return word


def _ended(number: int, ending: str | None) -> str:
    if not ending:
        return str(number)
    return f"{number} {ending}" if ending.startswith(("yas", "bucuk")) else f"{number}:{ending}"


def _joined(words: list[str]) -> list[str]:
    """Numbers of two words made one: "on yedi", "yirmi beş", "twenty one", "سبعة عشر"; and endings written apart."""
    said = [*map(_token, words)]
    for at in compress(range(len(words)), map(_may_join, words)):
        word = words[at]
        follows = words[at + 1] if at + 1 < len(words) else ""
        if not said[at] or not follows:
            continue
        if word.isdigit():
            if _is_ending(words, at):
                said[at], said[at + 1] = f"{word}:{follows}", ""
        elif number := _of_two(word, follows):
            said[at], said[at + 1] = number, ""
    return " ".join(said).split()


@lru_cache(maxsize=1 << 14)
def _may_join(word: str) -> bool:
    """Whether a word may make a number with the next one."""
    if word in _TWO_WORDS or (word.isdigit() and len(word) < 3):
        return True
    return word[-1] in "هةسعتىاثنيم" and _AR_UNIT.match(word) is not None


_TWO_WORDS = frozenset({"on", *_TR_TENS, *_EN_TENS})


def _is_ending(words: list[str], at: int) -> bool:
    follows = words[at + 1]
    if follows in _DETACHED:
        return True
    return follows in _DETACHED_SHORT and at + 2 < len(words) and _GO.match(words[at + 2]) is not None


def _of_two(word: str, follows: str) -> str:
    """The number two words make, or nothing."""
    if word == "on":
        found = _TR_SUFFIXED.match(follows)
        if found and not found[1]:
            return _ended(10 + _TR_UNITS[found[2]], found[3])
        return f"10 {follows}" if follows.startswith(("yas", "inci")) else ""
    if word in _TR_TENS:
        found = _TR_SUFFIXED.match(follows)
        return (
            _ended(_TR_TENS[word] + _TR_UNITS[found[2]], found[3])
            if found and not found[1]
            else (f"{_TR_TENS[word]} {follows}" if follows.startswith("yas") else "")
        )
    if word in _EN_TENS:
        more = _EN_UNITS.index(follows) + 1 if follows in _EN_UNITS else 0
        return str(_EN_TENS[word] + more) + ("" if more else f" {follows}")
    found = _AR_UNIT.match(word)
    return str(10 + _AR_UNITS[found[1]]) if found and _AR_TEN.match(follows) else ""


def told(plain: str) -> list[str]:
    """The words of the text with their numbers told."""
    words = plain.split()
    if len(max(words, key=len, default="")) > _LONGEST:
        words = [word[:_LONGEST] for word in words]
    return _joined(words)


def of_people(words: list[str]) -> str:
    """A `told` text in which only numbers stand that may be ages; `#` is in the place of the others."""
    words = words.copy()
    numbers = {at for at, word in enumerate(words) if word[0] < ":"}
    masked = [at for at in numbers if _is_no_age(words, at, numbers)]
    for at in masked:
        words[at] = f"{words[at]}~" if _is_of_others(words, at) else "#"
    return f" {' '.join(words)} "


def _is_of_others(words: list[str], at: int) -> bool:
    follows = words[at + 1] if at + 1 < len(words) else ""
    if _has_kin(words, at) or _is_my_child(words, at) or (at > 0 and words[at - 1] == "turned"):
        return True
    return _OF_OTHERS.match(follows) is not None or (at > 0 and words[at - 1] == "like")


def _is_no_age(words: list[str], at: int, numbers: set[int]) -> bool:
    """Whether a number surely is no age of the sender, by the words beside it."""
    number, _, ending = words[at].partition(":")
    if len(number) > 2:
        return len(number) != 4
    if at - 1 in numbers and at + 1 in numbers:
        return True
    before = words[at - 1] if at else ""
    follows = words[at + 1] if at + 1 < len(words) else ""
    if _belongs(words, at, before, follows):
        return True
    if ending:
        return ending == "th" and (follows in _NTH or _is_counted(follows))
    if number == "18" and follows in _I_AM_NOT:
        return any(map(_is_older, words[at + 2 : at + 6]))
    if number == "18" and follows in _RATHER and any(map(_is_older, words[at + 2 : at + 3])):
        return True
    if before in _NOBODY or (follows in _SAID and _asked_for_age(words[max(0, at - 10) : at])):
        return False
    beside = (at - 1 in numbers or at + 1 in numbers) and before not in _STRONG
    return beside or _counts(number, follows, words[at + 2 : at + 7])


def _asked_for_age(words: list[str]) -> bool:
    return any(word.startswith("yas") for word in words)


def _counts(number: str, follows: str, later: list[str]) -> bool:
    """Whether what comes after a number is what it counts; `later` are the words after that."""
    if number == "18" and follows.startswith("yas"):
        return False
    if _is_counted(follows) or (number != "18" and _is_done(follows)):
        return True
    if follows in _NOT_YET and number != "18":
        return any(map(_is_game, later))
    after = later[0] if later else ""
    if follows == "bucuk":
        return bool(after) and _is_counted(after)
    if follows in _ANDS and len(after) == 1 and after < ":":
        return len(later) < 2 or not _MONTHS.match(later[1])
    if follows in _YEARS and number != "18":
        return bool(after) and after not in _OLD
    return number != "18" and after in _NOT_MINE and _is_of_age(follows)


def _belongs(words: list[str], at: int, before: str, follows: str) -> bool:
    """Whether what stands before the number makes it a level, a time, a part of an amount or a past age."""
    if before in _PAST or before in _LIKE:
        return True
    if _is_of_a_time(words, at, before, follows) or _has_kin(words, at) or _is_my_child(words, at):
        return True
    if at > 1 and before in _ARTICLES and words[at - 2] in _NOT_OF_NOW:
        return True
    if before in {"bin", "yuz"} and at > 1 and words[at - 2][0].isdigit():
        return True
    return bool(owns := _owns(before)) and (owns > 1 or not _is_of_age(follows))


def _is_of_a_time(words: list[str], at: int, before: str, follows: str) -> bool:
    """Whether it is the age at which a life took a turn, or since when, or of whom or what is told just before."""
    if follows in _AT_THAT_AGE and any(map(_is_of_a_life, words[at + 2 : at + 5])):
        return True
    if before == "mit" and not _BEGUN.isdisjoint(words[at + 1 : at + 6]):
        return True
    if before == "turned" and not _HE.isdisjoint(words[max(0, at - 4) : at]):
        return _CALLERS.isdisjoint(words)
    if before == "is" and at > 1 and _THINGS.match(words[at - 2]):
        return True
    return not _SINCE.isdisjoint(words[max(0, at - 2) : at])


@lru_cache(maxsize=1 << 12)
def _owns(word: str) -> int:
    """Whether a number after this word is not of a person: 1 where no word for age follows, 2 always."""
    return 2 if _THINGS.match(word) else int(_OWNERS.match(word) is not None)


@lru_cache(maxsize=1 << 12)
def _is_counted(word: str) -> bool:
    return _UNITS.match(word) is not None or _OF_OTHERS.match(word) is not None


@lru_cache(maxsize=1 << 12)
def _is_done(word: str) -> bool:
    """Whether it is what the sender did with a number: "13 bildim"."""
    return word not in _BECAME and _DID.match(word) is not None


@lru_cache(maxsize=1 << 12)
def _is_of_age(word: str) -> bool:
    return _AGE_WORD.match(word) is not None


def _is_my_child(words: list[str], at: int) -> bool:
    """Whether it is the age of a child one has: "9 yaşında bir kızım var"."""
    if words[at + 1 : at + 2] not in (["yasinda"], ["yaslarinda"], ["yas"]):
        return False
    return "var" in words[at + 3 : at + 6] and not _CHILD.isdisjoint(words[at + 2 : at + 5])


def _has_kin(words: list[str], at: int) -> bool:
    """Whether one of the family in the dative, as Russian tells ages, stands shortly before."""
    return not _OF_KIN.isdisjoint(words[max(0, at - 3) : at])


@lru_cache(maxsize=1 << 12)
def _is_of_a_life(word: str) -> bool:
    return _OF_A_LIFE.match(word) is not None


@lru_cache(maxsize=1 << 12)
def _is_game(word: str) -> bool:
    return _GAME.match(word) is not None


def _is_older(word: str) -> bool:
    """Whether it is a number above 18."""
    digits = word.partition(":")[0]
    return len(digits) == 2 and digits.isdecimal() and int(digits) > 18


_NTH = frozenset(
    [
        "bet",
        "spin",
        "deposit",
        "order",
        "message",
        "email",
        "attempt",
        "try",
        "time",
        "win",
        "loss",
        "go",
        "call",
        "ticket",
        "versuch",
    ]
)
_NOT_YET = frozenset("bitmedi dolmadi bitmemis dolmamis doldu bitti".split())  # noqa: SIM905
_NOBODY = frozenset({"kimse", "hicbirimiz", "hepimiz", "ikimiz", "ucumuz"})
_SAID = frozenset({"dedim", "soyledim", "demistim", "diyince", "deyince"})
_HE = frozenset({"he", "hes", "she", "shes", "who", "whos"})
_CALLERS = frozenset({"caller", "customer", "client", "player", "user"})
_SINCE = frozenset({"since", "seit"})
_BEGUN = frozenset({"angefangen", "begonnen", "geheiratet", "ausgezogen", "lehre", "ausbildung"})
_CHILD = frozenset({"kizim", "oglum", "cocugum", "torunum", "yegenim", "kardesim"})
_RATHER = frozenset({"but", "degil", "sondern"})
_I_AM_NOT = frozenset({"degilim", "degiliz"})
_GAME = re.compile(r"(?:mac\S*|tur|el|set|seviye\S*|kupon\S*|bolum\S*|spin\S*|gorev\S*|hafta\S*|dakika\S*)$")
_ARTICLES = frozenset("a an some im ben bir ein einem einen عمري".split())  # noqa: SIM905
_NOT_OF_NOW = _LIKE | _PAST
