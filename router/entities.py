"""Facts in a text: amounts, ids, IBANs, phones and dates, canonical and in order of appearance.

Every repeat in the patterns is bounded and the text is cut at READ, so the time is linear whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

import re2
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse
from stdnum import iban
from stdnum.exceptions import ValidationError

from intake.schema import Entities, Money
from intake.text import fold, mask_numbers

_Value = TypeVar("_Value")
READ = (3_000, 1_000)  # characters looked at, from the beginning and the end
MOST = 50  # of each kind
HOME_CURRENCY = "TRY"  # of amounts that name none ("2k")
HOME_REGION = "TR"
HOME_PREFIX = "90"  # of phone numbers without a country


def _numbered(words: str, start: int = 0, step: int = 1) -> dict[str, int]:
    return {word: start + step * place for place, word in enumerate(words.split())}


_CURRENCIES = {
    "TRY": "₺ tl try lira liram lirami liramiz liramin lirasi "
    "lirasini lirayi liradan liralik liraya лир лиры лиру ليرة",
    "USD": "$ usd dolar dollars dollar bucks доллар долларов دولار",
    "EUR": "€ eur euros euro avro avroluk euroluk евро يورو",
    "GBP": "£ gbp sterlin pounds pound quid",
    "RUB": "₽ rub ruble rubles rubel рублей рубля рубль руб",
    "USDT": "usdt tether",
    "BTC": "btc bitcoin",
}
_CODE_OF = {fold(name): code for code, names in _CURRENCIES.items() for name in names.split()}
_SIGNS = "[₺$€£₽]"
_CURRENCY = "|".join(sorted((re.escape(n) for n in _CODE_OF if n not in "₺$€£₽"), key=len, reverse=True))
# Turkish suffixes, folded
_ENDING = "(?:['’]?(?:y?[iu]|y?[ea]|l[iu]k|m|m[iu]|[iu]m|[iu]m[iu]|s[iu]|[iu]n|n[iu]n|d[ea]n?|lar|y?l[ea]))?"
_NUMBER = r"(?:\d{1,3}(?:[.,' \u00a0]\d{3}){1,4}|\d{1,12})(?:[.,]\d{1,8})?"
_SCALES = {"k": 1000, "bin": 1000, "b": 1000, "thousand": 1000, "tausend": 1000, "тыс": 1000, "тысяч": 1000}
_SCALES |= dict.fromkeys(("m", "mn", "mio", "milyon", "million", "млн"), 1_000_000)
_SCALE = rf"(?:\s?({'|'.join(sorted(_SCALES, key=len, reverse=True))})(?![^\W\d_]))?"
_START, _END = r"(?<![\w.,])", r"(?![^\W_])"
_ONES = _numbered("sifir bir iki uc dort bes alti yedi sekiz dokuz on") | _numbered(
    "yirmi otuz kirk elli", 20, 10
)
_ONES |= _numbered("altmis yetmis seksen doksan", 60, 10) | _numbered("twenty thirty forty fifty", 20, 10)
_ONES |= _numbered("sixty seventy eighty ninety", 60, 10) | _numbered(
    "one two three four five six seven eight nine", 1
)
_ONES |= _numbered("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10)
_ONES |= {"a": 1, "an": 1}
_GROUPS = {"yuz": 100, "hundred": 100, "bin": 1000, "thousand": 1000, "milyon": 10**6, "million": 10**6}
_NUMERAL = "|".join(sorted([*_ONES, *_GROUPS], key=len, reverse=True))
_NUMERALS = re.compile(_NUMERAL)
_JOINER = re.compile(r"\b(?:and|ve)\b")
_COUNTED = (
    "kere|kez|defa|kisi|uye|oyuncu|tane|spin|puan|insan|musteri|times|people|players|spins|points|yil|years"
)
_AMOUNTS = re.compile(
    rf"{_START}(?:(?P<sign>{_SIGNS})\s?(?P<n1>{_NUMBER}){_SCALE}{_END}"
    rf"|(?P<n2>{_NUMBER}){_SCALE}(?:(?<=bin)\s(?P<rest>\d{{1,3}}))?\s?(?:(?P<sign2>{_SIGNS})|(?:turk\s)?(?P<name2>{_CURRENCY}){_ENDING}{_END})"
    rf"|(?P<name3>tl|try|usd|eur|gbp)\s?(?P<n3>{_NUMBER}){_SCALE}{_END}"
    rf"|(?P<words>(?:(?:{_NUMERAL})(?:\sve\s|\sand\s|[\s-])?){{1,10}})(?P<name4>{_CURRENCY}){_ENDING}{_END}"
    rf"|(?P<n5>\d{{1,6}}(?:[.,]\d{{1,2}})?)(?P<scale5>k|\s?bin|\s?milyon|\s?million)(?![^\W_])(?!\s(?:{_COUNTED}))"
    rf"|(?P<words6>(?:(?:{_NUMERAL})[\s-]?){{1,5}}(?:bin|milyon|thousand|million)(?:[\s-]?(?:{_NUMERAL})){{0,5}})(?![^\W_])"
    rf"(?!\s(?:{_COUNTED})))"
)

_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}[ -]?\d{2}(?:[ -]?[A-Za-z0-9]){11,30}")
_IBAN_LENGTHS = {
    "TR": 26,
    "DE": 22,
    "GB": 22,
    "NL": 18,
    "FR": 27,
    "AT": 20,
    "AZ": 28,
    "CY": 28,
    "BG": 22,
    "BE": 16,
}
# a search skips quickly to a set that comes first, so what has to stand before it is asked second
_PHONE = re.compile(
    r"[+(\d](?<![\w+.,-].)(?:(?<=\+)\(?\d|(?<=\()\d|(?<=0)0\(?\d|(?<=\d))(?:[ ./()-]{0,2}\d){9,14}(?![\w-])"
)
# quick looks: what the patterns find, these find too, and most texts hold none of it
_MAYBE_IBAN = re2.compile(r"(?:^|[^0-9A-Za-zªµºÀ-ÖØ-öø-ɏ])[A-Za-z]{2}[ -]?\pN{2}(?:[ -]?[A-Za-z0-9]){11}")
_DIGIT = re.compile(r"\d")
_MAYBE_PHONE = re2.compile(r"\pN(?:[ ./()-]{0,2}\pN){9}")

# What may be an id, and what has to stand before or after it
_TOKEN = re.compile(r"(?<![\w.,+*-])#?(?:0x[0-9a-fA-F]{16,64}|[A-Za-z]{0,6}[-_]?\d[\w-]{3,40})")
_TOKEN_DIGITS = re.compile(r"\d[\w-]{3,}")
_TOKEN_BEGIN = re.compile(r"(?<![\w.,+*-])#?[A-Za-z]{0,6}[-_]?\Z")
_NOUN = (
    r"(?<![^\W_])(?:i[sş]lem|transaction|txn|trx|transfer|kupon|bahis|bet|wette|ticket|round|el|tur|raunt|oyun|referans"
    r"|reference|ref|dekont|talep|[cç]ekim|yat[ıi]r[ıi]m|order|payment|withdrawal|deposit|slip|game|spin|provizyon"
    r"|транзакци[яи]|бет|ставк[аи]|купон)(?:um|im|[ıi]m|su)?"
)
_MARK = (
    r"(?:ids?|nr|num|number|numaras[ıi]|numaram|numara|kodu|kod|no|code|slip|reference|ref)(?:su|m|[ıi]|um)?"
)
_NAMED = re.compile(rf"(?i:{_NOUN}\s?(?:{_MARK}\s?)?{_MARK}\s?[:#=.]{{0,2}}\s?)$")
_NOUN_BEFORE = re.compile(rf"(?i:{_NOUN}\s?[:#]?\s?)$")
_MARK_BEFORE = re.compile(r"(?i:(?<![^\W_])(?:no|id|numara|number)\s?[:#.]{0,2}\s?)$")
_NUMBERED_AFTER = re.compile(r"(?i:\s?(?:nolu|no['’]?lu|numaral[ıi])(?![^\W_]))")
_MONEY_AFTER = re.compile(rf"(?i:[.,]\d|\s?(?:{_SIGNS}|{_CURRENCY}))")
_SPEAKS_FOR_ITSELF = re.compile(
    r"#\d[\w-]{3,30}|[A-Z]{1,6}-\d[\w-]{3,30}|[A-Z]{2,5}\d{5,20}|0x[0-9a-fA-F]{16,64}"
)

_MONTHS = _numbered("oca sub mar nis may haz tem agu eyl eki kas ara", 1)
_MONTHS |= _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1) | {"mai": 5, "okt": 10, "dez": 12}
_MONTH = (
    "(?:ocak|subat|mart|nisan|mayis|haziran|temmuz|agustos|eylul|ekim|kasim|aralik|january|february|march|april|may"
    "|june|july|august|september|october|november|december|januar|februar|marz|mai|juni|juli|oktober|dezember|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)"
)
_WEEKDAYS = _numbered("pazartesi sali carsamba persembe cuma cumartesi pazar")
_WEEKDAYS |= _numbered("monday tuesday wednesday thursday friday saturday sunday")
_WEEKDAYS |= _numbered("montag dienstag mittwoch donnerstag freitag samstag sonntag")
_DAY = f"(?:{'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})"
_RELATIVE = {
    "bugun": 0,
    "bu sabah": 0,
    "bu gece": 0,
    "bu aksam": 0,
    "today": 0,
    "tonight": 0,
    "this morning": 0,
}
_RELATIVE |= {"dun": 1, "yesterday": 1, "last night": 1, "gestern": 1, "вчера": 1, fold("أمس"): 1, "heute": 0}
_RELATIVE |= {"evvelsi gun": 2, "evvelki gun": 2, "onceki gun": 2, "day before yesterday": 2, "vorgestern": 2}
_RELATIVE |= {"сегодня": 0, "gecen hafta": 7, "last week": 7}
_RELATIVE_WORDS = "|".join(sorted(_RELATIVE, key=len, reverse=True))
_WEEKS = {"hafta", "week", "weeks", "woche", "недел"}
_COUNT = "|".join(word for word, value in _ONES.items() if 1 <= value <= 10)
_CASE = "(?:['’]?(?:t[ae]|d[ae]|n?[iu]n|k[iu]|gunu|sabahi|aksami|gecesi|ye|ya|yi|dan|den))?"
_DATES = re.compile(
    rf"(?<![\w.,/-])(?:(?P<y1>\d{{4}})-(?P<m1>\d{{1,2}})-(?P<d1>\d{{1,2}})(?!\d)"
    r"|(?P<d2>\d{1,2})[./-](?P<m2>\d{1,2})[./-](?P<y2>\d{4}|\d{2})(?![\d.])"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\.?\s?(?:of\s)?(?P<m3>{_MONTH}){_CASE}(?:,?\s(?P<y3>\d{{4}}))?(?:\s{_DAY})?{_END}"
    rf"|(?P<m4>{_MONTH})\s(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(?P<y4>\d{{4}}))?{_END}"
    rf"|(?:(?:gecen|gectigimiz|last|on|am|letzten)\s(?:hafta\s)?)?(?P<weekday>{_DAY})(?:\sgunu)?{_CASE}{_END}"
    r"|ayin\s(?P<d5>\d{1,2})(?!\d)"
    rf"|(?P<relative>{_RELATIVE_WORDS})(?:k[iu])?{_END}"
    rf"|(?P<count>\d{{1,3}}|{_COUNT})\s?(?P<unit>gun|hafta|days?|weeks?)\s?(?:once|evvel|ago|oncesi){_END}"
    r"|vor\s(?P<count2>\d{1,2})\s(?P<unit2>tag|woche)e?n?(?![^\W_])"
    r"|(?P<count3>\d{1,2})\s(?P<unit3>дн|недел)\w{1,2}\sназад)"
)
_QUICK_BEGIN = r"(?:^|[^a-z0-9_.,])"
_QUICK_BLANK = r"[\s\pZ\x1c-\x1f\x{85}]"
_AMOUNT_BEGIN = re.compile(r"[₺$€£₽\d](?<![\w.,].)")
_AMOUNT_WORDS = re2.compile(
    rf"{_QUICK_BEGIN}(?:(?:tl|try|usd|eur|gbp){_QUICK_BLANK}?\pN"
    rf"|(?:(?:{_NUMERAL})(?:{_QUICK_BLANK}(?:ve|and){_QUICK_BLANK}|{_QUICK_BLANK}|-)?){{1,10}}(?:{_CURRENCY}|bin|milyon|thousand|million))"
)
_DATE_BEGIN = re.compile(r"\d(?<![\w.,/-]\d)")
_DATE_WORDS = re2.compile(
    rf"{_QUICK_BEGIN}(?:(?:{_RELATIVE_WORDS})(?:k[iu])?(?:$|[^a-z0-9])|{_MONTH}{_QUICK_BLANK}\pN|{_DAY}"
    rf"|(?:gecen|gectigimiz|last|on|am|letzten){_QUICK_BLANK}(?:hafta{_QUICK_BLANK})?{_DAY}"
    rf"|ayin{_QUICK_BLANK}\pN|vor{_QUICK_BLANK}\pN"
    rf"|(?:{_COUNT}){_QUICK_BLANK}?(?:gun|hafta|days?|weeks?){_QUICK_BLANK}?(?:once|evvel|ago|oncesi))"
)


def extract(text: str, when: datetime, games: tuple[str, ...] = (), folded: str | None = None) -> Entities:
    """The facts in a text written at `when`, which relative dates count from. Never raises.

    Money is a decimal string with its ISO 4217 code (USDT and BTC as they are); phones are E.164 (ITU-T), dates
    ISO 8601. Card and national-id numbers are masked before anything is looked for, so they are never ids.
    `folded` is `fold(text)` where the caller has it already.
    """
    head, tail = READ
    rest = text if len(text) <= head + tail else f"{text[:head]} \n {text[-tail:]}"
    ibans: list[str] = []
    phones: list[str] = []
    ids: list[str] = []
    if _DIGIT.search(rest):
        ibans, rest = _ibans(rest)
        rest = mask_numbers(rest)
        phones, rest = _phones(rest)
        ids, rest = _ids(rest)
    if folded is None or rest is not text:
        folded = fold(rest)
    return Entities(
        amounts=tuple(_first(_amounts(folded))),
        ids=tuple(_first(ids)),
        ibans=tuple(_first(ibans)),
        phones=tuple(_first(phones)),
        dates=tuple(_first(_dates(folded, when.date()))),
        games=games[:MOST],
    )


def _first(values: Iterable[_Value]) -> list[_Value]:
    return list(islice(dict.fromkeys(values), MOST))


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with these spans blanked, so that nothing is read twice; itself where there is none."""
    pieces, end = list[str](), 0
    for start, stop in spans:
        pieces += [text[end:start], " " * (stop - start)]
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else text


