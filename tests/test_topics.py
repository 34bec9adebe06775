"""The topics on the real broker: made where they are missing, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from intake.errors import ConfigError, TransientError
from intake.schema import DEPARTMENTS
from intake.settings import Settings
from router import topics
from tests.brokers import admin, delete_topics, kafka_settings, make_topic
from tests.conftest import IN_CI
from tests.running import INTAKE, clean_environment
from tests.spine import free_port

DAY = 86_400_000


@pytest.fixture
async def settings(make_settings: Callable[..., Settings]) -> AsyncIterator[Settings]:
    """Topics of this test's own on the shared broker."""
    address = os.environ.get("DEV_KAFKA_BOOTSTRAP", "")
    if not address:
        reason = "Kafka is not running; start it with: scripts/services up"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    made = kafka_settings(make_settings, address, retention_days=9)
    yield made
    await delete_topics(made)


async def described(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every topic of this test: its partitions, and the settings that are its own."""
    async with admin(settings) as client:
        names = [n for n in await client.list_topics() if n.startswith(f"{settings.kafka.topic_prefix}.")]
        if not names:
            return {}
        found = await client.describe_topics(names)
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = await client.describe_configs(asked)
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    return {t["topic"]: {"partitions": len(t["partitions"]), **configs[t["topic"]]} for t in found}


def test_every_department_reads_and_writes_a_topic_of_its_own(make_settings: Callable[..., Settings]) -> None:
    """Two per department, four shared ones and the dead letters, all under one prefix."""
    names = {topic.name for topic in topics.wanted(make_settings(), 1)}
    assert names == (
        {f"{department}.v1" for department in DEPARTMENTS}
        | {f"updates.{department}.v1" for department in DEPARTMENTS}
        | {"urgent.v1", "events.v1", "feedback.v1", "dead-letter.v1"}
    )
    assert topics.full_name(make_settings(), "urgent.v1") == "complaints.urgent.v1"
    assert set(topics.outgoing()) < names


@pytest.mark.parametrize(("brokers", "expected"), [(1, None), (2, None), (3, "2"), (7, "2")])
def test_three_brokers_are_asked_for_two_that_agree(
    make_settings: Callable[..., Settings], brokers: int, expected: str | None
) -> None:
    """With fewer, a broker that is away would stop everything."""
    wanted = topics.wanted(make_settings(), brokers)
    assert {topic.configs.get("min.insync.replicas") for topic in wanted} == {expected}


@pytest.mark.kafka
async def test_missing_topics_are_made(settings: Settings) -> None:
    """Partitions as configured, three for updates; content is kept so many days, the life cycle as the broker likes."""
    report = await topics.create(settings)
    prefix = settings.kafka.topic_prefix
    there = await described(settings)
    assert set(report.created) == set(there)
    assert len(there) == 2 * len(DEPARTMENTS) + 4
    assert {t["partitions"] for name, t in there.items() if ".updates." not in name} == {3}
    assert {t["partitions"] for name, t in there.items() if ".updates." in name} == {3}
    assert there[f"{prefix}.payments.v1"]["retention.ms"] == str(9 * DAY)
    assert there[f"{prefix}.updates.payments.v1"]["retention.ms"] == str(9 * DAY)
    assert there[f"{prefix}.events.v1"].get("retention.ms") != str(9 * DAY)
    assert "no single failure could lose an event" in report.remarks[0]


@pytest.mark.kafka
async def test_a_second_time_changes_nothing(settings: Settings) -> None:
    """All were there already, and nothing differs from how it would be made."""
    first = await topics.create(settings)
    before = await described(settings)
    second = await topics.create(settings)
    assert (second.created, set(second.existing)) == ((), set(first.created))
    assert second.remarks == first.remarks
    assert await described(settings) == before


@pytest.mark.kafka
async def test_a_topic_that_differs_is_named_and_left_alone(settings: Settings) -> None:
    """Another number of partitions and another retention are somebody's decision; each gets a remark."""
    odd = settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"partitions": 5})})
    await make_topic(odd, "payments.v1", **{"retention.ms": "1000", "cleanup.policy": "compact"})
    name = topics.full_name(settings, "payments.v1")
    async with asyncio.timeout(30):
        while name not in (there := await described(settings)):  # noqa: ASYNC110  brokers learn of it late
            await asyncio.sleep(0.05)
    report = await topics.create(settings)
    assert name in report.existing
    assert name not in report.created
    assert [r.partition(";")[0] for r in report.remarks[1:]] == [
        f"{name}: 5 partitions, not 3",
        f"{name}: retention.ms is 1000, not {9 * DAY}",
    ]
    assert (await described(settings))[name] == there[name]


@pytest.mark.kafka
def test_the_command_says_what_it_did(settings: Settings) -> None:
    """`intake topics create`, twice: so many made, then none; as JSON for programs."""
    said = [json.loads(command(settings).stdout) for _ in range(2)]
    assert [len(report["created"]) for report in said] == [20, 0]
    assert [len(report["existing"]) for report in said] == [0, 20]


def command(settings: Settings) -> subprocess.CompletedProcess[str]:
    given = {
        "INTAKE_DATA_DIR": str(settings.data_dir),
        "INTAKE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INTAKE_KAFKA__TOPIC_PREFIX": settings.kafka.topic_prefix,
    }
    return subprocess.run(
        [*INTAKE, "topics", "create", "--json"],
        env=clean_environment(**given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


async def test_a_broker_that_is_away_is_one_sentence(make_settings: Callable[..., Settings]) -> None:
    """Who was asked, and nothing half done."""
    settings = kafka_settings(make_settings, f"127.0.0.1:{free_port()}")
    with pytest.raises(TransientError, match=settings.kafka.bootstrap_servers):
        await topics.create(settings)


async def test_certificates_that_do_not_load_are_the_operators_mistake(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    """A configuration error before anything is connected to."""
    nothing = tmp_path / "ca.pem"
    settings = kafka_settings(make_settings, "127.0.0.1:1", security_protocol="SSL", ca_file=nothing)
    with pytest.raises(ConfigError, match="the certificates cannot be loaded"):
        await topics.create(settings)
