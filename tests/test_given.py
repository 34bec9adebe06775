"""JSON lines as commands read them: in pieces, with lines that are none among them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from threading import Thread
from typing import Any

import pytest

from intake.given import batches
from tests.running import clean_environment

LINES = [{"id": n, "text": "çekim " * (n % 50)} for n in range(2_000)]


def _read(content: bytes) -> list[Any]:
    return [value for batch in batches(io.BytesIO(content)) for value in batch]


def test_a_big_file_comes_whole_and_in_order() -> None:
    """Lines cut by the end of a piece, and inside a letter of two bytes, are put together again."""
    assert _read("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES).encode()) == LINES


@pytest.mark.parametrize("line", ["{", "nonsense", "[" * 100_000, "\x00"])
def test_a_line_that_is_no_json_is_none(line: str) -> None:
    """It costs neither its neighbours nor the run."""
    assert _read(f'{{"id": 1}}\n{line}\n\n  \n[2]'.encode()) == [{"id": 1}, None, [2]]


def test_who_types_is_answered_line_by_line() -> None:
    """A line that came alone is answered before the next one is there."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as given, os.fdopen(writing, "wb", buffering=0) as typed:
        answers = batches(given)
        typed.write(b'{"id": 1}\n')
        assert next(answers) == [{"id": 1}]
        Thread(target=_write_and_close, args=(typed,)).start()
        assert list(answers) == [[{"id": 2}]]


def _write_and_close(typed: Any) -> None:
    typed.write(b'{"id": 2}\n')
    typed.close()


def test_triage_answers_every_line_in_order() -> None:
    """The command gives one JSON line for each that is not empty, readable or not, in the order given."""
    given = '{"id":1,"channel":"email","text":"param gelmedi"}\n\n{bad\n{"id":3,"channel":"x","text":"16 yaşındayım"}'
    command = [sys.executable, "-m", "intake.cli", "triage"]
    done = subprocess.run(
        command, input=given.encode(), env=clean_environment(), capture_output=True, check=True
    )
    one, bad, three = (json.loads(line) for line in done.stdout.splitlines())
    assert (one["id"], one["category"], bad["id"], "error" in bad) == (1, "payments", None, True)
    assert (three["id"], three["underage"]) == (3, True)
