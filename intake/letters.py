"""The words customers read in letters. Pure: what is to be said in, subject and text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from intake import tracking
from intake.schema import Status
from intake.settings import Operator


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a letter says in one language."""

    acknowledged: str
    received: str
    state_is: str
    several: str
    greeting: str
    thanks: str
    your_code: str
    keep_code: str
    next_step: str
    follow: str
    reply: str
    linked: str
    added: str
    state: str
    list_codes: str
    closing: str
    states: dict[Status, str]


_TR = Words(
    acknowledged="[{code}] Başvurunuzu aldık",
    received="[{code}] Mesajınızı aldık",
    state_is="[{code}] Başvurunuzun durumu",
    several="Başvurularınızı aldık ({count} takip kodu)",
    greeting="Merhaba,",
    thanks="Başvurunuz {date} tarihinde bize ulaştı ve kaydedildi.",
    your_code="Takip kodunuz: {code}",
    keep_code="Lütfen bu kodu saklayın ve kimseyle paylaşmayın.",
    next_step="Başvurunuz ilgili birime iletildi. Sonucu size yine buradan bildireceğiz.",
    follow="Durumu dilediğiniz zaman şu sayfadan öğrenebilirsiniz: {url}",
    reply="Eklemek istediğiniz bir şey varsa bu iletiyi yanıtlamanız yeterlidir; kodu konuda bırakın.",
    linked="Aynı konuyu daha önce {first} koduyla bildirmiştiniz; bu başvurunuzu onunla birlikte ele alıyoruz. "
    "Her iki kod da aynı durumu gösterir.",
    added="Mesajınız {code} kodlu başvurunuza eklendi ve ilgili birime iletildi.",
    state="{code} kodlu başvurunuzun durumu: {status}.",
    list_codes="Son bir saat içinde bize birden çok mesaj gönderdiniz. Hepsini kaydettik; takip kodlarınız:",
    closing="Saygılarımızla,\n{operator}",
    states={
        Status.REGISTERED: "kaydedildi, incelenmeyi bekliyor",
        Status.IN_PROGRESS: "inceleniyor",
        Status.WAITING_CUSTOMER: "sizden yanıt bekliyoruz",
        Status.WAITING_THIRD_PARTY: "üçüncü bir kurumdan yanıt bekleniyor",
        Status.RESOLVED: "sonuçlandı",
        Status.CLOSED: "kapandı",
        Status.REFUSED: "kabul edilmedi",
    },
)

_EN = Words(
    acknowledged="[{code}] We have received your complaint",
    received="[{code}] We have received your message",
    state_is="[{code}] Where your complaint stands",
    several="We have received your complaints ({count} tracking codes)",
    greeting="Hello,",
    thanks="Your complaint reached us on {date} and has been registered.",
    your_code="Your tracking code: {code}",
    keep_code="Please keep this code and do not share it with anyone.",
    next_step="It has been passed to the department that handles it. You will hear the outcome from us here.",
    follow="You can see where it stands at any time on this page: {url}",
    reply="If you want to add something, just reply to this message and leave the code in the subject.",
    linked="You told us of the same matter before, under the code {first}; we handle the two together. "
    "Both codes show the same state.",
    added="Your message was added to your complaint {code} and passed to the department that handles it.",
    state="Your complaint {code}: {status}.",
    list_codes="You sent us several messages within the last hour. All are registered; your tracking codes:",
    closing="Kind regards,\n{operator}",
    states={
        Status.REGISTERED: "registered, waiting to be looked at",
        Status.IN_PROGRESS: "being looked into",
        Status.WAITING_CUSTOMER: "waiting for your reply",
        Status.WAITING_THIRD_PARTY: "waiting for a third party",
        Status.RESOLVED: "resolved",
        Status.CLOSED: "closed",
        Status.REFUSED: "not accepted",
    },
)

WORDS = {"tr": _TR, "en": _EN}


def render(
    notices: Sequence[dict[str, Any]], language: str, operator: Operator, status_url: str
) -> tuple[str, str]:
    """Subject and text of a letter that carries these notices (rows of the table, at least one)."""
    words = WORDS.get(language, _TR)
    if len(notices) > 1:
        return _bundle(notices, words, operator, status_url)
    notice = notices[0]
    code = tracking.show(notice["data"]["code"])
    match notice["kind"]:
        case "receipt":
            subject, lines = words.received, [words.added.format(code=code)]
        case "status":
            subject, lines = words.state_is, [_state(words, notice)]
        case _:
            date = _date(notice["data"]["received_at"], operator.time_zone)
            subject = words.acknowledged
            lines = [
                f"{words.thanks.format(date=date)}\n{words.your_code.format(code=code)}",
                *_linked(words, notice),
                words.keep_code,
                words.next_step,
                words.follow.format(url=status_url),
                words.reply,
            ]
    return subject.format(code=code), _letter(words, lines, operator)


def _bundle(
    notices: Sequence[dict[str, Any]], words: Words, operator: Operator, status_url: str
) -> tuple[str, str]:
    codes = list(dict.fromkeys(tracking.show(n["data"]["code"]) for n in notices))
    states = {_state(words, n) for n in notices if n["kind"] == "status"}
    lines = [words.list_codes + "\n" + "\n".join(codes), *sorted(states)]
    lines += [words.keep_code, words.follow.format(url=status_url)]
    return words.several.format(count=len(codes)), _letter(words, lines, operator)


def _linked(words: Words, notice: dict[str, Any]) -> list[str]:
    """The earlier code, where registration found that the reader may know of it."""
    first = notice["data"].get("first")
    return [words.linked.format(first=tracking.show(first))] if first else []


def _state(words: Words, notice: dict[str, Any]) -> str:
    status = words.states[Status(notice["data"]["status"])]
    return words.state.format(code=tracking.show(notice["data"]["code"]), status=status)


def _letter(words: Words, lines: list[str], operator: Operator) -> str:
    return "\n\n".join([words.greeting, *lines, words.closing.format(operator=operator.name)]) + "\n"


def _date(moment: str, zone: str) -> str:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(zone)).strftime("%d.%m.%Y %H:%M")
