"""The configuration: where values come from, and one line for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from intake.errors import ConfigError
from intake.settings import Section, load


class Mailbox(Section):
    host: str
    password: SecretStr


class Email(Section):
    mailboxes: tuple[Mailbox, ...] = ()


CHANNELS = {"email": Email}


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_variables_win_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """INTAKE_* over TOML over defaults, key by key."""
    monkeypatch.setenv("INTAKE_KAFKA__BOOTSTRAP_SERVERS", "b:1")
    file = written(tmp_path / "c.toml", '[kafka]\nbootstrap_servers = "a:1"\npartitions = 3\n')
    kafka = load(file, {}).kafka
    assert (kafka.bootstrap_servers, kafka.partitions, kafka.in_flight) == ("b:1", 3, 1000)


def test_a_channel_without_a_section_is_off(tmp_path: Path) -> None:
    """Only what is configured runs."""
    assert load(None, CHANNELS).channels() == {}
    file = written(tmp_path / "c.toml", "[email]\n")
    assert list(load(file, CHANNELS).channels()) == ["email"]


def test_secrets_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`x_file` in the TOML and INTAKE_…_FILE both read the secret from a file, and it never shows."""
    secret = written(tmp_path / "secret", "hush\n")
    file = written(tmp_path / "c.toml", f'[[email.mailboxes]]\nhost = "h"\npassword_file = "{secret}"\n')
    monkeypatch.setenv("INTAKE_STORE__PASSWORD_FILE", str(secret))
    settings = load(file, CHANNELS)
    email = settings.channels()["email"]
    assert isinstance(email, Email)
    assert email.mailboxes[0].password.get_secret_value() == "hush"
    assert settings.store.password == SecretStr("hush")
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("INTAKE_TYPO", "1", "INTAKE_TYPO: no such setting"),
        ("INTAKE_KAFKA__BOOTSTRAP", "a:1", "did you mean INTAKE_KAFKA__BOOTSTRAP_SERVERS?"),
        ("INTAKE_WEB__PUBLIC_PORT", "many", "web.public_port: "),
        ("INTAKE_STORE__PASSWORD_FILE", "/does/not/exist", "INTAKE_STORE__PASSWORD_FILE: cannot read"),
    ],
)
def test_a_wrong_variable_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """What is wrong, where, and what may have been meant."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load(None, CHANNELS)
    assert len(caught.value.problems) == 1
    assert said in caught.value.problems[0]


@pytest.mark.parametrize("name", ["INTAKE_SERVICE_HOST", "INTAKE_PORT_8080_TCP"])
def test_what_kubernetes_injects_is_ignored(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A service named intake puts such variables into every container."""
    monkeypatch.setenv(name, "x")
    load(None, {})


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    """A path that was named has to be there."""
    with pytest.raises(ConfigError, match="cannot read the configuration file"):
        load(tmp_path / "nope.toml", {})


def test_unknown_keys_are_named_one_by_one(tmp_path: Path) -> None:
    """A line for each."""
    file = written(tmp_path / "c.toml", "[operator]\nnme = 'x'\n[kafka]\npartition = 3\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert [line.partition(":")[0] for line in caught.value.problems] == ["operator.nme", "kafka.partition"]
