"""The demonstration: sample complaints through the real form and the real mail reader, and where they arrive."""

from __future__ import annotations

import asyncio
import http.client
import json
import struct
import tomllib
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from functools import partial
from html import escape
from http.cookies import SimpleCookie
from importlib import resources
from typing import Any, Final, Literal, Protocol
from uuid import uuid4

import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from pydantic import Field
from rich.status import Status
from rich.text import Text
from selectolax.lexbor import LexborHTMLParser

from intake import tracking
from intake.accept import Acceptor
from intake.display import console, write_books, write_rows
from intake.errors import IntakeError, TransientError
from intake.listeners import Listener
from intake.ports import Store
from intake.schema import Category, Frozen, Outcome, RawMessage
from intake.settings import Settings
from intake.store import inspection, ledger, outbox
from intake.store.database import AnyStore

FORMS: Final = {"tr": "/sikayet", "en": "/complaint"}
MAILBOX: Final = "destek"  # the source of the sample mails; no mail server has to know it

_PAUSE_SECONDS = 0.25  # between two complaints, where a person is watching
_ARRIVAL_SECONDS = 20.0  # without anything new, after which what is missing counts as lost
_LOOK_SECONDS = 0.2
_ONE_LINE_COLUMNS = 116

Shape = Literal["plain", "html", "both", "windows-1254", "iso-8859-9", "raw-8bit", "zeros"]


class Sample(Frozen):
    """One complaint of `demo_complaints.toml`, where the fields are explained."""

    via: Literal["form", "mail"]
    name: str = ""
    language: Literal["tr", "en"] = "tr"
    category: Category | None = None
    shape: Shape = "plain"
    person: str = ""
    email: str = ""
    phone: str = ""
    account: str = ""
    subject: str = ""
    text: str = ""
    headers: Mapping[str, str] = Field({})
    picture: str = ""
    twice: bool = False
    again: str = ""
    answers: str = ""
    becomes: Outcome = Outcome.REGISTERED


class Demonstrated(Protocol):
    """What the demonstration needs of the service, which it starts and stops."""

    settings: Settings
    store: AnyStore
    acceptor: Acceptor
    listeners: dict[str, Listener]

    async def start(self) -> None: ...
    async def run(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record read back from where it was published. `topic` is without the prefix, `place` for a person."""

    topic: str
    place: str
    event_id: str
    type: str
    value: dict[str, Any]


Records = AsyncIterator[Arrival]


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a sample. `code` as people read it; `problem` is empty where it went as it should."""

    sample: Sample
    code: str = ""
    outcome: Outcome | None = None
    reason: str = ""
    problem: str = ""


def samples() -> list[Sample]:
    """The complaints in the order in which they are played."""
    source = resources.files("intake").joinpath("demo_complaints.toml").read_text("utf-8")
    return [Sample.model_validate(item) for item in tomllib.loads(source)["complaints"]]


def picture(name: str) -> bytes:
    """A small PNG (W3C, second edition) that looks a little like a screenshot; every name has its own colour."""
    width, height = 320, 200
    colour = zlib.crc32(name.encode()).to_bytes(4, "big")[:3]
    page, line = b"\xf4" * 3 * width, b"\xf4" * 60 + colour * (width - 40) + b"\xf4" * 60
    pixels = b"".join(b"\0" + (line if y < 24 or y % 28 > 20 else page) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(pixels, 9)), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def mail(sample: Sample, text: str, message_id: str, answered: str = "") -> bytes:
    """A mail as some program would send it. Message ids are without angle brackets."""
    if sample.shape == "zeros":
        return bytes(4096)
    head = {
        "From": formataddr((sample.person, sample.email), "utf-8"),
        "To": "destek@example.com",
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": f"<{message_id}>",
        **({"In-Reply-To": f"<{answered}>", "References": f"<{answered}>"} if answered else {}),
        **sample.headers,
    }
    if sample.shape == "raw-8bit":
        # as programs did before MIME, and some scripts do today: the bytes of a code page that nobody names
        head |= {"From": f'"{sample.person}" <{sample.email}>', "Subject": sample.subject}
        lines = [*(f"{name}: {value}" for name, value in head.items()), "", *text.splitlines(), ""]
        return "\r\n".join(lines).encode("windows-1254")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = sample.subject
    for name, value in head.items():
        message[name] = value
    _write_text(message, sample.shape, text)
    if sample.picture:
        data = picture(sample.picture)
        message.add_attachment(data, maintype="image", subtype="png", filename=sample.picture)
    return message.as_bytes()


def _write_text(message: EmailMessage, shape: Shape, text: str) -> None:
    if shape == "html":
        page = f'<html><head><meta charset="utf-8"></head><body>{text}</body></html>'
        message.set_content(page, subtype="html", cte="quoted-printable")
    elif encoding := {"windows-1254": "quoted-printable", "iso-8859-9": "base64"}.get(shape):
        message.set_content(text, charset=shape, cte=encoding)
    else:
        message.set_content(text)
    if shape == "both":
        page = escape(text).replace("\n", "<br>")
        message.add_alternative(f"<html><body>{page}</body></html>", subtype="html")


def submit(port: int, sample: Sample, text: str) -> str:
    """Fill in the form as a browser does and send it; the tracking code that is shown, canonical.

    Blocks. Raises `TransientError` where not one code is given, `OSError` or `HTTPException` where nobody listens.
    """
    path = FORMS[sample.language]
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=40)) as connection:
        connection.request("GET", path, headers={"Accept-Language": sample.language})
        response = connection.getresponse()
        page, cookie = response.read(), SimpleCookie(response.getheader("Set-Cookie", ""))
        content_type, body = _filled_in(page, sample, text)
        headers = {
            "Content-Type": content_type,
            "Cookie": "; ".join(f"{key}={morsel.value}" for key, morsel in cookie.items()),
            "Origin": f"http://127.0.0.1:{port}",
            "Sec-Fetch-Site": "same-origin",
        }
        codes = []
        for _ in range(2 if sample.twice else 1):
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            codes.append(_code_shown(response.read(), response.status))
    if len(set(codes)) > 1:
        raise TransientError("two codes were given for one complaint")
    return codes[0]


