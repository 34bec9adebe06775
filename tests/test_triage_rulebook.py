"""Rules change while the service runs: a new file is taken over, a wrong one changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from intake.schema import Message
from intake.settings import TriageSettings
from router import rulebook, rules, triage

PACKAGED = files("router").joinpath("data/rules.toml").read_text("utf-8")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _version(text: str, version: str) -> str:
    return text.replace(f'version = "{rules.load().data.version}"', f'version = "{version}"', 1)


def _write(path: Path, text: str) -> None:
    """Replaces a file as an editor does: the new one has another inode."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


def _following(tmp_path: Path) -> tuple[Path, Clock, rulebook.Rulebook]:
    path, clock = tmp_path / "rules.toml", Clock()
    _write(path, _version(PACKAGED, "one"))
    return path, clock, rulebook.Rulebook(path, clock)


def test_a_change_is_in_force_a_second_later(tmp_path: Path) -> None:
    """The file is not looked at again within a second, and is taken over after it."""
    path, clock, book = _following(tmp_path)
    _write(path, _version(PACKAGED, "two"))
    clock.now = 0.5
    assert book.current().data.version == "one"
    clock.now = 1.5
    assert book.current().data.version == "two"


def test_a_wrong_change_is_refused_and_told(tmp_path: Path) -> None:
    """The old rules stay, the log names file, line and reason, once; a mended file is taken over."""
    path, clock, book = _following(tmp_path)
    _write(path, PACKAGED.replace('"intihar*"', '"in[tihar"', 1))
    clock.now = 2
    with capture_logs() as logs:
        assert book.current().data.version == "one"
        clock.now = 4
        assert book.current().data.version == "one"
    assert len(logs) == 1
    assert f"{path}:" in logs[0]["problems"][0]
    assert "only words" in logs[0]["problems"][0]
    _write(path, _version(PACKAGED, "three"))
    clock.now = 6
    assert book.current().data.version == "three"


def test_a_file_that_vanishes_changes_nothing(tmp_path: Path) -> None:
    """Rules stay in force when their file is gone."""
    path, clock, book = _following(tmp_path)
    path.unlink()
    clock.now = 2
    assert book.current().data.version == "one"


def test_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    """With a wrong file the service does not start, and says why."""
    path = tmp_path / "rules.toml"
    path.write_text("version = ", "utf-8")
    with pytest.raises(rules.RulesError, match="not valid TOML"):
        triage.configured(TriageSettings(rules_file=path), "Europe/Istanbul")


def test_the_function_of_a_worker_follows_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service gives its workers judges by a term that was added while it ran."""
    path = tmp_path / "rules.toml"
    _write(path, PACKAGED)
    judge = triage.configured(TriageSettings(rules_file=path), "Europe/Istanbul")
    message = Message(channel="email", source="test", received_at=NOW, text="zumzukladilar beni")
    clock = Clock()
    book = rulebook.Rulebook(path, clock)
    monkeypatch.setattr(rulebook, "of", lambda _: book)
    assert "crisis" not in judge([message])[0].flags
    _write(
        path,
        PACKAGED.replace('"intihar*"', '"intihar*", "zumzuk*"')
        .replace("[flags.crisis]\n", "[flags.crisis]\n", 1)
        .replace('any = [\n  "haberlerde', 'any = [\n  "zumzuk*", "haberlerde', 1),
    )
    clock.now = 2
    assert "crisis" in judge([message])[0].flags
