"""What words mean when complaints are compared: a lexicon of stems (`concepts.toml`), Turkish and English."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from functools import lru_cache
from importlib.resources import files

Meaning = tuple[str, str]
"""A list's kind and name: ("about", "withdrawal"), ("game", "poker")."""

_LONGEST = 14  # letters of a word that a stem may have

# say nothing about the matter: function words, greetings, courtesies, words for oneself and for writing
IDLE = frozenset(
    """
acaba acil ama ancak ara artik asla ayni az bana bari bazi ben beni benim bey beyler bi bir biraz biri birisi birsey
biz bize bizim bu bugun buna bunu bunun burada cok cunku da daha dahi de defa degil demis den derhal diger diye diyor
dolayi dun durum edebilir eder ederim edin ediyorum efendim eger en et etmek ettim falan gibi gore gun gunaydin gundur
gunler hala halbuki halde hani hanim hatta hem hemen hep her herhangi hic hos icin icinde iken ile ilgili ilginiz
ilk ise iste isteme istiyor istiyorum istedim itibaren iyi kac kadar kendi kendim kez kere ki kim kimse kolay konu
konuda lan lira liralik lirali lutfen merhaba merhabalar mi mu muhtemelen musunuz misiniz nasil ne neden nedeni
nedenini nerede ni nicin niye olan olarak oldu oldugu olmadi olmali olmasi olmasina olsun olur on onu onun orada oysa
oyle ragmen rica sadece sana sayin saygi saygilar saygilarimla saygilarimiz selam selamlar siz size sizde sizden
sizin simdi son sonra sonradan sorun su suan sunu taraf tarih tarihli tesekkurler tl tum try uzere uzerinden var
vardi varmis ve veya ya yani yaklasik yapilan yapin yaptigim yapmis yaptim yardim yardimci yazdim yaziyor yazmistim
yetkili yoksa zaman zira bakin bakar bilgi talep talebi talebim talebimi talebinde bulundum ederiz memnun olurum
kontrol lutfen numarali nolu no numara id kadar tane tanesi gozukuyor gorunuyor gozukmuyor
a about after again all already also am an and any are as at be because been before being but by can cannot cant could
dear did didn do does doesn doing dollar dollars bucks don done down euro euros every for from get getting got had has
hasn have haven hello help her here hey hi him his how i if im in into is isn it its ive just know let like ll me more
my need new no not now of off on once one only or our out over please pls re really regards so some still such sir
team than that the their them then there these they thing this those time to today tonight too tried try up us use
very ve want was wasn we were what when whats where which while who why will with without won would wrote yesterday
yet you your yours kind best best much many day days week ago since until asked tell told says said say
""".split()  # noqa: SIM905  (a list of 400 quoted words is no easier to read)
)


def _lists() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("intake").joinpath("concepts.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _stems() -> tuple[dict[str, tuple[Meaning, ...]], dict[str, tuple[Meaning, ...]]]:
    """Whole words, and the beginnings of words, each with all it means."""
    whole: dict[str, list[Meaning]] = defaultdict(list)
    begins: dict[str, list[Meaning]] = defaultdict(list)
    for kind, named in _lists().items():
        for name, stems in named.items():
            for stem in stems.split():
                if "_" in stem:
                    continue
                (whole if stem.endswith("=") else begins)[stem.removesuffix("=")].append((kind, name))
    exact = {stem: tuple(found + begins.get(stem, [])) for stem, found in whole.items()}
    return exact, {stem: tuple(found) for stem, found in begins.items()}


@lru_cache(maxsize=1 << 15)
def meanings(word: str) -> tuple[Meaning, ...]:
    """All a folded word may mean: of the longest stem it begins with, or nothing."""
    whole, begins = _stems()
    if word in whole:
        return whole[word]
    for length in range(min(len(word), _LONGEST), 2, -1):
        if found := begins.get(word[:length]):
            return found
    return ()


@lru_cache(maxsize=1)
def phrases() -> dict[str, tuple[tuple[str, Meaning], ...]]:
    """By their first words: how the second ones begin, and what the two mean."""
    found: dict[str, list[tuple[str, Meaning]]] = defaultdict(list)
    for kind, named in _lists().items():
        for name, stems in named.items():
            for stem in stems.split():
                first, _, second = stem.partition("_")
                if second:
                    found[first].append((second, (kind, name)))
    return {first: tuple(seconds) for first, seconds in found.items()}


def meanings_of_two(word: str, following: str) -> list[Meaning]:
    """What two folded words mean together, beyond what each of them means."""
    seconds = phrases().get(word)
    return [meaning for begins, meaning in seconds if following.startswith(begins)] if seconds else []