def _filled_in(page: bytes, sample: Sample, text: str) -> tuple[str, bytes]:
    """The form's own hidden fields, what the person typed, and the file input, empty or not."""
    form = next((f for f in LexborHTMLParser(page).css("form") if f.css_first("textarea")), None)
    if form is None:
        raise TransientError("there is no form on the page")
    hidden = [input_.attributes for input_ in form.css("input[type=hidden]")]
    chooser = form.css_first("input[type=file]")
    fields = [(a["name"] or "", a.get("value") or "") for a in hidden if a.get("name")]
    fields += [("category", sample.category or ""), ("subject", sample.subject), ("name", sample.person)]
    fields += [("email", sample.email), ("phone", sample.phone), ("account", sample.account)]
    fields.append(("text", text.replace("\n", "\r\n")))
    file = (chooser.attributes.get("name") or "" if chooser else "files", sample.picture)
    return multipart(fields, file, picture(sample.picture) if sample.picture else b"")


def multipart(fields: Iterable[tuple[str, str]], file: tuple[str, str], data: bytes) -> tuple[str, bytes]:
    """Content type and body of a form (RFC 7578); `file` is the name of the input and that of the file."""
    boundary = f"----WebKitFormBoundary{uuid4().hex[:16]}"
    field_head = "Content-Disposition: form-data; name="
    parts = [f'{field_head}"{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    kind = "image/png" if data else "application/octet-stream"
    head = f'{field_head}"{file[0]}"; filename="{file[1]}"\r\nContent-Type: {kind}'
    parts.append(f"{head}\r\n\r\n".encode() + data)
    opened = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return f"multipart/form-data; boundary={boundary}", opened + f"--{boundary}--\r\n".encode()


def _code_shown(page: bytes, status: int) -> str:
    body = LexborHTMLParser(page).body
    codes = tracking.find(body.text(separator=" ") if body else "")
    if status != http.client.OK or not codes:
        raise TransientError(f"the form answered {status} without a tracking code")
    return codes[0]


@dataclass(slots=True)
class Cast:
    """Plays samples one after the other and remembers what later ones refer to."""

    service: Demonstrated
    codes: dict[str, str] = field(default_factory=dict)
    mails: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)

    async def play(self, sample: Sample) -> Played:
        """Send one sample the way its person would. Never raises for a sample that is not taken."""
        text = sample.text.strip() + "\n"
        for name, code in self.codes.items():
            text = text.replace(f"{{{name}}}", code)
            sample = sample.model_copy(update={"subject": sample.subject.replace(f"{{{name}}}", code)})
        try:
            played = await (self._form(sample, text) if sample.via == "form" else self._mail(sample, text))
        except (IntakeError, OSError, http.client.HTTPException) as error:
            return Played(sample, problem=f"not taken: {error or type(error).__name__}")
        if sample.name:
            self.codes[sample.name] = played.code
        return played

    async def _form(self, sample: Sample, text: str) -> Played:
        code = await asyncio.to_thread(submit, self.service.listeners["public"].port, sample, text)
        # a page shows the code and nothing else
        way = await self.service.store.read(partial(inspection.way_of_case, code=code))
        delivery = way["deliveries"][0] if way else {"outcome": "refused", "reason": "no such case"}
        return _played(sample, code, Outcome(delivery["outcome"]), delivery["reason"])

    async def _mail(self, sample: Sample, text: str) -> Played:
        """What the e-mail connector does: the source is counted first, then offered."""
        message_id, data = self.mails.get(sample.again, ("", b""))
        if not sample.again:
            message_id = f"{uuid4()}@{sample.email.rpartition('@')[2]}"
            data = mail(sample, text, message_id, self.mails.get(sample.answers, ("", b""))[0])
        self.mails[sample.name] = (message_id, data)
        folder = "Archive" if sample.again else "INBOX"
        self.places[folder] += 1
        raw = RawMessage(
            channel="email",
            source=MAILBOX,
            content_type="message/rfc822",
            body=data,
            received_at=_now(),
            scope=f"{folder}/1",
            position=self.places[folder],
            meta={"folder": folder, "junk": False, "size": len(data)},
        )
        books = ledger.StoreLedger(self.service.store, _now, "email")
        await books.sight(MAILBOX, raw.scope, [self.places[folder]])
        receipt = await self.service.acceptor.deliver(raw)
        return _played(sample, receipt.code, receipt.outcome, receipt.reason)


