"""The demonstration: its samples are what they claim to be, and nothing that did not arrive is called arrived."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import filetype
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from rich.console import Console

from connectors.web_form.parts import Parts
from intake import demo
from intake.demo import Arrival, Arrivals, Played, Sample
from intake.schema import Outcome, RawMessage
from normalizers.email import normalize
from tests.running import INTAKE, clean_environment, processes_of, wait_for

CODE = "4K7M-Q2XW-9HTB-6R"
SAMPLES = demo.samples()
MAILS = [s for s in SAMPLES if s.via == "mail" and not s.again and s.shape != "zeros"]
TEXTS = [s for s in MAILS if s.shape != "html" and not s.answers and "Forwarded" not in s.text]
BROKER = os.environ.get("DEV_KAFKA_BOOTSTRAP", "")
SECONDS = 90


def read(sample: Sample) -> Any:
    data = demo.mail(sample, sample.text.strip() + "\n", "own@example.com", "other@example.com")
    return normalize(RawMessage("email", "destek", "message/rfc822", data, datetime.now(UTC), position=1))


# The samples


def test_there_are_enough_and_they_differ() -> None:
    """At least 30, through both channels, in both languages, in every shape, and no two the same."""
    assert len(SAMPLES) >= 30
    assert {s.via for s in SAMPLES} == {"form", "mail"}
    assert {s.language for s in SAMPLES if s.via == "form"} == {"tr", "en"}
    assert {s.shape for s in MAILS} | {"zeros"} == set(get_args(demo.Shape))
    assert Counter(s.text for s in SAMPLES if s.text).most_common(1)[0][1] == 1


def test_samples_show_every_outcome_a_message_can_have() -> None:
    """All but those that later releases bring."""
    later = {Outcome.DUPLICATE, Outcome.REVISION, Outcome.REFUSED}
    assert {s.becomes for s in SAMPLES} == set(Outcome) - later


def test_samples_refer_only_to_earlier_ones() -> None:
    """A reply to what was not sent yet would be no reply."""
    names: set[str] = set()
    for sample in SAMPLES:
        asked = {sample.again, sample.answers} - {""}
        assert asked <= names, sample.subject
        names.add(sample.name)


def test_samples_reach_no_real_person() -> None:
    """Every address is in a domain that is reserved for examples (RFC 2606)."""
    domains = {s.email.rpartition("@")[2] for s in SAMPLES if s.email}
    assert domains <= {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize("sample", TEXTS, ids=lambda s: f"{s.shape}: {s.subject}")
def test_mails_say_what_was_written(sample: Sample) -> None:
    """Whatever the charset and the encoding, the letters come out as they went in."""
    found = read(sample).message
    assert found.subject == sample.subject
    assert (found.sender.name, found.sender.contact_points[0].value) == (sample.person, sample.email)
    assert found.text.split() == sample.text.split()


def test_mails_differ_in_how_they_are_encoded() -> None:
    """The shapes are not only names: bytes of a code page with and without saying so, base64, HTML alone."""
    data = {s.shape: demo.mail(s, s.text, "own@example.com") for s in MAILS}
    assert b'charset="windows-1254"\r\nContent-Transfer-Encoding: quoted-printable' in data["windows-1254"]
    assert b'charset="iso-8859-9"\r\nContent-Transfer-Encoding: base64' in data["iso-8859-9"]
    assert b"charset" not in data["raw-8bit"]
    assert "İbrahim Çağlayan".encode("windows-1254") in data["raw-8bit"]
    assert b"text/plain" not in data["html"]
    assert b"multipart/alternative" in data["both"]


def test_a_reply_quotes_and_threads() -> None:
    """What makes the follow-up one: the headers of the thread, with the quoted part apart from the fresh."""
    sample = next(s for s in MAILS if s.answers)
    found = read(sample).message
    assert found.thread.in_reply_to == "other@example.com"
    assert "Havale" not in found.text
    assert "2.500 TL havale yaptım" in found.quoted


def test_automatic_mails_are_seen_as_such() -> None:
    """Those that have to be set aside say what they are in their headers."""
    kinds = {read(s).message.automatic for s in MAILS if s.becomes is Outcome.SET_ASIDE}
    assert kinds == {"auto-reply", "list"}


def test_pictures_are_pictures() -> None:
    """The attachments are PNG by their bytes, and no two screenshots the same file."""
    assert filetype.guess_mime(demo.picture("a.png")) == "image/png"
    assert demo.picture("a.png") != demo.picture("b.png")


async def test_the_form_is_filled_in_as_a_browser_does() -> None:
    """The page's own reader finds hidden and typed fields and the file under its name."""
    page = b"""<form action="/q"><input name="q"></form><form method="post"><textarea name="text"></textarea>
        <input type="hidden" name="id" value="77"><input type="file" name="files"></form>"""
    sample = Sample(via="form", category="game", person="Ece", picture="donan ekran ş.png")
    content_type, body = demo._filled_in(page, sample, "bir\niki")
    fields, files = await parts_of(content_type, body)
    assert fields["id"] == b"77"
    assert fields["text"] == b"bir\r\niki"
    assert (fields["category"], fields["name"], fields["email"]) == (b"game", b"Ece", b"")
    assert files == {("files", "donan ekran ş.png", "image/png"): demo.picture("donan ekran ş.png")}


