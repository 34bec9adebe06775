"""scripts/services, with ports and a data folder of its own; the mail sink stands for all the servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PORTS = (
    "DEV_KAFKA_PORT",
    "DEV_POSTGRES_PORT",
    "DEV_DOVECOT_IMAP_PORT",
    "DEV_DOVECOT_IMAPS_PORT",
    "DEV_LMTP_PORT",
    "DEV_SMTP_PORT",
)
# programs that scripts/services needs when nothing is to be installed
WITHOUT_INSTALLERS = (
    *("bash", "cat", "cksum", "cut", "dirname", "env", "flock", "grep", "head", "id"),
    *("mkdir", "readlink", "realpath", "sed", "tr"),
)
Run = Callable[..., subprocess.CompletedProcess[str]]


def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _port(listener: socket.socket) -> str:
    return str(listener.getsockname()[1])


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """Variables of a second set of servers, beside whatever runs on the usual ports."""
    with ExitStack() as stack:
        free = {name: _port(stack.enter_context(_listener())) for name in PORTS}
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    return {**kept, **free, "DEV_NO_DOCKER": "1", "DEV_SERVICES_DIR": str(tmp_path / "services")}


@pytest.fixture
def services(surroundings: dict[str, str]) -> Iterator[Run]:
    """Runs scripts/services in those surroundings; ends what it started."""

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "scripts" / "services"), *words]
        return subprocess.run(
            command, env={**surroundings, **more}, capture_output=True, text=True, timeout=60, check=False
        )

    yield run
    run("down")


@pytest.fixture
def occupied(surroundings: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same ports, with a stranger already listening on each."""
    with ExitStack() as stack:
        yield {name: _port(stack.enter_context(_listener())) for name in PORTS}