def _ids(text: str) -> tuple[list[str], str]:
    matches = [match for match in _tokens(text) if _is_id(match, text)]
    return [match[0].strip("#-_") for match in matches], _blank(text, (match.span() for match in matches))


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """What `_TOKEN` finds: looked for from the first digit of each run, of which there are few."""
    for digits in _TOKEN_DIGITS.finditer(text):
        at = digits.start()
        begin = _TOKEN_BEGIN.search(text, max(0, at - 8), at)
        if begin and (match := _TOKEN.match(text, begin.start())):
            yield match


def _is_id(match: re.Match[str], text: str) -> bool:
    token, before, after = (
        match[0],
        text[max(0, match.start() - 40) : match.start()],
        text[match.end() : match.end() + 12],
    )
    if _SPEAKS_FOR_ITSELF.fullmatch(token) or _NAMED.search(before):
        return True
    if len(token) < 5 or _MONEY_AFTER.match(after):
        return False
    bare = token.isdigit() and len(token) <= 20
    if bare and (_NOUN_BEFORE.search(before) or _NUMBERED_AFTER.match(after)):
        return True
    return _MARK_BEFORE.search(before) is not None


def _ibans(text: str) -> tuple[list[str], str]:
    if not _MAYBE_IBAN.search(text.encode("utf-8", "replace")):
        return [], text
    found, spans = [], []
    for match in _IBAN.finditer(text):
        compact = re.sub(r"[ -]", "", match[0]).upper()
        length = _IBAN_LENGTHS.get(compact[:2])
        for size in [length] if length else range(len(compact), 14, -1):
            if value := _valid_iban(compact[:size]):
                found.append(value)
                spans.append((match.start(), match.start() + _typed_length(match[0], size)))
                break
    return found, _blank(text, spans)


