"""The contract with departments, read by the official parser of AsyncAPI and by a JSON Schema validator."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from intake.events import SCHEMA_MODELS, SCHEMAS
from intake.settings import Settings
from router import topics
from tests.conftest import IN_CI

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "reference" / "asyncapi.json"
PARSER = ROOT / ".dev" / "asyncapi"
_MESSAGES = (
    "registered",
    "followedUp",
    "duplicateLinked",
    "duplicateUnlinked",
    "rerouted",
    "lifeCycle",
    "urgent",
)
_WRONG = 1  # severities: 0 error, 1 warning, 2 information, 3 hint


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return found


def parse(path: Path) -> dict[str, Any]:
    """What the official parser makes of a document."""
    if not (PARSER / "complete").exists() or shutil.which("node") is None:
        reason = "the AsyncAPI parser is not installed; install it with: scripts/asyncapi_parser"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    script = ROOT / "tests" / "data" / "asyncapi_check.cjs"
    command = ["node", str(script), str(PARSER), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_official_parser_accepts_the_document() -> None:
    """No error and no warning, and every topic of the code is a channel of the document."""
    said = parse(DOCUMENT)
    assert [d for d in said["diagnostics"] if d["severity"] <= _WRONG] == []
    settings = Settings()
    expected = {topics.full_name(settings, topic.name) for topic in topics.wanted(settings, 3)}
    assert set(said["channels"]) == expected
    assert set(said["messages"]) == set(_MESSAGES)


@pytest.mark.parametrize(
    "breach",
    [
        {"asyncapi": "3.0.0", "info": {"title": "no version"}},
        {"operations": {"lost": {"action": "send", "channel": {"$ref": "#/channels/nowhere"}}}},
        {"channels": {"payments": {"messages": {"m": {"payload": {"type": 7}}}}}},
    ],
)
def test_the_parser_would_object(breach: dict[str, Any], tmp_path: Path) -> None:
    """The check can fail: a document that is wrong in one place is refused."""
    broken = tmp_path / "asyncapi.json"
    broken.write_text(json.dumps(document() | breach), "utf-8")
    said = parse(broken)
    assert [d for d in said["diagnostics"] if d["severity"] == 0]


@pytest.mark.parametrize("name", _MESSAGES)
def test_examples_and_schemas_agree(name: str) -> None:
    """Each message's example, made by the service's own code, fits the schema its `ce_dataschema` names."""
    message = document()["components"]["messages"][name]
    example = message["examples"][0]
    kind = example["headers"]["ce_dataschema"].removeprefix(SCHEMAS)
    schema = json.loads((ROOT / "docs" / "reference" / "schemas" / f"{kind}.json").read_text("utf-8"))
    assert schema["$id"] == example["headers"]["ce_dataschema"]
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.check_schema(schema)
    validator.validate(example["payload"])
    headers = document()["components"]["schemas"]["Headers"]
    jsonschema.Draft202012Validator(headers).validate(example["headers"])
    assert message["payload"]["$ref"].endswith(f"/{SCHEMA_MODELS[kind].__name__}")


@pytest.mark.parametrize("kind", SCHEMA_MODELS)
def test_readers_may_meet_what_v1_does_not_know_yet(kind: str) -> None:
    """The schemas are additive: a field and a value that come later do not break a reader who validates."""
    schema = json.loads((ROOT / "docs" / "reference" / "schemas" / f"{kind}.json").read_text("utf-8"))
    text = json.dumps(schema)
    assert '"additionalProperties": false' not in text
    assert '"enum"' not in text