def _played(sample: Sample, code: str | None, outcome: Outcome, reason: str) -> Played:
    problem = f"became {outcome.value}, not {sample.becomes.value}" if outcome != sample.becomes else ""
    return Played(sample, tracking.show(code) if code else "", outcome, reason, problem)


def _now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def from_kafka(client: Mapping[str, Any], prefix: str, topics: Sequence[str]) -> AsyncIterator[Records]:
    """What is written to the topics from now on, read back from the broker. Raises `TransientError`."""
    names = [f"{prefix}.{topic}" for topic in topics]
    consumer = AIOKafkaConsumer(*names, **client, group_id=None, enable_auto_commit=False)
    try:
        async with asyncio.timeout(_ARRIVAL_SECONDS):
            await consumer.start()
            await consumer.seek_to_end()
        yield _consumed(consumer, prefix)
    except (KafkaError, TimeoutError) as error:
        raise TransientError(f"the topics cannot be read: {type(error).__name__}") from error
    finally:
        with suppress(KafkaError):
            await consumer.stop()


async def _consumed(consumer: AIOKafkaConsumer, prefix: str) -> Records:
    async for record in consumer:
        topic = record.topic.removeprefix(f"{prefix}.")
        headers = {key: value.decode() for key, value in record.headers}
        place = f"{topic}-{record.partition}-{record.offset}"
        if record.value and "ce_id" in headers:
            yield Arrival(topic, place, headers["ce_id"], headers["ce_type"], json.loads(record.value))


async def from_outbox(store: Store, topics: Sequence[str]) -> Records:
    """What is numbered in the outbox, as departments read it where there is no broker."""
    after = dict.fromkeys(topics, 0)

    def look(connection: sa.Connection) -> list[tuple[str, outbox.Record]]:
        read = partial(outbox.read_topic, connection, limit=200)
        return [(topic, record) for topic in topics for record in read(topic, after=after[topic])]

    while True:
        found = await store.read(look)
        # across the topics in the order they were made
        for topic, record in sorted(found, key=lambda pair: pair[1].event_id):
            after[topic] = record.position
            place = f"{topic} at {record.position}"
            yield Arrival(topic, place, record.event_id, record.type, json.loads(record.value))
        if not found:
            await asyncio.sleep(_LOOK_SECONDS)


_FACTS: Final = {
    Outcome.REGISTERED: "registered",
    Outcome.QUARANTINED: "registered",
    Outcome.FOLLOW_UP: "followed_up",
}
"""What is published of a delivery; of the others nothing is."""
_COUNTED: Final = ("registered", "followed_up", "urgent", "high", "records")


