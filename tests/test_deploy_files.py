"""The files that deploy and build the project: valid, closed to the outside, and in step with each other."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors import web_form
from intake import settings

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "deploy" / "omnichannel-intake.service"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
COMPOSE_FILES = ("docker-compose.yml", "scripts/servers/compose.yml")


def _compose(name: str) -> dict[str, Any]:
    services: dict[str, Any] = YAML(typ="safe").load(ROOT / name)["services"]
    return services


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def _load_with(variables: dict[str, str], tmp_path: Path, patch: pytest.MonkeyPatch) -> settings.Settings:
    """Loads the settings from these variables alone, each secret's file being there."""
    secret = tmp_path / "secret"
    secret.write_text("0" * 64)
    for name in [name for name in os.environ if name.startswith("INTAKE_")]:
        patch.delenv(name)
    for name, value in variables.items():
        patch.setenv(name, str(secret) if name.endswith("_FILE") else value)
    return settings.load(None, {"web_form": web_form.Settings})


def _unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def _pins(path: str) -> dict[str, str]:
    """Name and marker of each pin in a lock file, with its version and hashes."""
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / path).read_text("utf-8"), flags=re.MULTILINE)
    cleaned = [re.sub(r"\n? +#.*", "", block).strip() for block in blocks if "==" in block]
    return {block.split(" --hash", 1)[0].rstrip(" \\\n"): block for block in cleaned}


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_file_fits_the_specification(name: str) -> None:
    """The official Compose schema accepts the file."""
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", name)
    answer = _run(*command)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_publishes_on_loopback_only(name: str) -> None:
    """No port is reachable from another machine."""
    published = [port for service in _compose(name).values() for port in service.get("ports", ())]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_compose_sets_only_settings_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service starts on PostgreSQL and Kafka with the variables of docker-compose.yml."""
    loaded = _load_with(_compose("docker-compose.yml")["intake"]["environment"], tmp_path, monkeypatch)
    assert loaded.store_url.startswith("postgresql://intake@postgres:")
    assert loaded.kafka.bootstrap_servers == "kafka:9092"
    assert loaded.store.password is not None
    assert list(loaded.channels()) == ["web_form"]


def test_compose_ports_are_those_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published ports and the health check follow the default ports of the two listeners."""
    service = _compose("docker-compose.yml")["intake"]
    web = _load_with(service["environment"], tmp_path, monkeypatch).web
    inside = [int(port.rsplit(":", 1)[1]) for port in service["ports"]]
    assert inside == [web.public_port, web.private_port]
    health = f"http://127.0.0.1:{web.private_port}/healthz"
    assert health in service["healthcheck"]["test"][-1]
    assert health in DOCKERFILE


def test_compose_secrets_are_never_written_down() -> None:
    """Every password comes from a file that the first start writes; none stands in docker-compose.yml."""
    services = _compose("docker-compose.yml")
    secret = re.compile("PASSWORD|SECRET|KEY")
    names = {name: value for one in services.values() for name, value in one.get("environment", {}).items()}
    files = {value for name, value in names.items() if secret.search(name)}
    assert files
    assert files <= set(services["secrets"]["command"])