async def parts_of(content_type: str, body: bytes) -> tuple[dict[str, bytes], dict[Any, bytes]]:
    async def chunks() -> AsyncIterator[bytes]:
        yield body

    parts, fields, files = Parts(content_type, chunks()), dict[str, bytes](), dict[Any, bytes]()
    while part := await parts.next_part():
        data = b"".join([piece async for piece in parts.data()])
        if part.filename is None:
            fields[part.name] = data
        else:
            files[part.name, part.filename, part.declared_type] = data
    return fields, files


# What arrived


class Silent(demo.Screen):
    """A screen that shows nothing and remembers it."""

    def __init__(self) -> None:
        super().__init__("complaints")
        self.shown: list[Arrival] = []

    def arrived(self, arrival: Arrival) -> None:
        self.shown.append(arrival)


def record(topic: str, event_id: str, fact: str = "registered", **value: object) -> Arrival:
    common = {"tracking_code": CODE, "department": "payments", "priority": "urgent", **value}
    return Arrival(topic, f"{topic}-0-0", event_id, f"complaint.{fact}.v1", common)


def test_a_case_has_arrived_when_every_topic_has_it() -> None:
    """Department, life cycle, and the expert on call for what is urgent: one of them missing is told."""
    arrivals, played = Arrivals(Silent()), [Played(SAMPLES[0], CODE, Outcome.REGISTERED)]
    assert len(arrivals.missing(played)) == 2
    arrivals.take(record("payments.v1", "1"))
    assert [line.rpartition(" ")[2] for line in arrivals.missing(played)] == ["events.v1", "urgent.v1"]
    arrivals.take(record("events.v1", "2"))
    arrivals.take(record("urgent.v1", "3"))
    assert arrivals.missing(played) == []


def test_another_department_does_not_count() -> None:
    """A record on a topic of somebody else is not the one the owner waits for."""
    arrivals, played = Arrivals(Silent()), [Played(SAMPLES[0], CODE, Outcome.REGISTERED)]
    arrivals.take(record("games.v1", "1", priority="normal"))
    arrivals.take(record("events.v1", "2", priority="normal"))
    assert arrivals.missing(played) == [f"{CODE}: registered did not arrive on department"]


def test_a_follow_up_is_not_its_case() -> None:
    """The case's own record does not stand for the follow-up's."""
    arrivals, played = Arrivals(Silent()), [Played(SAMPLES[0], CODE, Outcome.FOLLOW_UP)]
    arrivals.take(record("payments.v1", "1"))
    assert f"{CODE}: followed_up did not arrive on department" in arrivals.missing(played)


def test_nothing_is_expected_of_what_makes_no_event() -> None:
    """Set aside, repeated and answered messages are in the books and on no topic."""
    outcomes = (Outcome.SET_ASIDE, Outcome.REPEAT, Outcome.ANSWERED, None)
    assert Arrivals(Silent()).missing([Played(SAMPLES[0], CODE, outcome) for outcome in outcomes]) == []


def test_a_repeated_record_is_counted_once() -> None:
    """Topics hold each event at least once; by its id it is known again."""
    screen = Silent()
    arrivals = Arrivals(screen)
    arrivals.take(record("payments.v1", "1"))
    arrivals.take(record("payments.v1", "1"))
    assert arrivals.counted("complaints")[0]["records"] == len(screen.shown) == 1