class Arrivals:
    """Counts what is read back, each event once, and tells what is still missing."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ids: set[str] = set()
        self._found: set[tuple[str, str, str]] = set()
        self._urgent: set[str] = set()
        self._counts: dict[str, Counter[str]] = {}
        self._news = asyncio.Event()

    async def watch(self, records: Records) -> None:
        """Take in and show what arrives until cancelled."""
        async for arrival in records:
            self.take(arrival)

    def take(self, arrival: Arrival) -> None:
        """Take in one record; a repeated one is dropped, as every consumer should."""
        if arrival.event_id in self._ids:
            return
        self._ids.add(arrival.event_id)
        code, fact = str(arrival.value["tracking_code"]), arrival.type.split(".")[1]
        is_owner = arrival.topic == f"{arrival.value['department']}.v1"
        priority = arrival.value.get("priority", "urgent")  # what goes to the expert on call does not say it
        self._found.add((code, fact, "department" if is_owner else arrival.topic))
        self._counts.setdefault(arrival.topic, Counter()).update(("records", fact, priority))
        if priority == "urgent":
            self._urgent.add(code)
        if arrival.topic != "events.v1":
            self._screen.arrived(arrival)
        self._news.set()

    def missing(self, played: Iterable[Played]) -> list[str]:
        """One line for each record that should have arrived and has not."""
        lines = []
        for one in played:
            fact = _FACTS.get(one.outcome) if one.outcome and one.code else None
            topics = ["department", "events.v1", *(["urgent.v1"] if one.code in self._urgent else [])]
            absent = [topic for topic in topics if fact and (one.code, fact, topic) not in self._found]
            lines += [f"{one.code}: {fact} did not arrive on {topic}" for topic in absent]
        return lines

    async def all_of(self, played: Sequence[Played]) -> list[str]:
        """Wait until nothing is missing, or nothing has come for some time; returns what is missing."""
        while lines := self.missing(played):
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), _ARRIVAL_SECONDS)
            except TimeoutError:
                return lines
        return []

    def counted(self, prefix: str) -> list[dict[str, Any]]:
        """A row per topic with what arrived there, the departments first."""
        order = sorted(self._counts, key=lambda topic: (topic in ("urgent.v1", "events.v1"), topic))
        return [{"topic": f"{prefix}.{t}", **{n: self._counts[t][n] for n in _COUNTED}} for t in order]


_STYLES = {"urgent": "bold red", "high": "yellow", "low": "dim"}
_COLUMNS = (("time", 8), ("channel", 8), ("code", 17), ("department", 18), ("priority", 8), ("", 2))
_PLACE_COLUMNS = 28


class Screen:
    """Rows as they come: one line each where it is wide enough, else two; plain text into a file or pipe."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def say(self, line: str = "", style: str = "") -> None:
        """One line, taken as it is."""
        console.print(Text(line, style=style))

    def heading(self) -> None:
        """The names of the columns."""
        if console.is_terminal:
            names = "".join(name.ljust(width + 1) for name, width in _COLUMNS)
            self.say()
            self._lines(Text(names, "dim"), Text(f"{'topic and place':{_PLACE_COLUMNS}} subject", "dim"))

    def arrived(self, arrival: Arrival) -> None:
        """A record on a department's topic, or on that of the expert on call, which has no text."""
        value = {"channel": "", "language": "", "priority": "urgent", **arrival.value}
        if "subject" in value:
            words = value["subject"] or value["text"] or " ".join(value["reasons"])
            subject = f"↳ {words}" if arrival.type == "complaint.followed_up.v1" else words
        else:
            subject = f"for the expert on call: {', '.join(value['flags'])}"
        names = ("channel", "tracking_code", "department", "priority", "language")
        at = datetime.fromisoformat(value.get("received_at") or value["registered_at"])
        styles = ("", "cyan", "", _STYLES.get(value["priority"], ""), "dim")
        self._row(at, [str(value[name]) for name in names], styles, arrival.place, subject)

    def without_event(self, played: Played) -> None:
        """A delivery that is in the books but makes no event, or went wrong."""
        outcome = played.outcome.value.replace("_", " ") if played.outcome else ""
        what = played.problem or ": ".join(filter(None, (outcome, played.reason)))
        cells = ("email" if played.sample.via == "mail" else "web_form", played.code, what, "", "")
        styles = ("", "cyan", "bold red" if played.problem else "dim", "", "")
        self._row(_now(), cells, styles, "", played.sample.subject)

    def _row(self, at: datetime, cells: Sequence[str], styles: Sequence[str], place: str, text: str) -> None:
        clock, subject = at.astimezone().strftime("%H:%M:%S"), " ".join(text.split())
        if not console.is_terminal:
            place = f"{self._prefix}.{place}" if place else "no event"
            self.say("  ".join([clock, *(cell or "-" for cell in cells), place, subject]))
            return
        first = Text()
        for (_, width), cell, style in zip(_COLUMNS, (clock, *cells), ("dim", *styles), strict=True):
            first.append(cell.ljust(width) + " ", style)
        second = Text((place or "no event").ljust(_PLACE_COLUMNS), "green" if place else "dim")
        self._lines(first, second.append(f" {subject}", "default"))

    def _lines(self, first: Text, second: Text) -> None:
        is_wide = console.width >= _ONE_LINE_COLUMNS
        for line in [first + second] if is_wide else [first, Text(" " * 9) + second]:
            line.rstrip()
            line.truncate(console.width, overflow="ellipsis")
            console.print(line)


