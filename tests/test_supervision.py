"""Parts run on their own: one that fails is started again and disturbs nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from intake import supervision
from intake.errors import TransientError
from intake.supervision import Supervisor


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_FIRST_PAUSE", 0.01)


async def test_a_part_that_fails_is_started_again(clock: Any) -> None:
    """Three failures, then it runs; its state counts them and names the last without personal data."""
    supervisor, tries, running = Supervisor(clock), [], asyncio.Event()

    async def part() -> None:
        tries.append(1)
        if len(tries) <= 3:
            raise TransientError("sign-in of ayse@example.org failed")
        running.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervisor.keep("email/support", part))
    await asyncio.wait_for(running.wait(), 5)
    shown = supervisor.shown()["email/support"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (shown["state"], shown["failures"]) == ("up", 3)
    assert shown["last_error"] == "TransientError: sign-in of [address] failed"
    assert supervisor.shown()["email/support"]["state"] == "stopped"


async def test_a_part_that_ends_while_stopping_stays_ended(clock: Any) -> None:
    """The drain is not fought by a restart."""
    supervisor = Supervisor(clock)
    supervisor.stopping = True
    await asyncio.wait_for(supervisor.keep("listener public", lambda: asyncio.sleep(0)), 5)
    assert supervisor.shown()["listener public"]["state"] == "stopped"


async def test_a_cancellation_nobody_asked_for_is_a_failure(clock: Any) -> None:
    """A library that cancels what a part waits for (a producer its futures) does not end the part for good."""
    supervisor, tries, running = Supervisor(clock), [], asyncio.Event()

    async def part() -> None:
        tries.append(1)
        if len(tries) == 1:
            answer = asyncio.get_running_loop().create_future()
            answer.cancel()
            await answer
        running.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(supervisor.keep("relay", part))
    await asyncio.wait_for(running.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert supervisor.parts["relay"].failures == 1


async def test_a_group_of_failures_names_its_cause(clock: Any) -> None:
    """A part of several tasks says what went wrong, not that something did."""
    supervisor = Supervisor(clock)

    async def part() -> None:
        raise ExceptionGroup("unhandled errors in a TaskGroup", [TransientError("connection lost")])

    task = asyncio.create_task(supervisor.keep("notices", part))
    async with asyncio.timeout(5):
        while "notices" not in supervisor.parts or not supervisor.parts["notices"].failures:  # noqa: ASYNC110
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert supervisor.shown()["notices"]["last_error"] == "TransientError: connection lost"
