"""Cutting fresh text from quoted text, in the forms of many clients."""

from __future__ import annotations

import pytest

from normalizers import markup, quotes

GMAIL = "Destek <d@o.example>, 22 Kas 2026 Paz, 10:11 tarihinde şunu yazdı:"

CUT = {
    "gmail": (f"Gelmedi\n\n{GMAIL}\n> eski", "Gelmedi"),
    "gmail, wrapped": (
        "Gelmedi\n\nDestek <d@o.example>, 22 Kas 2026 Paz, 10:11 tarihinde\nşunu yazdı:\n\n> e",
        "Gelmedi",
    ),
    "german, wrapped in the address": (
        "Danke\n\nAm So., 22. Nov. 2026 um 10:11 Uhr schrieb Support <\nd@o.example>:\n\n> alt",
        "Danke",
    ),
    "french": ("Merci\n\nLe dim. 22 nov. 2026 à 10:11, Support <d@o.example> a écrit :\n\n> vieux", "Merci"),
    "a language nobody taught us": (
        "Dík\n\nDne 22. 11. 2026 10:11 Destek <d@o.example> napsal(a):\n> staré",
        "Dík",
    ),
    "yandex": ('Tamam\n\n22.11.2026, 10:11, "Destek" <d@o.example>:\n> eski', "Tamam"),
    "outlook, turkish": (
        "Ekte.\n\nKimden: Destek [mailto:d@o.example]\nGönderilme tarihi: 22 Kasım 2026\nKime: Ayşe\nKonu: x\n\nEski",
        "Ekte.",
    ),
    "outlook, a line of dashes": ("Merhaba\n\n-----Özgün İleti-----\nKimden: x\nKonu: y\n\neski", "Merhaba"),
    "outlook on a phone": (
        "Tamam.\n\nAndroid için Outlook'u edinin<https://aka.ms/x>\n____________\nFrom: D <d@o.example>\n"
        "Sent: Sunday\nTo: A\nSubject: T\n\nEski",
        "Tamam.",
    ),
    "a quoted line that lost its mark": (
        f"Cevap\n\n{GMAIL}\n> this is a very long quoted line that has been broken by some client\nand goes on\n> x",
        "Cevap",
    ),
    "quoted lines only": ("Tamam\n> eski\n> eski2", "Tamam"),
    "signature": ("Param yok.\n\nAyşe\n\n-- \nAyşe Yılmaz\nTel: 0555", "Param yok.\n\nAyşe"),
    "phone": ("Bekliyorum\n\nSent from my Galaxy", "Bekliyorum"),
    "phone, turkish": ("Bekliyorum\niPhone’umdan gönderildi", "Bekliyorum"),
    "disclaimer": (
        "No money.\n\nThis e-mail and any attachments are confidential and intended solely for the addressee.",
        "No money.",
    ),
    "answer below": (f"{GMAIL}\n> Hangi banka?\n\nZiraat", "Ziraat"),
}

KEPT = {
    "answers between quotes": f"{GMAIL}\n> Banka?\nZiraat\n> Tutar?\n100 TL",
    "somebody wrote, in a story": "Temsilci bana şunu yazdı:\nParanız 24 saatte gelir. Gelmedi.",
    "somebody wrote on a day, in a story": "22 Kasım 2026'da destek şunu yazdı:\nParanız gelir\nAma gelmedi!",
    "the slip of a bank": "Gönderen: Ali\nAlıcı: X AŞ\nTarih: 22.11.2026\nKonu: yatırım\nTutar: 5\n\nNerede?",
    "dashes": "Bir - iki -- üç\nsonra --- devam",
    "no quote at all": "Merhaba,\n\nparam gelmedi.",
}


@pytest.mark.parametrize("name", CUT)
def test_the_fresh_part_is_what_was_written_now(name: str) -> None:
    """The text is cut where the client began to quote, sign or append."""
    text, fresh = CUT[name]
    assert quotes.cut(text, is_reply=True)[0] == fresh


@pytest.mark.parametrize("name", KEPT)
def test_what_only_looks_quoted_is_kept_whole(name: str) -> None:
    """Nothing is cut from a customer's own words, or from answers that stand between quotes."""
    assert quotes.cut(KEPT[name], is_reply=True) == (KEPT[name], "")


def test_a_forwarded_mail_is_its_text() -> None:
    """Where nothing was written above a forwarded mail, that mail is the text; the phone's line is not."""
    forwarded = (
        "İletilen ileti başlangıcı:\n\nKimden: Banka <b@c.example>\nTarih: 22 Kasım\nKonu: z\n\nİçerik"
    )
    fresh, quoted = quotes.cut(f"iPhone'umdan gönderildi\n\n{forwarded}", is_reply=True)
    assert (fresh, quoted) == (forwarded, "iPhone'umdan gönderildi")


def test_an_empty_reply_has_no_text() -> None:
    """A reply in which nothing was written says nothing; as a first mail its quotes are all there is."""
    assert quotes.cut(f"{GMAIL}\n> eski", is_reply=True) == ("", f"{GMAIL}\n> eski")
    assert quotes.cut(f"{GMAIL}\n> eski") == (f"{GMAIL}\n> eski", "")


def test_a_mark_of_the_markup_cuts_and_is_not_shown() -> None:
    """Where HTML says that a quoted mail begins, the cut needs no words; the mark itself is in no part."""
    text = f"Selam\n{markup.ATTRIBUTION}\nLähettäjä: Destek\nVanha"
    assert quotes.cut(text) == ("Selam", "Lähettäjä: Destek\nVanha")
    assert quotes.without_marks(text) == "Selam\nLähettäjä: Destek\nVanha"
