"""The command line: every command explains itself, every mistake is one line with its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intake.cli import app, main
from intake.tracking import new, show


def commands() -> list[list[str]]:
    plain = "run demo check-config normalize triage show status find tail reconcile republish"
    found = [[], *([name] for name in plain.split())]
    found += [["db", "upgrade"], ["topics", "create"]]
    found += [[group, "list"] for group in ("quarantine", "aside", "dead-letter", "notices")]
    found += [[group, "show"] for group in ("quarantine", "aside", "dead-letter", "notices")]
    return found + [[group, "replay"] for group in ("quarantine", "aside", "dead-letter", "notices")]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "intake.toml"
    path.write_text(f'data_dir = "{tmp_path / "data"}"\n[web]\npublic_port = 0\nprivate_port = 0\n', "utf-8")
    return path


def code_of(*arguments: str) -> int:
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a help text of its own."""
    assert code_of(*command, "--help") == 0
    assert "Usage: intake" in capsys.readouterr().out
    assert app.help


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", show(new())], "run: intake db upgrade"),
        (["show", "nonsense"], "not a tracking code"),
        (["topics", "create"], "kafka.bootstrap_servers: not set"),
        (["run", "--roles", "cook"], "--roles: no such role: cook"),
        (["tail", "kitchen"], "there is no such department"),
        (["republish"], "kafka.bootstrap_servers: not set"),
    ],
)
def test_a_mistake_of_the_operator_is_one_line_and_2(
    config: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong configuration or usage: exit 2, what is wrong and what to do, no traceback."""
    assert code_of(*arguments, "--config", str(config)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_an_unknown_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, with the commands there are."""
    assert code_of("cook") == 2
    assert "cook" in capsys.readouterr().err


def test_a_missing_configuration_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not silently left out."""
    assert code_of("check-config", "--config", str(tmp_path / "nope.toml")) == 2
    assert "cannot read the configuration file" in capsys.readouterr().err


def test_an_empty_installation_answers_every_question(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After `db upgrade` the lists are empty, the books balance, and a code nobody has is not found."""
    assert code_of("db", "upgrade", "--config", str(config)) == 0
    assert code_of("db", "upgrade", "--config", str(config)) == 0
    for group in ("quarantine", "aside", "dead-letter", "notices"):
        assert code_of(group, "list", "--config", str(config)) == 0
    assert code_of("reconcile", "--config", str(config)) == 0
    assert code_of("find", "ayse@example.org", "--config", str(config)) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert code_of("status", show(new()), "--config", str(config)) == 1
    assert "there is no such case" in capsys.readouterr().err


def test_normalize_prints_a_line_per_file(
    tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there gives ok: false and the batch goes on, exit 0."""
    mail = tmp_path / "a.eml"
    mail.write_bytes("From: a@example.org\r\nSubject: Şikâyet\r\n\r\nmerhaba\r\n".encode())
    assert code_of("normalize", "email", str(mail), str(tmp_path / "b.eml"), "--config", str(config)) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["ok"], first["subject"], first["text"]) == (True, "Şikâyet", "merhaba")
    assert second["ok"] is False
