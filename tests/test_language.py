"""The language of short, long, unaccented and mixed texts."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import language
from router.language import detect


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("tr", "Çekim talebim üç gündür beklemede, ne zaman yatacak?"),
        ("tr", "cekimim niye gelmiyo"),
        ("tr", "PARAMI VERİN"),
        ("tr", "pokerde elim full house du rakibe verdi potu"),
        ("tr", "tamam"),
        ("en", "where is my money"),
        ("en", "site down?"),
        ("en", "My withdrawal has been rejected three times with no explanation."),
        ("de", "Ich kann mich nicht mehr einloggen, mein Konto wurde gesperrt."),
        ("ru", "Сайт не работает, приложение вылетает"),
        ("ru", "ПОМОГИТЕ"),
        ("ar", "لا أستطيع تسجيل الدخول إلى حسابي"),
        ("es", "Hola, no puedo retirar mi dinero de la cuenta desde ayer"),
        ("und", ""),
        ("und", "123 👍 !!!"),
        ("und", "https://example.com/a/b @somebody"),
    ],
)
def test_language_of_short_and_long_texts(expected: str, text: str) -> None:
    """Script, small words and the model together name the language; a text without words has none."""
    assert detect(text) == expected


def test_a_mixed_text_takes_its_larger_part() -> None:
    """A Turkish sentence with English words is Turkish, an English one with Turkish words English."""
    assert (
        detect("Hi, withdrawal yaptım dün gece ama hâlâ gelmedi, please check, çok mağdurum arkadaşlar")
        == "tr"
    )
    assert (
        detect("I sent the havale yesterday but my balance is still zero, could you please check my account")
        == "en"
    )


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is in the package: no socket is opened, even on first use."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    language._detector.cache_clear()
    assert detect("Ceci est un message tout à fait ordinaire sans aucun mot connu") == "fr"


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    """Nothing a text can hold raises; the answer is a short code."""
    assert 2 <= len(detect(text)) <= 3
