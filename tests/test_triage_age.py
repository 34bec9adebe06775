"""Who says to be under 18, who only seems to, and reports about minors."""

from __future__ import annotations

import pytest

from router import age
from router.rules import plain_words

UNDER = [
    "ben 17 yaşındayım", "on altı yaşındayım", "16 yım", "daha 17yim", "16'yım ben", "yaşım 15", "yasim tutmuyo",
    "henüz 18 olmadım", "18 yaşını doldurmadım", "reşit değilim", "18 yaşından küçüğüm", "17 yaşıma girdim diye",
    "lise 2. sınıf öğrencisiyim", "9. sınıfa gidiyorum", "liseye gidiyorum", "ortaokul öğrencisiyim", "liseliyim",
    "2011 doğumluyum", "doğum yılım 2010", "18'e 3 ay var", "reşit olmama 2 ay var", "17 buçuk yaşındayım",
    "ben on yedi yaşındayım", "müşteri 16 yaşında olduğunu söyledi", "yaşım yetmiyor",
    "im 16 and i cant verify", "I am 17 years old", "I'm only fifteen", "i am under 18", "im a minor", "I'm not 18 yet",
    "I'm a 10th grade student", "i was born in 2012", "turning 18 next month", "my age is 16", "as a 16 year old",
    "ich bin 16 jahre alt", "мне 15 лет", "my age is not enough",
]  # fmt: skip
NOT_UNDER = [
    "18 yaşındayım", "45 yaşındayım", "yirmi bir yaşındayım", "on sekiz yaşındayım", "18 yaşını doldurdum",
    "hesabım 17 aylık", "16 yıldır üyeyim", "17 gündür bekliyorum", "17. seviyedeyim", "17 yaşımdan beri kullanırım",
    "16 yaşındayken bilgisayar kullanıyordum", "17 bin lira", "oğlum 16 yaşında, düğünü var", "17'ye oynadım",
    "2010 yılından beri üyeyim", "1998 doğumluyum", "12. turda kaldım", "masa 16", "saat 17 de yatırdım",
    "lise mezunuyum",
    "öğretmenim, 9. sınıf okutuyorum", "17 yaşında değilim, 40 yaşındayım", "16 TL", "oranı 16 idi",
    "since I was 17", "when i was 16", "I'm 16 days waiting", "i am 15 minutes on hold", "level 17",
    "i'm 17 years a member",
    "im 41", "my account is 17 months old", "born in 1990", "i won 17 times", "im 16 euros short", "i am 18",
]  # fmt: skip


@pytest.mark.parametrize("text", UNDER)
def test_a_declared_minor_is_seen(text: str) -> None:
    """All the ways to say it: words, digits, school year, birth year, three languages and more."""
    assert age.read(plain_words(text), 2026).sender


@pytest.mark.parametrize("text", NOT_UNDER)
def test_look_alikes_are_no_minors(text: str) -> None:
    """Numbers under 18 that are no age, ages of others, and adults are not minors."""
    assert not age.read(plain_words(text), 2026).sender


@pytest.mark.parametrize(
    "text",
    [
        "16 yaşındaki oğlum kimliğimi kullanarak oynuyor",
        "kardeşim 15 yaşında sizde bahis yapıyor",
        "ortaokula giden çocuğum sizde hesap açabilmiş",
        "My 14 year old daughter has been playing on your site",
        "my son is only 15 and he opened an account",
        "reşit olmayan kızım: kızım reşit değil ama üye olmuş",
    ],
)
def test_reports_about_minors_are_no_declarations(text: str) -> None:
    """A relative who writes about a minor playing reports; the sender is not a minor."""
    found = age.read(plain_words(text), 2026)
    assert (found.reported, found.sender) == (True, False)


def test_a_child_that_does_not_play_is_no_report() -> None:
    """Naming a child's age alone is no report."""
    assert not age.read(plain_words("Oğlum 16 yaşında, ameliyatı var; para lazım"), 2026).reported


def test_two_ages_are_left_to_a_person() -> None:
    """Somebody who names an age under and one over 18 is not refused but looked at."""
    found = age.read(plain_words("17 yaşındayım yazıyor ama 35 yaşındayım"), 2026)
    assert (found.sender, found.unsure) == (False, True)


def test_the_birth_year_counts_from_the_message() -> None:
    """The same birth year is a minor, unsure, or an adult, by the date of the message."""
    plain = plain_words("2008 doğumluyum")
    assert age.read(plain, 2025).sender
    assert age.read(plain, 2026).unsure
    assert age.read(plain, 2027) == age.Age()
