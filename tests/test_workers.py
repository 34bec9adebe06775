"""A message that hangs, crashes or hogs a worker fails alone, and no worker outlives the service."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.errors import TransientError
from intake.schema import RawMessage
from intake.settings import Workers as WorkersSettings
from intake.workers import CHUNK_BYTES, CHUNK_MESSAGES, Prepared, Workers, _Pool, prepare, split
from tests.data.worker_tasks import normalize, triage

ROOT = Path(__file__).parents[1]
SETTINGS = WorkersSettings(processes=2, seconds=4.0, memory_bytes=1 << 29)
SLACK_S = 1.0  # a chunk's time and a whole message's time would together be beyond it


def mail(body: str | bytes) -> RawMessage:
    content = body if isinstance(body, bytes) else body.encode()
    return RawMessage("email", "destek", "message/rfc822", content, datetime(2026, 1, 1, tzinfo=UTC))


def texts(prepared: list[Prepared]) -> list[str]:
    return [one.normalized.message.text if one.normalized else one.error for one in prepared]


class Mark:
    """A pipe with a name, where a worker leaves its process id when it has begun."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDWR)

    def pid(self) -> int:
        """Wait for the next one."""
        ready, _, _ = select.select([self._reader], [], [], 20)
        assert ready, "no worker has begun"
        (pid,) = struct.unpack("i", os.read(self._reader, 4))
        return int(pid)

    def close(self) -> None:
        os.close(self._reader)


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Mark]:
    opened = Mark(tmp_path / "mark")
    yield opened
    opened.close()


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    opened = Workers(normalize, triage, SETTINGS, preload=())
    yield opened
    opened.close()


# one message, in this process


def test_a_message_is_normalised_and_triaged() -> None:
    """What the two functions return comes back together."""
    (prepared,) = prepare(normalize, triage, [mail("merhaba")])
    assert texts([prepared]) == ["merhaba"]
    assert prepared.triage is not None
    assert (prepared.triage.department, prepared.error) == ("payments", "")


@pytest.mark.parametrize(
    ("body", "error", "detail"),
    [
        ("reject", "empty", "no parts"),
        ("fail", "unreadable", "ValueError"),
        ("panic", "unreadable", "BaseException"),
        ("hog", "memory", ""),
        (b"\xff", "unreadable", "UnicodeDecodeError"),
    ],
)
def test_what_cannot_be_read_says_why_and_quotes_nothing(body: str | bytes, error: str, detail: str) -> None:
    """A refusal keeps its reason; any other exception shows its type only."""
    assert prepare(normalize, triage, [mail(body)]) == [Prepared(None, None, error, detail)]


def test_triage_failing_never_stops_registration() -> None:
    """The message comes through, for a person to look at, and its neighbours with their verdicts."""
    raws = [mail("one"), mail("untriageable"), mail("reject"), mail("two")]
    one, prepared, _, two = prepare(normalize, triage, raws)
    assert texts([one, prepared, two]) == ["one", "untriageable", "two"]
    assert [each.triage and each.triage.department for each in (one, two)] == ["payments"] * 2
    assert prepared.triage is not None
    assert prepared.triage.department == "general"
    assert prepared.triage.flags == ("needs_review",)
    assert prepared.triage.reasons == ("triage failed: KeyError",)


# chunks


def test_chunks_keep_order_and_bounds() -> None:
    """No chunk is beyond its bounds unless one message alone is, and all come in order."""
    raws = [mail("x" * size) for size in (10, CHUNK_BYTES * 2, 10, CHUNK_BYTES - 5, 10, *[1] * 200)]
    chunks = split(raws, 2)
    assert [raw for chunk in chunks for raw in chunk] == raws
    assert all(len(chunk) <= CHUNK_MESSAGES for chunk in chunks)
    assert all(len(chunk) == 1 or sum(len(raw.body) for raw in chunk) <= CHUNK_BYTES for chunk in chunks)


@pytest.mark.parametrize(("messages", "chunks"), [(0, 0), (1, 1), (4, 4), (64, 4), (256, 8)])
def test_there_are_chunks_for_every_process(messages: int, chunks: int) -> None:
    """Few messages are spread over the processes, many are cut into full chunks."""
    assert len(split([mail("x")] * messages, 2)) == chunks


# workers


