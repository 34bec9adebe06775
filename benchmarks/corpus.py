"""Complaints by mail, made up: Turkish and English, in five sizes, each with words of its own. Seeded."""

from __future__ import annotations

import base64
import hashlib
import quopri
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Size = Literal["plain", "html", "alternative", "image", "attachment"]
SIZES: tuple[Size, ...] = ("plain", "html", "alternative", "image", "attachment")
"""2 kB of text (4 kB with headers), 25 kB of HTML, the same beside its text, a picture of 500 kB, a file of 5 MB."""

_START = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
_TURKISH = 0.75  # share of the mails
_IMAGE_BYTES = 500_000
_FILE_BYTES = 5_000_000

_NAMES = (
    "Ayşe Yılmaz", "Mehmet Öztürk", "Gülşen Çağlar", "İbrahim Şahin", "Zeynep Kılıç", "Oğuz Türkmen",
    "Elif Doğan", "Hüseyin Işık", "Fatma Güneş", "Emre Çelik", "Sarah Miller", "James O'Connor",
    "Priya Patel", "Tom Baker", "Aylin Schmidt", "Burak Aydın",
)  # fmt: skip
_HOSTS = ("gmail.com", "hotmail.com", "outlook.com.tr", "yandex.com", "icloud.com", "ornek.com.tr")
_SUBJECTS = {
    "tr": (
        "Çekim talebim {days} gündür onaylanmadı", "{amount} TL yatırımım hesabıma geçmedi",
        "Hesabıma giriş yapamıyorum", "{game} oyununda bakiyem eksildi", "Bonusum tanımlanmadı – {ref}",
        "Kupon yanlış sonuçlandı: {ref}", "Uygulama sürekli kapanıyor", "Destek hattından yanıt alamıyorum",
    ),
    "en": (
        "My withdrawal of {amount} TL is pending for {days} days", "Deposit not credited – {ref}",
        "Cannot log in to my account", "{game} froze and I lost my stake", "Wrong settlement of slip {ref}",
    ),
}  # fmt: skip
_OPENINGS = {"tr": ("Merhaba,", "İyi günler,", "Sayın yetkili,"), "en": ("Hello,", "Dear support team,")}
_SENTENCES = {
    "tr": (
        "{date} tarihinde hesabımdan {amount} TL çekim talebinde bulundum, ancak talep hâlâ beklemede görünüyor.",
        "İşlem numaram {ref}, kullanıcı adım {user}.",
        "Bankamı aradım, kendilerine ulaşan bir ödeme olmadığını söylediler.",
        "{game} oynarken bağlantı koptu ve {amount} TL bakiyem geri yüklenmedi.",
        "Canlı destekteki arkadaş {days} gün içinde çözüleceğini belirtmişti, üzerinden daha fazla zaman geçti.",
        "Kimlik belgelerimi iki kez yükledim, yine de hesabım doğrulanmadı.",
        "Yatırımı {bank} üzerinden havale ile yaptım, dekontu ekte bulabilirsiniz.",
        "Uygulamayı silip yeniden kurdum, şifremi de sıfırladım ama sonuç değişmedi.",
        "Kuponumdaki maçlar tuttu, buna rağmen {ref} numaralı kupon kaybetmiş görünüyor.",
        "Bu durumun bir an önce düzeltilmesini ve tarafıma bilgi verilmesini rica ediyorum.",
        "Telefon numaram {phone}, mesai saatlerinde arayabilirsiniz.",
        "Aynı sorunu geçen ay da yaşamıştım; o zaman {days} gün beklemiştim.",
        "Bonus şartlarını yerine getirdiğim hâlde çevrim ekranında ilerleme görünmüyor.",
    ),
    "en": (
        "On {date} I asked for a withdrawal of {amount} TL and the request is still shown as pending.",
        "The transaction number is {ref} and my user name is {user}.",
        "My bank says that no payment from you has reached them.",
        "While I was playing {game} the connection dropped and my balance of {amount} TL never came back.",
        "Your colleague in the live chat promised an answer within {days} days, and more than that has passed.",
        "I have uploaded my identity documents twice and the account is still not verified.",
        "The deposit was made through {bank}; the receipt is attached to this message.",
        "I reinstalled the app and changed my password, which did not help at all.",
        "All matches on slip {ref} were won, yet it is shown as lost.",
        "Please look into this soon and let me know what you have found.",
        "You can reach me at {phone} during office hours.",
    ),
}  # fmt: skip
_CLOSINGS = {
    "tr": ("Saygılarımla,", "Teşekkürler,", "İyi çalışmalar,"),
    "en": ("Kind regards,", "Thank you,"),
}
_GAMES = ("Gates of Olympus", "Sweet Bonanza", "Aviator", "Blackjack", "Canlı Rulet", "Book of Ra")
_BANKS = ("Ziraat", "Garanti", "Akbank", "İş Bankası", "Papara", "Yapı Kredi")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it comes off the wire, with what was put into it."""

    number: int
    size: Size
    language: str
    address: str
    raw: bytes


def mails(size: Size, count: int, seed: int = 1, first: int = 0) -> Iterator[Mail]:
    """`count` mails of one size; the same arguments give the same bytes, another `first` gives other mails."""
    for number in range(first, first + count):
        yield _Writer(seed, size, number).mail()


def mixed(count: int, seed: int = 1, first: int = 0) -> list[Mail]:
    """The mix a mailbox sees: of 20 mails 16 plain, 3 HTML and 1 with a picture, evenly spread."""
    sizes: dict[int, Size] = {3: "html", 9: "html", 15: "html", 19: "image"}
    return [_Writer(seed, sizes.get(n % 20, "plain"), n).mail() for n in range(first, first + count)]


class _Writer:
    """Writes one mail with a random source of its own."""

    def __init__(self, seed: int, size: Size, number: int) -> None:
        self.random = random.Random(f"{seed}/{size}/{number}")
        self.size, self.number, self.tag = size, number, f"{seed}-{size}-{number}"
        self.language = "tr" if self.random.random() < _TURKISH else "en"
        self.name = self.pick(_NAMES)
        self.address = f"musteri.{self.tag}@{self.pick(_HOSTS)}"
        self.sent = _START + timedelta(seconds=37 * number)

    def pick(self, choices: tuple[str, ...]) -> str:
        return self.random.choice(choices)

    def fill(self, sentence: str) -> str:
        r = self.random
        day = self.sent - timedelta(days=r.randint(1, 20))
        amount = f"{r.randint(1, 49)}.{r.randint(0, 999):03}"
        return sentence.format(
            days=r.randint(2, 19),
            amount=amount if self.language == "tr" else amount.replace(".", ","),
            ref=f"TRX-{r.randint(10**7, 10**8)}",
            user=f"oyuncu{r.randint(1000, 99999)}",
            game=self.pick(_GAMES),
            bank=self.pick(_BANKS),
            date=f"{day:%d.%m.%Y}",
            phone=f"053{r.randint(0, 9)} {r.randint(100, 999)} {r.randint(10, 99)} {r.randint(10, 99)}",
        )

    def paragraphs(self, characters: int) -> list[str]:
        """Whole sentences, a few to a paragraph, until there are so many characters."""
        found = [self.pick(_OPENINGS[self.language])]
        written = 0
        while written < characters:
            few = [self.fill(self.pick(_SENTENCES[self.language])) for _ in range(self.random.randint(2, 4))]
            found.append(" ".join(few))
            written += len(found[-1])
        return [*found, self.pick(_CLOSINGS[self.language]) + "\n" + self.name]

    def mail(self) -> Mail:
        body: Callable[[], tuple[list[str], bytes]] = {
            "plain": self.plain, "html": self.html, "alternative": self.alternative,
            "image": self.image, "attachment": self.attachment,
        }[self.size]  # fmt: skip
        fields, content = body()
        head = "\r\n".join([*self.headers(), *fields]).encode() + b"\r\n\r\n"
        return Mail(self.number, self.size, self.language, self.address, head + content)

    def headers(self) -> list[str]:
        """What a mail has gathered when it arrives: about 2 kB, most of it signatures nobody reads again."""
        r, host = self.random, self.address.partition("@")[2]
        moment = f"{self.sent:%a, %d %b %Y %H:%M:%S} +0000"
        subject = self.fill(self.pick(_SUBJECTS[self.language]))

        def noise(length: int) -> str:
            text = base64.b64encode(r.randbytes(length)).decode()
            return "\r\n ".join(text[i : i + 70] for i in range(0, len(text), 70))

        return [
            f"Return-Path: <{self.address}>",
            f"Received: from mx{r.randint(1, 9)}.{host} (mx.{host} [203.0.113.{r.randint(1, 254)}])\r\n"
            f"\tby mail.operator.example (Postfix) with ESMTPS id {r.randbytes(6).hex().upper()}\r\n"
            f"\tfor <destek@operator.example>; {moment}",
            f"Authentication-Results: mail.operator.example; dkim=pass header.d={host};\r\n"
            f"\tspf=pass smtp.mailfrom={self.address}; dmarc=pass header.from={host}",
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=s{r.randint(1, 9)};\r\n"
            f" h=from:to:subject:date:message-id; bh={noise(32)};\r\n b={noise(256)}",
            f"ARC-Seal: i=1; a=rsa-sha256; t={int(self.sent.timestamp())}; cv=none; d={host}; s=arc;\r\n"
            f" b={noise(256)}",
            f"Received: by 2002:a05:{r.randint(1000, 9999)}:b0 with SMTP id {r.randbytes(8).hex()};\r\n\t{moment}",
            f"From: {_word(self.name)} <{self.address}>",
            "To: =?utf-8?Q?M=C3=BC=C5=9Fteri_Hizmetleri?= <destek@operator.example>",
            f"Subject: {_word(subject)}",
            f"Date: {moment}",
            f"Message-ID: <{hashlib.sha256(self.tag.encode()).hexdigest()[:32]}@{host}>",
            "MIME-Version: 1.0",
            "X-Mailer: Apple Mail (2.3774.600.62)",
        ]

    def plain(self, characters: int = 1750) -> tuple[list[str], bytes]:
        text = "\n\n".join(self.paragraphs(characters))
        fields = ['Content-Type: text/plain; charset="utf-8"', "Content-Transfer-Encoding: quoted-printable"]
        return fields, _crlf(quopri.encodestring(text.encode()))

    def html(self) -> tuple[list[str], bytes]:
        """HTML alone, so that its text has to be found: tables, inline styles, a style sheet."""
        return self._page([])

    def alternative(self) -> tuple[list[str], bytes]:
        """What most clients send: the same words as plain text and as HTML."""
        words: list[str] = []
        html_fields, page = self._page(words)
        text = _crlf(quopri.encodestring("\n\n".join(words).encode()))
        boundary = f"----=_Part_{self.random.randbytes(12).hex()}"
        plain_fields = ['Content-Type: text/plain; charset="utf-8"', html_fields[1]]
        parts = [
            "\r\n".join([f"--{boundary}", *fields, "", ""]).encode() + content + b"\r\n"
            for fields, content in ((plain_fields, text), (html_fields, page))
        ]
        whole = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        return [f'Content-Type: multipart/alternative; boundary="{boundary}"'], whole

    def _page(self, written: list[str]) -> tuple[list[str], bytes]:
        """20 kB of HTML and its headers; the words in it are added to `written`."""
        rows = []
        size = 0
        while size < 19_500:
            cell = (
                "font-family:'Segoe UI',Arial,sans-serif;font-size:14px;line-height:1.5;color:"
                f"#{self.random.randint(0, 0xFFFFFF):06x};padding:8px 12px;border-bottom:1px solid #e5e5e5"
            )
            paragraphs = self.paragraphs(200)[1:]
            written += paragraphs
            words = [_escape(p).replace("\n", "<br>") for p in paragraphs]
            spans = "</span></p>\n<p style='margin:0 0 8px'><span lang=TR>".join(words)
            rows.append(
                f'<tr><td style="{cell}" valign="top" width="120"><b>{_escape(self.fill("{ref}"))}</b></td>'
                f'<td style="{cell}"><p style="margin:0 0 8px"><span lang=TR>{spans}</span></p></td></tr>'
            )
            size += len(rows[-1].encode())
        style = "".join(f".c{n}{{color:#{n:06x};margin:{n}px}}\n" for n in range(40))
        page = (
            f'<html><head><meta charset="utf-8"><title>x</title><style>{style}</style></head><body>'
            '<div class="gmail_default"><table cellpadding="0" cellspacing="0" border="0" width="600">'
            + "\n".join(rows)
            + '</table></div><img src="cid:logo" width="1" height="1" alt=""></body></html>'
        )
        fields = ['Content-Type: text/html; charset="utf-8"', "Content-Transfer-Encoding: quoted-printable"]
        return fields, _crlf(quopri.encodestring(page.encode()))

    def image(self) -> tuple[list[str], bytes]:
        return self._with_file(_png(self.random, _IMAGE_BYTES), "image/png", "ekran görüntüsü.png")

    def attachment(self) -> tuple[list[str], bytes]:
        pdf = b"%PDF-1.7\n" + self.random.randbytes(_FILE_BYTES)
        return self._with_file(pdf, "application/pdf", "hesap özeti.pdf")

    def _with_file(self, data: bytes, kind: str, filename: str) -> tuple[list[str], bytes]:
        boundary = f"----=_Part_{self.random.randbytes(12).hex()}"
        fields, text = self.plain(700)
        encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
        head = "\r\n".join([f"--{boundary}", *fields, "", ""]).encode()
        file_head = "\r\n".join(
            [f"\r\n--{boundary}", f'Content-Type: {kind}; name="{_word(filename)}"',
             "Content-Transfer-Encoding: base64",
             f'Content-Disposition: attachment; filename="{_word(filename)}"', "", ""]
        ).encode()  # fmt: skip
        whole = head + text + file_head + encoded + f"--{boundary}--\r\n".encode()
        return [f'Content-Type: multipart/mixed; boundary="{boundary}"'], whole


def _word(text: str) -> str:
    return text if text.isascii() else f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("ü", "&uuml;")


def _crlf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _png(source: random.Random, size: int) -> bytes:
    """A PNG of noise, valid as far as programs look that only read its first chunks."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (800).to_bytes(4, "big") + (600).to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", source.randbytes(size))
        + chunk(b"IEND", b"")
    )


def text_of_complaint(seed: str) -> str:
    """The words alone, as somebody would type them into a form."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:3], "big")
    return "\n\n".join(_Writer(0, "plain", number).paragraphs(700))
