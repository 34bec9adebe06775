"""Facts people write: amounts, ids, IBANs, phones, dates; and what only looks like them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.entities import MOST, extract

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
PIECES = [
    "0",
    "1",
    "53",
    "2026",
    ".",
    ",",
    "-",
    "/",
    "+",
    "(",
    ")",
    "tl",
    "tr33",
    "bin",
    "yüz",
    "kupon:",
    "$",
    "12.03.",
]


def _amounts(text: str) -> list[str]:
    return [f"{money.value} {money.currency}" for money in extract(text, NOW).amounts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.250,50 TL çekim talebi", ["1250.50 TRY"]),
        ("₺500 yatırdım, sonra 3.000,00₺", ["500 TRY", "3000 TRY"]),
        ("bin beş yüz lira", ["1500 TRY"]),
        ("beşyüz elli lira", ["550 TRY"]),
        ("YÜZ ELLİ BİN LİRA", ["150000 TRY"]),
        ("on yedi bin lira", ["17000 TRY"]),
        ("2k yolladim", ["2000 TRY"]),
        ("5 bin liram gitti", ["5000 TRY"]),
        ("1.5k usd", ["1500 USD"]),
        ("100$ attım", ["100 USD"]),
        ("a hundred dollars", ["100 USD"]),
        ("two hundred and fifty euros", ["250 EUR"]),
        ("1,200.50 USD and £1,200", ["1200.50 USD", "1200 GBP"]),
        ("500 TL'yi 200TL 300 tl", ["500 TRY", "200 TRY", "300 TRY"]),
        ("5000 рублей", ["5000 RUB"]),
        ("2023 500 TL", ["500 TRY"]),
        ("0,5 btc", ["0.50 BTC"]),
        ("1,5 milyon", ["1500000 TRY"]),
        ("on iki bin beş yüz", ["12500 TRY"]),
        ("3 bin 500 lira", ["3500 TRY"]),
        ("5bin çektim", ["5000 TRY"]),
        ("1250 liramı verin", ["1250 TRY"]),
        ("500 Türk Lirası", ["500 TRY"]),
        ("bin kere söyledim, iki bin kişi yazdı", []),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, expected: list[str]) -> None:
    """An amount becomes a decimal string and a currency, whatever the marks, words and endings."""
    assert _amounts(text) == expected


@pytest.mark.parametrize(
    "text", ["3 gündür bekliyorum", "48 saat", "2 kere", "saat 12.30", "level 17", "17. seviye", ""]
)
def test_plain_numbers_are_no_amounts(text: str) -> None:
    """A number without a currency is no money."""
    assert _amounts(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("İşlem no 8839201, kupon no: 4456781", ("8839201", "4456781")),
        ("Transaction id WD-993812.", ("WD-993812",)),
        ("Round id 1120-887", ("1120-887",)),
        ("kupon 5567123 kazandı", ("5567123",)),
        ("bet slip 889123", ("889123",)),
        ("8839201 nolu işlem", ("8839201",)),
        ("TALEP NO: AB12345", ("AB12345",)),
        ("çekim 12500 TL", ()),
        ("kart no 4111 1111 1111 1111, kimlik no 10000000146", ()),
    ],
)
def test_ids_are_found_by_their_names(text: str, expected: tuple[str, ...]) -> None:
    """Transaction, coupon and round ids are found; amounts, cards and national ids are not ids."""
    assert extract(text, NOW).ids == expected


def test_an_iban_has_to_check() -> None:
    """A right IBAN is found once however it is grouped; one with a wrong digit is not an IBAN."""
    text = "TR330006100519786457841326, tr33 0006 1005 1978 6457 8413 26, DE89370400440532013000"
    assert extract(text, NOW).ibans == ("TR330006100519786457841326", "DE89370400440532013000")
    assert extract("TR330006100519786457841327", NOW).ibans == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0532 123 45 67", "+905321234567"),
        ("+90 (532) 123 45 67", "+905321234567"),
        ("5321234567 ara", "+905321234567"),
        ("00905321234567", "+905321234567"),
        ("0212 555 11 22", "+902125551122"),
        ("+49 151 23456789", "+4915123456789"),
    ],
)
def test_phones_become_e164(text: str, expected: str) -> None:
    """Turkish numbers in all common spellings, and foreign ones with their country, are E.164."""
    assert extract(text, NOW).phones == (expected,)


@pytest.mark.parametrize("text", ["0999 123 45 67", "+90 111 222 33 44", "12345678901234"])
def test_what_no_plan_knows_is_no_phone(text: str) -> None:
    """A row of digits that no country gives to a subscriber is not called."""
    assert extract(text, NOW).phones == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.03.2026 tarihinde", "2026-03-12"),
        ("2026-03-12", "2026-03-12"),
        ("12 Mart'ta", "2026-03-12"),
        ("25 Aralık", "2025-12-25"),
        ("March 3rd", "2026-03-03"),
        ("DÜN AKŞAM", "2026-11-22"),
        ("dun gece", "2026-11-22"),
        ("geçen cuma", "2026-11-20"),
        ("pazartesi günü", "2026-11-16"),
        ("last Friday", "2026-11-20"),
        ("3 gün önce", "2026-11-20"),
        ("two weeks ago", "2026-11-09"),
        ("bugün", "2026-11-23"),
        ("geçen hafta salı", "2026-11-17"),
        ("5 Kasım Perşembe", "2026-11-05"),
        ("ayın 25inde", "2026-10-25"),
        ("vor 3 Tagen", "2026-11-20"),
        ("3 дня назад", "2026-11-20"),
        ("am Freitag", "2026-11-20"),
    ],
)
def test_dates_count_from_the_message(text: str, expected: str) -> None:
    """Absolute and relative dates are ISO 8601; without a year, and for weekdays, the last one that has been."""
    assert extract(text, NOW).dates == (expected,)


@pytest.mark.parametrize("text", ["31.02.2026", "99.99.99", "999 gün önce bir şey", "v1.2.3.4"])
def test_impossible_dates_are_left_out(text: str) -> None:
    """What is no day of the calendar is no date, and nothing raises."""
    assert [day for day in extract(text, NOW).dates if day > "2025"] == []


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    """Nothing a text can hold raises."""
    extract(text, NOW)


@given(st.lists(st.sampled_from(PIECES), max_size=80))
def test_any_row_of_digits_is_read(parts: list[str]) -> None:
    """Rows of digits, marks and number words, where readers usually trip, never raise."""
    extract(" ".join(parts), NOW)
    extract("".join(parts), NOW)


@pytest.mark.parametrize(
    "piece",
    [
        "5",
        "5 ",
        "0 5 3 ",
        "1.000",
        "bin ",
        "tr12 ",
        "a hundred and ",
        "islem no ",
        "TR33",
        "12.03.",
        "1 000 ",
        "$1",
    ],
)
def test_a_megabyte_of_near_misses_is_bounded(piece: str) -> None:
    """1 MB of the worst shapes holds nobody up and gives at most MOST values of a kind."""
    text = piece * (1_000_000 // len(piece))
    begun = time.process_time()
    found = extract(text, NOW)
    assert time.process_time() - begun < 5
    assert max(map(len, (found.amounts, found.ids, found.ibans, found.phones, found.dates))) <= MOST
