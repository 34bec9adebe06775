"""Whatever is sent to the JSON API, it answers as its OpenAPI document says, and nobody else waits meanwhile."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from intake.listeners import Listener
from tests.web_site import open_site

EXAMPLES = 100  # of each operation and kind of test
LONGEST_DELAY = 0.1  # seconds that the loop may be late in 99 of 100 turns
_TICK = 0.01


@pytest.mark.slow
async def test_the_api_answers_as_it_is_described(tmp_path: Path) -> None:
    """Valid and invalid requests, made from the document: no server error, no answer it does not name, no leak of
    what needs a key, and what is not valid is refused; the event loop stays free for others.
    """
    web_form = {"api_keys": {"shop": "a-key"}, "api_per_minute": 1_000_000}
    async with open_site(tmp_path, web_form=web_form) as site:
        listener = Listener("public", site.public, "127.0.0.1", 0, 1)
        serving = asyncio.create_task(listener.run())
        delays: list[float] = []
        watching = asyncio.create_task(_watch(delays))
        code, said = await _schemathesis(tmp_path, f"http://127.0.0.1:{listener.port}/v1/openapi.json")
        watching.cancel()
        listener.stop()
        await serving
    assert (code, "Warnings:" in said) == (0, False), said
    assert len(site.taken) > EXAMPLES / 4  # many were complaints indeed
    assert sorted(delays)[len(delays) * 99 // 100] < LONGEST_DELAY


async def _schemathesis(folder: Path, url: str) -> tuple[int | None, str]:
    options = ["--max-examples", str(EXAMPLES), "--seed", "7", "--no-color", "--continue-on-failure"]
    options += ["--exclude-checks", "positive_data_acceptance"]  # the id of an upload has to exist, too
    program = [sys.executable, "-m", "schemathesis.cli", "run", url, *options]
    process = await asyncio.create_subprocess_exec(
        *program,
        "--header",
        "Authorization: Bearer a-key",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode(errors="replace")


async def _watch(delays: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        asked = loop.time()
        await asyncio.sleep(_TICK)
        delays.append(loop.time() - asked - _TICK)