async def test_what_does_not_come_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some time without news the missing records are named instead of waited for."""
    monkeypatch.setattr(demo, "_ARRIVAL_SECONDS", 0.01)
    played = [Played(SAMPLES[0], CODE, Outcome.REGISTERED)]
    assert len(await Arrivals(Silent()).all_of(played)) == 2


@pytest.mark.parametrize("width", [80, 120])
def test_rows_fit_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is broken by the terminal, however long the subject."""
    file = io.StringIO()
    terminal = Console(file=file, width=width, force_terminal=True, color_system=None, soft_wrap=True)
    monkeypatch.setattr(demo, "console", terminal)
    screen = demo.Screen("complaints")
    screen.heading()
    full = {"channel": "web_form", "language": "tr", "registered_at": "2026-11-23T09:00:00Z", "text": ""}
    screen.arrived(record("payments.v1", "1", subject="Çekim " * 40, **full))
    screen.without_event(Played(SAMPLES[0], "", Outcome.SET_ASIDE, "auto-reply"))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert sum(CODE in line for line in lines) == 1


# The whole of it


class Demonstration:
    """`intake demo` as a process of its own, its temporary folder in `folder`; what it says on stderr in a file."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self.folder, self._errors = folder / "tmp", folder / "stderr"
        self.folder.mkdir()
        given = {"INTAKE_WEB__PUBLIC_PORT": "0", "INTAKE_WEB__PRIVATE_PORT": "0", "TMPDIR": str(self.folder)}
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*INTAKE, "demo", *arguments],
                env=clean_environment(PYTHONUNBUFFERED="1", **given, **environment),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def ended(self) -> tuple[int, str, str]:
        """Exit code, output and errors, once it has ended by itself."""
        output, _ = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, output, self._errors.read_text("utf-8")

    def is_gone(self) -> bool:
        """No process of it and no file is left."""
        return not processes_of(self.process.pid) and not list(self.folder.iterdir())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demonstration]]:
    """Starts the demonstration; one that is still there afterwards is killed."""
    with ExitStack() as afterwards:

        def begin(*arguments: str, **environment: str) -> Demonstration:
            started = Demonstration(tmp_path, *arguments, **environment)
            afterwards.callback(started.process.communicate)
            afterwards.callback(started.process.kill)
            return started

        yield begin


@pytest.mark.slow
def test_embedded_everything_arrives(start: Callable[..., Demonstration]) -> None:
    """With nothing but Python every sample becomes what it should and reaches its topics; nothing is left."""
    demonstration = start("--once")
    code, output, errors = demonstration.ended()
    assert (code, errors) == (0, "")
    assert output.startswith("Embedded")
    assert f"{len(SAMPLES)} messages" in output
    assert "everything arrived, the books balance." in output
    wait_for(demonstration.is_gone, 2, "nothing left")


@pytest.mark.slow
def test_an_interruption_ends_it_at_once(start: Callable[..., Demonstration]) -> None:
    """Ctrl-C goes to the whole group of processes; two seconds later none of them is there, nor the folder."""
    demonstration = start()
    process = demonstration.process
    assert process.stdout
    assert any("Ctrl-C ends" in line for line in process.stdout)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=2) == 0
    wait_for(demonstration.is_gone, 2, "nothing left")


@pytest.fixture
def prefix() -> Iterator[str]:
    """The first word of topics of this test's own, deleted afterwards."""
    if not BROKER:
        pytest.skip("Kafka is not running; start it with: scripts/services up")
    name = f"demo-{uuid4().hex[:8]}"
    yield name
    asyncio.run(delete_topics(name))


async def delete_topics(prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=BROKER)
    await admin.start()
    await admin.delete_topics(
        [topic for topic in await admin.list_topics() if topic.startswith(f"{prefix}.")]
    )
    await admin.close()


@pytest.mark.kafka
@pytest.mark.slow
def test_on_a_broker_everything_arrives(start: Callable[..., Demonstration], prefix: str) -> None:
    """Where a broker is named its topics are made, written and read back; the first line says which it is."""
    kafka = {"INTAKE_KAFKA__BOOTSTRAP_SERVERS": BROKER, "INTAKE_KAFKA__TOPIC_PREFIX": prefix}
    code, output, _ = start("--once", **kafka, INTAKE_KAFKA__PARTITIONS="2").ended()
    assert code == 0, output
    assert output.startswith(f"With the real Kafka at {BROKER}")
    assert f"{prefix}.payments.v1-" in output
    assert "everything arrived, the books balance." in output


@pytest.mark.slow
def test_a_broker_that_is_away_is_said_in_one_line(start: Callable[..., Demonstration]) -> None:
    """It never falls back to the other way by itself."""
    code, output, errors = start("--once", INTAKE_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9").ended()
    assert code == 1
    assert "Embedded" not in output
    assert errors.splitlines()[-1].startswith("intake: Kafka at 127.0.0.1:9")
    assert "Traceback" not in errors