def _valid_iban(compact: str) -> str:
    try:
        return str(iban.validate(compact))
    except ValidationError:
        return ""


def _typed_length(typed: str, size: int) -> int:
    """How many characters hold the first `size` letters and digits."""
    places = [place for place, c in enumerate(typed) if c not in " -"]
    return places[size - 1] + 1


def _phones(text: str) -> tuple[list[str], str]:
    if not _MAYBE_PHONE.search(text.encode("utf-8", "replace")):
        return [], text
    found, spans = [], []
    for match in _PHONE.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        if (number := _valid_phone(_e164(match[0]))) and not _NAMED.search(before):
            found.append(number)
            spans.append(match.span())
    return found, _blank(text, spans)


def _valid_phone(number: str) -> str:
    """The number where its country's plan knows it, else nothing."""
    try:
        parsed = parse(number, HOME_REGION)
    except NumberParseException:
        return ""
    return format_number(parsed, PhoneNumberFormat.E164) if is_valid_number(parsed) else ""


def _e164(typed: str) -> str:
    """The number with its country, or nothing where it is none: Turkish subscribers have 10 digits."""
    digits = "".join(c for c in typed if "0" <= c <= "9")
    if typed.startswith(("+", "00")):
        digits = digits.removeprefix("00")
        home = digits.startswith(HOME_PREFIX) and len(digits) != 12
        return "" if home or not 10 <= len(digits) <= 15 or digits[0] == "0" else f"+{digits}"
    if len(digits) == 12 and digits.startswith(HOME_PREFIX) and digits[2] in "23458":
        return f"+{digits}"
    if len(digits) == 11 and digits[0] == "0" and digits[1] in "23458":
        return f"+{HOME_PREFIX}{digits[1:]}"
    grouped = len(typed.strip("() ")) > 10
    if len(digits) == 10 and (digits[0] == "5" or (grouped and digits[0] in "234")):
        return f"+{HOME_PREFIX}{digits}"
    return ""