async def play(
    service: Demonstrated,
    topics: Sequence[str],
    kafka: Mapping[str, Any] | None,
    *,
    once: bool,
    stopped: asyncio.Event,
) -> int:
    """Run the service, play every sample and show where it arrives; then stay until `stopped`.

    `topics` are those that events go to, without the prefix; `kafka` says how aiokafka's clients reach the
    broker, None where the outbox is read. Returns an exit code: 1 where anything did not arrive, 130 where it
    was stopped before the end.
    """
    prefix = service.settings.kafka.topic_prefix
    screen = Screen(prefix)
    await service.start()
    running = asyncio.create_task(service.run())
    try:
        async with AsyncExitStack() as opened:
            if kafka:
                records = await opened.enter_async_context(from_kafka(kafka, prefix, topics))
            else:
                records = from_outbox(service.store, topics)
            arrivals = Arrivals(screen)
            parts = (arrivals.watch(records), stopped.wait(), _show(service, arrivals, screen))
            watching, asked, shown = tasks = [asyncio.create_task(part) for part in parts]
            opened.push_async_callback(_ended, tasks)
            await _any_of(running, *tasks)
            if not shown.done():
                return 130
            _addresses(service.settings, screen, once=once)
            await _any_of(running, watching, shown if once else asked)
            return 0 if shown.result() else 1
    finally:
        service.stop()
        await running


async def _any_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait for the first; raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _show(service: Demonstrated, arrivals: Arrivals, screen: Screen) -> bool:
    """Play everything and sum up; whether all went as it should."""
    began = asyncio.get_running_loop().time()
    screen.heading()
    with console.status("starting") if console.is_terminal else nullcontext() as status:
        played = await _act(service, screen, status)
        if status:
            status.update("waiting for the last records")
        missing = await arrivals.all_of(played)
        books = await _books(service.store)
    screen.say()
    topics = arrivals.counted(service.settings.kafka.topic_prefix)
    write_rows(topics, ("topic", *_COUNTED), "What arrived", as_json=False)
    screen.say()
    write_books(books)
    screen.say()
    problems = [f"{one.sample.subject or one.sample.again}: {one.problem}" for one in played if one.problem]
    problems += missing + [f"the books of {b['channel']} do not balance" for b in books if b["gap"]]
    for line in problems:
        screen.say(line, "bold red")
    if not problems:
        seconds = asyncio.get_running_loop().time() - began
        records = sum(row["records"] for row in topics)
        what = f"{len(played)} messages, {records} records in {seconds:.0f} s"
        screen.say(f"{what}: everything arrived, the books balance.", "bold green")
    return not problems


async def _act(service: Demonstrated, screen: Screen, status: Status | None) -> list[Played]:
    cast, played, all_samples = Cast(service), list[Played](), samples()
    for number, sample in enumerate(all_samples, 1):
        if status:
            status.update(f"{number} of {len(all_samples)}")
        played.append(await cast.play(sample))
        if played[-1].problem or played[-1].outcome not in _FACTS:
            screen.without_event(played[-1])
        await asyncio.sleep(_PAUSE_SECONDS if status else 0)
    return played


async def _books(store: Store) -> list[dict[str, Any]]:
    """The books as soon as they balance, or as they are after 3 s: the form writes to them once a second."""
    for _ in range(15):
        books = await store.read(ledger.balance)
        if not any(book["gap"] for book in books):
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return books


def _addresses(settings: Settings, screen: Screen, *, once: bool) -> None:
    public, private = settings.public_url, settings.private_url
    screen.say(f"""
Pages, while this runs:
  form      {public}{FORMS["tr"]}
            {public}{FORMS["en"]}
  status    {public}/status
  health    {private}/health/components
  metrics   {private}/metrics
""")
    if once:
        return
    screen.say(f"In another terminal, after: export INTAKE_DATA_DIR={settings.data_dir}")
    screen.say("  intake show CODE       the whole way of a case")
    screen.say("  intake notices list    letters to customers; without a mail server they wait")
    if not settings.kafka.bootstrap_servers:
        screen.say("  intake tail payments   what a department reads")
    screen.say("\nWhat is sent now is shown here, too. Ctrl-C ends.", "bold")
