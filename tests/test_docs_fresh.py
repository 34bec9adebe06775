"""What is generated is generated: nothing is stale, and the examples are true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from intake.app import channel_settings
from intake.settings import load
from tests.running import clean_environment, intake

ROOT = Path(__file__).parent.parent
SECRETS = "/run/secrets/intake"
_MAILBOX = {"name": "m", "host": "imap.example", "user": "u", "password": "hush"}


def docs(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / "docs.py"), "--check"]
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)


def variables() -> dict[str, str]:
    """What `.env.example` would set, were every line without its mark."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(line.removeprefix("# ").split("=", 1) for line in lines if line.startswith("# INTAKE_"))


def test_nothing_generated_is_stale() -> None:
    """Settings, schemas, AsyncAPI, command line and examples are what the code says."""
    done = docs(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_stale_is_named(tmp_path: Path) -> None:
    """A changed file, a missing file and a schema of no event each get a line, and the exit code is 1."""
    for name in ("intake", "router", "normalizers", "connectors", "scripts", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs" / "reference" / "schemas").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "schemas" / "complaint.gone.v1.json").touch()
    (tmp_path / ".env.example").write_text("INTAKE_OLD=\n", "utf-8")
    (tmp_path / "intake.example.toml").write_text((ROOT / "intake.example.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "scripts").unlink()
    (tmp_path / "scripts").mkdir()
    for script in (ROOT / "scripts").glob("docs*.py"):
        (tmp_path / "scripts" / script.name).write_text(script.read_text("utf-8"), "utf-8")
    done = docs(tmp_path)
    assert done.returncode == 1
    assert "stale: run make docs (.env.example)" in done.stderr
    assert "stale: run make docs (docs/reference/settings.md)" in done.stderr
    assert "stale: run make docs (docs/reference/schemas/complaint.gone.v1.json)" in done.stderr
    assert "intake.example.toml" not in done.stderr


def test_the_example_configuration_is_fine(tmp_path: Path) -> None:
    """As it stands, once the files of its secrets are there, it switches on mail, form and Kafka."""
    text = (ROOT / "intake.example.toml").read_text("utf-8")
    (tmp_path / "mailbox_password").write_text("hush\n", "utf-8")
    data = f'data_dir = "{tmp_path / "data"}"\n'
    config = tmp_path / "intake.toml"
    config.write_text(data + text.replace(SECRETS, str(tmp_path)), "utf-8")
    said = intake("check-config", config=config).stdout
    assert "Channels: email, web_form." in said
    assert "Broker: localhost:9092." in said


def test_the_examples_secrets_are_asked_for_by_name(tmp_path: Path) -> None:
    """Without the files of its secrets the example says which are missing, and exits 2."""
    text = (ROOT / "intake.example.toml").read_text("utf-8").replace(SECRETS, str(tmp_path / "none"))
    config = tmp_path / "intake.toml"
    config.write_text(text, "utf-8")
    done = intake("check-config", config=config, check=False)
    assert done.returncode == 2
    assert f"email.mailboxes.password_file: cannot read {tmp_path}/none/mailbox_password" in done.stderr


def test_every_commented_key_of_the_example_is_a_key(tmp_path: Path) -> None:
    """Without the marks it still loads: no key or section is misspelt."""
    lines = (ROOT / "intake.example.toml").read_text("utf-8").splitlines()
    bare = [
        line.removeprefix("# ") if line.startswith("# ") and is_toml(line[2:]) else line for line in lines
    ]
    secrets = [Path(line.partition(' = "')[2].rstrip('"')).name for line in bare if SECRETS in line]
    for name in secrets:
        (tmp_path / name).write_text("hush\n", "utf-8")
    config = tmp_path / "intake.toml"
    config.write_text("\n".join(bare).replace(SECRETS, str(tmp_path)), "utf-8")
    loaded = load(config, channel_settings())
    assert len(secrets) > 5
    assert loaded.store.password is not None


def is_toml(text: str) -> bool:
    return text.startswith("[") or text.partition(" = ")[0].isidentifier()


def test_the_variables_of_the_example_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of `.env.example` that has a value can be set, and changes nothing."""
    before = load(None, channel_settings())
    core = {
        name: value
        for name, value in variables().items()
        if value and not name.endswith("_FILE") and not name.startswith(("INTAKE_EMAIL", "INTAKE_WEB_FORM"))
    }
    for name, value in core.items():
        monkeypatch.setenv(name, value)
    assert len(core) > 30
    assert load(None, channel_settings()).model_dump() == before.model_dump()


def test_secrets_and_tables_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every `_FILE` of `.env.example` is read."""
    files = [name for name in variables() if name.endswith("_FILE")]
    content = {"INTAKE_EMAIL__MAILBOXES_FILE": json.dumps([_MAILBOX])}
    for name in files:
        (tmp_path / name).write_text(content.get(name, "hush"), "utf-8")
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("INTAKE_EMAIL__SMTP__HOST", "smtp.example")
    monkeypatch.setenv("INTAKE_EMAIL__SMTP__USER", "u")
    monkeypatch.setenv("INTAKE_EMAIL__SMTP__FROM_ADDRESS", "a@b.example")
    email = load(None, channel_settings()).channels()["email"]
    assert email.model_dump()["mailboxes"][0]["name"] == "m"