def _matches(
    pattern: re.Pattern[str], begin: re.Pattern[str], words: Any, folded: str
) -> Iterator[re.Match[str]]:
    """What `pattern` finds: tried only at numbers, and where `words` says that a word may begin a match."""
    starts = [number.start() for number in begin.finditer(folded)]
    if words.search(folded.encode("utf-8", "replace")):
        starts = sorted({*starts, *_word_starts(words, folded)})
    end = 0
    for start in starts:
        if start >= end and (match := pattern.match(folded, start)):
            end = match.end()
            yield match


def _word_starts(words: Any, folded: str) -> Iterator[int]:
    """Where a word may begin a match: at the beginning or one after what `words` finds, wherever that may start."""
    encoded = folded.encode("utf-8", "replace")
    place = offset = after = 0
    while match := words.search(encoded, after):
        place += len(encoded[offset : match.start()].decode("utf-8", "replace"))
        offset = match.start()
        yield place
        yield place + 1
        after = offset + 1
        while encoded[after : after + 1] and encoded[after] & 0xC0 == 0x80:
            after += 1


def _amounts(folded: str) -> Iterator[Money]:
    for match in _matches(_AMOUNTS, _AMOUNT_BEGIN, _AMOUNT_WORDS, folded):
        found = match.groupdict()
        name = found["sign"] or found["sign2"] or found["name2"] or found["name3"] or found["name4"]
        number = found["n1"] or found["n2"] or found["n3"] or found["n5"]
        if number:
            scale = next((_SCALES[g.strip()] for g in match.groups() if g and g.strip() in _SCALES), 1)
            value = _decimal(number, scaled=scale > 1) * scale + int(found["rest"] or 0)
        else:
            value = Decimal(_spelt(found["words"] or found["words6"]))
        if value:
            yield Money(value=_plain(value), currency=_CODE_OF[name] if name else HOME_CURRENCY)