def test_compose_starts_in_order() -> None:
    """Schema before service, secrets before database, and a missing Kafka does not hold the service back."""
    services = _compose("docker-compose.yml")
    assert services["intake"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["intake"]["depends_on"]["topics"]["required"] is False
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["postgres"]["depends_on"]["secrets"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_configures_kafka_whole(name: str) -> None:
    """The image drops all defaults once one variable is set, so every one that KRaft needs is there."""
    given = _compose(name)["kafka"]["environment"]
    needed = {
        "CLUSTER_ID",
        "KAFKA_NODE_ID",
        "KAFKA_PROCESS_ROLES",
        "KAFKA_CONTROLLER_QUORUM_VOTERS",
        "KAFKA_CONTROLLER_LISTENER_NAMES",
        "KAFKA_LISTENERS",
        "KAFKA_ADVERTISED_LISTENERS",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
        "KAFKA_INTER_BROKER_LISTENER_NAME",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR",
    }
    assert needed - given.keys() == set()


def test_one_kafka_version_everywhere() -> None:
    """The broker of the tests and the broker of the deployment are the same release."""
    pom = (ROOT / "scripts/kafka/pom.xml").read_text("utf-8")
    script = (ROOT / "scripts/servers/kafka.sh").read_text("utf-8")
    versions = re.findall(r"<kafka.version>(.+)</kafka.version>", pom)
    versions += re.findall(r"^KAFKA_VERSION=(.+)$", script, re.MULTILINE)
    versions += [_compose(name)["kafka"]["image"].partition(":")[2] for name in COMPOSE_FILES]
    assert len(versions) == 4
    assert len(set(versions)) == 1


def test_one_uv_version_everywhere() -> None:
    """A developer's uv and the image's uv are the same release."""
    script = (ROOT / "scripts/bootstrap").read_text("utf-8")
    image = re.findall(r"uv==(\S+)", DOCKERFILE)
    assert image == re.findall(r"^UV_VERSION=(.+)$", script, re.MULTILINE)


def test_image_copies_what_the_build_context_holds() -> None:
    """Each COPY names a path that exists and that .dockerignore lets through."""
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)$", DOCKERFILE, re.MULTILINE)
    copied = {source for line in lines for source in line.split()[:-1]}
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    assert {path for path in copied if not (ROOT / path).exists()} == set()
    assert copied == set(allowed)


def test_image_runs_without_privileges() -> None:
    """The last stage leaves root before it names what it runs."""
    last_stage = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert last_stage.index("\nUSER intake") < last_stage.index("\nENTRYPOINT")


def test_image_installs_part_of_what_was_tested() -> None:
    """deploy/requirements.lock pins the same versions by the same hashes, and nothing beyond."""
    tested, shipped = _pins("requirements.lock"), _pins("deploy/requirements.lock")
    assert len(shipped) > 40
    assert {name for name in shipped if shipped[name] != tested.get(name)} == set()


def test_image_installs_every_dependency_and_no_tool() -> None:
    """All run-time dependencies of pyproject.toml are in the image's lock, none of the development ones."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shipped = {re.split("==| ", pin)[0] for pin in _pins("deploy/requirements.lock")}
    needed = {re.split(r"[\[<>=]", wanted)[0] for wanted in project["dependencies"]}
    tools = {re.split(r"[\[<>=]", wanted)[0] for wanted in project["optional-dependencies"]["dev"]}
    assert needed - shipped == set()
    assert tools & shipped == set()


@pytest.mark.parametrize("path", ["requirements.lock", "deploy/requirements.lock"])
def test_lock_names_no_address(path: str) -> None:
    """A lock file holds versions and hashes; where packages come from is each machine's own matter."""
    assert "://" not in (ROOT / path).read_text("utf-8")


def test_first_start_writes_a_secret_once(tmp_path: Path) -> None:
    """A missing secret is written for its owner alone; a later start changes nothing."""
    names = [tmp_path / "password", tmp_path / "secret"]
    first = _run(ROOT / "deploy" / "first-start", *names)
    written = [path.read_text() for path in names]
    again = _run(ROOT / "deploy" / "first-start", *names)
    assert (first.returncode, again.returncode) == (0, 0)
    assert [len(text) for text in written] == [64, 64]
    assert len(set(written)) == 2
    assert [path.read_text() for path in names] == written
    assert {stat.S_IMODE(path.stat().st_mode) for path in names} == {0o600}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_unit_is_accepted_by_systemd(tmp_path: Path) -> None:
    """systemd knows every directive; only the program is replaced, which is not installed here."""
    copy = tmp_path / UNIT.name
    text, replaced = re.subn(r"(?m)^ExecStart=.*$", "ExecStart=/bin/true", UNIT.read_text("utf-8"))
    copy.write_text(text)
    answer = _run("systemd-analyze", "verify", copy)
    assert replaced == 1
    assert (answer.returncode, answer.stdout + answer.stderr) == (0, "")


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("Type", "notify"),
        ("Restart", "always"),
        ("WatchdogSec", "30"),
        ("TimeoutStopSec", "30"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("PrivateTmp", "yes"),
        ("LimitNOFILE", "20000"),
        ("StateDirectory", "omnichannel-intake"),
    ],
)
def test_unit_keeps_its_promises(directive: str, value: str) -> None:
    """The unit watches, restarts and confines the service."""
    assert _unit()[directive] == [value]


def test_unit_sets_only_settings_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its variables are settings, and each of its secrets is a credential that it loads."""
    variables = dict(line.split("=", 1) for line in _unit()["Environment"])
    loaded = _load_with(variables, tmp_path, monkeypatch)
    credentials = {line.split(":", 1)[0] for line in _unit()["LoadCredential"]}
    assert loaded.secret is not None
    assert credentials == {
        value.removeprefix("%d/") for name, value in variables.items() if name.endswith("_FILE")
    }


def test_make_help_lists_every_promised_target() -> None:
    """`make help` says in one line each what a newcomer can do."""
    listed = set(re.findall(r"^  make (\S+) +\S", _run("make", "help").stdout, re.MULTILINE))
    assert {"demo", "test", "check", "run", "docs", "bench", "services", "help"} - listed == set()


@pytest.mark.parametrize(
    "path",
    [".ci/run", "scripts/services", "scripts/bootstrap", "scripts/lock", "scripts/asyncapi_parser"],
)
def test_script_can_be_run(path: str) -> None:
    """Each script is executable and free of syntax errors."""
    assert os.access(ROOT / path, os.X_OK)
    assert _run("bash", "-n", path).returncode == 0
