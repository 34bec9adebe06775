"""The short version of `make crash`: the service killed at its failpoints, and the three ledgers compared."""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from tests import failpoints
from tests.conftest import IN_CI
from tests.crash_driver import Victim, points
from tests.crash_load import Place, own_sink
from tests.crash_service import Nursery

KILLING_SECONDS = float(os.environ.get("DEV_CRASH_SECONDS", "30"))
_NEEDED = ("DEV_KAFKA_BOOTSTRAP", "DEV_DOVECOT_IMAPS_PORT", "DEV_LMTP_PORT")


def test_a_mark_is_a_comment_on_a_line_of_its_own() -> None:
    """Whatever is written like a failpoint is one: a misspelt one would never be reached and never be missed."""
    alike = 0
    for package in failpoints.PACKAGES:
        for path in (failpoints.ROOT / package).rglob("*.py"):
            alike += len(re.findall("failpoint", path.read_text("utf-8"), re.IGNORECASE))
    assert alike == len(failpoints.marks()) > 30


def test_a_failpoint_has_one_place() -> None:
    """A name that stood twice would be counted for two."""
    assert len(failpoints.names()) == len(failpoints.marks())


def test_a_call_takes_the_place_of_a_mark() -> None:
    """Same line, same indentation, and what stands around it is untouched."""
    source = "def f():\n    x = 1\n    # failpoint: half way\n    return x\n"
    assert failpoints.with_calls(source) == source.replace(
        "# failpoint: half way", '__failpoint__("half way")'
    )


@pytest.mark.parametrize("path", sorted({mark.path for mark in failpoints.marks()}))
def test_a_normal_import_has_no_trace_of_them(path: str) -> None:
    """Outside the harness a mark is a comment: the compiled module does not know the word."""
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    assert not hasattr(module, "__failpoint__")
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"
    code = compile(Path(module.__file__ or "").read_text("utf-8"), path, "exec", dont_inherit=True)
    assert "failpoint" not in repr(list(_words(code)))


def _words(code: object) -> Iterator[object]:
    for constant in getattr(code, "co_consts", ()):
        yield from getattr(constant, "co_names", ())
        yield from _words(constant)


def test_it_cannot_be_installed_too_late() -> None:
    """With the service imported already, nothing would be counted and every kill would be a miss."""
    importlib.import_module("intake.accept")
    before = list(sys.meta_path)
    with pytest.raises(RuntimeError, match="already imported"):
        failpoints.install()
    assert sys.meta_path == before


@pytest.mark.kafka
@pytest.mark.dovecot
@pytest.mark.slow
def test_a_kill_at_any_step_costs_nothing(tmp_path: Path, store_url: str) -> None:
    """Promises 1, 2, 4, 6 and 9, with kills at every second failpoint (the other half on the other store).

    Mails and posts go on all the while. Then: what was offered and acknowledged is there once, every event
    arrived unaltered and in order, no letter more was repeated than was under way, nothing ran on after a kill,
    and the load came by every failpoint of this store.
    """
    if missing := [name for name in _NEEDED if name not in os.environ]:
        reason = f"servers are not running ({', '.join(missing)}); start them with: scripts/services up"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    is_sqlite = store_url.startswith("sqlite")
    all_points = points("sqlite" if is_sqlite else "postgresql")
    with own_sink(tmp_path):
        nursery = Nursery(tmp_path)
        victim = Victim(Place(tmp_path, store_url), nursery, seed=4)
        victim.start()
        until = time.monotonic() + KILLING_SECONDS
        chosen = takewhile(lambda _: time.monotonic() < until, all_points[0 if is_sqlite else 1 :: 2])
        kills = [victim.kill_at(name) for name in chosen]
        report = victim.close()
        nursery.close()
    assert sum(kills) >= len(kills) / 2  # on a busy machine a life may be too short for its failpoint
    assert not report.faults
    assert report.findings.mails > 20
    assert report.findings.posts > 5
    assert not set(all_points) - report.reached.keys()