def _decimal(number: str, *, scaled: bool) -> Decimal:
    """A number as Turks or Americans write it: the last mark is decimal unless three digits follow it."""
    number = number.replace("'", "").replace(" ", "").replace("\u00a0", "")
    mark = max(number.rfind("."), number.rfind(","))
    whole, fraction = (number[:mark], number[mark + 1 :]) if mark >= 0 else (number, "")
    kinds = {c for c in number if c in ".,"}
    if len(fraction) == 3 and len(kinds) == 1 and not scaled and whole.strip("0.,"):
        whole, fraction = whole + fraction, ""
    return Decimal(f"{whole.replace('.', '').replace(',', '')}.{fraction or '0'}")


def _spelt(words: str) -> int:
    """The value of numerals in words: "bin bes yuz" is 1500, "a hundred" 100, "yuz elli bin" 150000."""
    total = group = 0
    for word in _NUMERALS.findall(_JOINER.sub(" ", words)):
        size = _GROUPS.get(word)
        if size is None:
            group += _ONES[word]
        elif size == 100:
            group = max(group, 1) * 100
        else:
            total, group = total + max(group, 1) * size, 0
    return total + group


def _plain(value: Decimal) -> str:
    """Without exponent; with two decimals where there are any: 1250.50, 500."""
    if value == value.to_integral_value():
        return str(int(value))
    text = f"{value:f}".rstrip("0")
    return text if len(text.partition(".")[2]) > 1 else text + "0"