async def test_messages_come_back_in_order(workers: Workers) -> None:
    """However they were handed out, results stand where their messages stood."""
    bodies = [f"m{number}" for number in range(150)]
    assert texts(await workers.prepare([mail(body) for body in bodies])) == bodies
    assert await workers.prepare([]) == []


async def test_a_large_message_goes_through(workers: Workers) -> None:
    """25 MB pass the pipe both ways."""
    text = "x" * 25_000_000
    assert texts(await workers.prepare([mail(text)])) == [text]


async def test_what_a_worker_made_comes_back_whole(workers: Workers) -> None:
    """Message, files, text and verdict are equal to what the same work gives in this process."""
    raws = [mail("merhaba"), mail("untriageable"), mail("reject"), mail("file")]
    assert await workers.prepare(raws) == prepare(normalize, triage, raws)


async def test_a_start_in_the_background_keeps_nobody_waiting(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller goes on while processes start; the first message waits for them."""
    went_on, seen, start = threading.Event(), [], _Pool.start

    def start_late(pool: _Pool) -> _Pool:
        seen.append(went_on.wait(5))
        return start(pool)

    monkeypatch.setattr(_Pool, "start", start_late)
    workers.start_soon()
    went_on.set()
    assert texts(await workers.prepare([mail("early")])) == ["early"]
    assert seen == [True]


@pytest.mark.parametrize(
    ("culprit", "error"), [("hang", "timeout"), ("crash", "died"), ("hog", "memory"), ("panic", "unreadable")]
)
async def test_only_the_culprit_fails(workers: Workers, culprit: str, error: str) -> None:
    """Its neighbours in the chunk come through, within the time one message may take; so does the next."""
    await workers.start()
    bodies = [f"m{number}" for number in range(20)]
    began = time.monotonic()
    prepared = await workers.prepare([mail(body) for body in [*bodies, culprit]])
    assert texts(prepared) == [*bodies, error]
    assert time.monotonic() - began < SETTINGS.seconds + SLACK_S
    assert texts(await workers.prepare([mail("next")])) == ["next"]


@pytest.mark.parametrize(("culprit", "error"), [("hang", "timeout"), ("crash", "died"), ("hog", "memory")])
async def test_a_culprit_alone_fails(workers: Workers, culprit: str, error: str) -> None:
    """A single message is given up just the same."""
    assert texts(await workers.prepare([mail(culprit)])) == [error]


async def test_a_worker_that_ran_out_of_memory_is_replaced(mark: Mark) -> None:
    """It answers and ends, so that the next message is not short of what it still holds."""
    alone = Workers(normalize, triage, SETTINGS.model_copy(update={"processes": 1}), preload=())
    assert texts(await alone.prepare([mail(f"hog {mark.path}")])) == ["memory"]
    assert texts(await alone.prepare([mail(f"next {mark.path}")])) == ["next"]
    assert mark.pid() != mark.pid()
    alone.close()


@pytest.mark.parametrize("victim", ["worker", "fork server"])
async def test_a_process_killed_from_outside_costs_no_message(
    workers: Workers, mark: Mark, victim: str
) -> None:
    """A message whose worker someone else killed is tried once more."""
    preparing = asyncio.create_task(workers.prepare([mail(f"sleep {mark.path}")]))
    worker = await asyncio.to_thread(mark.pid)
    os.kill({"worker": worker, "fork server": parent(worker)}[victim], signal.SIGKILL)
    assert texts(await preparing) == ["sleep"]


async def test_an_idle_worker_that_was_killed_is_made_anew(workers: Workers, mark: Mark) -> None:
    """The next messages find as many workers as before."""
    await workers.prepare([mail(f"first {mark.path}")])
    os.kill(mark.pid(), signal.SIGKILL)
    bodies = [f"m{number}" for number in range(10)]
    assert texts(await workers.prepare([mail(body) for body in bodies])) == bodies


async def test_a_cancelled_caller_hurts_nobody(workers: Workers, mark: Mark) -> None:
    """Others in the workers at that moment get their results, and even his worker lives on."""
    bodies = [f"sleep {mark.path}"] * 2
    cancelled, other = (asyncio.create_task(workers.prepare([mail(body)])) for body in bodies)
    pids = {await asyncio.to_thread(mark.pid), await asyncio.to_thread(mark.pid)}
    cancelled.cancel()
    assert texts(await other) == ["sleep"]
    await workers.prepare([mail(f"sleep {mark.path}")] * 2)
    assert {mark.pid(), mark.pid()} == pids


async def test_closing_ends_what_waits(workers: Workers, mark: Mark) -> None:
    """A caller in the middle of it learns that nothing was taken, and so does the next."""
    preparing = asyncio.create_task(workers.prepare([mail(f"hang {mark.path}")]))
    pid = await asyncio.to_thread(mark.pid)
    await asyncio.to_thread(workers.close)
    with pytest.raises(TransientError):
        await preparing
    with pytest.raises(TransientError):
        await workers.prepare([mail("late")])
    assert not alive(pid)


async def test_workers_that_cannot_start_are_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process to be had means nothing was taken; once there are some, it works."""

    def refuse(_: object) -> None:
        raise OSError("no more processes")

    opened = Workers(normalize, triage, SETTINGS, preload=())
    with monkeypatch.context() as patched:
        patched.setattr("intake.workers._Popen", refuse)
        with pytest.raises(TransientError, match="cannot be started"):
            await opened.prepare([mail("early")])
    assert texts(await opened.prepare([mail("late")])) == ["late"]
    opened.close()


async def test_signals_of_terminals_and_service_managers_do_not_reach_workers(
    workers: Workers, mark: Mark
) -> None:
    """Ctrl-C and SIGTERM to the whole group let workers finish what they are at."""
    preparing = asyncio.create_task(workers.prepare([mail(f"sleep {mark.path}")]))
    worker = await asyncio.to_thread(mark.pid)
    server = parent(worker)
    for pid in (worker, server):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    assert texts(await preparing) == ["sleep"]
    assert alive(worker)
    assert alive(server)


# the whole program

PROGRAM = """
import asyncio, sys
from datetime import UTC, datetime
from intake.schema import RawMessage
from intake.settings import Workers as WorkersSettings
from intake.workers import Workers
from tests.data.worker_tasks import normalize, triage

print("main module runs", __name__, flush=True)


async def main():
    workers = Workers(normalize, triage, WorkersSettings(processes=2), preload=())
    raws = [
        RawMessage("email", "s", "text/plain", body.encode(), datetime.now(UTC)) for body in sys.argv[1:]
    ]
    for prepared in await workers.prepare(raws):
        print(prepared.triage.reasons[0])
    workers.close()


if __name__ == "__main__":
    asyncio.run(main())
"""


def environment(mark: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "DEV_TEST_MARK": mark}


@pytest.mark.parametrize("way", ["script", "module"])
def test_workers_do_not_run_the_main_module_again(tmp_path: Path, way: str) -> None:
    """Neither a console script nor `python -m` is imported in a worker."""
    (tmp_path / "program.py").write_text(PROGRAM)
    how = [str(tmp_path / "program.py")] if way == "script" else ["-m", "program"]
    done = subprocess.run(
        [sys.executable, *how, "merhaba"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(""),
        check=True,
    )
    assert done.stdout.splitlines() == ["main module runs __main__", "False"]


def test_nothing_outlives_a_killed_service(tmp_path: Path, mark: Mark) -> None:
    """After SIGKILL of the service its workers, even hanging ones, fork server and tracker end by themselves."""
    (tmp_path / "program.py").write_text(PROGRAM)
    service = subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), *[f"hang {mark.path}"] * 2],
        env=environment(str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    hanging = {mark.pid(), mark.pid()}
    family = marked(str(tmp_path)) - {service.pid}
    watched = {os.pidfd_open(pid): pid for pid in family}
    try:
        service.kill()
        deadline = time.monotonic() + 5  # a busy machine schedules late
        alive_after = [pid for watch, pid in watched.items() if not ended(watch, deadline)]
    finally:
        for watch in watched:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(watch, signal.SIGKILL)
            os.close(watch)
        service.wait(10)
    assert hanging < family
    assert (len(family), alive_after) == (4, [])


def ended(watch: int, deadline: float) -> bool:
    return bool(select.select([watch], [], [], max(0.0, deadline - time.monotonic()))[0])


def marked(mark: str) -> set[int]:
    """The processes that have inherited this mark in their environment."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"DEV_TEST_MARK={mark}".encode() in entry.read_bytes():
                found.add(int(entry.parent.name))
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