def _printed(answer: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return dict(re.findall(r"^export (\w+)='(.*)'$", answer.stdout, re.MULTILINE))


def _pid(surroundings: dict[str, str]) -> int:
    return int(Path(surroundings["DEV_SERVICES_DIR"], "smtp", "pid").read_text())


def _send(surroundings: dict[str, str], recipient: str) -> None:
    with smtplib.SMTP("127.0.0.1", int(surroundings["DEV_SMTP_PORT"])) as client:
        client.sendmail(
            "ayşe@example.test", [recipient], "Konu: ş\r\n".encode(), ["SMTPUTF8", "BODY=8BITMIME"]
        )


def _kept(services: Run, suffix: str) -> list[Path]:
    return sorted(Path(_printed(services("env"))["DEV_SMTP_DIR"], "new").glob(f"*{suffix}"))


def test_up_is_harmless_to_repeat(services: Run, surroundings: dict[str, str]) -> None:
    """A second `up` leaves the running server alone."""
    first = services("up", "smtp")
    pid = _pid(surroundings)
    second = services("up", "smtp")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "started" in first.stdout
    assert "started" not in second.stdout
    assert _pid(surroundings) == pid


def test_env_names_only_what_is_up(services: Run, surroundings: dict[str, str]) -> None:
    """`env` is one parsable line per variable, and has none for a server that is down."""
    services("up", "smtp")
    printed = _printed(services("env"))
    assert printed["DEV_SMTP_PORT"] == surroundings["DEV_SMTP_PORT"]
    assert Path(printed["DEV_SMTP_DIR"]).is_dir()
    assert "DEV_KAFKA_BOOTSTRAP" not in printed
    assert "DEV_POSTGRES_URL" not in printed


def test_sink_keeps_each_mail_with_its_envelope(services: Run, surroundings: dict[str, str]) -> None:
    """An accepted mail stands as one .eml with the bytes and one .json with who sent it to whom."""
    services("up", "smtp")
    _send(surroundings, "intake@example.test")
    assert [path.read_bytes() for path in _kept(services, ".eml")] == ["Konu: ş\r\n".encode()]
    envelope = json.loads(_kept(services, ".json")[0].read_text("utf-8"))
    assert envelope["mail_from"] == "ayşe@example.test"
    assert envelope["rcpt_tos"] == ["intake@example.test"]


@pytest.mark.parametrize(("recipient", "code"), [("a@refused.invalid", 550), ("a@busy.invalid", 451)])
def test_sink_refuses_on_request(
    services: Run, surroundings: dict[str, str], recipient: str, code: int
) -> None:
    """Two domains answer with a permanent and a passing error, and nothing is kept."""
    services("up", "smtp")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        _send(surroundings, recipient)
    assert refused.value.recipients[recipient][0] == code
    assert _kept(services, ".eml") == []


def test_killed_server_is_down_and_comes_back_with_its_data(
    services: Run, surroundings: dict[str, str]
) -> None:
    """`kill` ends it at once, `status` says so, `up` starts it again on the same data."""
    services("up", "smtp")
    _send(surroundings, "intake@example.test")
    assert services("kill", "smtp").returncode == 0
    assert services("status", "smtp").returncode == 1
    assert services("up", "smtp").returncode == 0
    assert len(_kept(services, ".eml")) == 1


def test_foreign_listener_is_used_and_left_alone(
    services: Run, surroundings: dict[str, str], occupied: dict[str, str]
) -> None:
    """What already listens counts as up, and neither `down` nor `kill` touches it."""
    up = services("up", "smtp", **occupied)
    assert up.returncode == 0
    assert "started" not in up.stdout
    assert services("down", "smtp", **occupied).stdout == ""
    assert services("kill", "smtp", **occupied).returncode == 1
    assert services("status", "smtp", **occupied).returncode == 0
    assert not Path(surroundings["DEV_SERVICES_DIR"], "smtp", "pid").exists()


def test_recycled_process_id_is_not_killed(services: Run, surroundings: dict[str, str]) -> None:
    """A pid file that by now names a stranger's process ends nobody."""
    folder = Path(surroundings["DEV_SERVICES_DIR"], "smtp")
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (folder / "pid").write_text(str(stranger.pid))
        services("down", "smtp")
        services("kill", "smtp")
        alive = stranger.poll() is None
        stranger.kill()
    assert alive


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with everything but Chromium and what could install it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in WITHOUT_INSTALLERS:
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    return str(folder)


def test_what_cannot_be_had_is_skipped_in_one_line(
    services: Run, occupied: dict[str, str], bare_path: str
) -> None:
    """Without a way to get Chromium, `up` says so in one line, names the cure and succeeds."""
    answer = services("up", PATH=bare_path, **occupied)
    assert answer.returncode == 0, answer.stderr
    assert re.fullmatch(r"chromium: skipped, needs chromium .*\n", answer.stderr)


@pytest.mark.parametrize(("words", "ci"), [(("up",), "true"), (("up", "chromium"), "")])
def test_skip_is_a_failure_where_it_was_promised(
    services: Run, occupied: dict[str, str], bare_path: str, words: tuple[str, ...], ci: str
) -> None:
    """With CI=true, or asked for by name, a skip is an error."""
    answer = services(*words, PATH=bare_path, CI=ci, **occupied)
    assert answer.returncode == 1
    assert "chromium: skipped" in answer.stderr


@pytest.mark.parametrize("words", [("up", "kafak"), ("kill",), ("restart",)])
def test_mistyped_command_changes_nothing(
    services: Run, surroundings: dict[str, str], words: tuple[str, ...]
) -> None:
    """An unknown name or command is a usage error, found before anything is started."""
    assert services(*words).returncode == 2
    assert not Path(surroundings["DEV_SERVICES_DIR"]).exists()


def test_clean_removes_only_the_folder_that_was_named(services: Run, surroundings: dict[str, str]) -> None:
    """`clean` without its folder, or with another one, stops nothing and removes nothing."""
    folder = Path(surroundings["DEV_SERVICES_DIR"])
    services("up", "smtp")
    assert services("clean").returncode == 2
    assert services("clean", str(ROOT / ".dev" / "services")).returncode == 2
    assert services("status", "smtp").returncode == 0
    assert services("clean", str(folder)).returncode == 0
    assert not folder.exists()