def _dates(folded: str, today: date) -> Iterator[str]:
    for match in _matches(_DATES, _DATE_BEGIN, _DATE_WORDS, folded):
        found = {key: value for key, value in match.groupdict().items() if value}
        if day := _relative_day(found, today) or _calendar_day(found, today):
            yield day.isoformat()


def _relative_day(found: dict[str, str], today: date) -> date | None:
    if "relative" in found:
        back = _RELATIVE[found["relative"]]
    elif "weekday" in found:
        back = (today.weekday() - _WEEKDAYS[found["weekday"]] - 1) % 7 + 1
    elif count := found.get("count") or found.get("count2") or found.get("count3"):
        back = int(count) if count.isdigit() else _ONES[count]
        unit = found.get("unit") or found.get("unit2") or found.get("unit3")
        back *= 7 if unit in _WEEKS else 1
    else:
        return None
    try:
        return today - timedelta(days=back)
    except OverflowError:
        return None


def _calendar_day(found: dict[str, str], today: date) -> date | None:
    """The named day; without a year the last such day that is not in the future."""
    if "d5" in found:
        return _day_of_month(int(found["d5"]), today)
    day, month, year = (next((v for k, v in found.items() if k[0] == part), "") for part in "dmy")
    number = int(month) if month.isdigit() else _MONTHS.get(month[:3], 0)
    try:
        if year:
            return date(int(year) + (2000 if len(year) == 2 else 0), number, int(day))
        this = date(today.year, number, int(day))
        return this if this <= today else this.replace(year=today.year - 1)
    except ValueError:
        return None


def _day_of_month(day: int, today: date) -> date | None:
    """The last such day that is not in the future."""
    month = today if day <= today.day else today.replace(day=1) - timedelta(days=1)
    try:
        return month.replace(day=day)
    except ValueError:
        return None
